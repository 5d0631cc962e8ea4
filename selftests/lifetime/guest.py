#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The module, namespaces, sessions and the daemon end in the middle of a storm
of clients that come back at once (storm.c). Nothing is checked but the end
itself, what is left behind, and that service goes on: the rest is for the
kernel's own instruments. KMQTT_TEST_ROUNDS: how many ends of each kind,
KMQTT_TEST_SEED: the moments at which they come."""
# broker: none

import contextlib
import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lifecycle"))
sys.path.insert(0, str(HERE.parent / "functional"))

import machine  # noqa: E402
import ktap  # noqa: E402
from machine import (KMQTTCTL, PORT, Failure, Namespace, listen,  # noqa: E402
                     load, unload)
from mqttlib import LIMIT, Client  # noqa: E402

KMQTTD = os.environ.get("KMQTTD", "")
STORM = HERE.parent.parent / "build/selftests/lifetime/storm"
# A kernel that checks everything, which is told by its patience, is ten times
# slower.
ROUNDS = int(os.environ.get("KMQTT_TEST_ROUNDS", 10 if LIMIT <= 15 else 2))
SEED = int(os.environ.get("KMQTT_TEST_SEED") or random.randrange(1 << 31))
RANDOM = random.Random(SEED)
NAME, PASSWORD = "bob", "builder"
# Of that password, as mosquitto_passwd writes it.
HASH = ("$6$j97u+i+1KuPl4hpU$eBy/gnWErGQ9uW+gjajoUoDLKWX4yC5pnvvsAlIvgIJZmxqxKb"
        "0RhNT4QwX/Z460Cg6/AD8lAxGdaUKpJbrKFA==")


class Storm:
    """A storm in a process of its own."""

    def __init__(self, host, *args, prefix=()):
        self.proc = subprocess.Popen(
            [*prefix, str(STORM), "-h", host, "-p", str(PORT), "-s",
             str(RANDOM.randrange(1 << 31)), *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        os.set_blocking(self.proc.stdout.fileno(), False)

    def rages(self, lines):
        """Wait for so many lines that were not there before."""
        while self.proc.stdout.read():
            pass
        end = time.monotonic() + 4 * LIMIT
        while lines > 0:
            if self.proc.poll() is not None:
                raise Failure(f"the storm has ended: {self.proc.returncode}")
            if time.monotonic() > end:
                raise Failure("the storm's clients cannot connect")
            lines -= (self.proc.stdout.read() or b"").count(b"\n")
            time.sleep(0.005)

    def end(self):
        self.proc.kill()
        self.proc.wait()
        self.proc.stdout.close()


@contextlib.contextmanager
def storm(*args, **more):
    it = Storm(*args, **more)
    try:
        yield it
    finally:
        it.end()


class Meddler(threading.Thread):
    """Gives kmqttctl's commands one after the other; most of them fail when
    there is nothing to see, or nobody to kick."""

    def __init__(self, *commands, prefix=()):
        super().__init__(daemon=True)
        self.commands, self.prefix = commands, list(prefix)
        self.done, self.over = 0, threading.Event()

    def run(self):
        for command in itertools.cycle(self.commands):
            if self.over.is_set():
                return
            subprocess.run([*self.prefix, KMQTTCTL, *command], check=False,
                           stdin=subprocess.DEVNULL, capture_output=True)
            self.done += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


LOOK = tuple((what, "show") for what in (
    "client", "session", "subscription", "retained", "stats", "config",
    "listener"))
MEDDLE = LOOK + (
    ("client", "kick", "same-0"), ("session", "drop", "same-1"),
    ("listener", "add", "127.0.0.2:1884", "auth", "open"),
    ("config", "set", "max_inflight", "3"), ("retained", "clear", "r/+"),
    ("listener", "del", "127.0.0.2:1884"), ("session", "drop", "s-2"))


def ask(*command):
    return json.loads(machine.run(KMQTTCTL, "-j", *command))


def unload_busy():
    """A command that is being answered holds the module for a moment."""
    def gone():
        done = subprocess.run(["rmmod", "kmqtt"], check=False, text=True,
                              timeout=machine.UNLOAD, capture_output=True)
        if done.returncode and "in use" not in done.stderr:
            raise Failure(done.stderr)
        return not done.returncode
    ktap.eventually(gone, "the module is in use for ever")


@ktap.test
def unloaded_in_the_middle_of_everything():
    with storm("127.0.0.1", "-l", "20") as inside, \
            storm("::1", "-l", "20", "-n", "16", "-r", "tp") as other, \
            Meddler(*MEDDLE):
        for _ in range(ROUNDS):
            load()
            listen("127.0.0.1")
            listen("[::1]")
            inside.rages(RANDOM.randint(1, 4))
            other.rages(RANDOM.randint(0, 1))
            unload_busy()


@ktap.test
def service_stopped_in_the_middle_of_everything():
    load()
    with storm("127.0.0.1", "-l", "20") as inside, Meddler(*LOOK):
        for _ in range(ROUNDS):
            listen("127.0.0.1")
            inside.rages(RANDOM.randint(1, 3))
            machine.run(KMQTTCTL, "stop", "--yes")
            left = ask("session", "show")
            if left:
                raise Failure(f"sessions after the stop: {left}")
    unload()


@ktap.test
def namespace_deleted_in_the_middle_of_everything():
    load()
    # With the clients inside, and without
    for n in range(min(ROUNDS, max(ROUNDS // 4, 5))):
        with Namespace(f"kmqtt-{n}") as space, \
                storm("192.0.2.2", "-l", "20", "-n", "24") as outside, \
                storm("127.0.0.1", "-l", "20", "-n", "24",
                      prefix=space.inside()) as inside, \
                Meddler(*((("-n", space.name) + c) for c in MEDDLE)):
            outside.rages(RANDOM.randint(1, 2))
            inside.rages(RANDOM.randint(0, 1))
            if n % 2:
                inside.end()
            space.delete()
    # Waits until the last of them has gone.
    unload_busy()


@ktap.test
def take_over_races():
    """Hundreds of clients want two identifiers; in the end one has it."""
    load()
    listen("127.0.0.1")
    with storm("127.0.0.1", "-l", "100", "-n", "40", "-r", "t") as takers:
        for _ in range(max(ROUNDS // 20, 2)):
            takers.rages(4)
            sessions = [s["client_id"] for s in ask("session", "show")]
            if len(set(sessions)) != len(sessions) or len(sessions) > 2:
                raise Failure(f"sessions: {sessions}")
    ktap.eventually(lambda: not ask("client", "show"),
                    "connections of clients that are dead are not let go")
    last = Client(5, port=PORT).open(client_id="same-0")
    last.sub("last/#", 1)
    last.pub("last/one", b"x", 1)
    last.message(payload="x")
    last.disconnect()
    unload()


class Daemon:
    """kmqttd with one user, started and killed at any moment."""

    def __init__(self, folder):
        self.log = folder / "log"
        self.conf = folder / "conf"
        (folder / "passwords").write_text(f"{NAME}:{HASH}\n")
        self.conf.write_text(f"listener {PORT} 127.0.0.1\n"
                             f"password_file {folder}/passwords\n")
        self.proc = None

    def start(self):
        with open(self.log, "w") as log:
            self.proc = subprocess.Popen([KMQTTD, "-c", str(self.conf)],
                                         stdin=subprocess.DEVNULL, stdout=log,
                                         stderr=log)

    def serves(self):
        def look():
            if self.proc.poll() is not None:
                raise Failure("kmqttd: " + self.log.read_text())
            return " serves" in self.log.read_text()
        ktap.eventually(look, "kmqttd does not serve")

    def end(self, sig):
        with contextlib.suppress(ProcessLookupError):
            self.proc.send_signal(sig)
        return self.proc.wait(machine.UNLOAD)


@contextlib.contextmanager
def daemon():
    folder = pathlib.Path(tempfile.mkdtemp())
    d = Daemon(folder)
    try:
        yield d
    finally:
        if d.proc and d.proc.poll() is None:
            d.end(signal.SIGKILL)
        shutil.rmtree(folder)


def angry_storm():
    return storm("127.0.0.1", "-u", NAME, "-P", PASSWORD, "-l", "10", "-n", "24")


@ktap.test
def kicked_during_the_handshake():
    """While clients wait for the authority, or for their session."""
    load()
    with daemon() as d, angry_storm() as clients:
        d.start()
        d.serves()
        with Meddler(("client", "kick", "same-0"), ("session", "drop", "same-1"),
                     ("client", "kick", "same-1"), ("session", "drop", "p-1"),
                     ("client", "kick", "s-2"), ("session", "drop", "same-0"),
                     ("listener", "del", f"127.0.0.1:{PORT}"),
                     ("listener", "add", f"127.0.0.1:{PORT}", "auth",
                      "authority")) as kicks:
            while kicks.done < 4 * ROUNDS:
                clients.rages(1)
        if d.end(signal.SIGTERM):
            raise Failure("kmqttd: " + d.log.read_text())
    unload()


def die_at_any_moment(d, longest):
    """Start, reload or end, and be killed in the middle of it."""
    begun = time.monotonic()
    d.start()
    what = RANDOM.choice(("start", "serve", "reload", "end", "asleep"))
    if what != "start":
        d.serves()
        longest = max(longest, time.monotonic() - begun)
    if what == "reload":
        d.proc.send_signal(signal.SIGHUP)
    elif what == "end":
        d.proc.send_signal(signal.SIGTERM)
    elif what == "asleep":
        d.proc.send_signal(signal.SIGSTOP)
    # The moment is what is tested, there is nothing to wait for.
    time.sleep(RANDOM.random() * longest)
    d.end(signal.SIGKILL)
    return longest


@ktap.test
def daemon_dies_in_every_state():
    load()
    longest = 0.1
    with daemon() as d, angry_storm() as clients:
        for _ in range(ROUNDS):
            longest = die_at_any_moment(d, longest)
        d.start()
        d.serves()
        clients.rages(2)
        Client(5, port=PORT).open(username=NAME, password=PASSWORD).disconnect()
        if d.end(signal.SIGTERM):
            raise Failure("kmqttd: " + d.log.read_text())
        if ask("listener", "show"):
            raise Failure("kmqttd left its listener behind")
    unload()


if __name__ == "__main__":
    print(f"# KMQTT_TEST_SEED={SEED}, {ROUNDS} rounds")
    machine.main()
