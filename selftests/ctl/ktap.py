# SPDX-License-Identifier: GPL-2.0
"""Test points to KTAP."""

import atexit
import functools
import os
import shutil
import sys
import tempfile
import time
import traceback

TESTS = []
# How long one wait may take before it has failed (seconds)
LIMIT = float(os.environ.get("KMQTT_TEST_LIMIT", 30))
# A kernel that checks everything is given more time, and less to do.
CHECKED = LIMIT > 30


class Skip(Exception):
    """The test cannot be run here; the text says why."""


def test(function):
    """Register a test by its function's name."""
    TESTS.append((function.__name__, function, ()))
    return function


def table(name, rows):
    """Register a test for each row, called with the row's values; the first
    value names the test."""
    def mark(function):
        for row in rows:
            TESTS.append((f"{name}: {row[0]}", function, row))
        return function
    return mark


def many(count, least=1):
    """@count, a tenth of it where everything is checked."""
    return max(count // 10, least) if CHECKED else count


@functools.lru_cache(maxsize=None)
def for_anybody(program):
    """A copy that each user may execute: the tree may be in a folder of root's
    own."""
    folder = tempfile.mkdtemp(prefix="kmqtt-for-anybody-")
    atexit.register(shutil.rmtree, folder)
    os.chmod(folder, 0o755)
    return shutil.copy(program, folder)


def eventually(function, what="it did not come true"):
    """Wait until it returns something true; return that."""
    end = time.monotonic() + LIMIT
    while True:
        value = function()
        if value:
            return value
        assert time.monotonic() < end, f"{what} in time"
        time.sleep(0.01)


def main(skip=None):
    """Run the tests whose name holds an argument, or the text in the
    environment as T (all without any); exit."""
    wanted = sys.argv[1:] or [os.environ.get("T", "")]
    tests = [t for t in TESTS if any(part in t[0] for part in wanted)]
    print("KTAP version 1")
    if skip or not tests:
        print(f"1..0 # SKIP {skip or 'no test has such a name'}")
        sys.exit(4)
    print(f"1..{len(tests)}")
    counts = {"ok": 0, "not ok": 0, "skip": 0}
    for number, (name, function, row) in enumerate(tests, 1):
        name, result, note = name.replace("#", "\\#"), "ok", ""
        try:
            function(*row)
        except Skip as reason:
            note = f" # SKIP {reason}"
        except Exception:
            result = "not ok"
            for line in traceback.format_exc().splitlines():
                print("#", line)
        counts["skip" if note else result] += 1
        print(f"{result} {number} {name}{note}", flush=True)
    print(f"# Totals: pass:{counts['ok']} fail:{counts['not ok']} "
          f"skip:{counts['skip']}")
    sys.exit(1 if counts["not ok"] else 0 if counts["ok"] else 4)
