# SPDX-License-Identifier: GPL-2.0
"""Clients on a Unix socket: as those on TCP, and with them."""

import contextlib
import json
import os
import select
import socket
import tempfile

import wire
from harness import check, ctl, equal, eventually, patient, shows, versions
from mqttlib import LIMIT, Failure, now
from wire import PINGRESP, PUBACK

MIB = 1 << 20
NO_LOCAL = 4


@contextlib.contextmanager
def listening(*options):
    """A listener on a path of its own."""
    with tempfile.TemporaryDirectory(prefix="kmqtt-") as folder:
        path = f"{folder}/socket"
        ctl("listener", "add", path, "auth", "open", *options)
        try:
            yield path
        finally:
            with contextlib.suppress(Failure):
                ctl("listener", "del", path)


def at(path):
    return dict(path=path)


def shown(kind, **wanted):
    """The entries of a table that have these values."""
    return [row for row in json.loads(ctl("-j", kind, "show"))
            if all(row.get(key) == value for key, value in wanted.items())]


def await_gone(cid):
    """Wait until the broker has no connection of this client."""
    eventually(lambda: not shown("client", client_id=cid), "still there", LIMIT)


def ask_without_reading(c):
    """Send until the broker does not read for a while: its answers fill all
    there is. Return how many bytes went."""
    data, sent = wire.pingreq() * 400000, 0
    while sent < len(data) and select.select([], [c.sock], [], 1)[1]:
        sent += c.sock.send(data[sent:], socket.MSG_DONTWAIT)
    check(sent < len(data), "the broker reads without end")
    return sent


@shows()
@versions(3, 4, 5)
def beside_tcp(t):
    """Messages of each QoS from a Unix socket to TCP, back, and to another."""
    topic = t.topic()
    with listening() as path:
        one, two = t.client(where=at(path)), t.client(where=at(path))
        tcp = t.client()
        for c in one, two, tcp:
            c.sub(topic, 2)
        for qos in (0, 1, 2):
            for sender in one, tcp:
                sender.pub(topic, f"{qos}", qos)
                for c in one, two, tcp:
                    c.message(payload=f"{qos}", qos=qos, topic=topic)
        for c in one, two, tcp:
            c.expect_nothing()
            c.disconnect()


@shows()
def session_is_resumed(t):
    """A session begun on a Unix socket goes on over TCP, and the other way."""
    topic, cid = t.topic(), t.cid()
    sender = t.client()
    with listening() as path:
        where = [at(path), None, at(path)]
        for n, place in enumerate(where):
            c = t.lasting(cid, where=place, present=n > 0)
            c.sub(topic, 1)
            for pkt in range(n):
                c.message(payload=f"{n - 1}.{pkt}")
            c.close()
            await_gone(cid)
            for pkt in range(n + 1):
                sender.pub(topic, f"{n}.{pkt}", 1)


@shows()
def taken_over(t):
    """A client identifier moves from a Unix socket to TCP."""
    cid = t.cid()
    with listening() as path:
        first = t.client(client_id=cid, where=at(path))
        second = t.client(client_id=cid)
        first.expect_disconnect(0x8e)
        second.barrier()


@shows()
@patient
def a_mebibyte(t):
    """Large messages both ways, and several on their way at once."""
    topic = t.topic()
    with listening() as path:
        unix, tcp = t.client(where=at(path)), t.client()
        for c in unix, tcp:
            c.sub(topic, NO_LOCAL | 1)
        for sender, reader in (unix, tcp), (tcp, unix):
            for n in range(4):
                sender.send_pub(topic, bytes([n]) * MIB, 1)
            for n in range(4):
                reader.message(payload=bytes([n]) * MIB)
            for _ in range(4):
                sender.await_packet(PUBACK)


@shows()
@patient
def slow_reader(t):
    """Who does not read holds up nobody, costs no more than its bounds, and
    gets what was kept for it, in order."""
    topic = t.topic()
    t.setting(max_queued_messages=100)
    with listening() as path:
        slow, sender = t.client(where=at(path)), t.client(where=at(path))
        witness = t.client()
        slow.sub(topic, 1)
        witness.sub(topic, 0)
        for n in range(400):
            sender.pub(topic, b"%4d" % n + b"." * 4000, 1)
            witness.message()
        found, empty = [], 0
        # Answers overtake messages: what an acknowledgment has made way for
        # comes with the barrier after the next.
        while empty < 2:
            kept = slow.barrier()
            empty = 0 if kept else empty + 1
            for pkt in kept:
                slow.answer(pkt)
                found.append(pkt.payload)
        check(100 <= len(found) < 400, f"{len(found)} were kept")
        equal(found, sorted(found), "order")
        sender.pub(topic, "end", 1)
        slow.message(payload="end")


