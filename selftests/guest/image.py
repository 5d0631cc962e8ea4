# SPDX-License-Identifier: GPL-2.0
"""What the guest boots: a kernel image, its modules, the initramfs."""

import glob
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import time

HERE = os.path.dirname(os.path.realpath(__file__))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or
                     os.path.expanduser("~/.cache"), "kmqtt")
# What stage 1 cannot do without, and what is loaded only when asked for.
BASE_MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay",
                "virtio_console"]
NET_MODULES = ["virtio_net"]
STALE_AFTER = 30 * 24 * 3600


class SetupError(Exception):
    """Something is missing before a guest can start; one sentence."""


class Kernel:
    """A bootable kernel: image path, version, folder with lib/modules."""

    def __init__(self, image, version, moddir=None, machine="x86_64"):
        self.image = image
        self.version = version
        self.moddir = moddir
        self.machine = machine

    def modules(self, names):
        """Files to insert, in order, for names; none when built in."""
        if not self.moddir:
            return []
        cmd = ["modprobe", "-d", self.moddir, "-S", self.version,
               "--show-depends", "-a"] + names
        env = dict(os.environ)
        env["PATH"] = env.get("PATH", "") + ":/usr/sbin:/sbin"
        try:
            res = subprocess.run(cmd, env=env, capture_output=True, text=True)
        except FileNotFoundError:
            raise SetupError("modprobe is missing: install the package kmod")
        if res.returncode:
            raise SetupError("kernel %s has no module for the guest: %s" %
                             (self.version, res.stderr.strip()))
        files = []
        for line in res.stdout.splitlines():
            word = line.split()
            if len(word) > 1 and word[0] == "insmod" and word[1] not in files:
                files.append(word[1])
        return files


def identify(path):
    """(machine, release) of an x86 bzImage or an arm64 Image."""
    try:
        with open(path, "rb") as f:
            head = f.read(0x8000)
            rest = f.read() if head[0x38:0x3c] == b"ARMd" else b""
    except OSError as e:
        raise SetupError("kernel image %s: %s" % (path, e.strerror))
    if head[0x202:0x206] == b"HdrS":
        at = int.from_bytes(head[0x20e:0x210], "little") + 0x200
        release = head[at:at + 128].split(b"\0")[0].split(b" ")[0]
        return "x86_64", release.decode()
    found = re.search(rb"Linux version ([\w.+~-]+) \(", rest)
    if not found:
        raise SetupError("%s is no kernel image for x86-64 (bzImage) or "
                         "arm64 (Image)" % path)
    return "aarch64", found.group(1).decode()


def version_key(version):
    return [int(n) for n in re.findall(r"\d+", version)]


def roots():
    """Folders that hold boot/ and lib/modules: the system, then the cache."""
    return ["/"] + sorted(glob.glob(os.path.join(CACHE, "kernels", "*")))


def installed():
    """Bootable kernels found, as {version: Kernel}."""
    found = {}
    for root in roots():
        for path in glob.glob(os.path.join(root, "boot", "vmlinuz-*")):
            version = os.path.basename(path)[len("vmlinuz-"):]
            mods = os.path.join(root, "lib/modules", version, "modules.dep")
            if version not in found and os.path.exists(mods):
                found[version] = Kernel(path, version, root)
    return found


def built_for(module):
    """The kernel version a module was built for, None if it does not say."""
    try:
        with open(module, "rb") as f:
            found = re.search(rb"\0vermagic=([^ \0]+) ", b"\0" + f.read())
    except OSError as e:
        raise SetupError("module %s: %s" % (module, e.strerror))
    return found.group(1).decode() if found else None


def newest(found):
    """The newest version; what is only in the cache comes second."""
    system = [v for v, k in found.items() if k.moddir == "/"]
    return max(system or found, key=version_key)


