# SPDX-License-Identifier: GPL-2.0
"""All memory the broker may have, taken by one kind of thing after the other:
what stays is refused before what only passes through is."""

import socket

import wire
from gauge import (CHECKED, MIB, Gauge, Witness, abuse, flood,
                   newcomer, setting, stats)
from harness import check, ctl
from mqttlib import Client, Closed

QUOTA = 0x97
# The sum is approximate by 32 KiB a CPU, and small things are always let in.
SLACK = MIB


class Full:
    """memory_max is near: @room is left, or what the machine has anyway."""

    def __init__(self, t, name, room=12 * MIB):
        self.t = t
        if stats()["memory_bytes"] + room < setting("memory_max"):
            t.setting(memory_max=stats()["memory_bytes"] + room)
        self.witness, self.gauge = Witness(t), Gauge(name)
        self.room = setting("memory_max") - self.gauge.before["memory_bytes"]

    def __enter__(self):
        self.witness.__enter__()
        return self

    def __exit__(self, *error):
        self.witness.__exit__(*error)

    def reached(self, counter="dropped_memory", guest=newcomer):
        """It is full. That is told, and those who pass through are served,
        as well as a @guest."""
        self.gauge.counted(counter)
        check(self.gauge.memory > self.room // 2,
              f"full at {self.gauge.memory} of {self.room} bytes")
        for _ in range(3):
            guest(self.t)
        self.witness.served()
        self.gauge.bounds(self.witness, memory=self.room + SLACK)
        self.gauge.done.clear()

    def over(self):
        self.gauge.given_back()
        newcomer(self.t)


def visitor(t):
    """Somebody new gets in and may publish, where subscriptions are refused."""
    c = t.client()
    check(c.pub(t.topic("visitor"), "hello", 1) < 0x80, "a message was refused")
    c.disconnect()


