# SPDX-License-Identifier: GPL-2.0
"""The rules of this house that a machine can check."""

import fnmatch
import os
import re

import module
from findings import TOP, Finding, Skip

# the first that fits: path, lines at most
LINES = [("selftests/static/planted/*", 20), ("*/include/uapi/*.h", 300),
         ("kmod/*.c", 700), ("user/*.c", 700), ("selftests/*.c", 700),
         ("*.h", 220), ("selftests/*.py", 850)]
FUNCTION_LINES = 100
PRIVATE_INCLUDES = 4
LABEL = re.compile(r"^(\w+):(?!:)\s*(?:/\*.*)?$")
LABEL_WANTED = re.compile(r"[a-z]+(_[a-z]+)*$")
GLOBAL_WANTED = re.compile(r"(kmqtt|mqtt)_|__kmqtt|__SCK__|__SCT__|"
                           r"(init|cleanup)_module$|__crc_|__ksymtab")
LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
VERSION = re.compile(r"\b(LINUX_VERSION_CODE|KERNEL_VERSION|RHEL_\w+)\b")
# What the protocol's core may know of a kernel; the shim has all of it.
CORE_INCLUDES = re.compile(
    r"linux/(bug|delay|err|errno|jhash|kernel|limits|list|lockdep|minmax|"
    r"mutex|rculist|rcupdate|rhashtable|sched|slab|srcu|stddef|string|types)"
    r"\.h$")
CODE = ("*.c", "*.h", "*.py", "*.js", "*.sh", "*Makefile", "Kbuild",
        "*.config")
# What is shipped, and the faults that show that the rules are looked after.
OURS = ("kmod/*", "user/*", "selftests/static/planted/*")
INCLUDE = re.compile(r'^#include ([<"])([^>"]+)[>"]')


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8",
              errors="replace") as f:
        return f.read().split("\n")


def matches(path, patterns):
    return any(fnmatch.fnmatchcase(path, p) for p in patterns)


def licence(path, lines):
    """The licence is the first line, or the second after #!."""
    if not matches(path, CODE) and not lines[0].startswith("#!"):
        return
    first = lines[1:2] if lines[0].startswith("#!") else lines[:1]
    if not any("SPDX-License-Identifier: " in line for line in first):
        yield 1, "no SPDX-License-Identifier in the first line"


def length(path, lines):
    """Files that can be read in one go."""
    limit = next((n for p, n in LINES if fnmatch.fnmatchcase(path, p)), None)
    if limit and len(lines) - 1 > limit:
        yield 1, "%d lines, %d at most" % (len(lines) - 1, limit)


def functions(path, lines):
    """Kernel style has a function's braces in the first column."""
    if not path.endswith(".c"):
        return
    begin = 0
    for number, line in enumerate(lines, 1):
        if line == "{":
            begin = number
        elif line == "}" and begin:
            if number - begin - 1 > FUNCTION_LINES:
                yield begin, "a function of %d lines, %d at most" % (
                    number - begin - 1, FUNCTION_LINES)
            begin = 0


def labels(path, lines):
    """Labels say what they undo, not how many there are."""
    if not path.endswith(".c"):
        return
    for number, line in enumerate(lines, 1):
        label = LABEL.match(line)
        if label and label.group(1) != "default" and \
                not LABEL_WANTED.match(label.group(1)):
            yield number, "label %s: words only, what it undoes" % \
                label.group(1)


def later(path, lines):
    for number, line in enumerate(lines, 1):
        if LATER.search(line):
            yield number, "%s: do it, or file an issue" % \
                LATER.search(line).group(1)


def versions(path, lines):
    if not path.endswith((".c", ".h")) or path == "kmod/compat.h" or \
            not matches(path, OURS):
        return
    for number, line in enumerate(lines, 1):
        if VERSION.search(line):
            yield number, "only kmod/compat.h knows kernel versions"


def includes(path, lines):
    """A file's own header comes first, so that it stands alone; a header
    draws in few others; the core knows little of the kernel."""
    if not path.endswith((".c", ".h")) or not matches(path, OURS):
        return
    found = [(n, m) for n, m in ((n, INCLUDE.match(line))
                                 for n, line in enumerate(lines, 1)) if m]
    own = os.path.basename(path)[:-2] + ".h"
    if path.endswith(".c") and found and found[0][1].group(2) != own and \
            os.path.exists(os.path.join(TOP, os.path.dirname(path), own)):
        yield found[0][0], "%s is included first" % own
    private = [n for n, m in found if m.group(1) == '"']
    if path.endswith(".h") and len(private) > PRIVATE_INCLUDES:
        yield private[-1], "%d private headers in a header, %d at most" % (
            len(private), PRIVATE_INCLUDES)
    if not matches(path, ("kmod/core/*", "selftests/static/planted/*")):
        return
    for number, match in found:
        if match.group(1) == "<" and not CORE_INCLUDES.match(match.group(2)):
            yield number, "kmod/core does not know <%s>" % match.group(2)
        elif match.group(1) == '"' and "/" in match.group(2):
            yield number, "kmod/core includes its own headers only"


def cycles(work):
    """No header of a folder includes itself over others."""
    edges = {}
    for path in work.sources:
        if path.endswith(".h"):
            folder = os.path.dirname(path)
            edges[path] = [os.path.normpath(os.path.join(folder, m.group(2)))
                           for m in map(INCLUDE.match, read(path))
                           if m and m.group(1) == '"']
    for start in edges:
        seen, todo = set(), list(edges[start])
        while todo:
            path = todo.pop()
            if path == start:
                yield Finding(start, 1, "includes itself by way of others")
                break
            if path not in seen:
                seen.add(path)
                todo += edges.get(path, [])


def prefixes(work):
    """All that could meet a name of the kernel's has a prefix."""
    try:
        found = module.exported(work)
    except Skip:
        return
    for path, symbol in found:
        if not GLOBAL_WANTED.match(symbol):
            yield Finding(path[:-2] + ".c", 1,
                          "the global %s has no prefix" % symbol)


def check(work):
    found = list(cycles(work)) + list(prefixes(work))
    for path in work.sources:
        try:
            lines = read(path)
        except OSError as error:
            found.append(Finding(path, 0, str(error)))
            continue
        for rule in (licence, length, functions, labels, later, versions,
                     includes):
            found += [Finding(path, n, text) for n, text in rule(path, lines)]
    return found
