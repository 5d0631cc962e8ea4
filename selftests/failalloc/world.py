# SPDX-License-Identifier: GPL-2.0
"""A broker, clients that have nothing to do with what fails, and what must be
as before when a failure is over."""

import collections
import errno
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
for folder in ("ctl", "functional", "netlink"):
    sys.path.insert(0, str(HERE.parent / folder))

import faults  # noqa: E402
import genl  # noqa: E402
import ktap  # noqa: E402
import mqttlib  # noqa: E402
import sites  # noqa: E402
import wire  # noqa: E402
from genl import N  # noqa: E402

MODULE = os.environ.get("KMQTT_MODULE", "")
LOADED = pathlib.Path("/sys/module/kmqtt")
PORT, GUARDED = genl.PORT, genl.PORT + 1
GAUGES = ("listeners", "connections", "half_open", "sessions", "subscriptions",
          "filter_nodes", "topic_nodes", "retained_messages", "retained_bytes",
          "memory_bytes")

# How long a failure may take to happen (seconds).
PATIENCE = mqttlib.LIMIT / 6

mqttlib.HOST, mqttlib.PORT = "127.0.0.1", PORT

Row = collections.namedtuple("Row", "function symbol check fresh")
ROWS = []


def fails(function, symbol=None, fresh=False):
    """Register a check: what comes of it when what this function (a pattern)
    of the module's allocates, by calling @symbol, cannot be had. It is run for
    each such call; @fresh: right after the module was loaded."""
    def mark(check):
        ROWS.append(Row(function, symbol, check, fresh))
        return check
    return mark


def matches(row, site):
    return re.fullmatch(row.function, site.function) and \
        (row.symbol is None or row.symbol in site.symbol)


def run(*command):
    return subprocess.run(command, text=True, check=False, timeout=300,
                          stdin=subprocess.DEVNULL, capture_output=True)


def on_cpu(cpu, function):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        return function()
    finally:
        os.sched_setaffinity(0, before)


