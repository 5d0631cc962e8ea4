# SPDX-License-Identifier: GPL-2.0
"""Where the module allocates: every call in its code, by the function it is
written in, with the address it returns to."""

import collections
import os
import pathlib
import re
import struct
import subprocess

# What may allocate, and ...
ALLOCATES = re.compile("|".join((
    r"k[mvz]*c?alloc(_node|_array)?", r"__kmalloc\w*", r"(__)?kvmalloc\w*",
    r"__vmalloc\w*", r"vz?alloc\w*", r"kmem_cache_(alloc|create)\w*",
    r"kmem_cache_alloc_bulk", r"kmalloc_(trace|large)\w*",
    r"k(mem|str)n?dup\w*", r"(__)?alloc_pages?\w*", r"__get_free_pages",
    r"page_frag_alloc\w*", r"__alloc_skb", r"skb_clone", r"skb_copy",
    r"__(percpu_counter_init|alloc_percpu\w*)", r"init_srcu_struct",
    r"__init_srcu_struct", r"alloc_workqueue", r"kthread_create\w*",
    r"rhashtable_init", r"rhashtable_insert_slow", r"rht_bucket_nested_insert",
    r"(__)?xa_(store|alloc|insert|cmpxchg)\w*", r"id[ar]_alloc\w*",
    r"sock_create\w*", r"kernel_(accept|bind|listen|sendmsg|recvmsg)",
    r"kernel_sock_shutdown", r"sock_release", r"tcp_send(msg|page)\w*",
    r"skb_page_frag_refill",
    r"netlink_(unicast|broadcast)", r"genl_register_family",
    r"register_pernet_subsys",
)))
# ... what does not. A function that is in neither list is one too many.
HARMLESS = re.compile("|".join((
    r"__(asan|sanitizer|ubsan|kasan|kcsan|gcov|tsan)_\w+", r"__stack_chk_fail",
    r"__x86_\w+", r"__SCT__\w+", r"__fentry__", r"__fortify_\w+",
    r"fortify_panic", r"__might_\w+", r"_?printk", r"__warn_printk",
    r"dump_stack", r"lockdep_\w+", r"lock_is_held_type", r"lock_acquire",
    r"lock_release", r"debug_\w+", r"__list_\w+", r"refcount_warn_saturate",
    r"_?_?raw_(spin|read|write)_\w+", r"mutex_\w+", r"__mutex_\w+",
    # With a head to chain it by, as here, it allocates nothing.
    r"kvfree_call_rcu",
    r"rcu_\w+", r"__rcu_\w+", r"srcu_\w+", r"__srcu_\w+", r"call_s?rcu",
    r"synchronize_(s?rcu|rcu_tasks)", r"cleanup_srcu_struct",
    r"__local_bh_\w+_ip",
    r"fs_reclaim_\w+", r"dump_page", r"task_active_pid_ns",
    r"preempt_\w+", r"schedule\w*", r"__cond_resched", r"msleep",
    r"(finish|prepare_to|init)_wait\w*", r"__init_waitqueue_head",
    r"__wake_up", r"wake_up_bit", r"out_of_line_wait_on_bit_lock",
    r"(__)?tasklet_\w+", r"(__)?hrtimer_\w+", r"kthread_(should_)?stop",
    r"wake_up_process", r"sched_setattr_nocheck",
    # What they call is looked at by itself.
    r"__cpuhp_(setup|remove)_state",
    r"init_timer_key", r"__init_work",
    r"(mod|queue|cancel)_(delayed_)?work\w*",
    r"__flush_workqueue", r"destroy_workqueue", r"percpu_counter_\w+",
    r"__percpu_counter_sum", r"free_percpu", r"k?v?free\w*", r"__folio_put",
    r"kfree_(skb|sensitive)\w*", r"kvfree_sensitive",
    r"kmem_cache_(free|destroy)\w*",
    r"kmalloc_size_roundup", r"is_vmalloc_addr", r"__put_\w+", r"put_\w+",
    r"kmemleak_\w+", r"rhashtable_(destroy|free_and_destroy|walk_\w+)",
    r"rht_bucket_nested", r"__rht_bucket_nested",
    r"(__)?xa_(erase|load|destroy)",
    r"llist_\w+", r"mem(cmp|cpy|set|move)", r"str\w+", r"snprintf",
    r"_find_\w+", r"get_random_\w+", r"__get_random_\w+", r"jiffies\w*",
    r"lock_sock_nested", r"release_sock", r"sock_(no|set)_\w+",
    r"tcp_sock_set_(nodelay|quickack)", r"tcp_stream_memory_free",
    # It may acknowledge, which TCP does again if it could not.
    r"tcp_read_sock", r"skb_copy_bits",
    r"kernel_getpeername",
    r"iov_iter_kvec", r"net_ratelimit", r"sock_inuse_\w+", r"get_net_\w+",
    r"ref_tracker_\w+", r"netlink_(capable|has_listeners)",
    r"do_trace_netlink_extack", r"netlink_(un)?register_notifier",
    r"genl_unregister_family", r"unregister_pernet_subsys", r"genlmsg_put",
    r"nla_\w+", r"__nla_\w+", r"skb_(put|trim|pull|push)", r"__cpu_\w+",
    r"_dev_\w+", r"__dynamic_\w+",
)))

