# SPDX-License-Identifier: GPL-2.0
"""What the tools find, and what of it has been accepted."""

import fnmatch
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LOCATED = re.compile(r"([^\s:]+):(\d+):(?:[\d-]+:)?\s*(.*)")


class Skip(Exception):
    """The tool cannot be run here; the text says why."""


class Finding:
    """A remark of a tool about a place. Paths are those of the work tree."""

    def __init__(self, path, line, text):
        self.path, self.line, self.text = path, line, text

    def __str__(self):
        return "%s:%s: %s" % (self.path, self.line, self.text)


def located(text, *prefixes):
    """The finding in a line of a tool's output that begins with FILE:LINE:,
    or None. A prefix is what a path begins with when it is one of ours."""
    match = LOCATED.match(text)
    if not match:
        return None
    path, line, rest = match.groups()
    for prefix in prefixes:
        path = path.removeprefix(prefix + "/")
    return Finding(path, int(line), rest)


def all_located(text, *prefixes):
    found = (located(line, *prefixes) for line in text.splitlines())
    return [f for f in found if f]


class Exceptions:
    """The list of what cannot be avoided: tool, path, text, reason."""

    def __init__(self, path):
        self.path = os.path.relpath(path, TOP)
        self.rows = []
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                if line.strip() and not line.startswith("#"):
                    self.rows.append(self.parse(line.rstrip("\n"), number))

    def parse(self, line, number):
        cells = line.split("\t")
        if len(cells) != 4 or not all(cells):
            sys.exit("%s:%d: wanted tool, path, text and reason, with one tab "
                     "between" % (self.path, number))
        tool, path, text, _ = cells
        return {"line": number, "tool": tool, "path": path,
                "text": re.compile(text), "matched": False}

    def accepts(self, tool, finding):
        accepted = False
        for row in self.rows:
            if row["tool"] == tool and \
                    fnmatch.fnmatchcase(finding.path, row["path"]) and \
                    row["text"].search(finding.text):
                row["matched"] = accepted = True
        return accepted

    def judge(self, tool, found):
        """What has not been accepted, and what has been for nothing."""
        bad = [f for f in found if not self.accepts(tool, f)]
        bad += [Finding(self.path, row["line"],
                        "the exception matches nothing that %s says" % tool)
                for row in self.rows
                if row["tool"] == tool and not row["matched"]]
        return bad


def unique(found):
    """Each finding once, in the order of the files."""
    seen = {str(f): f for f in found}
    return sorted(seen.values(), key=lambda f: (f.path, f.line, f.text))
