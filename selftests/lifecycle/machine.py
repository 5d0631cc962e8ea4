# SPDX-License-Identifier: GPL-2.0
"""The module on this machine: in and out, its listeners, namespaces for more
brokers, and what kmemleak says afterwards."""

import os
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "ctl"))

import ktap  # noqa: E402
from crowd import Failure  # noqa: E402

MODULE = os.environ.get("KMQTT_MODULE", "")
KMQTTCTL = os.environ.get("KMQTTCTL", "")
LEAKS = pathlib.Path("/sys/kernel/debug/kmemleak")
LOADED = pathlib.Path("/sys/module/kmqtt")
PORT = 1883
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


def main():
    """All tests of the program, each followed by a search for leaks."""
    ktap.TESTS[:] = [checked(test) for test in ktap.TESTS]
    reason = None
    if MODULE and KMQTTCTL:
        load()
        unload()
        forget()
    else:
        reason = "KMQTT_MODULE and KMQTTCTL do not name the module and kmqttctl"
    ktap.main(reason)