def choose(which=None, moddir=None, module=None):
    """
    The kernel to boot. which is a version, the path of an image, or None for
    the one that module was built for, without a module the newest one
    installed; moddir is the folder above lib/modules.
    """
    if not which and module:
        which = built_for(module)
    if which and os.path.sep in which:
        machine, version = identify(which)
        if not moddir and os.path.exists("/lib/modules/%s/modules.dep" %
                                         version):
            moddir = "/"
        return Kernel(os.path.abspath(which), version, moddir, machine)
    found = installed()
    if not which and found:
        which = newest(found)
    if which not in found:
        raise SetupError("no bootable kernel %s here (have: %s); "
                         "selftests/guest/kernel %s gets one" %
                         (which or "", ", ".join(sorted(found)) or "none",
                          which or "VERSION"))
    kernel = found[which]
    if not os.access(kernel.image, os.R_OK):
        raise SetupError("%s is not readable by you: chmod +r it, or give "
                         "--kernel a copy" % kernel.image)
    if moddir:
        kernel.moddir = moddir
    return kernel


def cpio_entry(name, data=b"", mode=0o100755, rdev=(0, 0)):
    """One member of a newc archive."""
    raw = name.encode() + b"\0"
    head = "070701" + "".join("%08x" % v for v in (
        0, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(raw), 0))
    out = head.encode() + raw
    out += b"\0" * (-len(out) % 4) + data
    return out + b"\0" * (-len(out) % 4)


def cpio_end():
    end = cpio_entry("TRAILER!!!", mode=0)
    return end + b"\0" * (-len(end) % 512)


def module_bytes(path):
    """A module's file, unpacked: the static busybox inserts plain ones."""
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], check=True,
                              stdout=subprocess.PIPE).stdout
    with open(path, "rb") as f:
        data = f.read()
    return lzma.decompress(data) if path.endswith(".xz") else data


def find_busybox(root=None):
    """A busybox that is linked statically, as Debian's busybox-static is."""
    path = (os.path.join(root, "bin/busybox") if root else
            shutil.which("busybox") or "/bin/busybox")
    try:
        with open(path, "rb") as f:
            data = f.read()
    except OSError:
        raise SetupError("busybox is missing: install busybox-static")
    if b"/ld-linux" in data[:8192]:
        raise SetupError("%s is not static: install busybox-static" % path)
    return data


def initramfs(kernel, net, root=None):
    """
    The path of the initramfs for this kernel, from the cache if nothing that
    goes into it has changed. root: where the guest's programs are, if not the
    machine's own.
    """
    parts = [("base", f) for f in kernel.modules(BASE_MODULES)]
    if net:
        seen = {f for _, f in parts}
        parts += [("net", f) for f in kernel.modules(NET_MODULES)
                  if f not in seen]
    with open(os.path.join(HERE, "init"), "rb") as f:
        init = f.read()
    busybox = find_busybox(root)
    key = hashlib.sha256(init + busybox)
    with open(__file__, "rb") as f:
        key.update(f.read())
    for _, path in parts:
        st = os.stat(path)
        key.update(("%s %d %d\n" % (path, st.st_size,
                                    st.st_mtime_ns)).encode())
    target = os.path.join(CACHE, "initramfs-%s.cpio" % key.hexdigest()[:20])
    if os.path.exists(target):
        os.utime(target)
        return target

    out = [cpio_entry(d, mode=0o040755)
           for d in ("bin", "dev", "proc", "sys", "mnt", "modules")]
    out.append(cpio_entry("dev/console", mode=0o020600, rdev=(5, 1)))
    out.append(cpio_entry("bin/busybox", busybox))
    out.append(cpio_entry("init", init))
    names = []
    for _, path in parts:
        name = "modules/%02d-%s" % (len(names), re.sub(
            r"\.ko\.\w+$", ".ko", os.path.basename(path)))
        names.append(name)
        out.append(cpio_entry(name, module_bytes(path), 0o100644))
    out.append(cpio_entry("modules/list",
                          "".join("/%s\n" % n for n in names).encode(),
                          0o100644))
    os.makedirs(CACHE, exist_ok=True)
    part = "%s.%d" % (target, os.getpid())
    with open(part, "wb") as f:
        f.write(b"".join(out) + cpio_end())
    os.rename(part, target)
    for old in glob.glob(os.path.join(CACHE, "initramfs-*.cpio*")):
        if os.path.getmtime(old) < time.time() - STALE_AFTER:
            os.unlink(old)
    return target
