# SPDX-License-Identifier: GPL-2.0
"""Messages that one read has brought, which are routed together: nobody can tell."""

import wire
from harness import check, equal, shows, stats, versions
from wire import (MESSAGE_EXPIRY, PINGRESP, PUBACK, PUBCOMP, PUBREC, SUBACK,
                  SUBSCRIPTION_ID, TOPIC_ALIAS)

NO_LOCAL = 4
MALFORMED = 0x81


def burst(t, topic, payloads, **more):
    return b"".join(wire.publish(topic, p, ver=t.ver, **more) for p in payloads)


def numbers(begin, end):
    return [f"{n}" for n in range(begin, end)]


def arrive(watch, payloads, **more):
    for payload in payloads:
        watch.message(payload=payload, **more)


@shows()
@versions(3, 4, 5)
def all_in_order(t):
    """Any number of them, to who is alone and to many."""
    topic, sender = t.topic(), t.client()
    watches = [t.client() for _ in range(3)]
    for nr, watch in enumerate(watches):
        watch.sub(topic, 0)
        for count in (1, 2, 3, 31, 32, 33, 63, 64, 65, 200):
            sender.send(burst(t, topic, numbers(0, count)))
            for who in watches[:nr + 1]:
                arrive(who, numbers(0, count), topic=topic)
    for watch in watches:
        watch.expect_no_message(via=sender)


@shows()
def with_others_in_between(t):
    """Other topics, QoS and retained ones in the midst of it keep their place, as
    many as may be in flight."""
    topic, sender, watch = t.topic(), t.client(), t.client()
    watch.sub(topic + "/#", 2)
    want, data = [], b""
    for n in range(54):
        name, qos, retain = f"{topic}/{n // 7 % 3}", (0, 0, 0, 1, 0, 2)[n % 6], \
            n % 10 == 4
        data += wire.publish(name, f"{n}", qos, n + 1 if qos else None,
                             retain=retain)
        want.append((name, f"{n}", qos))
    sender.send(data)
    for name, payload, qos in want:
        watch.message(topic=name, payload=payload, qos=qos)
    for n, (_, _, qos) in enumerate(want):
        if qos == 1:
            sender.expect(PUBACK, pid=n + 1)
        elif qos == 2:
            sender.expect(PUBREC, pid=n + 1)
    for n, (_, _, qos) in enumerate(want):
        if qos == 2:
            sender.send(wire.ack(wire.PUBREL, n + 1))
            sender.expect(PUBCOMP, pid=n + 1)


@shows()
def to_who_is_due_something_else(t):
    """Subscriptions that overlap, a share group, an identifier and No Local, beside
    one that is due nothing but the messages."""
    topic, sender = t.topic(), t.client()
    plain, twice, ident = t.client(), t.client(), t.client()
    shared = [t.client() for _ in range(3)]
    for change in ("none", "identifier", "overlap", "group"):
        if change == "none":
            plain.sub(topic, 0)
            sender.sub(topic, NO_LOCAL)
        elif change == "identifier":
            ident.sub(topic, 0, [(SUBSCRIPTION_ID, 9)])
        elif change == "overlap":
            twice.sub(topic, 0, [(SUBSCRIPTION_ID, 1)])
            twice.sub(topic.rsplit("/", 1)[0] + "/+", 0, [(SUBSCRIPTION_ID, 2)])
        else:
            for one in shared:
                one.sub("$share/g/" + topic, 0)
        sender.send(burst(t, topic, numbers(0, 45)))
        arrive(plain, numbers(0, 45))
        if change != "none":
            for n in range(45):
                pkt = ident.message(payload=f"{n}")
                equal(pkt.all(SUBSCRIPTION_ID), [9], "identifier")
        if change in ("overlap", "group"):
            for n in range(45):
                pkt = twice.message(payload=f"{n}")
                equal(sorted(pkt.all(SUBSCRIPTION_ID)), [1, 2], "of both")
    got = []
    for one in shared:
        one.send(wire.pingreq())
    for one in shared:
        while (pkt := one.recv()).type != PINGRESP:
            got.append(int(pkt.payload))
    equal(sorted(got), list(range(45)), "of the group")
    sender.expect_no_message(via=plain)


