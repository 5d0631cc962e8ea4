# SPDX-License-Identifier: GPL-2.0
"""Packets that come alone through a Unix socket, which are handled in the process
that sends them."""

import array
import os
import socket
import threading

import wire
from harness import check, equal, shows, stats, versions
from test_express import (COUNTER, MALFORMED, PROTOCOL, TOPIC, ended,
                          gathered, grown, handled_at_once, one_by_one, pair,
                          trusted)
from test_unix import at, listening
from wire import PUBLISH

PAST = 50	# messages, until those that come alone are handled so
NOBODY = 65534


@shows()
@versions(3, 4, 5)
def each_qos(t):
    """Handled at once are all packets of both sides, and nothing comes twice."""
    with listening() as path:
        handled_at_once(t, at(path))


@shows()
def from_one_kind_to_the_other(t):
    """From a Unix socket to TCP, and back, where a worker writes it."""
    topic = t.topic()
    with listening() as path:
        unix, tcp = t.client(where=at(path)), t.client()
        tcp.sub(topic, 0)
        trusted(t, unix, tcp, topic)
        tcp.unsub(topic)
        unix.sub(topic, 0)
        trusted(t, tcp, unix, topic)
        one_by_one(tcp, [unix], topic, 50)


@shows()
def a_burst_is_gathered(t):
    """Several packets at once go to the io work; packets whose subscriber has not
    read those before wait: in order, with what was handled before."""
    with listening() as path:
        gathered(t, at(path))


@shows()
def what_does_not_fit_is_put_aside(t):
    """It has been read when it is found out: half a packet, a long one, one and a
    half, what needs a worker. Nothing of it is lost."""
    with listening() as path:
        for size in (10, 300, 5000):
            topic, watch, sender = pair(t, where=at(path))
            whole = wire.publish(topic, b"x" * size)
            for cut in (1, 2, len(whole) // 2, len(whole) - 1):
                trusted(t, sender, watch, topic)
                sender.send(whole[:cut])
                sender.send(whole[cut:] + whole[:cut])
                sender.send(whole[cut:])
                for _ in range(2):
                    watch.message(payload=b"x" * size)
        sender.sub(topic, 0)
        sender.pub(topic, "kept", 1, retain=True)
        sender.message(payload="kept")


@shows()
def what_is_wrong_is_as_wrong(t):
    """An error ends the connection as it does otherwise."""
    with listening() as path:
        ended(t, ((wire.publish("a/+", b""), TOPIC),
                  (wire.publish("a", b"", 0, flags=6), MALFORMED),
                  (b"\x30\xff\xff\xff\xff", MALFORMED),
                  (wire.connect(), PROTOCOL)), at(path))


@shows()
def no_other_user_is_told_who_sent(t):
    """A subscriber that asks for the credentials of its peer is not given those of
    another user's process: a worker writes to it."""
    with listening() as path:
        os.chmod(os.path.dirname(path), 0o755)
        os.chmod(path, 0o777)
        topic, sender = t.topic(), t.client(where=at(path))
        os.setresuid(NOBODY, NOBODY, 0)
        try:
            watch = t.client(where=at(path))
        finally:
            os.setresuid(0, 0, 0)
        watch.sub(topic, 0)
        watch.sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        t.setting(express_after=1)
        before = stats()[COUNTER]
        for _ in range(PAST):
            sender.pub(topic, "x")
            _, ancillary, _, _ = watch.sock.recvmsg(4096, 256)
            (level, kind, data), = ancillary
            equal((level, kind), (socket.SOL_SOCKET, socket.SCM_CREDENTIALS),
                  "credentials")
            pid, uid, gid = array.array("i", data)
            check(pid != os.getpid(), "our own process has sent it")
            equal((uid, gid), (0, 0), "the kernel")
        check(grown(before) > 0, f"none of {PAST} was handled at once")
        watch.sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)


@shows()
def one_socket_of_several(t):
    """Threads that write packets to the same socket at the same time: each one's
    arrive, in its order."""
    with listening() as path:
        topic, watch, sender = pair(t, where=at(path))

        def write(name):
            for number in range(300):
                sender.sock.sendall(wire.publish(topic, f"{name}.{number}"))

        threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        wanted = [0] * 3
        for _ in range(900):
            name, number = watch.expect(PUBLISH).payload.split(b".")
            equal(int(number), wanted[int(name)], "its next one")
            wanted[int(name)] += 1
        for thread in threads:
            thread.join()


@shows()
def a_descriptor_that_comes_with_it(t):
    """Nobody has asked for it: it is closed, also when the packet is handled in
    its sender's process."""
    with listening() as path:
        topic, watch, sender = pair(t, where=at(path))
        for number in range(PAST):
            ours, theirs = os.pipe()
            socket.send_fds(sender.sock, [wire.publish(topic, f"{number}")],
                            [theirs])
            os.close(theirs)
            watch.message(payload=f"{number}")
            equal(os.read(ours, 1), b"", "the end of the pipe")
            os.close(ours)
