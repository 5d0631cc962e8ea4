# SPDX-License-Identifier: GPL-2.0
"""
Small Debian systems of other releases, each in a folder of its own.

Packages come from where this machine's own apt gets Debian's, with nothing but
the release's name exchanged. They are unpacked below ~/.cache/kmqtt/debian, not
installed: no script of theirs runs, and the machine's own packages, lists and
sources stay as they are. A folder is made again when the packages have changed;
apt asks for that once a week, or when REFRESH is in the environment.
"""

import contextlib
import fcntl
import fnmatch
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "guest"))

import image  # noqa: E402

CACHE = os.path.join(image.CACHE, "debian")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FRESH = 7 * 24 * 3600
KEPT = 2
# Not wanted: what only people read, and drivers of what QEMU has not.
LEFT_OUT = ["./usr/share/" + d for d in ("doc", "man", "locale", "i18n",
                                         "info", "lintian", "bug")]
LEFT_OUT += ["*/lib/modules/*/kernel/" + d for d in (
    "sound", "drivers/gpu", "drivers/media", "drivers/net/wireless",
    "drivers/net/ethernet", "drivers/infiniband", "drivers/scsi",
    "drivers/iio", "drivers/usb", "drivers/staging", "drivers/hwmon",
    "fs/btrfs", "fs/xfs", "fs/smb", "fs/ocfs2", "fs/nfs", "fs/ceph")]
# A kernel's packages, told from what they depend on.
KERNEL_PACKAGE = re.compile(
    r"linux-(image|binary|modules|base|headers|kbuild)-\d")
# What runs in a folder: it sees no file of this machine but what is bound.
ENTER = """
root=$1
shift
mkdir -p "$root/proc" "$root/dev"
mount --rbind /proc "$root/proc" || exit
while [ "$1" != -- ]; do
	if [ -d "$1" ]; then
		mkdir -p "$root$2"
	else
		[ -e "$root$2" ] || : >"$root$2"
	fi
	mount --bind "$1" "$root$2" || exit
	shift 2
done
shift
exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ \\
	LC_ALL=C.UTF-8 "$@"
"""


class Unavailable(Exception):
    """Something cannot be had on this machine; one sentence."""


def say(text):
    print("# " + text, flush=True)


def output(cmd, **kwargs):
    return subprocess.run(cmd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **kwargs)


