# SPDX-License-Identifier: GPL-2.0
"""The module, through the kernel's own build: gcc, sparse, clang, and clang's
analyzer with the commands that build has left behind."""

import glob
import os
import platform
import re

from findings import TOP, Skip, all_located
from tools import failed, links, need

WARN = "KCFLAGS=-g0 -Wframe-larger-than=2048"
# Debian's kernel is configured for its gcc: what clang 14 has not is off.
CLANG = ["CC=clang", "CONFIG_CC_IS_GCC=", "CONFIG_GCC_VERSION=0",
         "CONFIG_CC_IS_CLANG=y", "CONFIG_CLANG_VERSION=140006",
         "CONFIG_CC_IMPLICIT_FALLTHROUGH=-Wimplicit-fallthrough",
         "CONFIG_INIT_STACK_ALL_ZERO=", "CONFIG_RETHUNK=", "CONFIG_SLS=",
         "CONFIG_FTRACE_MCOUNT_USE_CC=", "CONFIG_OBJTOOL="]
# Deep takes ten times as long: minutes.
ANALYZE = "--analyze -Xclang -analyzer-output=text " \
    "-Xclang -analyzer-config -Xclang mode=" + \
    (os.environ.get("ANALYZER") or "shallow")
COMMAND = re.compile(r"^(?:saved)?cmd_\S+ := (.* -c -o \S+ \S+\.c)\s*(?:;|$)",
                     re.M)
GLOBALS = "TDBRVWC"


def headers():
    """The folder to build modules in: KVER's, the running kernel's, or the
    newest one's."""
    versions = sorted((p.split("/")[3] for p in
                       glob.glob("/lib/modules/*/build")),
                      key=lambda v: [int(n) for n in re.findall(r"\d+", v)])
    for version in [os.environ.get("KVER"), platform.release()] + \
            versions[::-1]:
        folder = "/lib/modules/%s/build" % version
        if version and os.path.exists(folder + "/Makefile"):
            return folder
    raise Skip("there are no kernel headers")


def kbuild(work, name, *arguments):
    tree = os.path.join(work.out, name)
    status, text = work.run(["make", "-s", "-k", "-C", headers(),
                             "M=" + tree] + list(arguments) + ["modules"])
    found = [f for f in all_located(text, tree)
             if f.text.startswith(("warning:", "error:", "fatal error:"))]
    return failed(status, text, found, name)


def prepare(work, name):
    tree = links(os.path.join(work.out, name))
    with open(os.path.join(TOP, "Kbuild"), encoding="utf-8") as f:
        text = f.read()
    with open(os.path.join(tree, "Kbuild"), "w", encoding="utf-8") as f:
        f.write(text + "kmqtt-y += selftests/static/planted/module.o\n")
    return tree


def built(work, compiler):
    """What the compiler says; the objects stay for the others."""
    def build():
        need(compiler)
        prepare(work, compiler)
        more = CLANG if compiler == "clang" else []
        return kbuild(work, compiler, "W=1", WARN, *more)
    return work.shared(compiler, build)


def gcc(work):
    return built(work, "gcc")


def clang(work):
    """Warnings of kernel headers, which are gcc's, are not ours."""
    return [f for f in built(work, "clang") if not f.path.startswith("/")]


def sparse(work):
    need("sparse")
    built(work, "gcc")
    # with the same flags nothing is compiled again
    return kbuild(work, "gcc", "C=2", "W=1", WARN,
                  "CF=-D__CHECK_ENDIAN__")


def analyzer(work):
    """The module as the kernel builds it, and its core as the tests do."""
    built(work, "clang")
    tree = os.path.join(work.out, "clang")
    commands = []
    for path in sorted(glob.glob(tree + "/**/.*.o.cmd", recursive=True)):
        with open(path, encoding="utf-8") as f:
            match = COMMAND.search(f.read())
        if match and ".mod.c" not in match.group(1):
            line = re.sub(r" -Wp,-MMD,\S+", "", match.group(1))
            commands.append(re.sub(r" -c -o \S+ ", " %s " % ANALYZE, line))
    found = []
    for status, text in work.each(commands, headers()):
        found += failed(status, text, all_located(text, tree), "the analyzer")
    core = sorted(glob.glob(TOP + "/kmod/core/*.c"))
    lines = ["clang %s -I%s/selftests/shim -I%s/kmod/core %s" %
             (ANALYZE, TOP, TOP, path) for path in core]
    for status, text in work.each(lines):
        found += failed(status, text, all_located(text, TOP), "the analyzer")
    return [f for f in found if not f.text.startswith("note:") and
            not f.path.startswith("/")]


def exported(work):
    """(object, symbol) of all that the module's objects show each other."""
    need("nm")
    built(work, "gcc")
    tree = os.path.join(work.out, "gcc")
    objects = [p for p in glob.glob(tree + "/**/*.o", recursive=True)
               if os.path.dirname(p) != tree]
    if not objects:
        raise Skip("the module has not been built")
    _, text = work.run(["nm", "-A", "-g"] + sorted(objects))
    return [(line.split(":")[0].removeprefix(tree + "/"), line.split()[-1])
            for line in text.splitlines() if line.split()[-2] in GLOBALS]

