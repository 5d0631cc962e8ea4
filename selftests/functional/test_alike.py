# SPDX-License-Identifier: GPL-2.0
"""Bursts of which many subscribers are due the same bytes, and others beside them
that are due something else."""

import wire
from harness import check, patient, shows
from wire import MESSAGE_EXPIRY, SUBSCRIPTION_ID, TOPIC_ALIAS_MAXIMUM

BURST = 20


def burst(sender, topic, begin, size, qos=0, **more):
    sender.send(b"".join(
        wire.publish(topic, f"{n}".ljust(size, "."), qos,
                     n + 1 if qos else None, ver=sender.ver, **more)
        for n in range(begin, begin + BURST)))
    if qos:
        for n in range(begin, begin + BURST):
            sender.expect(wire.PUBACK, pid=n + 1)


def everything(watch, begin, size, **more):
    return [watch.message(payload=f"{n}".ljust(size, "."), **more)
            for n in range(begin, begin + BURST)]


def crowd(t, topic, count=6):
    """Clients of each version; those of 3.1 and 3.1.1 get the same."""
    watches = [t.client(ver=3 + n % 3) for n in range(count)]
    for watch in watches:
        watch.sub(topic, 0)
    return watches


@shows()
def with_each_size(t):
    """From a few bytes to more than go in one segment: all, in order."""
    topic, sender = t.topic(), t.client()
    watches = crowd(t, topic, 9)
    for turn, size in enumerate((3, 50, 200, 600, 1000, 3000, 5000, 20000)):
        burst(sender, topic, turn * BURST, size)
        for watch in watches:
            everything(watch, turn * BURST, size)
    for watch in watches:
        watch.expect_no_message(via=sender)


@shows()
def beside_who_is_due_something_else(t):
    """A client with topic aliases, one with a subscription identifier, one with
    QoS 1, one that gets more, in the midst of those that get the same."""
    topic, sender = t.topic(), t.client()
    first = crowd(t, topic)
    alias = t.client(properties=[(TOPIC_ALIAS_MAXIMUM, 10)])
    alias.sub(topic, 0)
    ident = t.client()
    ident.sub(topic, 0, [(SUBSCRIPTION_ID, 7)])
    again, more = t.client(), t.client()
    again.sub(topic, 1)
    more.sub(topic, 0)
    more.sub(topic + "/more", 0)
    last = crowd(t, topic)
    for turn in range(6):
        begin, qos = turn * BURST, turn & 1
        sender.send_pub(topic + "/more", "x")
        burst(sender, topic, begin, 300, qos)
        for watch in first + last:
            everything(watch, begin, 300, qos=0)
        everything(alias, begin, 300)
        for pkt in everything(ident, begin, 300):
            check(pkt.all(SUBSCRIPTION_ID) == [7], f"{pkt}")
        everything(again, begin, 300, qos=qos)
        more.message(topic=topic + "/more", payload="x")
        everything(more, begin, 300)


@shows()
def with_an_expiry(t):
    """What says how long it has waited is said to each."""
    topic, sender = t.topic(), t.client()
    watches = [t.client() for _ in range(6)]
    for watch in watches:
        watch.sub(topic, 0)
    burst(sender, topic, 0, 100, properties=[(MESSAGE_EXPIRY, 100)])
    for watch in watches:
        for pkt in everything(watch, 0, 100):
            left, = pkt.all(MESSAGE_EXPIRY)
            check(0 < left <= 100, f"{pkt}")


@shows()
@patient
def to_who_does_not_read(t):
    """Some read when all is sent: their sockets have been full in the midst of what
    they get like the others, who wait for nothing. One is reset meanwhile."""
    topic, sender, size = t.topic(), t.client(), 3000
    t.setting(max_queued_messages=0)
    watches = crowd(t, topic)
    late = crowd(t, topic)
    gone = crowd(t, topic, 1)
    for begin in range(0, 60 * BURST, BURST):
        burst(sender, topic, begin, size)
        for watch in watches:
            everything(watch, begin, size)
        if begin == 30 * BURST:
            gone.pop().reset()
    for watch in late:
        for begin in range(0, 60 * BURST, BURST):
            everything(watch, begin, size)
        watch.expect_no_message(via=sender)
