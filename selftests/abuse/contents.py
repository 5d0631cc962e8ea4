# SPDX-License-Identifier: GPL-2.0
"""Abuse of what packets may hold: as much as the standard has room for."""

import os

import wire
from gauge import (CHECKED, MIB, Gauge, Witness, abuse, flood, flooding,
                   many, newcomer, numbers, setting, stats)
from harness import check, ctl, equal
from mqttlib import LIMIT, now

QUOTA = 0x97
STRING_MAX = 65535
# The standard's largest packet: 268,435,455 bytes behind five of header.
PACKET_MAX = 268435460


@abuse
def a_million_subscriptions(t):
    """Ten clients with 100,000 filters each, or what KMQTT_TEST_SUBSCRIPTIONS
    says; nobody waits for it."""
    each = int(os.environ.get("KMQTT_TEST_SUBSCRIPTIONS",
                              many(200000))) // 10
    with Witness(t) as witness:
        gauge, topic = Gauge("a_million_subscriptions"), t.topic()
        t.setting(max_subscriptions=each)
        with flooding("subscribe", 10, each, topic) as proc:
            found = numbers(proc)
            equal(found, {"granted": 10 * each, "refused": 0}, "filters")
            equal(gauge.sample()["subscriptions"], 10 * each, "subscriptions")
            witness.served()
            newcomer(t)
            c = t.client()
            c.pub(f"{topic}/{each - 1}", "to ten", 1)
            gauge.bounds(witness, memory=10 * each * 192 + each * 256 + MIB)
        gauge.given_back()
        witness.served()


@abuse
def filters_without_end(t):
    """Long filters of one client end at subscription_bytes_max."""
    t.setting(subscription_bytes_max=stats()["filter_bytes"] + 8 * MIB)
    with Witness(t) as witness:
        gauge, c = Gauge("filters_without_end"), t.client()
        reasons = []
        for number in range(200):
            name = f"{t.topic()}/{number:05}/" + "f" * 60000
            c.send(wire.subscribe(number + 1, [(name, 0)]))
            reasons += c.expect(wire.SUBACK, pid=number + 1).reasons
        equal(set(reasons), {0, QUOTA}, "reasons")
        equal(gauge.sample()["subscriptions_refused"], reasons.count(QUOTA),
              "subscriptions_refused")
        witness.served()
        newcomer(t)
        gauge.bounds(witness, memory=9 * MIB)
        c.disconnect()
        gauge.given_back()


@abuse
def retained_flood(t):
    """Retained messages without end stop at retained_max; those beyond are
    delivered and counted."""
    kept, sent = many(5000), many(20000)
    topic = t.topic()
    t.setting(retained_max=stats()["retained_messages"] + kept)
    with Witness(t) as witness:
        gauge = Gauge("retained_flood")
        with flood("retain", sent, 100, topic) as found:
            equal(found, {"sent": sent}, "messages")
        found = gauge.sample()
        equal(found["retained_messages"], kept, "retained messages")
        equal(found["retained_refused"], sent - kept, "retained_refused")
        witness.served()
        late = t.client()
        late.sub(topic + "/#", 0)
        equal(len(late.messages(kept, retain=True)), kept, "messages")
        # The message, its topic, a node of the tree, a reference to wait.
        gauge.bounds(witness, memory=kept * 800 + 2 * MIB)
        ctl("retained", "clear", topic + "/#")
        gauge.given_back()


@abuse
def the_longest_topics(t):
    """Topics of 65,535 bytes: published, retained, subscribed to, refused
    where there is no room left."""
    base = t.topic() + "/"
    names = [f"{base}{number:02}/".ljust(STRING_MAX, "n")
             for number in range(20)]
    t.setting(retained_bytes_max=stats()["retained_bytes"] + 15 * STRING_MAX)
    with Witness(t) as witness:
        gauge, c = Gauge("the_longest_topics"), t.client()
        c.sub([(name, 1) for name in names])
        for name in names:
            c.pub(name, b"", 1)
            c.message(topic=name)
            c.pub(name, b"kept", 1, retain=True)
            c.message(topic=name)
        equal(gauge.sample()["retained_refused"], 6, "retained_refused")
        witness.served()
        late = t.client()
        late.sub(base + "#", 1)
        equal(len({pkt.topic for pkt in late.messages(14, retain=True)}), 14,
              "topics")
        gauge.bounds(witness, memory=20 * 6 * STRING_MAX)


