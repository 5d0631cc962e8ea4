# SPDX-License-Identifier: GPL-2.0
"""The scenarios of the benchmark: options of the load generator."""

import fnmatch
from collections import namedtuple

ALL_BROKERS = ("relay", "batched", "floor", "mosquitto", "kmqtt")
REAL_BROKERS = ("mosquitto", "kmqtt")
WITH_BATCHES = ("relay", "batched") + REAL_BROKERS
# Where nothing waits for anybody, a batch is one message.
NO_BATCHES = ("relay",) + REAL_BROKERS
# There the least is known that TCP and the clients cost: of QoS 0.
ONE_AT_A_TIME = ("relay", "floor") + REAL_BROKERS
# Where both also listen, for clients on the same machine.
SOCKET = "/tmp/bench.socket"

# memory: not 0 for those that measure memory instead: of so many of something
# fresh: with a broker that has done nothing before
# group: "usual", or "all": of those that take long or add little
# against: what kmqtt's cost is compared with: a broker in the same scenario,
#	or another scenario's name
# most: the ratio, or the cost itself without against, not to be exceeded
Scenario = namedtuple("Scenario", "name args brokers memory fresh group "
                      "against most")


def traffic(name, args, brokers=WITH_BATCHES, group="usual", against="relay",
            most=None, fresh=False):
    return Scenario(name, args, brokers, 0, fresh, group, against, most)


def one_to_one():
    most = {("64B", 0): 0.80, ("64B", 1): 0.85, ("64B", 2): 0.85}
    for size, option in (("64B", "-s64"), ("1KiB", "-s1024")):
        for qos in (0, 1, 2):
            yield traffic("1-1 %s qos%d" % (size, qos),
                          "%s -q%d -u200 -n2000" % (option, qos),
                          NO_BATCHES if qos else ONE_AT_A_TIME,
                          most=most.get((size, qos)))


def fan_out():
    closed = {("64B", 100): 0.85, ("64B", 1000): 0.85, ("16KiB", 100): 0.70}
    bursts = {("64B", 100): 1.2, ("1KiB", 100): 1.0, ("16KiB", 100): 0.70}
    amounts = {10: (20, 200), 100: (10, 50), 1000: (3, 10)}
    for nr, (warm_up, messages) in amounts.items():
        for size, byte in (("64B", 64), ("1KiB", 1024), ("16KiB", 16384)):
            group = "all" if (size, nr) == ("16KiB", 1000) else "usual"
            yield traffic("1-%d %s" % (nr, size), "-S%d -s%d -u%d -n%d" %
                          (nr, byte, warm_up, messages), ONE_AT_A_TIME,
                          most=closed.get((size, nr)), group=group)
            yield traffic("1-%d %s out32" % (nr, size),
                          "-S%d -s%d -w32 -u%d -n%d" %
                          ((nr, byte) + ((64, 160) if nr < 1000 else
                                         (32, 64))),
                          against="batched", most=bursts.get((size, nr)),
                          group=group)


def matching():
    plain = "1-1 64B qos0"
    numbers = (("1k", 1000), ("10k", 10000), ("100k", 100000),
               ("1M", 1000000))
    for kind in ("mixed", "exact", "plus", "hash"):
        for text, number in numbers:
            usual = text == "100k" or (kind == "mixed" and text != "1M")
            yield traffic("1-1 among %s %s" % (text, kind),
                          "-f%d %s -u200 -n1000" %
                          (number, "" if kind == "mixed" else "-F" + kind),
                          REAL_BROKERS, "usual" if usual else "all",
                          against=plain, most=1.03, fresh=True)


def pairs():
    for size, byte in (("64B", 64), ("1KiB", 1024)):
        yield traffic("100 pairs %s" % size, "-opairs -S100 -s%d -u5 -n30" %
                      byte, ONE_AT_A_TIME, most=0.85 if byte == 64 else None)
        yield traffic("100 pairs %s out8" % size,
                      "-opairs -S100 -s%d -w8 -u16 -n80" % byte,
                      against="batched", most=1.2 if byte == 1024 else None)


def paced():
    """The highest is more than there is time for: that is the point."""
    for rate, messages in ((10, 100), (1000, 1000), (20000, 5000),
                           (100000, 10000)):
        yield traffic("1-1 64B %d/s" % rate, "-r%d -w1000 -u20 -n%d" %
                      (rate, messages))


def local():
    """On Unix sockets, against the same over TCP."""
    for size, byte, most in (("64B", 64, 0.5), ("1KiB", 1024, None)):
        yield traffic("1-1 %s unix" % size, "-h%s -s%d -u200 -n2000" %
                      (SOCKET, byte), REAL_BROKERS,
                      against="1-1 %s qos0" % size, most=most)
    yield traffic("1-100 64B unix", "-h%s -S100 -s64 -u10 -n50" % SOCKET,
                  REAL_BROKERS, against="1-100 64B", most=0.5)


ALL = (
    *one_to_one(),
    *local(),
    *fan_out(),
    traffic("1-100 64B qos1 out32", "-q1 -S100 -w32 -u64 -n160",
            against="batched", most=1.5),
    traffic("100-1 64B", "-P100 -u5 -n30", against="batched", most=0.85),
    *pairs(),
    *matching(),
    traffic("connect", "-m connect -u50 -n1000", ONE_AT_A_TIME, most=0.95,
            fresh=True),
    traffic("10k retained to #", "-m retained -n10000", REAL_BROKERS,
            against=None, most=2000, fresh=True),
    traffic("10k queued qos1", "-m queued -n10000", REAL_BROKERS,
            against=None, most=3000, fresh=True),
    traffic("1-99 64B", "-S99 -u10 -n100", NO_BATCHES),
    traffic("1-99 64B one stuck", "-S99 -x1 -u10 -n100", REAL_BROKERS,
            against="1-99 64B", most=1.02, fresh=True),
    traffic("1-1 64B beside 1000 idle", "-i1000 -u200 -n2000", NO_BATCHES,
            against="1-1 64B qos0"),
    *paced(),
    Scenario("idle connection", "-i5000", NO_BATCHES, 5000, True, "usual",
             "relay", 700),
    Scenario("subscription, of 100k", "-f100000 -Fexact", REAL_BROKERS, 100000,
             True, "usual", None, None),
)

# Wall time on one and two processors: the median latency, or the time all of it
# took. Each is a list of load generators that run at the same time, lest they
# be what there is only one of. Those with -l listen to the one without.
WallScenario = namedtuple("WallScenario", "name latency loads most")

WALL = (
    WallScenario("1-1 64B, median latency", True, ("-u500 -n4000",), 0.4),
    WallScenario("1-1000 64B", False,
                 ("-T7 -l -S500 -n60", "-T7 -S500 -n60"), None),
    WallScenario("1-1000 64B out32", False,
                 ("-T7 -l -S500 -n240", "-T7 -S500 -w32 -n240"), None),
    WallScenario("100 pairs 64B out8", False,
                 ("-opairs -S50 -w8 -u50 -n150",) * 2, None),
)
# On two processors against one: this much faster.
WALL_SPEED = 1.7


def wanted(scenario, patterns, everything):
    """
    Does one of the patterns, with commas between them, mean it? No pattern
    means those that are usual.
    """
    if not patterns:
        return everything or scenario.group == "usual"
    return any(scenario.name == p.strip() or fnmatch.fnmatch(scenario.name, p)
               or ("*" not in p and p in scenario.name)
               for p in patterns.split(","))
