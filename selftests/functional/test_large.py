# SPDX-License-Identifier: GPL-2.0
"""Long payloads, which TCP sends from where the message keeps them."""

import random

import wire
from harness import equal, patient, shows, versions

# About a page, two, what is one piece of memory at most, and more.
LENGTHS = (4095, 4096, 4097, 8160, 8192, 16384, 32700, 32768, 33000, 65536, 140000)
# With this topic a head is not copied between pages, but sent in a call of its own.
LONG_NAME = "n" * 3000


def contents(number, size):
    """As no other message has them."""
    return random.Random(number).randbytes(size)


@shows()
@versions(3, 4, 5)
def every_length_to_everybody(t):
    """Publishers of QoS 0 and 1, subscribers of any protocol and QoS: what is the
    same for all, and what is another packet for each."""
    topic, sender = t.topic(), t.client()
    watches = [t.client(ver=ver) for ver in (3, 4, 5) for _ in range(3)]
    for number, watch in enumerate(watches):
        watch.sub(topic, number % 3)
    for number, size in enumerate(LENGTHS):
        payload = contents(number, size)
        sender.send_pub(topic, payload, number % 2)
        for watch in watches:
            watch.message(payload=payload, topic=topic)


@shows()
def with_what_each_has_of_its_own(t):
    """Subscription identifiers, aliases, an expiry: the head is another one."""
    topic, sender = t.topic(), t.client()
    named, plain = t.client(), t.client(ver=4)
    brief = t.client(properties=[(wire.TOPIC_ALIAS_MAXIMUM, 3)])
    named.sub(topic, 0, [(wire.SUBSCRIPTION_ID, 7)])
    for watch in (brief, plain):
        watch.sub(topic, 0)
    for number in range(6):
        payload = contents(number, 16384)
        sender.send_pub(topic, payload, 0, properties=[
            (wire.MESSAGE_EXPIRY, 100)] * (number % 2))
        equal(named.message(payload=payload).get(wire.SUBSCRIPTION_ID), 7,
              "identifier")
        brief.message(payload=payload)
        plain.message(payload=payload, topic=topic)


@shows()
@versions(4, 5)
def long_and_short_in_one_burst(t):
    """In their order, whatever is copied and whatever is not."""
    topics = [t.topic(), t.topic(), t.topic() + LONG_NAME]
    sender, watches = t.client(), [t.client() for _ in range(4)]
    for number, watch in enumerate(watches):
        for topic in topics:
            watch.sub(topic, number & 1)
    sizes = [(16384, 10, 5000, 2000, 0, 30000, 4096)[n % 7] for n in range(70)]
    sender.send(b"".join(
        wire.publish(topics[n % 3], contents(n, size), 1, n + 1, ver=t.ver)
        for n, size in enumerate(sizes)))
    for watch in watches:
        for number, size in enumerate(sizes):
            watch.message(payload=contents(number, size), topic=topics[number % 3])


@shows()
@patient
def what_waits_to_be_read_stays(t):
    """Memory of messages that the broker is done with, but not TCP, is not that of
    messages that come later."""
    topic, other = t.topic(), t.topic()
    lazy, keen, sender = t.client(), t.client(), t.client()
    for watch in (lazy, keen):
        watch.sub(topic, 0)
    keen.sub(other, 0)
    for number in range(12):
        sender.send_pub(topic, contents(number, 16384), 0)
        keen.message(payload=contents(number, 16384))
    for number in range(100, 300):
        sender.send_pub(other, contents(number, 16000 + number), 0)
        keen.message(payload=contents(number, 16000 + number))
    for number in range(12):
        lazy.message(payload=contents(number, 16384))


@shows()
@versions(4, 5)
def retained_after_a_fan_out(t):
    """With the flag for who comes later, without for who was there."""
    topic, sender = t.topic(), t.client()
    payload = contents(1, 20000)
    watches = [t.client() for _ in range(3)]
    for watch in watches:
        watch.sub(topic, 0)
    sender.send_pub(topic, payload, 0, retain=True)
    for watch in watches:
        watch.message(payload=payload, retain=False)
    for qos in 0, 1:
        late = t.client()
        late.sub(topic, qos)
        late.message(payload=payload, retain=True)
    sender.send_pub(topic, "", 0, retain=True)
