# SPDX-License-Identifier: GPL-2.0
"""Abuse of the network side: connections that flood, dawdle or do not read."""

import contextlib
import itertools
import random
import socket
import time

import wire
from gauge import (CHECKED, KIB, MIB, Gauge, Witness, abuse, eventually, many,
                   netstat, newcomer, objects, setting, sockets, stats)
from harness import check, equal
from mqttlib import LIMIT, Client, Failure, wait_closed
from tunnel import SYN, OPTIONS, Peer, Tunnel, packet

# What one connection may cost the broker beside what it has sent or is owed:
# struct kmqtt_conn, its session, the first buffers.
CONNECTION = 8 * KIB
# TCP's own part of a connection whose peer takes nothing (see SECURITY.md).
UNSENT = 384 * KIB


@abuse
def syn_flood(t):
    """Handshakes from addresses that never finish them: a queue of bounded
    length, then cookies; who finishes gets in."""
    count = many(12000, 2000)
    with Tunnel() as tunnel, Witness(t) as witness:
        gauge, cookies = Gauge("syn_flood"), netstat("SyncookiesSent")
        for number in range(count):
            source = f"10.99.{1 + number % 200}.{1 + number // 200}"
            tunnel.write(packet(source, 1024 + number, number, 0, SYN, 65535,
                                options=OPTIONS))
            if not number % 2000:
                newcomer(t)
        eventually(lambda: tunnel.answers >= count // 2, "no SYN is answered")
        witness.served()
        newcomer(t)
        own = gauge.sample()["connections_accepted"]
        check(own <= count // 2000 + 2, f"{own} connections were accepted")
        # Where everything is checked SYNs come so slowly that those which
        # wait are given up before the queue is full.
        check(CHECKED or netstat("SyncookiesSent") > cookies,
              "no cookie was sent")
        gauge.bounds(witness, memory=64 * KIB, tcp=MIB, slab=8 * MIB)


@abuse
def silent_connections(t):
    """More connections that say nothing than max_half_open: somebody new
    gets in all the same, since the oldest make room."""
    limit = setting("max_half_open")
    # None is to leave for a reason of its own before the last one has come.
    t.setting(connect_timeout=3600)
    with Witness(t) as witness:
        gauge = Gauge("silent_connections")
        silent = sockets(limit + 100)
        gauge.counted("half_open_dropped", 90)
        check(stats()["half_open"] <= limit, "half_open is above its limit")
        for _ in range(5):
            newcomer(t)
        witness.served()
        gauge.bounds(witness, memory=objects(limit * 4 * KIB), tcp=4 * MIB)
        wait_closed(silent[:90])
        for c in silent:
            c.close()
        eventually(lambda: not stats()["half_open"], "some are still there")
        gauge.given_back(64 * KIB)


@abuse
def connect_flood(t):
    """Clients that connect as fast as they can and leave without a word."""
    with Witness(t) as witness:
        gauge = Gauge("connect_flood")
        for number in range(many(800)):
            c = Client(5).send(wire.connect(5, t.cid()))
            if number & 1:
                c.reset()
            else:
                c.close()
            if not number % 100:
                gauge.sample()
        witness.served()
        newcomer(t)
        gauge.counted("connections_accepted", many(800))
        gauge.bounds(witness, memory=4 * MIB, tcp=4 * MIB)
        eventually(lambda: gauge.sample()["connections"] <= 0, "some stay")
        gauge.given_back(64 * KIB)


@abuse
def connections_beyond_the_limit(t):
    """At max_connections a connection is closed at once; those there stay."""
    room = many(300, 100)
    with Witness(t) as witness:
        gauge = Gauge("connections_beyond_the_limit")
        t.setting(max_connections=stats()["connections"] + room)
        crowd = []
        for _ in range(room + 100):
            with contextlib.suppress(ConnectionResetError):
                crowd.append(t.raw())
                crowd[-1].send(wire.connect(5, t.cid()))
        gauge.counted("connections_refused", 100)
        wait_closed(crowd[room:])
        for c in crowd[:room]:
            c.expect(wire.CONNACK, reason=0)
        witness.served()
        gauge.bounds(witness, memory=room * CONNECTION, tcp=4 * MIB)
        for c in crowd:
            c.close()
        eventually(lambda: gauge.sample()["connections"] <= 0, "some stay")
        gauge.given_back(64 * KIB)


@abuse
def silent_connections_at_the_limit(t):
    """All places there are, and not only those of half-open connections, are
    taken by somebody who says nothing: he has them for a second."""
    room = 40
    with Witness(t) as witness:
        gauge = Gauge("silent_connections_at_the_limit")
        t.setting(max_connections=stats()["connections"] + room,
                  connect_timeout=3600)
        silent = sockets(room)

        def admitted():
            try:
                newcomer(t)
                return True
            except (Failure, OSError):
                return False
        eventually(admitted, "nobody else gets in")
        gauge.counted("half_open_dropped")
        witness.served()
        gauge.bounds(witness, memory=room * CONNECTION, tcp=MIB)
        for c in silent:
            c.close()
        eventually(lambda: not stats()["half_open"], "some are still there")
        gauge.given_back(64 * KIB)


@abuse
def a_byte_at_a_time(t):
    """CONNECT, and PUBLISH, in single bytes: the time for CONNECT and keep
    alive run on, and what came is all that is held."""
    count = many(120, 40)
    t.setting(connect_timeout=4 if not CHECKED else 20)
    with Witness(t) as witness:
        gauge = Gauge("a_byte_at_a_time")
        before, inside = sockets(count), []
        for _ in range(count):
            inside.append(t.client(keep_alive=2))
        packets = [(c, wire.connect(5, "slow" * 5000)) for c in before] + \
            [(c, wire.publish("slow/" + t.topic(), b"s" * 100000))
             for c in inside]
        for at in itertools.count():
            for c, data in packets:
                c.send(data[at:at + 1])
            found = gauge.sample()
            if found["connect_timeouts"] >= count and \
                    found["keep_alive_timeouts"] >= count:
                break
            check(at < 100 * LIMIT, f"they are not ended: {found}")
            time.sleep(0.2)
        wait_closed(before + inside)
        witness.served()
        gauge.bounds(witness, memory=2 * count * CONNECTION, tcp=2 * MIB)
        gauge.given_back(64 * KIB)


def stuffed(c, data, seconds=1.0):
    """Send @data again and again until the broker takes no more of it."""
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    # What the client holds itself is in TCP's figure as well: little.
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    c.sock.settimeout(seconds)
    try:
        while True:
            c.sock.send(data)
    except (socket.timeout, OSError):
        pass


@abuse
def answers_that_nobody_reads(t):
    """Requests without end from clients that read no answer: they are not
    read any more once 64 KiB of answers wait."""
    count = many(40, 10)
    with Witness(t) as witness:
        gauge = Gauge("answers_that_nobody_reads")
        crowd = [t.client() for _ in range(count)]
        for c in crowd:
            stuffed(c, wire.pingreq() * 20000, 0.3 if not CHECKED else 3)
        witness.served()
        newcomer(t)
        # A buffer of answers, one on its way out, and what sends them.
        gauge.bounds(witness, memory=count * 288 * KIB, tcp=count * MIB)
        for c in crowd:
            c.reset()
        eventually(lambda: gauge.sample()["connections"] <= 0, "some stay")
        gauge.given_back(64 * KIB)


def subscribed_peers(tunnel, t, count, credit):
    """Peers of our own TCP that have subscribed to "#"."""
    port = itertools.count(random.randrange(1024, 30000))
    peers = []
    for number in range(count):
        peer = Peer(tunnel, f"10.99.0.{2 + number}", next(port), credit)
        peer.send(wire.connect(5, t.cid(), keep_alive=0))
        peer.receive(4)
        peer.send(wire.subscribe(1, [("#", 0)]))
        peers.append(peer)
    return peers


@abuse
def windows_of_zero(t):
    """Subscribers to "#" whose TCP advertises no window, for ever, and
    answers each probe. They stay, and each costs its queue, which is bounded,
    and what TCP has not sent, which is as well."""
    count = many(24, 8)
    t.setting(max_queued_bytes=256 * KIB)
    with Tunnel() as tunnel, Witness(t) as witness:
        gauge = Gauge("windows_of_zero")
        peers = subscribed_peers(tunnel, t, count, 3000)
        sender, topic = t.client(), t.topic()
        for _ in range(many(300, 100)):
            sender.send_pub(topic, b"z" * 32000)
        sender.barrier()
        gauge.counted("dropped_queue_full", count)
        witness.served()
        newcomer(t)
        probes = [peer.probes for peer in peers]
        eventually(lambda: all(peer.probes > seen for peer, seen in
                               zip(peers, probes)), "no probe comes")
        check(not any(peer.over for peer in peers), "a peer was given up")
        for peer in peers:
            check(len(peer.data) <= 3000, "the window was not kept to")
        # The queue is shared: all of them wait for the same messages. What the
        # sender has on its way is TCP's, too.
        gauge.bounds(witness, memory=count * 64 * KIB + 2 * MIB,
                     tcp=count * UNSENT + 2 * MIB)
        size = len(peers[0].data)
        peers[0].open(60000)
        peers[0].receive(size + 60000)
        for peer in peers:
            peer.reset()
        eventually(lambda: gauge.sample()["connections"] <= 1, "some stay")
        gauge.given_back(128 * KIB)


@abuse
def everything_and_nothing_read(t):
    """Clients that subscribe to "#" and stall; each message a different one
    of 1 KiB, so that the queue is long."""
    count = many(30, 10)
    with Witness(t) as witness:
        gauge = Gauge("everything_and_nothing_read")
        crowd = [t.client() for _ in range(count)]
        for c in crowd:
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            c.sub("#", 0)
        sender, topic = t.client(), t.topic()
        for number in range(many(6000, 2500)):
            sender.send_pub(topic, b"%04d" % number + b"q" * 1020)
        sender.barrier()
        gauge.counted("dropped_queue_full", count)
        witness.served()
        newcomer(t)
        # 1000 messages of 1 KiB, shared, and 32 bytes a reference each.
        gauge.bounds(witness, memory=count * 160 * KIB + 4 * MIB,
                     tcp=count * UNSENT)
        equal(stats()["connections"] - gauge.before["connections"], count + 1,
              "connections")
        for c in crowd:
            c.reset()
        eventually(lambda: gauge.sample()["connections"] <= 1, "some stay")
        gauge.given_back(128 * KIB)