@abuse
def thousands_of_levels(t):
    """Names and filters of 32,767 levels, all wildcards among them: each
    level is a node, so the trees end at their bounds in bytes."""
    t.setting(max_topic_levels=STRING_MAX,
              subscription_bytes_max=stats()["filter_bytes"] + 16 * MIB)
    levels = 32767
    name = "a/" * (levels - 1) + "z"
    plus = "+/" * (levels - 1) + "+"
    with Witness(t) as witness:
        gauge, c = Gauge("thousands_of_levels"), t.client()
        for filter in (name, plus):
            c.sub(filter, 1)
            c.pub(name, "deep", 1)
            c.message(topic=name)
        # Half of the levels literal, the other half not: both ways are gone.
        reasons = []
        for number in range(1, 20):
            cut = number * 1600
            c.send(wire.subscribe(number, [
                ("a/" * cut + "+/" * (levels - cut - 1) + "y", 0)]))
            reasons += c.expect(wire.SUBACK, 4 * LIMIT, pid=number).reasons
        equal(set(reasons), {0, QUOTA}, "reasons")
        c.pub(name, "deep", 1)
        c.message(topic=name)
        witness.served()
        c.pub(name, b"kept", 1, retain=True)
        c.message(topic=name)
        late = t.client()
        late.sub([(plus, 0), ("a/#", 0)])
        late.message(topic=name, retain=True)
        newcomer(t)
        # The tree of filters, the one of topics, the name where it stands.
        gauge.bounds(witness, memory=18 * MIB + levels * 256)
        t.retained.discard(name)
        ctl("retained", "clear", "a/#")


@abuse
def as_many_properties_as_fit(t):
    """User properties of five bytes that fill the largest packets there may
    be, and subscription identifiers of a thousand matching filters."""
    most = (setting("max_packet_size") - 200) // 5
    one = b"\x26\0\0\0\0"
    with Witness(t) as witness:
        gauge, topic = Gauge("as_many_properties_as_fit"), t.topic("p")
        c = t.client(properties=[(wire.USER_PROPERTY, ("", ""))] * 25000)
        block = wire.varint(most * len(one)) + one * most
        c.send(wire.packet(wire.SUBSCRIBE, 2, b"\0\1" + block +
                           wire.string(topic) + b"\0"))
        c.await_packet(wire.SUBACK, 1, 4 * LIMIT)
        data = wire.packet(wire.PUBLISH, 0, wire.string(topic) + block)
        c.send(data)
        end = now() + 4 * LIMIT
        while len(c.buffer) < len(data):
            check(c.fill(end), "the connection has ended")
        check(c.buffer[:len(data)] == data, "other properties came")
        del c.buffer[:len(data)]
        c.expect_nothing()
        witness.served()
        many_ids(t)
        gauge.bounds(witness, memory=3 * setting("max_packet_size"))


def many_ids(t):
    """Filters that overlap a thousandfold, an identifier each."""
    c, level = t.client(), t.topic().split("/")
    level += [str(number) for number in range(10)]
    name = "/".join(level)
    filters = {"/".join("+" if number >> bit & 1 else part
                        for bit, part in enumerate(level))
               for number in range(1000)}
    for number, filter in enumerate(sorted(filters), 1):
        c.sub(filter, 1, [(wire.SUBSCRIPTION_ID, number)])
    c.pub(name, "once", 1)
    pkt = c.message(payload="once")
    equal(sorted(pkt.all(wire.SUBSCRIPTION_ID)),
          list(range(1, len(filters) + 1)), "identifiers")
    c.expect_nothing()
    c.disconnect()


@abuse
def a_message_of_256_mib(t):
    """The largest packet of the standard is received and delivered whole;
    it is in memory once, twice while its buffer grows."""
    size = PACKET_MAX // 10 if CHECKED else PACKET_MAX
    # What is kept for those who connect is not for a message.
    t.setting(max_packet_size=PACKET_MAX,
              memory_max=max(setting("memory_max"), 3 * size))
    with Witness(t) as witness:
        gauge, topic = Gauge("a_message_of_256_mib"), t.topic()
        with flooding("message", size, topic) as proc:
            while proc.poll() is None:
                gauge.sample()
                witness.done.wait(1)
            found = numbers(proc)
        check(found["payload"] > size - 100, f"only {found} came")
        witness.served()
        gauge.bounds(witness, memory=2 * size + 4 * MIB)
        gauge.given_back()


@abuse
def no_packet_identifier_left(t):
    """65,535 messages that are not acknowledged: no identifier is used
    twice, what is beyond waits for one, and all arrives in order."""
    window, count = many(65535), many(66500)
    t.setting(max_inflight=window, max_queued_messages=0, max_queued_bytes=0)
    with Witness(t) as witness:
        gauge, topic = Gauge("no_packet_identifier_left"), t.topic()
        with flood("unacknowledged", count, window, topic) as found:
            equal(found, {"rounds": 2, "received": count}, "messages")
            witness.served()
            gauge.bounds(witness, memory=count * 512 + 2 * MIB)
        gauge.given_back()


@abuse
def qos_2_never_released(t):
    """A client that releases none of its QoS 2 identifiers is told when it
    has no more, and what is remembered of it is bounded."""
    most = many(10000)
    t.setting(receive_maximum=most)
    with Witness(t) as witness:
        gauge, c, topic = Gauge("qos_2_never_released"), t.client(), t.topic()
        for start in range(1, most + 1, 1000):
            ids = range(start, min(start + 1000, most + 1))
            c.send(*(wire.publish(topic, b"", 2, pid) for pid in ids))
            for pid in ids:
                c.expect(wire.PUBREC, pid=pid)
        check(gauge.sample()["publish_received"] >= most, "messages")
        witness.served()
        gauge.bounds(witness, memory=min(most, 1024) * 640 + MIB)
        c.send(wire.publish(topic, b"", 2, most + 1))
        c.expect_disconnect(0x93)
        gauge.given_back()