@abuse
def full_of_retained_messages(t):
    """What is there already is kept up to date."""
    with Full(t, "full_of_retained_messages") as full:
        topic, c = t.topic(), t.client()
        c.pub(topic + "/mine", b"old", 1, retain=True)
        with flood("retain", full.room // 1000, 1000, topic):
            full.reached("retained_refused")
        c.pub(topic + "/mine", b"new", 1, retain=True)
        c.sub(topic + "/mine", 1)
        c.message(payload="new", retain=True)
        ctl("retained", "clear", topic + "/#")
        full.over()


@abuse
def full_of_retained_levels(t):
    """The topics alone take it: hundreds of levels and hardly a payload."""
    t.setting(max_topic_levels=65535)
    with Full(t, "full_of_retained_levels") as full:
        base, c = t.topic(), t.client()
        number = 0
        while not full.gauge.sample()["retained_refused"]:
            c.pub(f"{base}/{number}" + "/l" * 8000, b"x", 1, retain=True)
            number += 1
            check(number < 2 * full.room // (8000 * 128), "it is never full")
        t.retained.clear()
        full.reached("retained_refused")
        ctl("retained", "clear", base + "/#")
        full.over()


@abuse
def full_of_subscriptions(t):
    """Filters whose long share names are no part of the tree."""
    with Full(t, "full_of_subscriptions") as full:
        c = t.client()
        for number in range(2 * full.room // 60000):
            name = f"$share/{number:05}{'n' * 60000}/{c.id}"
            c.send(wire.subscribe(1, [(name, 0)]))
            if c.expect(wire.SUBACK, pid=1).reasons == [QUOTA]:
                break
        full.reached("subscriptions_refused", visitor)
        c.disconnect()
        full.over()


@abuse
def full_of_messages_for_the_absent(t):
    """Durable sessions whose clients are away, and what is queued for them."""
    with Full(t, "full_of_messages_for_the_absent") as full:
        base, sender = t.topic(), t.client()
        absent = 2 * full.room // setting("max_queued_bytes") + 2
        for number in range(absent):
            cid = t.cid()
            c = t.lasting(cid)
            c.sub(f"{base}/{number}", 1)
            c.close()
        for number in range(2 * full.room // 16000):
            sender.send_pub(f"{base}/{number % absent}", b"a" * 16000, 1)
            sender.await_packet(wire.PUBACK)
        full.reached()
        for cid in list(t.sessions):
            Client(5).open(client_id=cid).disconnect()
            del t.sessions[cid]
        full.over()


@abuse
def full_of_messages_nobody_reads(t):
    """Connected subscribers that stall, each with topics of its own."""
    with Full(t, "full_of_messages_nobody_reads") as full:
        base, sender, stalled = t.topic(), t.client(), []
        for number in range(2 * full.room // setting("max_queued_bytes") + 2):
            c = t.client()
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            c.sub(f"{base}/{number}", number & 1)
            stalled.append(c)
        for number in range(2 * full.room // 16000 + 60 * len(stalled)):
            sender.send_pub(f"{base}/{number % len(stalled)}", b"s" * 16000)
        sender.barrier()
        full.reached()
        for c in stalled:
            c.reset()
        full.over()


@abuse
def full_of_packets_that_never_end(t):
    """PUBLISH packets that lack their last byte."""
    with Full(t, "full_of_packets_that_never_end") as full:
        size = setting("max_packet_size") - 100
        data = wire.publish(t.topic(), b"p" * size)[:-1]
        crowd = []
        for _ in range(full.room // size + 4):
            c = t.client()
            c.sock.settimeout(60)
            c.send(data)
            crowd.append(c)
        full.reached(guest=visitor)
        for c in crowd:
            c.reset()
        full.over()


@abuse
def full_of_sessions(t):
    """Durable sessions with client identifiers of 60,000 bytes."""
    with Full(t, "full_of_sessions") as full:
        made = []
        for number in range(2 * full.room // 60000):
            c = t.raw()
            c.send(wire.connect(5, f"{number:05}" + "i" * 60000,
                                properties=[(wire.SESSION_EXPIRY, 3600)]))
            try:
                reason = c.expect(wire.CONNACK, reason=any_reason()).reason
            except Closed:
                reason = QUOTA	# its version was not read yet
            c.close()
            t.clients.pop()
            if reason:
                break
            made.append(number)
        full.reached("connects_refused", visitor)
        # There may be no room for a CONNECT as large as that: the operator
        # makes some.
        for number in made[:2]:
            ctl("session", "drop", f"{number:05}" + "i" * 60000)
        for number in made[2:]:
            c = Client(5)
            # Not a new one: there is no room before the old one is gone.
            c.open(client_id=f"{number:05}" + "i" * 60000, clean=False)
            c.close()
        full.over()


def any_reason():
    return frozenset(range(256))


@abuse
def full_of_wills(t):
    """Wills of 60,000 bytes, as long as their clients stay."""
    with Full(t, "full_of_wills") as full:
        crowd = []
        for number in range(2 * full.room // 60000):
            c = t.raw()
            c.send(wire.connect(5, t.cid(), will=wire.Will(
                "will", "w" * 60000)))
            try:
                if c.expect(wire.CONNACK, reason=any_reason()).reason:
                    break
            except Closed:
                break	# its version was not read yet
            crowd.append(c)
        full.reached("connects_refused", visitor)
        for c in crowd:
            c.disconnect()
        full.over()


@abuse
def more_than_there_is(t):
    """A message larger than all of memory_max is refused while it comes, to
    its sender alone."""
    size = 64 * MIB if not CHECKED else 32 * MIB
    t.setting(max_packet_size=268435460)
    with Full(t, "more_than_there_is") as full:
        check(full.room < size, "there is room for it")
        c = t.client()
        c.sock.settimeout(60)
        c.send(b"\x30" + wire.varint(268435455) + b"\0\1t\0")
        for _ in range(size // MIB):
            c.send(b"m" * MIB)
        check(all(pkt.reason == QUOTA for pkt in c.rest()), "another reason")
        full.gauge.counted("dropped_memory")
        full.witness.served()
        full.gauge.bounds(full.witness, memory=full.room + SLACK)
        full.over()
