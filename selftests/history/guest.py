#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Random clients under faults of the network, of the daemon and of those who
operate it; then it is checked whether what all of them saw is what the standard
promises.

KMQTT_TEST_SEED		repeats the decisions of a run; it is printed first
KMQTT_TEST_ROUNDS	histories (4 where everything is checked, else 2)
KMQTT_HISTORY_SECONDS	go on for so long instead
KMQTT_HISTORY_FIRST	number of the first round (0)
KMQTT_HISTORY_DIR	keep the histories there (checker.py reads them)"""
# broker: none

import os
import pathlib
import random
import shutil
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "functional"))

import checker  # noqa: E402
import history  # noqa: E402
import mqttlib  # noqa: E402
import world  # noqa: E402
from actor import Actor  # noqa: E402
from model import FOR_EVER  # noqa: E402
from plan import Plan  # noqa: E402

MODULE = os.environ.get("KMQTT_MODULE", "")
LOADED = pathlib.Path("/sys/module/kmqtt")
SEED = os.environ.get("KMQTT_TEST_SEED") or str(random.SystemRandom().randrange(
    1 << 32))
# A kernel that checks everything is told by its patience; it also has more
# interleavings to show.
ROUNDS = int(os.environ.get("KMQTT_TEST_ROUNDS") or
             (4 if mqttlib.LIMIT > 15 else 2))
SECONDS = float(os.environ.get("KMQTT_HISTORY_SECONDS") or 0)
FIRST = int(os.environ.get("KMQTT_HISTORY_FIRST") or 0)
FOLDER = os.environ.get("KMQTT_HISTORY_DIR")
now = time.monotonic


class Stuck(Exception):
    """Something that has to come about does not."""


def until(condition, what, seconds):
    end = now() + seconds
    while not condition():
        if now() > end:
            raise Stuck(f"after {seconds:.0f} s {what()}")
        time.sleep(0.2)


class Round:
    def __init__(self, plan, netem):
        self.plan = plan
        self.history = history.History()
        self.world = world.World(self.history.record, netem)
        wild, calm = ((link[2], world.PORT)
                      for link in (world.WILD, world.CALM))
        record = self.history.record
        self.actors = [Actor(name, plan.versions[name], steps, wild, record)
                       for name, steps in plan.scripts.items()]
        self.witness = Actor("witness", 5, [
            (0, "connect", (True, FOR_EVER, None, None)),
            (0, "subscribe", ("#", 2))], calm, record)
        self.mourner = Actor("mourner", 5, [
            (0, "connect", (True, FOR_EVER, None, None)),
            (0, "subscribe", ("w/#", 2))], calm, record)
        self.reader = Actor("reader", 4, [
            (0, "connect", (True, 0, None, None)),
            (0, "subscribe", ("r/#", 2))], calm, record)

    def run(self):
        self.history.record("begin", slack=mqttlib.LIMIT / 2)
        with self.world:
            for name, value in self.plan.settings.items():
                world.ctl("config", "set", name, str(value))
            try:
                self.play()
            except Stuck as stuck:
                self.history.record("stuck", text=str(stuck))
            for actor in self.everybody():
                actor.stop.set()
            for actor in self.everybody():
                if actor.ident:
                    actor.join(4 * mqttlib.LIMIT)
            self.history.record("counters", values=self.world.counters())
        for actor in self.everybody():
            if actor.failed:
                self.history.record("stuck", text=actor.failed)
        return self.history.events

    def everybody(self):
        return [*self.actors, self.witness, self.mourner, self.reader]

    def play(self):
        patience = 8 * mqttlib.LIMIT
        self.begin([self.witness, self.mourner], patience)
        faults = threading.Thread(target=self.world.suffer, daemon=True,
                                  args=(self.plan.faults,))
        faults.start()
        for actor in self.actors:
            actor.start()
        until(lambda: all(a.script_done for a in self.actors),
              self.who_is_busy, 2 * patience)
        self.world.stop.set()
        faults.join(patience)
        if self.world.failed or faults.is_alive():
            raise Stuck(f"the faults have failed: {self.world.failed}")
        self.settle(patience)
        self.begin([self.reader], patience)
        self.settle(patience)
        self.history.record("quiet")
        # Whatever comes now is too late, or too much.
        for actor in self.actors:
            actor.stop.set()
            actor.join(patience)
        time.sleep(0.5)
        self.settle(patience, (self.witness, self.mourner, self.reader))

    def begin(self, actors, patience):
        for actor in actors:
            actor.start()
        until(lambda: all(a.idle or a.failed for a in actors),
              self.who_is_busy, patience)

    def settle(self, patience, actors=None):
        """Everything that is on its way arrives, and is acknowledged."""
        actors = actors or [a for a in self.everybody() if a.ident]

        def quiet():
            return all(a.idle or a.failed for a in actors) and \
                not self.world.busy([a.client for a in actors])
        until(quiet, self.who_is_busy, patience)

    def who_is_busy(self):
        busy = [f"{a.client}: {'connected' if a.conn else 'not connected'}, "
                f"{'at the end' if a.script_done else 'in its script'}, "
                f"{len(a.out)} of its messages and {len(a.asked)} requests "
                "unanswered" for a in self.everybody()
                if a.ident and not a.idle]
        return f"busy: {busy}; in the broker (in flight, waiting): " \
            f"{self.world.busy([a.client for a in self.everybody()])}"


def verdict(plan, netem):
    """One round: lines about what is wrong."""
    begun = now()
    try:
        events = Round(plan, netem).run()
    except Exception:
        return traceback.format_exc().splitlines()
    if FOLDER:
        history.save(events, os.path.join(FOLDER, f"{SEED}-{plan.number}.json"))
    ended = now()
    found = checker.check(events)
    messages = sum(e["e"] == "msg" for e in events)
    conns = sum(e["e"] == "open" for e in events)
    print(f"# {len(events)} events, {conns} connections, {messages} deliveries "
          f"in {ended - begun:.0f} s, checked in {now() - ended:.0f} s")
    return list(checker.report(found))


def numbers():
    if SECONDS:
        end, number = now() + SECONDS, FIRST
        while now() < end:
            yield number
            number += 1
    else:
        yield from range(FIRST, FIRST + ROUNDS)


def prepare():
    """Load the module; return why the link cannot be disturbed, or None."""
    if not LOADED.exists():
        world.run("insmod", MODULE)
    world.run("ip", "netns", "add", world.SPACE)
    try:
        return world.netem_missing()
    finally:
        world.run("ip", "netns", "del", world.SPACE)


def unable():
    """Why nothing can be tested here, or None."""
    if os.environ.get("T", "") not in "round of random clients under faults":
        return "no test has such a name"
    if not (MODULE and world.KMQTTD and world.KMQTTCTL):
        return "KMQTT_MODULE, KMQTTD and KMQTTCTL name nothing"
    if os.geteuid():
        return "it needs root"
    for program in ("ip", "tc", "ss"):
        if not shutil.which(program):
            return f"{program} is not installed (iproute2)"
    return None


def main():
    print("KTAP version 1")
    reason = unable()
    if reason:
        print(f"1..0 # SKIP {reason}")
        return 4
    print(f"# seed {SEED} (KMQTT_TEST_SEED repeats it)", flush=True)
    missing = prepare()
    note = f" # SKIP {missing}" if missing else ""
    print(f"ok 1 the link can be disturbed{note}", flush=True)
    point, failed = 1, 0
    for number in numbers():
        point += 1
        plan = Plan(SEED, number)
        wrong = verdict(plan, not missing)
        for text in wrong:
            print("#", text)
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {point} round {number} of random "
              f"clients under faults, {plan.profile} link", flush=True)
    world.run("rmmod", "kmqtt")
    print(f"1..{point}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
