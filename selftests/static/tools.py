# SPDX-License-Identifier: GPL-2.0
"""Running tools side by side, and those that read files one by one."""

import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess
import threading
import warnings

from findings import HERE, TOP, Finding, Skip, all_located

SKIP_FOLDERS = {"build", "node_modules", "__pycache__"}
BUILT = (".o", ".ko", ".mod", ".mod.c", ".cmd", ".order", ".symvers", ".a",
         ".pyc")
KERNEL_SCRIPTS = os.path.join(HERE, "kernel-scripts")


def sources():
    """Every file of the tree that somebody wrote."""
    found = []
    for folder, folders, names in os.walk(TOP):
        folders[:] = [d for d in folders if d not in SKIP_FOLDERS and
                      (d == ".ci" or not d.startswith("."))]
        found += [os.path.relpath(os.path.join(folder, n), TOP)
                  for n in names if not n.endswith(BUILT)]
    return sorted(p for p in found if not os.path.islink(os.path.join(TOP, p)) and
                  not os.path.basename(p).startswith("."))


def first_line(path):
    with open(os.path.join(TOP, path), "rb") as f:
        return f.readline(200).decode(errors="replace")


class Work:
    """A folder to build in, and as many processes at a time as processors."""

    def __init__(self, out):
        self.out = out
        self.jobs = os.cpu_count() or 1
        self.turn = threading.Semaphore(self.jobs)
        self.lock = threading.Lock()
        self.once = {}
        self.sources = sources()

    def run(self, command, cwd=TOP):
        """(status, output) of a list of words, or of a line for the shell."""
        env = {k: v for k, v in os.environ.items()
               if k not in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES",
                            "MAKELEVEL", "T", "KVER")}
        env["LC_ALL"] = "C"
        with self.turn:
            done = subprocess.run(command, cwd=cwd, text=True, env=env,
                                  shell=isinstance(command, str),
                                  errors="replace", stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout

    def each(self, commands, cwd=TOP):
        """The same for many, in the order given."""
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(lambda c: self.run(c, cwd), commands))

    def shared(self, name, function):
        """What several tools need is made once."""
        with self.lock:
            lock = self.once.setdefault(name, threading.Lock())
        with lock:
            if name + " made" not in self.once:
                self.once[name + " made"] = function()
            return self.once[name + " made"]


def need(program):
    if not shutil.which(program):
        raise Skip("there is no %s" % program)


def failed(status, text, found, what, wanted=(0,)):
    """A tool that ends badly and says nothing we understand has not looked."""
    if status in wanted or found:
        return found
    tail = " | ".join(text.split("\n")[-6:])
    return found + [Finding("-", 0, "%s ended with %d: %s" %
                            (what, status, tail))]


def kernel_scripts(work):
    def fetch():
        return subprocess.run([KERNEL_SCRIPTS], text=True, check=False,
                              stdout=subprocess.PIPE).stdout.strip()
    folder = work.shared("kernel-scripts", fetch)
    if not folder:
        raise Skip("there is no linux-source to take the kernel's scripts from")
    return folder


# They play the kernel, libFuzzer or the daemon to what they test, and have the
# names and macros of those.
IMITATES = tuple("selftests/%s/" % name for name in (
    "abuse", "connfuzz", "failalloc", "fuzz", "guestfuzz", "kernels", "lifetime",
    "model", "nomem"))


def checkpatch(work):
    need("perl")
    script = os.path.join(kernel_scripts(work), "checkpatch.pl")
    files = [p for p in work.sources if p.endswith((".c", ".h")) and
             not p.startswith(IMITATES)]
    # in shares of like size, since each run reads its list of spellings
    count = 4 * work.jobs
    command = ["perl", script, "--no-tree", "--strict", "--terse",
               "--no-summary", "--show-types", "--max-line-length=100", "-f"]
    files = [os.path.join(TOP, p) for p in files]
    found = []
    # in a folder for the list of names that it keeps
    for status, text in work.each([command + files[i::count]
                                   for i in range(count) if files[i::count]],
                                  work.out):
        remarks = all_located(text, TOP)
        found += failed(status, text, remarks, "checkpatch")
    return found


