# SPDX-License-Identifier: GPL-2.0
"""The scenarios of the benchmark: options of the load generator."""

import fnmatch
from collections import namedtuple

ALL_BROKERS = ("relay", "batched", "mosquitto", "kmqtt")
REAL_BROKERS = ("mosquitto", "kmqtt")

# clients: not 0 for those that measure memory instead
Scenario = namedtuple("Scenario", "name args brokers clients")


def traffic(name, args, brokers=ALL_BROKERS):
    return Scenario(name, args, brokers, 0)


ALL = (
    traffic("1-1 64B qos0", "-q0 -u200 -n500"),
    traffic("1-1 64B qos1", "-q1 -u200 -n500"),
    traffic("1-1 64B qos2", "-q2 -u200 -n500"),
    traffic("1-10 64B", "-S10 -u20 -n100"),
    traffic("1-100 64B", "-S100 -u10 -n30"),
    traffic("1-100 1KiB", "-S100 -s1024 -u10 -n30"),
    traffic("1-100 64B out32", "-S100 -w32 -u64 -n160"),
    traffic("1-100 1KiB out32", "-S100 -s1024 -w32 -u64 -n160"),
    traffic("1-100 64B qos1 out32", "-q1 -S100 -w32 -u64 -n160"),
    traffic("1-1000 64B", "-S1000 -u3 -n10"),
    traffic("1-1 among 1k filters", "-f1000 -u200 -n500", REAL_BROKERS),
    traffic("1-1 among 10k filters", "-f10000 -u200 -n500", REAL_BROKERS),
    traffic("1-1 among 100k filters", "-f100000 -u200 -n500", REAL_BROKERS),
    Scenario("idle", "", ALL_BROKERS[:1] + REAL_BROKERS, 5000),
)


def wanted(scenario, patterns):
    """Does one of the patterns, with commas between them, mean it?"""
    return any(p in scenario.name or fnmatch.fnmatch(scenario.name, p)
               for p in patterns.split(","))
