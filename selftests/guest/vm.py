# SPDX-License-Identifier: GPL-2.0
"""One QEMU process: its channels, its time limit, how it ended."""

import ctypes
import os
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import image
import logcheck

TIMED_OUT = 124
SETUP_FAILED = 125
COMPLAINED = 123
DIED = 122
# Enough for the guest to write its last line after the job has ended.
GRACE = 60
CONSOLES = 4
# What differs from machine to machine: QEMU's arguments, the console, Debian's
# package. Pointer authentication in software would be half of arm64's time.
MACHINES = {
    "x86_64": (["-machine", "pc"], "max", "ttyS0", "qemu-system-x86"),
    "aarch64": (["-machine", "virt"], "max,pauth-impdef=on", "ttyAMA0",
                "qemu-system-arm"),
}
APPEND = ("quiet panic=-1 oops=panic panic_on_warn=0 nokaslr "
          "mitigations=off random.trust_cpu=on tsc=nowatchdog no_timer_check "
          "watchdog_thresh=30 rcupdate.rcu_cpu_stall_timeout=60 "
          "rdinit=/init")
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """In the child: no QEMU outlives the harness, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def share(name, path, more=""):
    """QEMU's arguments for a folder that the guest can mount by name."""
    return ["-fsdev", "local,id=%s,path=%s,security_model=none,"
            "multidevs=remap%s" % (name, path.replace(",", ",,"), more),
            "-device", "virtio-9p-pci,fsdev=%s,mount_tag=%s" % (name, name)]


def port_taken(address, port):
    """Why nothing can listen on address:port, or None."""
    try:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, port))
    except (OSError, OverflowError) as e:
        return getattr(e, "strerror", None) or str(e)
    return None


