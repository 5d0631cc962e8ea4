# SPDX-License-Identifier: GPL-2.0
"""Compiles the module, the daemon and the unit tests in a release's folder."""

import os
import re
import shutil

import debian

TOP = os.path.dirname(os.path.dirname(debian.HERE))
# Debian's architectures: the kernel's name, the toolchain's, QEMU's.
ARCHES = {"amd64": ("x86", "x86_64-linux-gnu", "x86_64"),
          "arm64": ("arm64", "aarch64-linux-gnu", "aarch64"),
          "armhf": ("arm", "arm-linux-gnueabihf", "arm"),
          "s390x": ("s390", "s390x-linux-gnu", "s390x")}
LIBRARIES = ("libnl-3-dev", "libnl-genl-3-dev", "libssl-dev", "libcjson-dev",
             "libc6-dev")
TOOLS = ["gcc", "make", "pkg-config", "qemu-user", "coreutils",
         "dash", "bash", "sed", "grep", "mawk", "findutils", "diffutils",
         "kmod", "base-files"]
# Kbuild says so of every other compiler than the kernel's, and rightly so.
KNOWN = re.compile("warning: the compiler differs from the one")
WARNING = re.compile(r"\bwarning\b|\berror\b|\*\*\*", re.I)

# The headers have the configuration of a kernel that gcc has built. These are
# the options that clang would not have been given, and what stands for them.
GCC_ONLY = {"CC_IS_GCC": "CC_IS_CLANG", "GCC_VERSION": None,
            "FTRACE_MCOUNT_USE_CC": "FTRACE_MCOUNT_USE_OBJTOOL",
            "UBSAN_BOUNDS_STRICT": "UBSAN_ARRAY_BOUNDS",
            "CC_HAS_MIN_FUNCTION_ALIGNMENT": None,
            "CC_OPT_INLINE_MEMSET": None, "CC_HAS_NAMED_AS": None,
            "USE_X86_SEG_SUPPORT": None, "CC_IMPLICIT_FALLTHROUGH": None}
CLANG_ONLY = {"GCC_VERSION": "0",
              "CC_IMPLICIT_FALLTHROUGH": '"-Wimplicit-fallthrough"'}


def compiler_packages(compiler, arch, native):
    """A compiler is called as its package; gcc is one for each machine."""
    if compiler.startswith("clang") or arch == native:
        return [compiler]
    return [compiler + "-" + ARCHES[arch][1].replace("_", "-")]


def libraries(arch):
    return ["%s:%s" % (name, arch) for name in LIBRARIES]


def complaints(out):
    return [line for line in out.splitlines()
            if WARNING.search(line) and not KNOWN.search(line)]


def verdict(status, out):
    """None if a build is as it should be, else the lines to show."""
    found = complaints(out)
    if not status and not found:
        return None
    return "\n".join(found[:20] or out.splitlines()[-20:])