def native():
    """This machine's architecture, as Debian calls it; None: no Debian."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return None
    return output(["dpkg", "--print-architecture"]).stdout.strip()


def mirrors():
    """Where this machine gets Debian from: {label: URI}."""
    res = output(["apt-get", "indextargets", "--format",
                  "$(ORIGIN)\t$(LABEL)\t$(REPO_URI)", "Created-By: Packages"])
    found = {}
    for line in res.stdout.splitlines():
        origin, label, uri = line.split("\t")
        if origin == "Debian":
            found.setdefault(label, uri)
    return found


def sources():
    """The same, with the package lists fetched if this machine has none."""
    if not native():
        raise Unavailable("there is no apt-get here")
    found = mirrors()
    if not found:
        sudo = ["sudo", "-n"] if os.getuid() else []
        output(sudo + ["apt-get", "-qq", "update"])
        found = mirrors()
    if "Debian" not in found:
        raise Unavailable("apt has no archive of Debian here")
    return found


@contextlib.contextmanager
def locked(name):
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, name + ".lock"), "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


class Archive:
    """Debian's packages of one release (and of suites built on it)."""

    def __init__(self, release, suites, arches):
        self.release = release
        self.arches = arches
        self.dir = os.path.join(CACHE, "apt-" + release)
        self.env = dict(os.environ, LC_ALL="C",
                        APT_CONFIG=os.path.join(self.dir, "apt.conf"))
        with locked("apt-" + release):
            self.configure(sorted(suites))

    def configure(self, suites):
        for name in ("lists/partial", "archives/partial", "parts"):
            os.makedirs(os.path.join(self.dir, name), exist_ok=True)
        uris = sources()
        signed = "signed-by=%s " % KEYRING if os.path.exists(KEYRING) else ""
        names = [(uris["Debian"], s) for s in
                 sorted({self.release, self.release + "-updates", *suites})]
        if "Debian-Security" in uris:
            names.append((uris["Debian-Security"], self.release + "-security"))
        signed += "arch=%s] " % ",".join(self.arches)
        text = "".join("deb [%s%s %s main\n" % (signed, uri, s)
                       for uri, s in names)
        conf = ['Dir::Etc::sourcelist "%s/sources";', 'Dir::Cache "%s";',
                'Dir::Etc::sourceparts "%s/parts";', 'Dir::State "%s";',
                'Dir::State::lists "%s/lists";',
                'Dir::State::status "%s/status";',
                'Dir::Cache::archives "%s/archives";']
        conf = [c % self.dir for c in conf]
        conf += ['APT::Sandbox::User "root";', 'Acquire::Languages "none";',
                 'APT::Install-Recommends "false";',
                 'APT::Architecture "%s";' % self.arches[0],
                 'APT::Architectures { %s };' %
                 " ".join('"%s";' % a for a in self.arches)]
        for name, data in (("status", ""), ("apt.conf", "\n".join(conf))):
            with open(os.path.join(self.dir, name), "w") as f:
                f.write(data)
        self.update(text)

    def update(self, text):
        """Fetches the lists if they are old, or others are wanted."""
        path = os.path.join(self.dir, "sources")
        try:
            with open(path) as f:
                same = f.read() == text
            age = time.time() - os.path.getmtime(path)
        except OSError:
            same, age = False, 0
        if same and age < FRESH and "REFRESH" not in os.environ:
            return
        with open(path, "w") as f:
            f.write(text)
        res = self.apt("apt-get", "-q", "update")
        if res.returncode and not same:
            os.unlink(path)
            raise Unavailable("apt cannot get the package lists of %s: %s" % (
                self.release, (res.stderr.strip().splitlines() or ["?"])[-1]))

    def apt(self, program, *args, **kwargs):
        # A machine may be set up to do without these, at seconds a question.
        caches = ("-o", "Dir::Cache::pkgcache=pkgcache.bin",
                  "-o", "Dir::Cache::srcpkgcache=srcpkgcache.bin")
        return output((program,) + caches + args, env=self.env, **kwargs)

    def depends(self, *packages):
        res = self.apt("apt-cache", "depends", "--important", *packages)
        found = re.findall(r"^ *\|?(?:Pre)?Depends: <?([^<>:\s]+)", res.stdout,
                           re.M)
        return [name for name in found if KERNEL_PACKAGE.match(name)]

    def newest(self, pattern):
        names = self.apt("apt-cache", "pkgnames", "linux-image-").stdout
        names = [n for n in names.split() if fnmatch.fnmatch(n, pattern)]
        return max(names, key=image.version_key, default=None)

    def kernel(self, suite, flavour, arch):
        """(version, packages) of a suite's kernel."""
        name = "linux-image-" + flavour
        if "*" in flavour:
            found = [self.newest(name)]
        else:
            # a release's own includes its updates
            pinned = "" if suite == self.release else "/" + suite
            found = [d for d in
                     self.depends("%s:%s%s" % (name, arch, pinned))
                     if d.startswith("linux-image-")]
        if not found or not found[0]:
            raise Unavailable("%s has no %s" % (suite, name))
        version = found[0][len("linux-image-"):]
        todo, known = {found[0], "linux-headers-" + version}, set()
        while todo:
            known |= todo
            todo = {d for d in self.depends(*("%s:%s" % (n, arch)
                                              for n in sorted(todo)))
                    if not d.endswith(("-unsigned", "-dbg"))} - known
        return version, sorted(known)

    def files(self, arch, closure, exact):
        """[(URI, file)] of packages with, and without, what they need."""
        conf = ("-o", "APT::Architecture=" + arch)
        found = []
        for cmd in (["install", "-y"] + closure, ["download"] + exact):
            if len(cmd) == 1:
                continue
            res = self.apt("apt-get", *conf, "-qq", "--print-uris", *cmd)
            if res.returncode:
                raise Unavailable("apt finds no way to have %s of %s: %s" % (
                    cmd[0], self.release, res.stderr.strip()[:300]))
            found += re.findall(r"^'([^']+)' (\S+\.deb)", res.stdout, re.M)
        return sorted(set(found))

    def fetch(self, arch, closure, exact):
        conf = ("-o", "APT::Architecture=" + arch)
        folder = os.path.join(self.dir, "archives")
        for cmd in (["install", "-y", "-d"] + closure, ["download"] + exact):
            if cmd != ["download"]:
                res = self.apt("apt-get", *conf, "-qq", *cmd, cwd=folder)
                if res.returncode:
                    raise Unavailable("apt-get of %s: %s" % (
                        self.release, res.stderr.strip()[-300:]))
        return folder


