# SPDX-License-Identifier: GPL-2.0
"""A network namespace with a broker in it, a link to it that can be disturbed
and one that is not, and everything that can go wrong but the clients."""

import base64
import hashlib
import json
import os
import subprocess
import tempfile
import threading
import time

import history
import mqttlib

SPACE = "kmqtt-history"
# The device here, the address here, the one of the broker
WILD = ("kmqtt-wild", "192.0.2.1", "192.0.2.2")
CALM = ("kmqtt-calm", "198.51.100.1", "198.51.100.2")
PORT = 1883
KMQTTD = os.environ.get("KMQTTD", "")
KMQTTCTL = os.environ.get("KMQTTCTL", "")


class Failed(Exception):
    """A command has failed; the text says which and how."""


def run(*command, check=True):
    done = subprocess.run(command, text=True, timeout=4 * mqttlib.LIMIT,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          check=False)
    if check and done.returncode:
        raise Failed(f"{' '.join(command)}: "
                     f"{done.stderr.strip() or done.returncode}")
    return done.stdout


def inside(*command):
    return ("ip", "netns", "exec", SPACE, *command)


def ctl(*arguments):
    return run(KMQTTCTL, "-n", SPACE, *arguments)


def netem_missing():
    """Why the link cannot be disturbed, or None."""
    run("modprobe", "-q", "sch_netem", check=False)
    try:
        run(*inside("tc", "qdisc", "add", "dev", "lo", "root", "netem",
                    "delay", "1ms"))
        run(*inside("tc", "qdisc", "del", "dev", "lo", "root"))
    except Failed as error:
        return str(error)
    return None


def password(user, word, salt=b"history-salt"):
    """A line of a password file."""
    digest = hashlib.pbkdf2_hmac("sha512", word.encode(), salt, 101)
    return f"{user}:$7$101${base64.b64encode(salt).decode()}$" \
        f"{base64.b64encode(digest).decode()}\n"


class World:
    """The namespace, for a with statement; record() is told of disturbances."""

    def __init__(self, record, netem=True):
        self.record, self.netem_works = record, netem
        self.process, self.folder = None, tempfile.TemporaryDirectory()
        self.stop = threading.Event()
        self.failed = None

    def __enter__(self):
        run("modprobe", "-q", "veth", check=False)
        run("ip", "netns", "add", SPACE)
        try:
            run("ip", "-n", SPACE, "link", "set", "lo", "up")
            for device, here, there in (WILD, CALM):
                self.link(device, here, there)
            self.configure()
            self.daemon_start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait()
        run("ip", "netns", "del", SPACE, check=False)
        for device, _, _ in (WILD, CALM):
            run("ip", "link", "del", device, check=False)
        self.folder.cleanup()

    @staticmethod
    def link(device, here, there):
        run("ip", "link", "add", device, "type", "veth", "peer", "name", device,
            "netns", SPACE)
        run("ip", "addr", "add", here + "/24", "dev", device)
        run("ip", "link", "set", device, "up")
        run("ip", "-n", SPACE, "addr", "add", there + "/24", "dev", device)
        run("ip", "-n", SPACE, "link", "set", device, "up")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def configure(self):
        """With a password file, so that each CONNECT is the daemon's to
        decide: those of its absence have to be refused."""
        with open(self.path("passwords"), "w", encoding="ascii") as file:
            file.write(password("nobody", "needs it"))
        os.chmod(self.path("passwords"), 0o600)
        with open(self.path("conf"), "w", encoding="ascii") as file:
            file.write(f"listener {PORT} {WILD[2]}\n"
                       f"listener {PORT} {CALM[2]}\n"
                       "allow_anonymous true\n"
                       f"password_file {self.path('passwords')}\n")

    # Disturbances

    def netem(self, how):
        if not self.netem_works:
            return
        for where in ((), ("-n", SPACE)):
            if how:
                run("tc", *where, "qdisc", "replace", "dev", WILD[0], "root",
                    "netem", *how.split(), "limit", "10000")
            else:
                run("tc", *where, "qdisc", "del", "dev", WILD[0], "root",
                    check=False)

    def disturb(self, function, client=None):
        since = history.now()
        try:
            function()
        finally:
            more = {"client": client} if client else {}
            self.record("disturb", since=since, until=history.now(),
                        how=function.__name__, **more)

    def listener(self, absent):
        def listener_gone():
            ctl("listener", "del", f"{WILD[2]}:{PORT}")
        if not self.wild_listener():
            return
        self.disturb(listener_gone)
        time.sleep(absent)
        self.listener_add()

    @staticmethod
    def wild_listener():
        return WILD[2] in ctl("-j", "listener", "show")

    def listener_add(self):
        # A daemon that has just come back may have been faster.
        if not self.wild_listener():
            run(KMQTTCTL, "-n", SPACE, "listener", "add", f"{WILD[2]}:{PORT}",
                "auth", "authority", check=False)

    def destroy(self):
        """The kernel aborts every connection of the wild link."""
        def connections_destroyed():
            run(*inside("ss", "-K", "-t", "src", WILD[2]), check=False)
        self.disturb(connections_destroyed)

    def kick(self, client):
        def kicked():
            run(KMQTTCTL, "-n", SPACE, "client", "kick", client, check=False)
        self.disturb(kicked, client)

    def daemon(self, absent):
        """kill -9; meanwhile nobody new is let in."""
        self.record("daemon", how="killed")
        self.process.kill()
        self.process.wait()
        time.sleep(absent)
        self.daemon_start()

    def daemon_start(self):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(
                inside(KMQTTD, "-c", self.path("conf")), stdout=log,
                stderr=log, stdin=subprocess.DEVNULL)
        self.await_answer()

    def await_answer(self):
        end = time.monotonic() + 4 * mqttlib.LIMIT
        while True:
            try:
                mqttlib.Client(4, CALM[2], PORT).open().disconnect()
                return
            except (OSError, mqttlib.Failure) as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    with open(self.path("log"), encoding="utf-8") as file:
                        raise Failed(f"kmqttd does not serve: {error}; it "
                                     f"says: {file.read()[-2000:]}") from None
                time.sleep(0.1)

    def suffer(self, steps):
        """Faults from a plan; at the end all is well again."""
        try:
            for pause, verb, arguments in steps:
                if self.stop.wait(pause):
                    break
                getattr(self, verb)(*arguments)
            self.netem(None)
            self.listener_add()
        except Exception as error:
            self.failed = error

    # What it says

    @staticmethod
    def busy(clients):
        """Those of them with messages that are not delivered yet."""
        return {row["client_id"]: (row["inflight"], row["queued"])
                for row in json.loads(ctl("-j", "session", "show"))
                if row["client_id"] in clients and
                (row["inflight"] or row["queued"])}

    @staticmethod
    def counters():
        return json.loads(ctl("-j", "stats", "show"))