class Builder:
    """Builds in one root, for one foreign architecture or the root's own."""

    def __init__(self, root, arch, native, work):
        self.root = root
        self.arch = arch
        self.kernel_arch, self.triplet, self.machine = ARCHES[arch]
        self.native = native
        self.work = work

    def copy(self, name, *paths):
        """A fresh copy of parts of the tree: the build finds nothing done."""
        target = os.path.join(self.work, name)
        shutil.rmtree(target, ignore_errors=True)
        for path in paths:
            source = os.path.join(TOP, path)
            where = os.path.join(target, path)
            os.makedirs(os.path.dirname(where), exist_ok=True)
            if os.path.isdir(source):
                shutil.copytree(source, where, ignore=shutil.ignore_patterns(
                    "build", "*.o", "*.cmd", "__pycache__"))
            else:
                shutil.copy(source, where)
        return target

    def run(self, argv, binds=(), env=None):
        return self.root.run(argv, [(self.work, "/mnt/out")] + list(binds), env)

    def make(self, *args, **kwargs):
        return self.run(["make", "-j%d" % os.cpu_count()] + list(args),
                        **kwargs)

    def clang_version(self, compiler):
        _, out = self.run([compiler, "--version"])
        found = re.search(r"version (\d+)\.(\d+)\.(\d+)", out)
        if not found:
            raise debian.Unavailable("no %s in %s" % (compiler, self.root.path))
        return "%d%02d%02d" % tuple(int(n) for n in found.groups())

    def clang_config(self, version, compiler, name):
        """Files to put over the headers', as if clang had built the kernel."""
        headers = "/usr/src/linux-headers-%s/include/" % version
        more = dict(CLANG_ONLY, CLANG_VERSION=self.clang_version(compiler))
        binds = []
        for path, line, value in (
                ("config/auto.conf", "CONFIG_%s=%s\n", "y"),
                ("generated/autoconf.h", "#define CONFIG_%s %s\n", "1")):
            with open(self.root.path + headers + path) as f:
                text = f.read()
            for option, instead in GCC_ONLY.items():
                text, count = re.subn(r"^(#define )?CONFIG_%s[ =].*\n" % option,
                                      "", text, flags=re.M)
                if count and instead:
                    text += line % (instead, value)
            text = re.sub(r"^(#define )?CONFIG_CLANG_VERSION[ =].*\n", "",
                          text, flags=re.M)
            text += "".join(line % o for o in more.items())
            mine = os.path.join(self.work, name, os.path.basename(path))
            with open(mine, "w") as f:
                f.write(text)
            binds.append((mine, headers + path))
        return binds

    def module(self, version, compiler):
        """(path of kmqtt.ko, None) or (None, what is wrong)."""
        name = "%s-%s" % (version, compiler)
        folder = self.copy(name, "Kbuild", "kmod")
        args, binds = [], []
        if self.arch != self.native:
            args = ["ARCH=" + self.kernel_arch,
                    "CROSS_COMPILE=%s-" % self.triplet]
        if compiler.startswith("clang"):
            args.append("CC=" + compiler)
            binds = self.clang_config(version, compiler, name)
        elif compiler != "gcc":
            args.append("CC=%s-%s" % (self.triplet, compiler))
        status, out = self.make("-C", "/lib/modules/%s/build" % version,
                                "M=/mnt/out/" + name, *args, "modules",
                                binds=binds)
        wrong = verdict(status, out)
        return (None, wrong) if wrong else (folder + "/kmqtt.ko", None)

    def user(self):
        """(folder with the programs, None) or (None, what is wrong)."""
        name = "user-%s-%s" % (os.path.basename(self.root.path), self.arch)
        folder = self.copy(name, "user", "kmod/include")
        status, out = self.make(
            "-C", "/mnt/out/%s/user" % name, "CC=%s-gcc" % self.triplet, "all",
            env={"PKG_CONFIG_LIBDIR": "/usr/lib/%s/pkgconfig:"
                                      "/usr/share/pkgconfig" % self.triplet})
        wrong = verdict(status, out)
        return (None, wrong) if wrong else (folder + "/user/build", None)

    def unit(self):
        """The unit tests for a machine that is only emulated: (0, KTAP)."""
        name = "unit-" + self.arch
        self.copy(name, "kmod/core", "selftests/unit", "selftests/shim")
        out = "/mnt/out/%s/out" % name
        status, text = self.make(
            "-C", "/mnt/out/%s/selftests/unit" % name, "OUTPUT=" + out, "all",
            # what sanitizers find does not depend on the machine
            "CC=%s-gcc" % self.triplet, "SANITIZE=",
            env={"CFLAGS": "-O2"})
        wrong = verdict(status, text)
        if wrong:
            return 1, wrong
        return self.run(["qemu-" + self.machine, "-L", "/usr/" + self.triplet,
                         out + "/mqtt_core"])
