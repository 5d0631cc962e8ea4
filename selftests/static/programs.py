# SPDX-License-Identifier: GPL-2.0
"""User space: the daemon, the command line and the programs of the tests, with
the commands that their makefiles would run."""

import glob
import os
import re

from findings import TOP, all_located
from module import ANALYZE
from tools import failed, need

PLANTED = "selftests/static/planted/program.c"


def commands(work, folder):
    """The lines that compile something, in the folder they are for."""
    status, text = work.run(["make", "-n", "-B", "--no-print-directory", "-C",
                        folder, "all", "CC=cc", "FUZZ_CC=cc",
                        "OUTPUT=" + os.path.join(work.out, "none"),
                        "BUILD=" + os.path.join(work.out, "none")])
    if status:
        return [], failed(status, text, [], "make -n in " + folder)
    text = re.sub(r"\\\n|\t", " ", text)
    return [(os.path.join(TOP, folder), line.strip().removeprefix("cc "))
            for line in text.splitlines()
            if line.startswith("cc ") and re.search(r"\S\.c\b", line)], []


def single(line):
    """A line for each source in it, without what it would leave behind or
    link."""
    line = " " + line.split("&&")[0]
    line = re.sub(r" (-o \S+|-c|-MMD|-MP|-l\S+|--libs|-fsanitize=\S+|"
                  r"-fno-sanitize-recover=\S+)(?= |$)", " ", line)
    files = re.findall(r"\S+\.c(?= |$)", line)
    flags = re.sub(r"\S+\.c(?= |$)", "", line)
    return [" ".join((flags + " " + f).split()) for f in files]


def compiled(work, folders, how):
    found = []
    for folder in folders:
        makes, wrong = commands(work, folder)
        found += wrong
        lines = sorted({"cd %s && %s %s" % (where, how, line)
                        for where, several in makes
                        for line in single(several)})
        for status, text in work.each(lines):
            for f in failed(status, text, all_located(text), how):
                if f.path != "-" and not f.path.startswith("/"):
                    f.path = os.path.join(folder, f.path)
                f.path = os.path.relpath(f.path, TOP) \
                    if f.path.startswith(TOP) else os.path.normpath(f.path)
                found.append(f)
    status, text = work.run("%s -O2 -Wall -Wextra %s" % (how, PLANTED))
    found += failed(status, text, all_located(text), how)
    return [f for f in found if not f.text.startswith("note:")]


def test_folders():
    return [os.path.relpath(os.path.dirname(p), TOP)
            for p in sorted(glob.glob(TOP + "/selftests/*/Makefile"))]


def gcc(work):
    """What is installed with the optimizer, which sees more."""
    need("gcc")
    return compiled(work, ["user"], "gcc -Werror -c -o /dev/null") + \
        compiled(work, test_folders(), "gcc -Werror -fsyntax-only")


def clang(work):
    need("clang")
    return compiled(work, ["user"] + test_folders(),
                    "clang -Werror -fsyntax-only")


def analyzer(work):
    need("clang")
    return compiled(work, ["user"], "clang " + ANALYZE)
