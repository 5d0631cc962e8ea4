# SPDX-License-Identifier: GPL-2.0
"""Which lines of a kernel's log make a run a failure."""

import re

# Told by the kernel itself about memory, locks, scheduling, RCU, references.
COMPLAINTS = re.compile("|".join((
    r"\bWARNING: ", r"\bBUG[: ]", r"kernel BUG at", r"\bOops\b",
    r"Kernel panic", r"general protection fault", r"double fault",
    r"stack segment:", r"unable to handle", r"Unable to handle",
    r"\bKASAN\b", r"\bUBSAN\b", r"\bKCSAN\b", r"\bKFENCE\b", r"ODEBUG",
    r"detected (expedited )?stalls?", r"self-detected stall", r"rcu.*\bstall",
    r"blocked for more than \d+ seconds", r"soft lockup", r"hard LOCKUP",
    r"workqueue lockup", r"unreferenced object", r"possible deadlock",
    r"suspicious RCU usage", r"scheduling while atomic",
    r"sleeping function called", r"bad unlock balance", r"lock held when",
    r"INFO: trying to register non-static key", r"DEBUG_LOCKS_WARN_ON",
    r"list_(add|del) corruption", r"refcount_t: ", r"cut here",
    r"Call Trace:", r"Modules linked in:", r"page allocation failure",
    r"oom-killer", r"Out of memory", r"unregister_netdevice: waiting",
    r"Objects remaining", r"objects remaining", r"slab error",
    r"nobody cared", r"Attempted to kill init", r"leaked reference",
    r"traps: ", r"segfault at", r"bad page state", r"corruption",
)))
# While booting only what stops it: the firmware's complaints are not ours.
BOOT_COMPLAINTS = re.compile(r"Kernel panic|\bOops\b|kernel BUG at|"
                             r"\bBUG: |cut here")
# A cache of objects that could not be made is said with a stack, be it a test
# that made it fail: the stack is no complaint of its own.
REFUSED = re.compile(r"^kmem_cache_create\w*\(\w+\) failed with error -12$")
STAMP = re.compile(r"^\[ *\d+\.\d+\](\[ *[CT]\d+\])? ?")
CONTEXT = 70

# Flags of /proc/sys/kernel/tainted that follow from what a test is: a module
# from outside the tree, unsigned, or a test module.
TAINT_EXPECTED = 1 << 0 | 1 << 12 | 1 << 13 | 1 << 15 | 1 << 18
TAINT_NAMES = {1: "module forced in", 2: "out of specification",
               3: "module forced out", 4: "machine check", 5: "bad page",
               6: "asked for by a user", 7: "died (oops or BUG)",
               9: "warned", 14: "soft lockup"}


class Log:
    """Reads console lines as they come and remembers the complaints."""

    def __init__(self, allow=()):
        self.lines = []
        self.first = None
        self.found = []
        self.started = False
        self.panicked = False
        self.refused = False
        self.allow = [re.compile(a) for a in allow]

    def add(self, line):
        text = STAMP.sub("", line.rstrip("\r\n"))
        self.lines.append(line.rstrip("\r\n"))
        if text == "kmqtt-guest: start":
            self.started = True
        if "Kernel panic" in text:
            self.panicked = True
        if REFUSED.search(text):
            self.refused = True
        elif self.refused and text == "Call Trace:":
            self.refused = False
            return
        rule = COMPLAINTS if self.started else BOOT_COMPLAINTS
        if rule.search(text) and not any(a.search(text) for a in self.allow):
            if self.first is None:
                self.first = len(self.lines) - 1
            self.found.append(text)

    def excerpt(self):
        """The lines to show: a little before the first complaint, then on."""
        if self.first is None:
            return []
        start = max(0, self.first - 3)
        return self.lines[start:start + CONTEXT]


def taint_complaints(before, after):
    """What the kernel's taint says that happened between the two readings."""
    new = after & ~before & ~TAINT_EXPECTED
    return ["the kernel is tainted: %s" % TAINT_NAMES.get(bit, "flag %d" % bit)
            for bit in range(32) if new >> bit & 1]
