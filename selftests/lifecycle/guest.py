#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The module comes and goes, and so do namespaces, while clients of every
kind are connected: everybody is let go, nothing is left behind."""
# broker: none

import collections
import os
import pathlib
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "ctl"))

import ktap  # noqa: E402
from crowd import Crowd, Failure  # noqa: E402

MODULE = os.environ.get("KMQTT_MODULE", "")
KMQTTCTL = os.environ.get("KMQTTCTL", "")
LEAKS = pathlib.Path("/sys/kernel/debug/kmemleak")
SLABS = pathlib.Path("/sys/kernel/debug/slab")
LOADED = pathlib.Path("/sys/module/kmqtt")
PORT = 1883
ROUNDS = int(os.environ.get("KMQTT_ROUNDS", 20))
# Unloading may have to wait for timers of the network, not for a client.
UNLOAD = 4 * float(os.environ.get("KMQTT_TEST_LIMIT", 15))
# kmemleak calls nothing lost that is younger than this (seconds).
YOUTH = 6


def run(*command, check=True, limit=UNLOAD):
    done = subprocess.run(command, text=True, timeout=limit, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True)
    if check and done.returncode:
        raise Failure(f"{' '.join(command)}: "
                      f"{done.stderr.strip() or done.returncode}")
    return done.stdout


def load():
    if not LOADED.exists():
        run("insmod", MODULE)


def unload():
    if LOADED.exists():
        run("rmmod", "kmqtt")


def listen(address, *netns):
    run(KMQTTCTL, *netns, "listener", "add", f"{address}:{PORT}", "auth",
        "open")


def forget():
    """What kmemleak knows so far is not ours."""
    if LEAKS.exists():
        LEAKS.write_text("scan")
        LEAKS.write_text("clear")


def lost():
    """What kmemleak has found, after the time it takes to be sure."""
    time.sleep(YOUTH)
    for _ in range(2):
        LEAKS.write_text("scan")
    return LEAKS.read_text()


@ktap.test
def loaded_and_unloaded_again_and_again_with_clients():
    for _ in range(ROUNDS):
        load()
        listen("127.0.0.1")
        listen("[::1]")
        crowd = Crowd("127.0.0.1", PORT)
        other = Crowd("::1", PORT, publishers=0, name="v6-")
        crowd.traffic(5)
        unload()
        crowd.expect_gone()
        other.expect_gone()
        crowd.close()
        other.close()


@ktap.test
def unloaded_while_clients_publish():
    for n in range(5):
        load()
        listen("127.0.0.1")
        crowd = Crowd("127.0.0.1", PORT, publishers=4)
        crowd.traffic(50 + 17 * n)
        unload()
        crowd.expect_gone()
        crowd.close()


@ktap.test
def listener_removed_and_service_stopped_with_clients():
    load()
    for command in (("listener", "del", f"127.0.0.1:{PORT}"), ("stop", "--yes")):
        listen("127.0.0.1")
        crowd = Crowd("127.0.0.1", PORT)
        crowd.traffic(20)
        run(KMQTTCTL, *command)
        crowd.expect_gone()
        crowd.close()
    unload()


class Namespace:
    """A network namespace with an address that is reached from outside."""

    def __init__(self, name):
        self.name = name

    def inside(self, *command):
        return ["ip", "netns", "exec", self.name, *command]

    def __enter__(self):
        subprocess.run(["modprobe", "-q", "veth"], check=False)
        run("ip", "netns", "add", self.name)
        try:
            run("ip", "link", "add", "kmqtt0", "type", "veth", "peer", "name",
                "eth0", "netns", self.name)
        except Failure as error:
            self.delete()
            raise ktap.Skip(f"no veth here: {error}") from None
        run("ip", "addr", "add", "192.0.2.1/24", "dev", "kmqtt0")
        run("ip", "link", "set", "kmqtt0", "up")
        run(*self.inside("ip", "link", "set", "lo", "up"))
        run(*self.inside("ip", "addr", "add", "192.0.2.2/24", "dev", "eth0"))
        run(*self.inside("ip", "link", "set", "eth0", "up"))
        listen("192.0.2.2", "-n", self.name)
        listen("127.0.0.1", "-n", self.name)
        self.await_neighbour()
        return self

    @staticmethod
    def await_neighbour():
        """A link that has just come up may lose the first address look-ups."""
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("192.0.2.2", PORT), 10).close()
                return
            except OSError:
                if time.monotonic() > end:
                    raise

    def delete(self):
        run("ip", "netns", "del", self.name)

    def __exit__(self, *_):
        if self.name in run("ip", "netns"):
            self.delete()


def held():
    """Objects that the module has now, by the function that allocated them,
    where the kernel keeps track of that (slub_debug=U)."""
    found = collections.Counter()
    for path in SLABS.glob("*/alloc_traces"):
        objects = 0
        for line in path.read_text(errors="replace").splitlines():
            word = line.split()
            if word and word[0].isdigit():
                objects = int(word[0])
            # The line itself, or the first of ours in the stack under it.
            if objects and "[kmqtt]" in line:
                name = next(w for w in word if "+0x" in w)
                found[f"{path.parent.name}: {name} [kmqtt]"] += objects
                objects = 0
    return found


def settle(wanted=None):
    """What is held once nothing more is freed, or no more than wanted."""
    end = time.monotonic() + UNLOAD
    before = None
    while time.monotonic() < end:
        now = held()
        if now == before if wanted is None else not now - wanted:
            return now
        before = now
        # What waits for a grace period has no event to wait for.
        time.sleep(1)
    return held()


@ktap.test
def everything_is_given_back_when_service_stops():
    load()
    if not any("[kmqtt]" in name for name in held()):
        raise ktap.Skip("the kernel does not track who allocates: it was not "
                        "booted with slub_debug=U")
    first = None
    for _ in range(4):
        listen("127.0.0.1")
        crowd = Crowd("127.0.0.1", PORT)
        crowd.traffic(20)
        run(KMQTTCTL, "stop", "--yes")
        crowd.expect_gone()
        crowd.close()
        # The first time some memory is kept for later.
        if first is None:
            first = settle()
    more = settle(first) - first
    if more:
        raise Failure("not given back: " + ", ".join(
            f"{count} {name}" for name, count in more.items()))


@ktap.test
def namespace_deleted_with_clients_outside():
    load()
    for n in range(3):
        with Namespace(f"kmqtt-{n}") as space:
            crowd = Crowd("192.0.2.2", PORT)
            crowd.traffic(20)
            space.delete()
        crowd.close()
    # It waits for the end of the namespaces.
    unload()


@ktap.test
def namespace_deleted_with_clients_inside():
    load()
    for n in range(3):
        with Namespace(f"kmqtt-{n}") as space:
            with subprocess.Popen(
                    space.inside(sys.executable, "-B", str(HERE / "crowd.py"),
                                 "127.0.0.1", str(PORT)),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
                if child.stdout.readline() != b"ready\n":
                    raise Failure("the clients inside have failed")
                # From here on only their sockets keep it.
                space.delete()
                child.stdin.close()
    unload()


def checked(test):
    """The same test, and then nothing may be lost."""
    name, function, row = test

    def both(*args):
        try:
            function(*args)
        finally:
            unload()
        if LEAKS.exists():
            found = lost()
            if found:
                raise Failure("kmemleak: " + found)
    return name, both, row


if __name__ == "__main__":
    ktap.TESTS[:] = [checked(test) for test in ktap.TESTS]
    REASON = None
    if MODULE and KMQTTCTL:
        load()
        unload()
        forget()
    else:
        REASON = "KMQTT_MODULE and KMQTTCTL do not name the module and kmqttctl"
    ktap.main(REASON)