@shows()
def reading_goes_on_after_a_pause(t):
    """A client that does not take its answers is not read any more; as soon as
    it reads, all are answered."""
    with listening() as path:
        c = t.client(where=at(path))
        sent = ask_without_reading(c)
        if sent % 2:
            c.fill(now() + LIMIT)
            c.sock.sendall(wire.pingreq()[1:])
            sent += 1
        for _ in range(sent // 2):
            c.expect(PINGRESP)
        c.barrier()


@shows()
def descriptors_are_closed(t):
    """A descriptor that comes with a packet is closed, and what follows it is
    read without delay."""
    with listening() as path:
        c = t.client(where=at(path))
        for rest in (1, 5000):
            reader, writer = os.pipe()
            socket.send_fds(c.sock, [wire.pingreq()], [writer] * 3)
            c.sock.sendall(wire.pingreq() * rest)
            os.close(writer)
            for _ in range(rest + 1):
                c.expect(PINGRESP)
            # The end of the pipe: nobody has its other end any more.
            equal(os.read(reader, 1), b"", "what the pipe holds")
            os.close(reader)


@shows()
def its_own_descriptor(t):
    """A client that sends its own socket through it, and closes it, is gone."""
    with listening() as path:
        cid = t.cid()
        c = t.client(client_id=cid, where=at(path))
        socket.send_fds(c.sock, [wire.pingreq()], [c.sock.fileno()])
        c.sock.close()
        await_gone(cid)


@shows()
def its_own_descriptor_behind_a_pause(t):
    """The same where it is not read, since its answers are not taken: with its
    last process gone nobody would say that it has gone."""
    with listening() as path:
        cid = t.cid()
        c = t.client(client_id=cid, where=at(path))
        ask_without_reading(c)
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        # There is room, but not so much that it would be told of.
        c.sock.setblocking(False)
        socket.send_fds(c.sock, [wire.pingreq()], [c.sock.fileno()])
        c.sock.close()
        await_gone(cid)


@shows()
def answers_before_the_end(t):
    """Who says DISCONNECT and then reads gets all that was owed to him."""
    topic, many = t.topic(), 2000
    with listening() as path:
        c = t.client(4, where=at(path))
        for n in range(1, many + 1):
            c.send(wire.publish(topic, b"x", 1, n, ver=4))
        c.send(wire.disconnect())
        for n in range(1, many + 1):
            c.expect(wire.PUBACK, pid=n)
        c.expect_close()


@shows()
def urgent_data(t):
    """What is sent out of band holds nothing up."""
    with listening() as path:
        c = t.client(where=at(path))
        with contextlib.suppress(OSError):
            c.sock.send(b"x", socket.MSG_OOB)
        c.sock.sendall(wire.pingreq() * 3)
        for _ in range(3):
            c.expect(PINGRESP)


@shows()
def half_closed(t):
    """A client that says it sends no more is let go, as with TCP."""
    with listening() as path:
        c = t.client(where=at(path))
        c.send(wire.pingreq())
        c.shut()
        c.expect_close(allow=(PINGRESP,))


@shows()
def will_of_who_is_gone(t):
    """A will is published when the process has gone, whatever it left unread."""
    topic = t.topic()
    watcher = t.client()
    watcher.sub(topic, 0)
    with listening() as path:
        c = t.client(where=at(path), will=wire.Will(topic, "gone"))
        c.send(*[wire.pingreq()] * 100)
        c.sock.close()
        watcher.message(payload="gone")


@shows()
def what_is_shown(t):
    """Listener and client by the path, in the table, JSON and events."""
    cid = t.cid()
    with listening("max-connections", "3") as path:
        c = t.client(client_id=cid, where=at(path))
        row, = shown("listener", path=path)
        equal((row["auth"], row["connections"], row["max_connections"]),
              ("open", 1, 3), "listener")
        check("port" not in row and "address" not in row, "an address")
        client, = shown("client", client_id=cid)
        equal((client["path"], client["listener_id"]),
              (path, row["listener_id"]), "client")
        check(f"unix:{path}" in ctl("listener", "show"), "the table")
        check(f"unix:{path}" in ctl("client", "show"), "the table")
        c.barrier()


@shows()
def bounds_of_the_listener(t):
    """max-connections holds; who says nothing makes room."""
    with listening("max-connections", "2") as path:
        one, two = t.client(where=at(path)), t.client(where=at(path))
        with contextlib.suppress(OSError):
            t.raw(path=path).expect_close()
        two.disconnect()
        eventually(lambda: shown("listener", path=path)[0]["connections"] == 1,
                   "still counted", LIMIT)
        t.client(where=at(path)).barrier()
        one.barrier()


@shows()
def kicked(t):
    """The operator ends a connection: DISCONNECT says why."""
    cid = t.cid()
    with listening() as path:
        c = t.client(client_id=cid, where=at(path))
        ctl("client", "kick", cid)
        c.expect_disconnect(0x98)


@shows()
@versions(4, 5)
def listener_removed(t):
    """Its clients are told, its file is removed, others stay."""
    with listening() as path:
        clients = [t.client(where=at(path)) for _ in range(20)]
        silent, tcp = t.raw(path=path), t.client()
        ctl("listener", "del", path)
        for c in clients:
            c.expect_disconnect(0x8b)
        silent.expect_close()
        tcp.barrier()
        check(not os.path.exists(path), "the file is still there")


@shows()
def malformed(t):
    """What is no MQTT ends the connection."""
    with listening() as path:
        t.raw(path=path).send(b"GET / HTTP/1.1\r\n\r\n").expect_close()
        c = t.client(where=at(path))
        c.send(b"\xff\xff\xff\xff\xff")
        c.expect_disconnect(0x81)
