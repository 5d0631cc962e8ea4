#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compare the list of normative statements with what the tests say they show.

usage: statements.py [--update | --missing]

statements.tsv has a line for each normative statement of MQTT 5.0 (MQTT-...)
and 3.1.1 (MQTT311-...): its name, whom it binds, the tests that show it, and,
where there is none, why. --update writes the marks of the tests into the list;
--missing prints the statements that have neither test nor reason. Without
either it is a test program: KTAP, exit status 1 if something is amiss; T in the
environment is a part of the names of the statements or tests to look at."""

import argparse
import os
import pathlib
import sys

sys.dont_write_bytecode = True

import run

LIST = pathlib.Path(__file__).resolve().parent / "statements.tsv"
HEAD = "statement\tbinds\ttests\treason"
BINDS = ("client", "server", "both")


class Row:
    def __init__(self, line, number):
        fields = line.rstrip("\n").split("\t")
        if len(fields) != 4:
            raise SystemExit(f"{LIST.name}:{number}: {len(fields)} columns, "
                             f"four are needed")
        self.name, self.binds, tests, self.reason = fields
        self.tests = tests.split()
        self.number = number


def read():
    lines = LIST.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0] != HEAD:
        raise SystemExit(f"{LIST.name}:1: expected {HEAD!r}")
    return [Row(line, number) for number, line in enumerate(lines[1:], 2)]


def marks():
    """The tests that show each statement, in the order of their names."""
    found = {}
    # auth.py runs the latter
    for test in run.load("test_*.py", "auth_exchange.py"):
        for name in test.statements:
            found.setdefault(name, set()).add(test.function.base)
    return {name: sorted(tests) for name, tests in found.items()}


def update(rows, shown):
    with LIST.open("w", encoding="utf-8") as out:
        print(HEAD, file=out)
        for row in rows:
            tests = shown.get(row.name, [])
            reason = "" if tests else row.reason
            print(row.name, row.binds, " ".join(tests), reason, sep="\t",
                  file=out)


def judge(row, shown, known):
    """What is wrong with a row, or None."""
    marked = shown.get(row.name, [])
    for test in row.tests:
        if test not in known:
            return f"there is no test {test}"
        if test not in marked:
            return f"{test} does not say that it shows this"
    for test in marked:
        if test not in row.tests:
            return f"{test} shows this and is not listed (--update)"
    if row.binds not in BINDS:
        return f"binds {row.binds!r}, which is none of {BINDS}"
    if not row.tests and not row.reason:
        return "has neither a test nor a reason"
    if row.tests and row.reason:
        return "has tests and a reason for having none"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--update", action="store_true",
                       help="write the marks of the tests into the list")
    group.add_argument("--missing", action="store_true",
                       help="print statements with neither test nor reason")
    options = parser.parse_args()
    rows, shown = read(), marks()
    if options.update:
        update(rows, shown)
        rows = read()
    known = {test for tests in shown.values() for test in tests}
    if options.update or options.missing:
        missing = [row.name for row in rows
                   if not row.reason and row.name not in shown]
        print(*missing, sep="\n", end="\n" if missing else "")
        return 1 if missing else 0

    return report(rows, shown, known)


def report(rows, shown, known):
    listed, count = {row.name for row in rows}, len(rows)
    part = os.environ.get("T", "")
    rows = [row for row in rows if part in row.name or part in
            " ".join(row.tests)]
    print("KTAP version 1")
    if not rows:
        print(f"1..0 # SKIP no statement or test has {part} in its name")
        return 4
    print(f"1..{len(rows) + 2}")
    failed = 0
    for number, row in enumerate(rows, 1):
        fault = judge(row, shown, known)
        if fault:
            failed += 1
            print(f"# {LIST.name}:{row.number}: {fault}")
        print(f"{'not ok' if fault else 'ok'} {number} {row.name}")
    general = (("each name is listed once", len(listed) == count, ""),
               ("tests name listed statements only", set(shown) <= listed,
                f"# not listed: {sorted(set(shown) - listed)}"))
    for number, (text, good, more) in enumerate(general, len(rows) + 1):
        if not good:
            failed += 1
            print(more, end="\n" if more else "")
        print(f"{'ok' if good else 'not ok'} {number} {text}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