def undisturbed(function):
    """Nothing else runs on our CPU meanwhile, not even what is queued there
    on our behalf."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        return on_cpu(min(os.sched_getaffinity(0)), function)
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def unload():
    if LOADED.exists():
        done = run("rmmod", "kmqtt")
        assert not done.returncode, f"rmmod: {done.stderr}"


def come_true(function, what):
    """Wait until it is true; @what says what there is instead."""
    try:
        ktap.eventually(function)
    except AssertionError:
        raise AssertionError(what()) from None


class NotCalled(Exception):
    """What is to fail was not called: it is a copy for another purpose."""


class Client(mqttlib.Client):
    """A client that does not wait for what comes of a failure that there is
    none of."""

    block = None

    def fill(self, end):
        give_up = mqttlib.now() + PATIENCE
        while True:
            soon = mqttlib.now() + 1
            try:
                return super().fill(min(end, soon))
            except mqttlib.TimedOut:
                if soon >= end:
                    raise
                if Client.block and soon > give_up and \
                        not Client.block.count():
                    raise NotCalled from None


class World:
    """What the checks work with."""

    def __init__(self):
        self.nl = None
        self.clients, self.closers = [], []
        self.site = self.row = None
        self.hits = 0
        self.serial = 0
        self.total = 0
        self.before = self.still = {}

    # The broker

    def start(self):
        """A broker with an open and a guarded listener, and the witnesses."""
        if not LOADED.exists():
            done = run("insmod", MODULE)
            assert not done.returncode, f"insmod: {done.stderr}"
        self.nl = genl.Genl()
        self.nl.do("BROKER_STOP")
        self.guarded = genl.listen(self.nl, GUARDED, "AUTH_AUTHORITY")
        self.open = genl.listen(self.nl, PORT)
        self.witness = None

    def start_witnesses(self):
        self.witness = mqttlib.Client().open(client_id="witness")
        self.witness.sub("witness/+", 1)
        self.other = mqttlib.Client(4).open(client_id="other")
        self.round()

    def stop(self):
        if self.nl:
            self.nl.close()
            if self.witness:
                self.witness.close()
                self.other.close()
        self.nl = None
        unload()

    def round(self):
        """The witnesses are served; nothing of theirs is lost."""
        self.serial += 1
        self.other.pub(f"witness/{self.serial}", str(self.serial), 1)
        self.witness.message(topic=f"witness/{self.serial}",
                             payload=str(self.serial))
        self.witness.expect_nothing()

    def stats(self):
        return genl.stats(self.nl)

    def gauges(self):
        found = self.stats()
        return {name: found[name] for name in GAUGES}

    def grown(self, **counters):
        """So much have counters grown by since the check began."""
        def now():
            found = self.stats()
            return {name: found[name] - self.before[name]
                    for name in counters}
        come_true(lambda: now() == counters,
                  lambda: f"counters have grown by {now()}")

    # For the checks

    wait = staticmethod(ktap.eventually)

    @staticmethod
    def refused(error, function, text=None):
        """A request must fail like that."""
        return genl.refused(function, getattr(errno, error), text)

    def failing(self, times=1, pages=0, sure=True, sparing=None, whole=None):
        """What the site leads to fails in this block, at least once if @sure,
        unless it is on behalf of the function @sparing; with @whole, all that this
        function leads to, since the site is what it tries next."""
        return Failing(self, times, pages, sure, sparing, whole)

    def raw(self, ver=5, port=PORT):
        one = Client(ver, port=port)
        self.clients.append(one)
        return one

    def client(self, name="one", ver=5, port=PORT, reason=0, **fields):
        return self.raw(ver, port).open(reason, client_id=name, **fields)

    def connecting(self, name="one", ver=5, port=GUARDED, **fields):
        """A client that has sent its CONNECT."""
        one = self.raw(ver, port)
        one.auth_method = dict(fields.get("properties", ())).get(
            wire.AUTH_METHOD)
        return one.send(wire.connect(ver, name, **fields))

    def authority(self):
        """A netlink socket that answers for the guarded listener."""
        nl = genl.Genl()
        self.closers.append(nl)
        nl.do("AUTHORITY_SET")
        return nl

    def ear(self):
        """A netlink socket that hears events."""
        nl = genl.Genl()
        self.closers.append(nl)
        nl.join()
        return nl

    # Around them

    def attempt(self, site, row):
        """Let it fail at this call. Return: how often it did."""
        section = sites.base(site.section)
        assert section, f"{site.section} is not there"
        self.site, self.hits, self.row = section + site.returns, 0, row
        # They come afterwards where nothing may have been done before.
        if not row.fresh and not self.witness:
            self.start_witnesses()
        self.settle()
        # Where memory is short in a softirq, the io work takes over and has it.
        genl.set_config(self.nl, express_after=0)
        self.before = self.stats()
        try:
            row.check(self)
        except Exception:
            # By another copy of the call nothing has failed.
            if self.hits:
                raise
        finally:
            self.clean_up()
        if self.witness:
            self.round()
        come_true(lambda: self.gauges() == self.still,
                  lambda: f"left behind: {self.difference()}")
        self.total += self.hits
        return self.hits

    def settle(self):
        """What is there without clients; what the last check has left is not
        for this one."""
        def same():
            before, self.still = self.still, self.gauges()
            return before == self.still
        ktap.eventually(same, "it never comes to rest")

    def difference(self):
        return ", ".join(f"{name} {value - self.still[name]:+d}"
                         for name, value in self.gauges().items()
                         if value != self.still[name])

    def clean_up(self):
        for one in self.clients:
            one.close()
        for nl in self.closers:
            nl.close()
        self.clients.clear()
        self.closers.clear()
        for session in self.nl.dump("SESSION_GET"):
            if session["CLIENT_ID"] not in ("witness", "other"):
                try:
                    self.nl.do("SESSION_DEL", CLIENT_ID=session["CLIENT_ID"])
                except genl.Refused:
                    pass
        genl.set_config(self.nl, max_connections=10000)
        self.nl.do("ACL_SET", ACL_FLAGS=N["ACL_OFF"])
        self.nl.do("RETAINED_DEL", FILTER="#")
        for listener in self.nl.dump("LISTENER_GET"):
            if listener["LISTENER_ID"] not in (self.open, self.guarded):
                self.nl.do("LISTENER_DEL", LISTENER_ID=listener["LISTENER_ID"])


class Failing:
    """A block in which the site of a world fails."""

    def __init__(self, world, times, pages, sure, sparing, whole):
        self.world, self.sure = world, sure
        self.times, self.pages = times, pages
        start, end = whole and sites.extent(whole) or (world.site, world.site + 1)
        self.block = faults.failing(start, end, times, pages,
                                    sparing and sites.extent(sparing))

    def __enter__(self):
        self.injected = self.block.__enter__()
        Client.block = self if self.sure else None
        return self

    def count(self):
        return faults.failed(faults.SLAB, self.times) + \
            faults.failed(faults.PAGES, self.pages)

    def happened(self):
        """Wait until something has failed."""
        return ktap.eventually(self.count, "nothing has failed")

    def __exit__(self, *error):
        Client.block = None
        self.block.__exit__(*error)
        self.world.hits += self.injected.count
        if self.sure and not self.injected.count and not error[0]:
            raise NotCalled
