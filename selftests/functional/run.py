#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run the functional tests against the broker at KMQTT_HOST:KMQTT_PORT.

usage: run.py [-k PATTERN]... [--list] [-v]

Prints KTAP. Exit status: 0 all passed, 1 a test failed, 4 all were skipped.
Set KMQTTCTL to the path of kmqttctl for the tests that change settings, and
KMQTT_TEST_LIMIT to the seconds after which a wait has failed (15). T is a
PATTERN too."""

import argparse
import fnmatch
import importlib
import os
import pathlib
import sys
import textwrap
import threading
import traceback

sys.dont_write_bytecode = True

import harness
import mqttlib
from mqttlib import Client, Failure, TimedOut, now
from wire import Fault

# A test as a whole may take this long (seconds); then its waits fail
TEST_LIMIT = 8 * mqttlib.LIMIT
# So many tests in a row without any answer: the broker is gone
TIMEOUTS_IN_A_ROW = 8


def load(*patterns):
    """Import the test modules of these names; they register their tests."""
    here = pathlib.Path(__file__).resolve().parent
    for pattern in patterns:
        for path in sorted(here.glob(pattern)):
            importlib.import_module(path.stem)
    return harness.TESTS


def select(tests, patterns):
    def wanted(test):
        return any(pattern in test.name or
                   fnmatch.fnmatch(test.name, pattern)
                   for pattern in patterns)
    return [test for test in tests if not patterns or wanted(test)]


class Outcome:
    """The result of one test, filled in by the thread that runs it."""

    def __init__(self, test):
        self.test = test
        self.state, self.lines, self.timed_out = "failed", [], False
        self.seconds, self.limit = 0.0, TEST_LIMIT * test.patience
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def run(self):
        begin = now()
        mqttlib.test_state.deadline = begin + self.limit
        context = harness.Context(self.test.name)
        try:
            self.test.run(context)
            self.state = "passed"
        except harness.Skip as reason:
            self.state, self.lines = "skipped", [str(reason)]
        except (Failure, Fault, OSError) as error:
            self.timed_out = isinstance(error, TimedOut)
            self.lines = [f"{type(error).__name__}: {error}", where(error)]
        except Exception as error:
            self.lines = traceback.format_exception(error)
        if self.state == "failed":
            self.lines += [f"after {now() - begin:.1f} s", *counted()]
        try:
            context.clean_up()
        except Exception as error:
            self.state = "failed"
            self.lines.append(f"afterwards: {error}")
        self.seconds = now() - begin

    def wait(self):
        self.thread.join(self.limit + 4 * mqttlib.LIMIT)
        if self.thread.is_alive():
            self.lines = ["the test does not end"]
        return self


def counted():
    """What the broker counts when a test has failed, in lines: why it has
    closed or refused a connection is often said there alone."""
    try:
        values = harness.stats()
    except Exception as error:
        return [f"no counters: {error}"]
    words = [f"{name}={value}" for name, value in values.items() if value]
    return textwrap.wrap(" ".join(words), 76)


def where(error):
    """The lines of the test itself that led to @error."""
    frames = [f"{os.path.basename(frame.filename)}:{frame.lineno}"
              for frame in traceback.extract_tb(error.__traceback__)
              if os.path.basename(frame.filename).startswith("test_")]
    return "at " + " ".join(frames)


def report(number, outcome, verbose):
    name = outcome.test.name
    if outcome.state == "failed":
        doc = (outcome.test.function.__doc__ or "").split("\n\n")[0]
        lines = [" ".join(doc.split()), *outcome.lines]
        for line in "\n".join(lines).splitlines():
            print(f"# {line}")
    if outcome.state == "skipped":
        print(f"ok {number} {name} # SKIP {outcome.lines[0]}", flush=True)
        return
    if verbose:
        print(f"# {name}: {outcome.seconds:.2f} s")
    word = "ok" if outcome.state == "passed" else "not ok"
    print(f"{word} {number} {name}", flush=True)


def answering():
    """Is there a broker? Without one no test says anything."""
    mqttlib.test_state.deadline = now() + 4 * mqttlib.LIMIT
    try:
        Client(4).open(client_id=f"probe{os.getpid()}").disconnect()
    except (OSError, Failure, Fault) as error:
        print(f"Bail out! no broker at {mqttlib.HOST}:{mqttlib.PORT}: {error}")
        return False
    return True


def run(tests, verbose):
    fast = [test for test in tests if not test.slow]
    slow = [test for test in tests if test.slow]
    print("KTAP version 1")
    if not answering():
        return 1
    print(f"1..{len(tests)}", flush=True)
    count = {"passed": 0, "failed": 0, "skipped": 0}
    silent = 0

    for number, test in enumerate(fast, 1):
        outcome = Outcome(test).start().wait()
        report(number, outcome, verbose)
        count[outcome.state] += 1
        silent = silent + 1 if outcome.timed_out else 0
        if silent == TIMEOUTS_IN_A_ROW and not answering():
            return 1
    # Those that wait for time to pass do it together
    waiting = [Outcome(test).start() for test in slow]
    for number, outcome in enumerate(waiting, len(fast) + 1):
        report(number, outcome.wait(), verbose)
        count[outcome.state] += 1

    print(f"# Totals: pass:{count['passed']} fail:{count['failed']} "
          f"skip:{count['skipped']}")
    if count["failed"]:
        return 1
    return 4 if tests and count["skipped"] == len(tests) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-k", metavar="PATTERN", action="append", default=[],
                        help="only tests whose name holds or matches PATTERN")
    parser.add_argument("--list", action="store_true",
                        help="print the tests with the statements they show")
    parser.add_argument("-v", action="store_true",
                        help="say how long each test took")
    options = parser.parse_args()
    patterns = options.k or list(filter(None, [os.environ.get("T")]))
    tests = select(load("test_*.py"), patterns)
    if not tests and not options.k:
        print(f"KTAP version 1\n1..0 # SKIP no test matches {patterns[0]}")
        return 4
    if not tests:
        print("no test matches", file=sys.stderr)
        return 2
    if options.list:
        for test in tests:
            print(test.name, *test.statements)
        return 0
    return run(tests, options.v)


if __name__ == "__main__":
    sys.exit(main())
