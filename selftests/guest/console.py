# SPDX-License-Identifier: GPL-2.0
"""The other end of selftests/guest/agent: a shell or a command in a guest."""

import fcntl
import os
import selectors
import shlex
import shutil
import signal
import socket
import sys
import tempfile
import termios
import threading
import tty

import image
import vm

# A console whose agent says nothing for so many seconds, so many times, holds
# a stuck command.
PATIENCE = 5
TRIES = 4
# In the working tree: its programs are found by name.
SHELL = ("stty sane rows %d cols %d; PATH=$PATH:$PWD/user/build; export PATH; "
         "PS1='guest# ' exec bash --norc -i")
CTRL_C, CTRL_D = b"\x03", b"\x04"


class Busy(Exception):
    """No console of the guest can be had."""


def state_folder(port):
    """Where the guest of `make run` with this PORT has its consoles."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return os.path.join(base, "kmqtt-%d-%s" % (os.getuid(), port))


def nobody(folder):
    return Busy("no guest is running there (%s); `make run` starts one, and "
                "PORT= must be the same" % folder)


def free_console(folder):
    """(lock file, socket) of a console nobody else uses."""
    if not os.path.exists(os.path.join(folder, "console0")):
        raise nobody(folder)
    for n in range(vm.CONSOLES):
        lock = open(os.path.join(folder, "lock%d" % n), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(os.path.join(folder, "console%d" % n))
            return lock, sock
        except ConnectionRefusedError:
            raise nobody(folder)
        except BlockingIOError:
            lock.close()
    raise Busy("all %d consoles of the guest are in use" % vm.CONSOLES)


class Session:
    """One command on one console."""

    def __init__(self, sock, line, interactive):
        self.sock = sock
        size = shutil.get_terminal_size()
        self.tag = "t%d" % os.getpid()
        self.line = "%s %d %d %s\n" % (self.tag, size.lines, size.columns,
                                       line)
        self.interactive = interactive
        self.begun = False
        self.text = b""
        self.status = None

    def output(self, data):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def marks(self):
        """Acts on the marks in what has come; True when all is done."""
        while True:
            at = self.text.find(b"\0")
            if at < 0:
                if self.begun:
                    self.output(self.text)
                self.text = b""
                return False
            if self.begun and at:
                self.output(self.text[:at])
            self.text = self.text[at:]
            end = self.text.find(b"\n")
            if end < 0 and len(self.text) < 64:
                return False
            mark = self.text[1:end].decode(errors="replace").split()
            self.text = self.text[end + 1:]
            if mark == ["ready"] and not self.begun:
                self.sock.sendall(self.line.encode())
            elif mark == [self.tag]:
                self.begun = True
            elif len(mark) == 2 and mark[0] == self.tag:
                self.status = int(mark[1])
                return True

    def run(self):
        """Streams until the command has ended; its status, None if lost."""
        sel = selectors.DefaultSelector()
        sel.register(self.sock, selectors.EVENT_READ)
        if self.interactive:
            sel.register(0, selectors.EVENT_READ)
        self.sock.sendall(CTRL_C)
        tries = 0
        while self.status is None:
            ready = sel.select(None if self.begun else PATIENCE)
            if not ready and not self.begun:
                tries += 1
                if tries > TRIES:
                    raise Busy("the guest's console does not answer")
                self.sock.sendall(CTRL_C + (CTRL_D if tries % 2 else b""))
            for key, _ in ready:
                if key.fileobj is self.sock:
                    data = self.sock.recv(65536)
                    if not data:
                        return None
                    self.text += data
                    if self.marks():
                        break
                else:
                    data = os.read(0, 4096)
                    self.sock.sendall(data or CTRL_D)
                    if not data:
                        sel.unregister(0)
        return self.status


def command_line(argv):
    """The line for the agent: on a pipe unless the caller has a terminal."""
    line = argv[0] if len(argv) == 1 else shlex.join(argv)
    if not os.isatty(1):
        line = "bash -o pipefail -c %s" % shlex.quote(
            "(%s) 2>&1 </dev/null | cat" % line)
    return line


def call(folder, argv):
    """Runs argv, or a shell if it is empty, in the guest of folder."""
    interactive = not argv
    if interactive:
        if not os.isatty(0):
            raise Busy("a shell needs a terminal; a command does not: "
                       "selftests/guest/console PORT COMMAND, or make ctl")
        size = shutil.get_terminal_size()
        line = SHELL % (size.lines, size.columns)
    else:
        line = command_line(argv)
    lock, sock = free_console(folder)
    session = Session(sock, line, interactive)
    saved = termios.tcgetattr(0) if interactive else None
    try:
        if interactive:
            tty.setraw(0)
        status = session.run()
    except KeyboardInterrupt:
        sock.sendall(CTRL_C)
        status = 130
    finally:
        if saved:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)
        sock.close()
        lock.close()
    if status is None:
        print("guest: it has gone", file=sys.stderr)
        return vm.DIED
    return status


def own_guest(opts):
    """A guest just for a shell on this terminal."""
    if not os.isatty(0):
        raise image.SetupError("--interactive needs a terminal")
    folder = tempfile.mkdtemp(prefix="kmqtt-console-")
    opts.consoles = folder
    opts.timeout = float("inf")
    result = []

    def shell():
        try:
            result.append(call(folder, []))
        except Busy as e:
            print("guest: %s" % e, file=sys.stderr)
        guest.stop()

    def started():
        threading.Thread(target=shell, daemon=True).start()

    guest = vm.Guest(opts, ["sleep", "infinity"], on_start=started)
    signal.signal(signal.SIGINT, lambda *_: guest.proc and guest.stop())
    try:
        status = guest.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if status == 128 + signal.SIGTERM and result:
        return result[0]
    return status
