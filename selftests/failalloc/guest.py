#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Each call of the module's that may allocate fails, one after the other,
while what it is for is in use: the failure ends in its defined answer, nothing
is left behind, and nobody else notices.

The calls are found in the module's code (sites.py), with the address each
returns to; the kernel's fault injection is told that address (faults.py), so
what fails is that call and no other. What is to come of it stands beside its
name in fail_*.py. A call that is in no list, or has not failed, is a failure
of the test. Needs a kernel with fault injection and its filter by stack trace,
and the module with debug information: make test-debug."""
# broker: none

import collections
import os
import pathlib
import re
import shutil
import sys
import time

sys.dont_write_bytecode = True

import world  # noqa: E402 (sets the path)
import fail_connect  # noqa: E402,F401
import fail_control  # noqa: E402,F401
import fail_load  # noqa: E402
import fail_publish  # noqa: E402,F401
import faults  # noqa: E402
import ktap  # noqa: E402
import sites  # noqa: E402

LEAKS = pathlib.Path("/sys/kernel/debug/kmemleak")
# kmemleak calls nothing lost that is younger than this (seconds).
YOUTH = 6

# What fails while the module is loaded, since it is called then only.
LOADING = ("kmqtt_spread_init", "kmqtt_gather_init", "kmqtt_gather_online",
           "kmqtt_broker_init", "kmqtt_netlink_init", "kmqtt_out_init",
           "kmqtt_conn_init")

# And what it is loaded without.
SPARED = ("kmqtt_gather_online",)

# Calls that cannot be made to fail, and why that is no loss.
EXCEPT = (
    ("(alloc_percpu|percpu_counter_init|init_srcu_struct)",
     "fault injection does not reach the allocator of per-CPU memory"),
    ("kernel_listen", "a bound socket has all it needs"),
    ("rht_bucket_nested_insert",
     "called only while a table of 1024 buckets lives on single pages, until "
     "its worker has run; fails as rhashtable_insert_slow does"),
    ("netlink_unicast",
     "allocates to trim a message, which leaves no more than its head's room"),
    ("sock_release of kmqtt_(listener_(create|open|remove)|transport_open)",
     "a socket without a peer is just freed"),
    ("kernel_sock_shutdown of kmqtt_conn_finish",
     "a FIN was sent before, or joins what is still to be sent"),
)


class Found(collections.Counter):
    """How often each site has failed."""

    def missing(self):
        return [site for site in SITES
                if not self[site] and not exception(site)]


def exception(site):
    for what, reason in EXCEPT:
        if re.search(what, f"{site.symbol} of {site.function}"):
            return reason
    return None


def others(row, site):
    """Is there another row, yet to come, for this site?"""
    rest = world.ROWS[world.ROWS.index(row) + 1:]
    return any(world.matches(other, site) for other in rest)


def row_test(row):
    def check():
        mine = [site for site in SITES if world.matches(row, site)]
        assert mine, f"{row.function} calls no {row.symbol or 'such'}: " \
            "it has changed"
        hits = 0
        mine.sort(key=lambda site: FOUND[site] > 0)
        for site in mine:
            if hits and (FOUND[site] or others(row, site)):
                continue
            if row.fresh or not WORLD.nl:
                WORLD.stop()
                WORLD.start()
            count = WORLD.attempt(site, row)
            FOUND[site] += count
            hits += count
        assert hits, "nothing has failed"
    name = row.check.__name__.replace("_", " ")
    return f"{row.function.split('|')[0]}: {name}", check, ()


def loading_test(site):
    def check():
        WORLD.stop()
        insert = (fail_load.insert_without if site.function in SPARED
                  else fail_load.insert)
        FOUND[site] += insert(site)
    return f"insmod: {site.symbol} of {site.function}", check, ()


@ktap.test
def every_call_that_may_allocate_has_failed():
    if os.environ.get("T") or len(sys.argv) > 1:
        raise ktap.Skip("only a part was run")
    for site in SITES:
        reason = exception(site)
        print(f"# {site.line} {site.function}: {site.symbol}: " +
              (f"failed {FOUND[site]} times" if FOUND[site] else
               f"not failed: {reason}"))
    print(f"# {len(SITES)} calls, {sum(1 for s in SITES if FOUND[s])} have "
          f"failed, {sum(FOUND.values())} failures")
    missing = FOUND.missing()
    assert not missing, "not failed: " + ", ".join(
        f"{site.line} {site.function} ({site.symbol})" for site in missing)


@ktap.test
def nothing_is_lost():
    WORLD.stop()
    if not LEAKS.exists():
        raise ktap.Skip("no kmemleak in this kernel")
    time.sleep(YOUTH)
    for _ in range(2):
        LEAKS.write_text("scan")
    found = LEAKS.read_text()
    assert not found, f"kmemleak: {found}"


def why_not():
    if not world.MODULE:
        return "KMQTT_MODULE does not name the module"
    if not shutil.which("addr2line"):
        return "no addr2line: install binutils"
    return faults.why_not()


def main():
    reason = why_not()
    if not reason:
        faults.prepare()
        SITES[:] = sites.find(world.MODULE)
        last = ktap.TESTS[:]
        ktap.TESTS[:] = [row_test(row) for row in world.ROWS]
        for site in SITES:
            if site.function in LOADING and not exception(site):
                ktap.TESTS.append(loading_test(site))
        ktap.TESTS += last
    ktap.main(reason)


SITES, FOUND, WORLD = [], Found(), world.World()

if __name__ == "__main__":
    main()
