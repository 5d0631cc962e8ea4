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

import machine  # noqa: E402
from burst import Burst  # noqa: E402
import ktap  # noqa: E402
from crowd import Crowd, Failure  # noqa: E402
from machine import (KMQTTCTL, PORT, Namespace, listen, load, run,  # noqa: E402
                     unload)

SLABS = pathlib.Path("/sys/kernel/debug/slab")
ROUNDS = int(os.environ.get("KMQTT_ROUNDS", 20))


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


def gathering():
    """Processors with a thread that sends what has been gathered there."""
    names = []
    for path in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            names.append(path.read_text())
        except ProcessLookupError:
            pass
    return sorted(int(name.split("/")[1]) for name in names
                  if name.startswith("kmqtt_gather/"))


@ktap.test
def processors_come_and_go_while_clients_publish():
    here = sorted(os.sched_getaffinity(0))
    switch = pathlib.Path(f"/sys/devices/system/cpu/cpu{here[-1]}/online")
    if not here[-1] or not switch.exists():
        raise ktap.Skip("no processor can be switched off")
    load()
    listen("127.0.0.1")
    with Burst("127.0.0.1", PORT, 8) as burst:
        for _ in range(3):
            burst.more(20)
            assert gathering() == here, gathering()
            switch.write_text("0")
            try:
                burst.more(20)
                assert gathering() == here[:-1], gathering()
            finally:
                switch.write_text("1")
    unload()
    assert not gathering(), gathering()


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


def flush_network():
    """What one processor frees of another's network buffers is kept for that
    one's next packet, which may never come."""
    here = os.sched_getaffinity(0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        for cpu in here:
            os.sched_setaffinity(0, {cpu})
            sock.sendto(b"", sock.getsockname())
    os.sched_setaffinity(0, here)


def settle(wanted=None):
    """What is held once nothing more is freed, or no more than wanted."""
    # TCP's timers may keep what was sent for a minute and more.
    end = time.monotonic() + 4 * machine.UNLOAD
    before = None
    while time.monotonic() < end:
        now = held()
        if now == before if wanted is None else not now - wanted:
            return now
        before = now
        # What waits for a grace period has no event to wait for.
        time.sleep(1)
        flush_network()
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


if __name__ == "__main__":
    machine.main()
