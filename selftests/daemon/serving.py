# SPDX-License-Identifier: GPL-2.0
"""A kmqttd with the module, for tests: started, waited for, reloaded, ended."""

import atexit
import functools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "selftests/ctl"), str(TOP / "selftests/functional")]

import ktap  # noqa: E402
from ktap import LIMIT, eventually  # noqa: E402
from mqttlib import Client  # noqa: E402

KMQTTD = os.environ.get("KMQTTD") or str(TOP / "user/build/kmqttd")
KMQTTCTL = os.environ.get("KMQTTCTL") or str(TOP / "user/build/kmqttctl")
MODULE = os.environ.get("KMQTT_MODULE") or str(TOP / "kmqtt.ko")
DIR = pathlib.Path(tempfile.mkdtemp(prefix="kmqttd-"))
CONF = DIR / "conf"
# alice:wonderland (PBKDF2), bob:builder (SHA-512): mosquitto_passwd's
PASSWORDS = """\
alice:$7$101$GPNzo/htyrUUOhCc$QRMAQj60+uWabNVlIrrMFCMu4AaOYIwfE7TwsiBV6eeDQ2xI\
py7mezSuv5zvyG6Y3YcQ+zmr2wVFpBgm+rnAnw==
bob:$6$j97u+i+1KuPl4hpU$eBy/gnWErGQ9uW+gjajoUoDLKWX4yC5pnvvsAlIvgIJZmxqxKb0RhN\
T4QwX/Z460Cg6/AD8lAxGdaUKpJbrKFA==
"""
SERVES = " serves"
RELOADED = "the new configuration is in force"
REFUSED = "nothing was changed"


def ctl(*args, status=0):
    done = subprocess.run([KMQTTCTL, *args], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=LIMIT,
                          check=False)
    assert done.returncode == status, f"kmqttctl {args}: {done.stderr}"
    return done.stdout


def ask(*args):
    return json.loads(ctl("-j", *args))


def setting(name):
    return ask("config", "show", name)[0]["value"]


def test(function):
    """Register a test; no daemon outlives it, whatever happens."""
    @functools.wraps(function)
    def run():
        try:
            function()
        finally:
            while RUNNING:
                d = RUNNING.pop()
                if d.proc.poll() is None:
                    d.end()
    ktap.test(run)
    return function


RUNNING = []


class Daemon:
    """A running kmqttd; its log is read from a file."""

    def __init__(self, conf="", *args, wait=SERVES, program=KMQTTD, **more):
        self.serial = len(list(DIR.glob("log.*")))
        self.log_path = DIR / f"log.{self.serial}"
        CONF.write_text(conf)
        with open(self.log_path, "w") as log:
            self.proc = subprocess.Popen(
                [program, "-c", str(CONF), *args], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=DIR, **more)
        RUNNING.append(self)
        self.seen = 0
        if wait:
            self.await_line(wait)

    def log(self):
        return self.log_path.read_text()

    def await_line(self, text):
        """Wait for a line with @text that was not waited for before."""
        def look():
            at = self.log().find(text, self.seen)
            if at < 0:
                assert self.proc.poll() is None, "it ended: " + self.log()
                return False
            self.seen = at + len(text)
            return True
        eventually(look, f"no '{text}' in: {self.log()}")

    def reload(self, conf=None, wait=RELOADED):
        if conf is not None:
            CONF.write_text(conf)
        self.seen = len(self.log())
        self.proc.send_signal(signal.SIGHUP)
        self.await_line(wait)

    def end(self, sig=signal.SIGTERM):
        self.proc.send_signal(sig)
        self.proc.send_signal(signal.SIGCONT)
        return self.proc.wait(LIMIT)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        if self.proc.poll() is None:
            self.end()


def fails(conf, *texts, status=1, **more):
    """kmqttd must end with @status and say all of @texts."""
    d = Daemon(conf, wait=None, **more)
    got = d.proc.wait(LIMIT)
    assert got == status, f"status {got}: {d.log()}"
    for text in texts:
        assert text in d.log(), f"no '{text}' in: {d.log()}"


def client(port=1883, ver=5, host=None, **fields):
    return Client(ver, host=host, port=port).open(**fields)


def alive(c):
    """The client is connected and answered."""
    c.barrier()


def refused(reason, port=1883, ver=5, **fields):
    Client(ver, port=port).open(reason=reason, **fields).expect_close()


def no_listener(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), LIMIT).close()
    except ConnectionRefusedError:
        return True
    return False


def users_conf(*lines):
    (DIR / "pw").write_text(PASSWORDS)
    return "\n".join(["listener 1883", f"password_file {DIR}/pw", *lines, ""])


def nothing_left():
    assert ask("listener", "show") == []
    assert ask("session", "show") == []
    assert ask("retained", "show") == []
    assert not ask("acl", "show")


def question_waits():
    """Is there something to read in a generic netlink socket?"""
    with open("/proc/net/netlink") as table:
        rows = [line.split() for line in table][1:]
    return any(row[1] == "16" and int(row[4]) for row in rows)


def module_in():
    if not os.path.isdir("/sys/module/kmqtt"):
        subprocess.run(["insmod", MODULE], check=True)


def clean_up():
    subprocess.run(["rmmod", "kmqtt"], check=False, capture_output=True)
    shutil.rmtree(DIR, ignore_errors=True)


def main():
    if os.geteuid():
        ktap.main(skip="only root can load the module")
    if not os.path.exists(MODULE):
        ktap.main(skip=f"{MODULE} is not built")
    atexit.register(clean_up)
    module_in()
    ktap.main()