Call = collections.namedtuple("Call", "section returns symbol")
Site = collections.namedtuple("Site", "section returns symbol function line")

EXECUTABLE, RELOCATIONS, SYMBOLS = 4, 4, 2
FUNCTION, FILE = 2, 4
PC32, PLT32 = 2, 4


class Object:
    """An ELF64 file: its sections and symbols."""

    def __init__(self, path):
        self.data = pathlib.Path(path).read_bytes()
        offset, = struct.unpack_from("<Q", self.data, 40)
        size, number, names = struct.unpack_from("<HHH", self.data, 58)
        heads = [struct.unpack_from("<IIQQQQIIQQ", self.data,
                                    offset + n * size)
                 for n in range(number)]
        self.sections = heads
        self.names = [self.string(heads[names], head[0]) for head in heads]

    def content(self, head):
        return memoryview(self.data)[head[4]:head[4] + head[5]]

    def string(self, table, at):
        start = table[4] + at
        return self.data[start:self.data.index(b"\0", start)].decode()

    def symbols(self, index):
        """[(name, is it imported)] in the order of a table."""
        head = self.sections[index]
        strings = self.sections[head[6]]
        return [(self.string(strings, name), section == 0)
                for name, _, _, section, _, _ in
                struct.iter_unpack("<IBBHQQ", self.content(head))]

    def function_at(self, section, offset):
        """(function, source file), by the table of symbols; the symbol of a
        file comes before those that are local to it."""
        where, file = self.names.index(section), ""
        for head in self.sections:
            if head[1] != SYMBOLS:
                continue
            strings = self.sections[head[6]]
            for name, info, _, shndx, start, size in \
                    struct.iter_unpack("<IBBHQQ", self.content(head)):
                if info & 15 == FILE:
                    file = self.string(strings, name)
                elif info & 15 == FUNCTION and shndx == where and \
                        start < offset <= start + size:
                    return self.string(strings, name), file
        return None

    def calls(self):
        """All calls of what is not in this file."""
        known = {}
        for index, head in enumerate(self.sections):
            if head[1] != RELOCATIONS or \
                    not self.sections[head[7]][2] & EXECUTABLE:
                continue
            if head[6] not in known:
                known[head[6]] = self.symbols(head[6])
            names = known[head[6]]
            text = self.content(self.sections[head[7]])
            for at, info, _ in struct.iter_unpack("<QQq", self.content(head)):
                name, imported = names[info >> 32]
                if imported and info & 0xffffffff in (PC32, PLT32) and \
                        at and text[at - 1] in (0xe8, 0xe9):
                    yield Call(self.names[head[7]], at + 4, name)


def unknown(calls):
    """Functions that nobody has said of whether they allocate."""
    return sorted({call.symbol for call in calls
                   if not ALLOCATES.fullmatch(call.symbol) and
                   not HARMLESS.fullmatch(call.symbol)})


def lines(path, section, offsets):
    """(function, file:line) of each call, where it is written: in our own
    source, not in a header of the kernel's that is inlined there."""
    asked = "\n".join(hex(offset - 1) for offset in offsets)
    told = subprocess.run(["addr2line", "-a", "-f", "-i", "-j", section, "-e",
                           str(path)], input=asked, text=True, check=True,
                          capture_output=True).stdout.splitlines()
    found, own = [], None
    for at, text in enumerate(told):
        if text.startswith("0x"):
            found.append(None)
            own = at + 1
        elif (at - own) % 2 and not found[-1]:
            match = re.search(r"/kmod/((?:core/)?\w+\.c:\d+)", text)
            if match:
                found[-1] = told[at - 1], match.group(1)
    return found


def find(path):
    """All sites of the module, in the order of its code."""
    module = Object(path)
    calls = list(module.calls())
    left = unknown(calls)
    assert not left, "sites.py does not say whether these allocate: " + \
        " ".join(left)
    by_section = collections.defaultdict(list)
    for call in calls:
        if ALLOCATES.fullmatch(call.symbol):
            by_section[call.section].append(call)
    sites = []
    for section, group in by_section.items():
        for call, where in zip(group, lines(path, section,
                                            [c.returns for c in group])):
            # A header's function that the compiler made a copy of.
            if not where:
                function, file = module.function_at(section, call.returns)
                where = f"{function.split('.')[0]} of {file}", file
            sites.append(Site(*call, *where))
    return sites


def base(section, module="kmqtt"):
    """Where a section of the loaded module is."""
    path = f"/sys/module/{module}/sections/{section}"
    return int(pathlib.Path(path).read_text(), 16) \
        if os.path.exists(path) else None


def extent(function, module="kmqtt"):
    """The addresses of a function of the loaded module."""
    symbols = []
    with open("/proc/kallsyms") as table:
        for line in table:
            word = line.split()
            if word[-1] == f"[{module}]":
                symbols.append((int(word[0], 16), word[2]))
    start = next(at for at, name in symbols if name == function)
    return start, min(at for at, _ in symbols if at > start)