class Root:
    """A folder with packages of a release, for one architecture."""

    def __init__(self, archive, arch, closure, exact=()):
        name = "%s-%s-" % (archive.release, arch)
        with locked(name + "root"):
            files = archive.files(arch, closure, list(exact))
            key = hashlib.sha256(repr((files, LEFT_OUT, KEPT)).encode())
            self.path = os.path.join(CACHE, name + key.hexdigest()[:16])
            if not os.path.exists(self.path):
                say("fetching %d packages of %s for %s into %s" %
                    (len(files), archive.release, arch, self.path))
                self.make(archive, arch, closure, list(exact),
                          [f for _, f in files])
            os.utime(self.path)
            roots = glob.glob(os.path.join(CACHE, name + "?" * 16))
            for old in sorted(roots, key=os.path.getmtime)[:-KEPT]:
                shutil.rmtree(old)

    def make(self, archive, arch, closure, exact, files):
        with locked("apt-" + archive.release):
            folder = archive.fetch(arch, closure, exact)
            part = self.path + ".part"
            shutil.rmtree(part, ignore_errors=True)
            os.makedirs(os.path.join(part, "usr"))
            for name in ("bin", "sbin", "lib", "lib64"):
                os.mkdir(os.path.join(part, "usr", name))
                os.symlink("usr/" + name, os.path.join(part, name))
            for name in files:
                unpack(os.path.join(folder, name), part)
            for name in os.listdir(folder):
                if name.endswith(".deb"):
                    os.unlink(os.path.join(folder, name))
        finish(part)
        os.rename(part, self.path)

    def run(self, argv, binds=(), env=None):
        """A command with this folder as its root; (status, output)."""
        cmd = ["unshare", "-m"] + (["-r"] if os.getuid() else [])
        cmd += ["sh", "-c", ENTER, "sh", self.path, "/dev/null", "/dev/null"]
        for pair in binds:
            cmd += list(pair)
        cmd += ["--"] + ["%s=%s" % e for e in (env or {}).items()] + argv
        res = subprocess.run(cmd, stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.STDOUT, errors="replace")
        return res.returncode, res.stdout


def unpack(deb, where):
    """What a package has, less what nobody here wants; never its scripts."""
    cmd = ["tar", "-C", where, "-x", "--keep-directory-symlink",
           "--no-same-owner"] + ["--exclude=" + p for p in LEFT_OUT]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb],
                          stdout=subprocess.PIPE) as data:
        status = subprocess.run(cmd, stdin=data.stdout).returncode
    if status or data.returncode:
        raise Unavailable("%s cannot be unpacked" % os.path.basename(deb))


def finish(root):
    """The little of what the packages' scripts would have done."""
    if os.path.exists(root + "/usr/bin/mawk"):
        os.symlink("mawk", root + "/usr/bin/awk")
    for name in ("passwd", "group"):
        master = "%s/usr/share/base-passwd/%s.master" % (root, name)
        if os.path.exists(master):
            shutil.copy(master, "%s/etc/%s" % (root, name))
    env = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    for path in glob.glob(root + "/usr/lib/modules/*/kernel"):
        version = os.path.basename(os.path.dirname(path))
        subprocess.run(["depmod", "-b", root, version], check=True, env=env)


def release(suite):
    """The release that a suite is built on: bookworm for bookworm-backports."""
    return suite.split("-")[0]
