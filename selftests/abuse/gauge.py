# SPDX-License-Identifier: GPL-2.0
"""What the abuse tests measure with: a witness who is to be served all the
while, and gauges of the memory of the broker, of TCP and of the kernel."""

import contextlib
import functools
import os
import pathlib
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "functional"), str(HERE.parent / "ctl")]

import ktap  # noqa: E402
from ktap import CHECKED, many  # noqa: E402,F401
from harness import (Context, check, eventually, settings,  # noqa: E402
                     stats)
from mqttlib import HOST, PORT, Client, Failure, now  # noqa: E402


KIB, MIB = 1 << 10, 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
FLOOD = HERE.parent.parent / "build" / "selftests" / "abuse" / "flood"


def objects(size):
    """What small objects take: where everything is checked, their locks and
    lists have what that needs, too."""
    return size * 3 // 2 if CHECKED else size


def setting(name):
    return settings()[name]


def tcp_bytes():
    """What TCP holds for sockets of this namespace's kernel."""
    for line in pathlib.Path("/proc/net/sockstat").read_text().splitlines():
        word = line.split()
        if word[0] == "TCP:":
            return int(word[word.index("mem") + 1]) * PAGE
    raise Failure("no TCP in /proc/net/sockstat")


def meminfo(name):
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        word = line.split()
        if word[0] == name + ":":
            return int(word[1]) * KIB
    raise Failure(f"no {name} in /proc/meminfo")


def netstat(name):
    """A counter of TCP's own."""
    lines = pathlib.Path("/proc/net/netstat").read_text().splitlines()
    for names, values in zip(lines[::2], lines[1::2]):
        found = dict(zip(names.split(), values.split()))
        if name in found:
            return int(found[name])
    raise Failure(f"no {name} in /proc/net/netstat")


class Witness(threading.Thread):
    """Publishes with QoS 1 to itself from one connection to another, one
    message at a time, as long as the block goes on. None may be lost."""

    def __init__(self, t):
        super().__init__(daemon=True)
        self.topic = t.topic("witness")
        self.sub, self.pub = t.client(), t.client()
        self.sub.sub(self.topic, 1)
        self.done = threading.Event()
        self.rounds, self.slowest, self.failure = 0, 0.0, None

    def run(self):
        try:
            while not self.done.is_set():
                self.round()
                self.done.wait(0.02)
        except Exception as error:
            self.failure = error

    def round(self):
        begin = now()
        text = str(self.rounds)
        reason = self.pub.pub(self.topic, text, 1)
        check(not reason, f"message {text} was refused: {reason}")
        self.sub.message(payload=text, topic=self.topic)
        self.slowest = max(self.slowest, now() - begin)
        self.rounds += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, trace):
        self.done.set()
        self.join()
        if kind is None and self.failure:
            raise Failure(f"the witness was not served after "
                          f"{self.rounds} messages: {self.failure!r}")

    def served(self, rounds=3):
        """So many more messages go round from now on."""
        wanted = self.rounds + rounds
        eventually(lambda: self.rounds >= wanted or self.failure,
                   "the witness is not served")
        check(not self.failure, f"the witness: {self.failure!r}")


def newcomer(t):
    """Somebody new gets in and is served."""
    c, topic = t.client(), t.topic("newcomer")
    c.sub(topic, 1)
    check(not c.pub(topic, "hello", 1), "the newcomer's message was refused")
    c.message(payload="hello")
    c.disconnect()


class Gauge:
    """Peaks above what there was at the beginning, bytes."""

    def __init__(self, name):
        self.name, self.begin = name, now()
        self.before = stats()
        self.tcp_before, self.slab_before = tcp_bytes(), meminfo("Slab")
        self.memory = self.tcp = self.slab = 0
        self.available = meminfo("MemAvailable")
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.done.wait(0.2):
            self.tcp = max(self.tcp, tcp_bytes() - self.tcp_before)
            self.slab = max(self.slab, meminfo("Slab") - self.slab_before)
            self.available = min(self.available, meminfo("MemAvailable"))

    def sample(self):
        """Look at the broker now; its counters since the beginning."""
        found = stats()
        self.memory = max(self.memory, found["memory_bytes"] -
                          self.before["memory_bytes"])
        return {name: value - self.before[name]
                for name, value in found.items()}

    def counted(self, counter, least=1):
        """Wait until a counter has gone up so far; return by how much."""
        return eventually(lambda: self.sample()[counter] >= least and
                          self.sample()[counter],
                          f"{counter} has not gone up by {least}")

    def bounds(self, witness=None, **bounds):
        """Print the peaks; none may be above its bound (memory, tcp, slab)."""
        self.sample()
        self.done.set()
        self.thread.join()
        text = ", ".join(
            f"{name} +{getattr(self, name) // KIB} KiB" +
            (f" (bound {bounds[name] // KIB})" if name in bounds else "")
            for name in ("memory", "tcp", "slab"))
        text += f", MemAvailable {self.available // MIB} MiB or more"
        if witness:
            text += f"; {witness.rounds} rounds, slowest " \
                f"{witness.slowest * 1000:.0f} ms"
        print(f"# {self.name}: {text}, {now() - self.begin:.0f} s",
              flush=True)
        for name, bound in bounds.items():
            if name == "slab" and CHECKED:
                continue	# red zones and stacks are not the broker's
            check(getattr(self, name) <= bound,
                  f"{name}: {getattr(self, name)} bytes, bound {bound}")

    def given_back(self, slack=MIB):
        """What was taken of the broker's memory is free again."""
        eventually(lambda: self.sample()["memory_bytes"] <= slack,
                   "memory is not given back")


def abuse(function):
    """Register a test that is given a context of ../functional."""
    @functools.wraps(function)
    def run():
        context = Context(function.__name__)
        try:
            function(context)
        finally:
            context.clean_up()
    return ktap.test(run)


@contextlib.contextmanager
def flood(*arguments):
    """The helper: yields its numbers by name, and ends it afterwards."""
    with flooding(*arguments) as proc:
        yield numbers(proc)


@contextlib.contextmanager
def flooding(*arguments):
    """The same, while it is at work."""
    proc = subprocess.Popen([FLOOD, str(PORT), *map(str, arguments)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            text=True)
    try:
        yield proc
    finally:
        proc.stdin.close()
        proc.wait()


def numbers(proc):
    word = proc.stdout.readline().split()
    if not word:
        raise Failure(f"flood has ended with status {proc.wait()}")
    return dict(zip(word[::2], map(int, word[1::2])))


def sockets(count, ver=5):
    """TCP connections on which nothing was sent."""
    return [Client(ver, HOST, PORT) for _ in range(count)]


def main():
    if not FLOOD.exists():
        ktap.main("the helper was not built: make -C selftests/abuse")
    ktap.main()
