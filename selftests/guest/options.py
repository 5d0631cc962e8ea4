# SPDX-License-Identifier: GPL-2.0
"""The options of selftests/guest/run."""

import argparse
import os
import sys

USAGE = """
Runs a command in a QEMU guest with the working tree visible.

  selftests/guest/run [OPTIONS] [--] COMMAND [ARGUMENT]...
  selftests/guest/run [OPTIONS] --interactive

The guest boots a kernel of this machine (never the running one's instance)
under software emulation, in about 6 s. It sees this machine's whole file
system, read-only below a layer in memory: every installed program runs, the
command starts in the caller's current folder, and nothing it changes lasts.
Only what it writes to --share's folder is kept. Loopback is up; there is no
other network unless --forward asks for one (10.0.2.15, no way out). The
command's output comes out here as it is written, stdout and stderr as one.

  --kernel VERSION|IMAGE  kernel to boot (default: the one --module was built
                     for, else the newest installed)
  --modules DIR      folder that holds lib/modules/VERSION for an IMAGE
  --root DIR         the guest's file system instead of this machine's; of the
                     latter it sees the current folder. With it a guest can be
                     of another machine (arm64, told from the IMAGE)
  --mem SIZE         guest memory (1G)
  --smp N            guest processors (2)
  --icount           count instructions: one processor, 1 ns of guest time is
                     one guest instruction, idle time is skipped
  --forward [ADDRESS:]HOSTPORT:GUESTPORT
                     TCP port of this machine to the guest (127.0.0.1)
  --module "FILE [NAME=VALUE]..."  insert the module first, remove it after
  --share DIR        folder the guest can write to, at the same path
  --env NAME=VALUE   environment of the command (NAME alone: as it is here)
  --timeout SECONDS  limit of the whole run (600)
  --boot-timeout SECONDS  a guest that is not up by then is started once more
                     (300): the emulator has been seen to hang
  --allow REGEX      kernel lines that are no complaint in this run
  --leaks            scan with kmemleak after the command, where there is one
  --log FILE         keep the kernel's log
  --append ARGS      more for the kernel's command line
  --cpu MODEL        processor model (what QEMU can do)
  --qemu ARG         one more argument for QEMU
  --interactive      a shell on this terminal instead of a command
  --consoles DIR     put sockets for selftests/guest/console there
  -v, --verbose      show the kernel's log and QEMU's command line

Exit status: the command's own, or 122 the guest died (panic), 123 the command
ended with 0 but the kernel complained (warning, oops, BUG, lockdep, stall,
hung task, leak: shown), 124 time-out, 125 nothing was started.
"""


def forward(text):
    part = text.rsplit(":", 2)
    if len(part) == 2:
        part.insert(0, "127.0.0.1")
    try:
        port = (part[0], int(part[1]), int(part[2]))
    except (IndexError, ValueError):
        raise argparse.ArgumentTypeError("'%s' is not HOSTPORT:GUESTPORT" %
                                         text)
    if not all(0 < p < 65536 for p in port[1:]):
        raise argparse.ArgumentTypeError("'%s': a port is 1 to 65535" % text)
    return port


def folder(text):
    path = os.path.realpath(text)
    if not os.path.isdir(path):
        raise argparse.ArgumentTypeError("%s is no folder" % text)
    return path


def variable(text):
    return text if "=" in text else "%s=%s" % (text, os.environ.get(text, ""))


def parse(argv):
    p = argparse.ArgumentParser(
        prog="selftests/guest/run", add_help=False,
        usage="%(prog)s [OPTIONS] COMMAND [ARGUMENT]... (--help explains)")
    p.add_argument("--kernel")
    p.add_argument("--modules", type=folder)
    p.add_argument("--root", type=folder)
    p.add_argument("--mem", default="1G")
    p.add_argument("--smp", type=int, default=2)
    p.add_argument("--icount", action="store_true")
    p.add_argument("--forward", type=forward, action="append", default=[])
    p.add_argument("--module")
    p.add_argument("--share", type=folder)
    p.add_argument("--env", type=variable, action="append", default=[])
    p.add_argument("--timeout", type=float, default=600)
    p.add_argument("--boot-timeout", type=float, default=300)
    p.add_argument("--allow", action="append", default=[])
    p.add_argument("--leaks", action="store_true")
    p.add_argument("--log")
    p.add_argument("--append", default="")
    p.add_argument("--cpu")
    p.add_argument("--qemu", action="append", default=[])
    p.add_argument("--interactive", action="store_true")
    p.add_argument("--consoles", type=folder)
    p.add_argument("-v", "--verbose", action="store_true")
    p.add_argument("-h", "--help", action="store_true")
    p.add_argument("command", nargs=argparse.REMAINDER)
    opts = p.parse_args(argv)
    if opts.help:
        print(USAGE.strip())
        sys.exit(0)
    if opts.command[:1] == ["--"]:
        del opts.command[0]
    if bool(opts.command) == opts.interactive:
        p.error("give a command, or --interactive")
    if opts.icount:
        opts.env.insert(0, "GLIBC_TUNABLES=glibc.cpu.hwcaps=-ERMS")
    if opts.module:
        name, *params = opts.module.split(" ")
        if not os.path.exists(name):
            p.error("--module: there is no %s" % name)
        opts.module = " ".join([os.path.abspath(name)] + params)
    return opts