def kernel_doc(work):
    """What is said of an argument or a field must be of one that is there; one
    whose name says it all needs no more."""
    need("perl")
    script = os.path.join(kernel_scripts(work), "kernel-doc")
    status, text = work.run(["perl", script, "-none"] + [
        p for p in work.sources if p.endswith((".c", ".h")) and
        p.startswith(("kmod/", "user/", "selftests/static/"))])
    return [f for f in failed(status, text, all_located(text), "kernel-doc")
            if " not described in " not in f.text]


def option(script):
    with open(script, encoding="utf-8") as f:
        text = f.read()
    match = re.search(r"^// *Options: *(.*)$", text, re.M)
    return shlex.split(match.group(1)) if match else []


def coccinelle(work):
    """Each of the kernel's scripts alone, as its own head wants it run."""
    need("spatch")
    folder = os.path.join(kernel_scripts(work), "coccinelle")
    scripts = [os.path.join(d, name) for d, _, names in os.walk(folder)
               for name in names if name.endswith(".cocci")]
    tree = work.shared("links", lambda: links(os.path.join(work.out, "links")))
    commands = [["spatch", "-D", "report", "--very-quiet", "--no-show-diff"] +
                option(s) + ["--cocci-file", s, "--dir", tree]
                for s in sorted(scripts)]
    found = []
    for command, (status, text) in zip(commands, work.each(commands)):
        name = os.path.basename(command[-3])
        remarks = all_located(text, tree)
        for remark in remarks:
            remark.text += " [%s]" % name
        found += failed(status, text, remarks, name)
    return found


def links(tree):
    """The module's sources, and the file with faults, in a tree of links."""
    shutil.rmtree(tree, ignore_errors=True)
    for folder in ("kmod", "selftests/static/planted"):
        os.makedirs(os.path.join(tree, folder))
        subprocess.run(["cp", "-asT", os.path.join(TOP, folder),
                        os.path.join(tree, folder)], check=True)
    for folder, _, names in os.walk(tree):
        for name in names:
            if not name.endswith((".c", ".h")) or name.endswith(".mod.c"):
                os.unlink(os.path.join(folder, name))
    os.unlink(os.path.join(tree, "selftests/static/planted/program.c"))
    return tree


def is_shell(path):
    return path.endswith(".sh") or "/completion/" in path or \
        re.match(r"#!.*\b(sh|bash)\b", first_line(path))


def shellcheck(work):
    """Sourced files are looked for beside the script and one folder up."""
    need("shellcheck")
    status, text = work.run(
        ["shellcheck", "--external-sources", "--source-path=SCRIPTDIR",
         "--source-path=SCRIPTDIR/..", "--format=gcc"] +
        [p for p in work.sources if is_shell(p)])
    return failed(status, text, all_located(text), "shellcheck")


def is_python(path):
    return path.endswith(".py") or \
        re.match(r"#!.*\bpython3?\b", first_line(path))


def python(work):
    """Python's own warnings, and what pyflakes sees beyond them."""
    need("pyflakes3")
    files = [p for p in work.sources if is_python(p)]
    found = []
    for path in files:
        with open(os.path.join(TOP, path), encoding="utf-8") as f:
            text = f.read()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                compile(text, path, "exec")
            except SyntaxError as error:
                found.append(Finding(path, error.lineno or 0, error.msg))
        found += [Finding(path, w.lineno, str(w.message)) for w in caught]
    status, text = work.run(["pyflakes3"] + files)
    found += failed(status, text, all_located(text), "pyflakes3")
    return [f for f in found if not said_to_be_unused(f)]


def said_to_be_unused(finding):
    """An import for what it does, or for others to import: noqa: F401."""
    if not finding.text.endswith("imported but unused"):
        return False
    with open(os.path.join(TOP, finding.path), encoding="utf-8") as f:
        line = f.read().split("\n")[finding.line - 1]
    return re.search(r"# noqa:.*\bF401\b", line) is not None
