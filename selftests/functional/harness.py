# SPDX-License-Identifier: GPL-2.0
"""Marks for tests, the context each test runs in, and settings of the
broker."""

import contextlib
import itertools
import os
import pathlib
import subprocess
import sys
import time

import wire
from mqttlib import LIMIT, Client, Failure, now

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "netlink"))

import genl  # noqa: E402
from ktap import CHECKED  # noqa: E402

TESTS = []
SERIAL = itertools.count(1)
RUN = f"{os.getpid():x}"
KMQTTCTL = os.environ.get("KMQTTCTL")


class Skip(Exception):
    """The test cannot be run here; the text says why."""


class Test:
    """One test point: a function, with a protocol version or a case."""

    def __init__(self, function, name, statements, ver=None, case=None):
        self.function, self.name = function, name
        self.statements, self.ver, self.case = statements, ver, case

    @property
    def slow(self):
        return getattr(self.function, "slow", False)

    @property
    def patience(self):
        """How many times the usual time the test may take as a whole."""
        return getattr(self.function, "patience", 1)

    def run(self, context):
        context.ver = self.ver or 5
        if self.case is not None:
            self.function(context, self.case)
        else:
            self.function(context)


def shows(*statements):
    """Register a test and the statements of the standards it shows; those of
    MQTT 3.1.1 have the prefix MQTT311- instead of MQTT-."""
    def mark(function):
        base = function.__module__.removeprefix("test_") + "." + \
            function.__name__
        function.base, function.statements = base, statements
        cases = getattr(function, "cases", None)
        versions = getattr(function, "versions", None)
        if cases is not None:
            names = [case.name for case in cases]
            assert len(set(names)) == len(names), f"{base}: a name twice"
            for case in cases:
                TESTS.append(Test(function, f"{base}/{case.name}", statements,
                                  case.ver, case))
        elif versions:
            for ver in versions:
                TESTS.append(Test(function, f"{base}/v{ver}", statements, ver))
        else:
            TESTS.append(Test(function, base, statements))
        return function
    return mark


def versions(*levels):
    """Run the test once for each protocol level (3, 4, 5), as t.ver."""
    def mark(function):
        function.versions = levels
        return function
    return mark


def cases(table):
    """Run the test once for each entry; an entry has .name and .ver."""
    def mark(function):
        function.cases = list(table)
        return function
    return mark


def slow(function):
    """The test waits for time to pass: run it beside the others like it."""
    function.slow = True
    return function


def patient(function):
    """The test sends a great deal: give it more time as a whole."""
    function.patience = 4
    return function


def many(count, least=1):
    """@count, a quarter of it where everything is checked."""
    return max(count // 4, least) if CHECKED else count


def check(condition, text):
    if not condition:
        raise Failure(text)


def equal(got, wanted, what="value"):
    if got != wanted:
        raise Failure(f"{what}: expected {wanted!r}, got {got!r}")


def eventually(condition, what, seconds=4 * LIMIT):
    """Wait until it returns something true; return that. For what no message
    tells."""
    end = now() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(now() < end, f"{what}: not in {seconds:.0f} s")
        time.sleep(0.1)


def of_this_kernel():
    """The broker's settings and counters are asked for only where it is said to be
    this kernel's."""
    if not KMQTTCTL:
        raise Skip("KMQTTCTL does not name the kmqttctl to use")


def ctl(*arguments):
    """Run kmqttctl, return what it prints."""
    of_this_kernel()
    done = subprocess.run([KMQTTCTL, *arguments], text=True, timeout=60,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          check=False)
    if done.returncode:
        raise Failure(f"kmqttctl {' '.join(arguments)}: "
                      f"{done.stderr.strip() or done.returncode}")
    return done.stdout


# By netlink: kmqttctl, a new process each time, takes a checked kernel a second.

def stats():
    """The broker's counters and gauges by name."""
    of_this_kernel()
    with genl.Genl() as nl:
        return genl.stats(nl)


def settings():
    """The settings of the broker by name."""
    of_this_kernel()
    with genl.Genl() as nl:
        return {name: found["VALUE"]
                for name, found in genl.settings(nl).items()}


def change(values):
    """Settings of the broker."""
    of_this_kernel()
    with genl.Genl() as nl:
        genl.set_config(nl, **values)


class Context:
    """What one test has made: names of its own, connections, leftovers."""

    def __init__(self, name):
        self.name, self.ver = name, 5
        self.key = f"{RUN}.{next(SERIAL)}"
        self.clients, self.sessions, self.retained = [], {}, set()
        self.restore = {}
        self.names = itertools.count(1)

    def topic(self, name="t"):
        """A topic nobody else uses."""
        return f"kmqtt-test/{self.key}/{next(self.names)}/{name}"

    def cid(self):
        """A client identifier nobody else uses, of at most 23 characters."""
        return f"k{RUN}x{self.key.split('.')[1]}x{next(self.names)}"

    def raw(self, ver=None, **where):
        """A network connection on which nothing was sent yet."""
        client = Client(ver or self.ver, context=self, **where)
        self.clients.append(client)
        return client

    def client(self, ver=None, client_id=None, reason=0, present=None,
               where=None, **fields):
        """A client that is connected."""
        ver = ver or self.ver
        if client_id is None:
            client_id = self.cid()
        lasting = dict(fields.get("properties", ())) if ver == 5 else {}
        if ver == 5 and lasting.get(wire.SESSION_EXPIRY) or \
                ver < 5 and not fields.get("clean", True):
            self.sessions[client_id] = ver
        client = self.raw(ver, **(where or {}))
        return client.open(reason, present, client_id=client_id, **fields)

    def lasting(self, client_id, clean=False, ver=None, expiry=3600,
                properties=(), **fields):
        """A client whose session outlives its connection."""
        ver = ver or self.ver
        if ver == 5:
            properties = [(wire.SESSION_EXPIRY, expiry), *properties]
        self.sessions[client_id] = ver
        return self.client(ver, client_id, clean=clean, properties=properties,
                           **fields)

    def setting(self, **values):
        """Change settings of the broker until the test ends."""
        before = settings()
        for name in values:
            if name not in before:
                raise Failure(f"the broker has no setting {name}")
            self.restore.setdefault(name, before[name])
        change(values)

    def clean_up(self):
        if self.restore:
            change(self.restore)
        for client in self.clients:
            client.close()
        for client_id, ver in self.sessions.items():
            with contextlib.suppress(Failure, OSError, wire.Fault):
                client = Client(ver).open(client_id=client_id)
                client.disconnect()
        if self.retained:
            with contextlib.suppress(Failure, OSError, wire.Fault):
                client = Client(4).open(client_id=self.cid())
                for topic in self.retained:
                    client.pub(topic, b"", 1, retain=True)
                client.disconnect()