@shows()
def behind_it_comes_something_else(t):
    """SUBSCRIBE, UNSUBSCRIBE, PINGREQ and DISCONNECT are handled behind what was
    before them, and before what is behind."""
    topic, one, watch = t.topic(), t.client(), t.client()
    watch.sub(topic, 0)
    one.send(burst(t, topic, numbers(0, 10)) +
             wire.subscribe(7, [(topic, 0)]) +
             burst(t, topic, numbers(10, 20)) +
             wire.unsubscribe(8, [topic]) +
             burst(t, topic, numbers(20, 30)) + wire.pingreq())
    one.expect(SUBACK, pid=7)
    arrive(one, numbers(10, 20))
    one.expect(wire.UNSUBACK, pid=8)
    one.expect(PINGRESP)
    arrive(watch, numbers(0, 30))
    one.send(burst(t, topic, numbers(0, 20)) + wire.disconnect())
    arrive(watch, numbers(0, 20))


@shows()
def what_is_wrong_takes_nothing_from_what_was_before(t):
    """A malformed packet, and one that is cut off by the end of the connection."""
    topic, watch = t.topic(), t.client()
    watch.sub(topic, 0)
    one = t.client()
    one.send(burst(t, topic, numbers(0, 20)) +
             wire.packet(wire.PINGREQ, 0, b"x"))
    one.expect_disconnect(MALFORMED)
    arrive(watch, numbers(0, 20))
    one = t.client()
    one.send(burst(t, topic, numbers(0, 21))[:-1])
    one.close()
    arrive(watch, numbers(0, 20))


@shows()
def with_aliases_and_properties(t):
    """The topic by an alias, and messages that expire."""
    topic, one, watch = t.topic(), t.client(), t.client()
    watch.sub(topic, 0)
    one.send(wire.publish(topic, "0", properties=[(TOPIC_ALIAS, 1)]) +
             burst(t, "", numbers(1, 20), properties=[(TOPIC_ALIAS, 1)]) +
             burst(t, topic, numbers(20, 40),
                   properties=[(MESSAGE_EXPIRY, 100)]))
    arrive(watch, numbers(0, 20), topic=topic)
    for n in range(20, 40):
        left, = watch.message(payload=f"{n}").all(MESSAGE_EXPIRY)
        check(0 < left <= 100, f"{left} s")


@shows()
def what_nobody_gets_is_counted(t):
    """Each of those for which there is no subscriber."""
    one = t.client()
    before = stats()["publish_unmatched"]
    one.send(burst(t, t.topic(), numbers(0, 50)) + wire.pingreq())
    one.expect(PINGRESP)
    check(stats()["publish_unmatched"] - before >= 50, "unmatched")


@shows()
def no_queue_is_filled_by_it(t):
    """Whatever its limit: its client empties it."""
    topic, one, watch = t.topic(), t.client(), t.client()
    watch.sub(topic, 0)
    for limit in (1, 2, 15, 20, 40, 100):
        t.setting(max_queued_messages=limit)
        sent = stats()["dropped_queue_full"]
        one.send(burst(t, topic, numbers(0, 200)))
        arrive(watch, numbers(0, 200))
        equal(stats()["dropped_queue_full"], sent, f"dropped with {limit}")


@shows()
def nor_by_a_large_one_behind_it(t):
    """What a burst has half filled is sent before what is large is queued."""
    topic, one, watch = t.topic(), t.client(), t.client()
    t.setting(max_queued_bytes=32768)
    watch.sub(topic, 1)
    sent = stats()["dropped_queue_full"]
    for count in range(50, 70):
        payloads = [f"{n}".ljust(220, ".") for n in range(count)]
        one.send(burst(t, topic, payloads) +
                 wire.publish(topic, "x" * 15000, 1, 1))
        arrive(watch, payloads)
        watch.message(payload="x" * 15000, qos=1)
        one.expect(PUBACK, pid=1)
    equal(stats()["dropped_queue_full"], sent, "dropped")