class Guest:
    """
    A guest for one job. opts has: kernel, modules, root, mem, smp, icount,
    forward, module, append, env, share, allow, leaks, timeout, consoles (a
    folder for their sockets or None), cpu, qemu (arguments for QEMU itself).
    """

    def __init__(self, opts, argv, on_output=None, on_start=None):
        self.opts = opts
        self.argv = argv
        self.on_output = on_output or self.to_stdout
        self.on_start = on_start
        self.kernel = image.choose(opts.kernel, opts.modules,
                                   (opts.module or "").split(" ")[0])
        self.stopping = False
        self.timed_out = False
        self.tmp = None
        self.proc = None
        self.forget()

    def forget(self):
        """What a guest has said, before there is one."""
        self.log = logcheck.Log(self.opts.allow)
        self.end = None
        self.control_text = b""
        self.console_text = b""
        self.errors = b""

    @staticmethod
    def to_stdout(data):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def stop(self):
        """Asks the job to end (SIGTERM); the second time, the guest."""
        if self.stopping:
            self.proc.kill()
            return
        self.stopping = True
        self.deadline = min(self.deadline, time.monotonic() + GRACE)
        try:
            self.control.send(b"stop\n")
        except OSError:
            pass

    def job_files(self):
        """The archive with what this run alone needs, after the base one."""
        opts, q = self.opts, shlex.quote
        moddir = self.kernel.moddir
        tree = os.getcwd() if opts.root else ""
        where = "cwd=%s\ntree=%s\nresults=%s\nmodule=%s\nmoddir=%s\n" \
            "leaks=%s\nconsoles=%d\n" % (
            q(os.getcwd()), q(tree), q(opts.share or ""), q(opts.module or ""),
            q(moddir if moddir and moddir != "/" else ""),
            "1" if opts.leaks else "", CONSOLES if opts.consoles else 0)
        lines = ["cd %s" % q(os.getcwd())]
        lines += ["export %s" % q(e) for e in opts.env]
        lines.append("exec " + " ".join(q(a) for a in self.argv))
        out = [image.cpio_entry("job", mode=0o040755),
               image.cpio_entry("job/where", where.encode()),
               image.cpio_entry("job/command",
                                ("\n".join(lines) + "\n").encode())]
        for name in ("main", "agent"):
            with open(os.path.join(image.HERE, name), "rb") as f:
                out.append(image.cpio_entry("job/" + name, f.read()))
        return b"".join(out) + image.cpio_end()

    def initrd(self):
        path = os.path.join(self.tmp, "initrd")
        shutil.copyfile(image.initramfs(self.kernel, bool(self.opts.forward),
                                        self.opts.root), path)
        with open(path, "ab") as f:
            f.write(self.job_files())
        return path

    def command_line(self, out_fd, console_fd, control_fd):
        opts = self.opts
        machine, cpu, console, package = MACHINES[self.kernel.machine]
        qemu = shutil.which("qemu-system-" + self.kernel.machine)
        if not qemu:
            raise image.SetupError("QEMU is missing: install " + package)
        append = "console=%s %s" % (console, APPEND)
        if opts.icount:
            append += " clearcpuid=297"
        cmd = [qemu, "-nodefaults", "-no-user-config", "-display", "none",
               "-no-reboot", *machine,
               "-accel", "tcg" if opts.icount else "tcg,thread=multi",
               "-cpu", opts.cpu or cpu, "-m", opts.mem,
               "-smp", "1" if opts.icount else
               "%d,sockets=%d" % (opts.smp, opts.smp),
               "-kernel", self.kernel.image, "-initrd", self.initrd(),
               "-append", (append + " " + opts.append).strip(),
               "-add-fd", "fd=%d,set=1" % console_fd,
               "-add-fd", "fd=%d,set=2" % out_fd,
               "-chardev", "file,id=console,path=/dev/fdset/1,append=on",
               "-chardev", "file,id=output,path=/dev/fdset/2,append=on",
               "-chardev", "socket,id=control,fd=%d" % control_fd,
               "-serial", "chardev:console",
               "-device", "virtio-serial-pci,max_ports=16",
               "-device", "virtserialport,chardev=output,name=output",
               "-device", "virtserialport,chardev=control,name=control",
               *share("host", opts.root or "/", ",readonly=on")]
        if opts.icount:
            cmd += ["-icount", "shift=0,sleep=off"]
        if opts.root:
            cmd += share("tree", os.getcwd(), ",readonly=on")
        if opts.share:
            cmd += share("results", opts.share)
        if opts.forward:
            cmd += ["-netdev", "user,id=net,restrict=on" + "".join(
                ",hostfwd=tcp:%s:%d-:%d" % f for f in opts.forward),
                "-device", "virtio-net-pci,netdev=net,romfile="]
        if opts.consoles:
            for n in range(CONSOLES):
                cmd += ["-chardev", "socket,id=hvc%d,server=on,wait=off,"
                        "path=%s/console%d" % (n, opts.consoles, n),
                        "-device", "virtconsole,chardev=hvc%d" % n]
        return cmd + opts.qemu

    def start(self):
        for address, port, _ in self.opts.forward:
            why = port_taken(address, port)
            if why:
                raise image.SetupError("port %d of %s: %s" %
                                       (port, address, why))
        self.output, out_fd = os.pipe()
        self.console, console_fd = os.pipe()
        self.control, control_end = socket.socketpair()
        fds = (out_fd, console_fd, control_end.fileno())
        try:
            cmd = self.command_line(*fds)
            if self.opts.verbose:
                print("# " + shlex.join(cmd), file=sys.stderr)
            self.proc = subprocess.Popen(
                cmd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, pass_fds=fds, start_new_session=True,
                preexec_fn=die_with_parent)
        finally:
            os.close(out_fd)
            os.close(console_fd)
            control_end.close()

    def console_input(self, data):
        self.console_text += data
        *lines, self.console_text = self.console_text.split(b"\n")
        for line in lines:
            self.log.add(line.decode(errors="replace"))
        if self.opts.verbose:
            sys.stderr.write(data.decode(errors="replace"))

    def control_input(self, data):
        self.control_text += data
        *lines, self.control_text = self.control_text.split(b"\n")
        for line in lines:
            word = line.decode(errors="replace").split()
            if word[:1] == ["start"] and self.on_start:
                self.on_start()
            if word[:1] == ["end"] and len(word) >= 4:
                self.end = word[1:]
                self.deadline = min(self.deadline, time.monotonic() + GRACE)

    def stderr_input(self, data):
        self.errors += data

    def follow(self):
        """Reads every channel until QEMU has closed them all."""
        sel = selectors.DefaultSelector()
        control = self.control.fileno()
        for fd, sink in ((self.output, self.on_output),
                         (self.console, self.console_input),
                         (control, self.control_input),
                         (self.proc.stderr.fileno(), self.stderr_input)):
            sel.register(fd, selectors.EVENT_READ, sink)
        while sel.get_map():
            left = self.deadline - time.monotonic()
            boot_left = (float("inf") if self.log.started else
                         self.boot_deadline - time.monotonic())
            if boot_left <= 0:
                self.proc.kill()
                self.boot_deadline = float("inf")
                self.hung = True
                continue
            if left <= 0:
                # A guest that told its status is late only in powering off.
                self.timed_out = self.end is None and not self.stopping
                self.proc.kill()
                self.deadline = float("inf")
                continue
            for key, _ in sel.select(min(left, boot_left, 3600)):
                try:
                    data = os.read(key.fd, 65536)
                except OSError:
                    data = b""
                if data:
                    key.data(data)
                else:
                    sel.unregister(key.fd)
        sel.close()

    def once(self, boot_seconds):
        """One guest from start to end. Return: it was there to the end, not
        ended for having hung before anything of the job was run."""
        self.hung = False
        self.boot_deadline = time.monotonic() + boot_seconds
        self.start()
        self.follow()
        self.proc.wait()
        return not self.hung or self.stopping or self.timed_out

    def run(self):
        """Boots, runs the job, returns the exit status of the harness."""
        self.deadline = time.monotonic() + self.opts.timeout
        self.tmp = tempfile.mkdtemp(prefix="kmqtt-guest-")
        try:
            if not self.once(self.opts.boot_timeout):
                print("guest: not up after %d s, is started once more; last "
                      "lines of the console:" % self.opts.boot_timeout,
                      *self.log.lines[-15:], sep="\n  ", file=sys.stderr)
                self.forget()
                self.once(float("inf"))
        finally:
            if self.proc and self.proc.poll() is None:
                self.proc.kill()
                self.proc.wait()
            shutil.rmtree(self.tmp, ignore_errors=True)
        if self.opts.log:
            with open(self.opts.log, "w") as f:
                f.write("\n".join(self.log.lines) + "\n")
        return self.verdict()

    def complaints(self):
        found = list(self.log.found)
        if self.end and len(self.end) >= 3:
            found += logcheck.taint_complaints(int(self.end[1]),
                                               int(self.end[2]))
        if self.end and len(self.end) >= 4 and self.end[3] == "0":
            found.append("lockdep has switched itself off")
        return found

    def verdict(self):
        def say(text):
            print("guest: " + text, file=sys.stderr)

        sys.stdout.flush()
        found = self.complaints()
        status = int(self.end[0]) if self.end else None
        if found:
            say("the kernel complained:")
            for line in self.log.excerpt() or found:
                say("  " + line)
        if self.timed_out:
            say("no end after %d s; last lines of the console:" %
                self.opts.timeout)
            for line in self.log.lines[-15:]:
                say("  " + line)
            return TIMED_OUT
        if status is None:
            if self.errors:
                say("qemu: " + self.errors.decode(errors="replace").strip())
            if not self.log.lines and self.errors:
                return SETUP_FAILED
            if not self.stopping or found:
                say("the guest died before the command had ended%s" %
                    (" (QEMU: status %d)" % self.proc.returncode
                     if self.proc.returncode else ""))
                if not found:
                    for line in self.log.lines[-15:]:
                        say("  " + line)
            return DIED
        if found and status == 0:
            return COMPLAINED
        return status
