# SPDX-License-Identifier: GPL-2.0
"""Flow control (receive maximum, both ways) and order."""

import random

import wire
from harness import Skip, check, equal, many, shows, versions
from wire import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, RECEIVE_MAXIMUM


def flooded(t, window, qos, count):
    """A subscriber with a receive maximum, and @count messages for it, all
    of which another subscriber has got."""
    topic = t.topic()
    c = t.client(5, properties=[(RECEIVE_MAXIMUM, window)])
    c.sub(topic, 2)
    observer = t.client(5)
    observer.sub(topic, 0)
    sender = t.client(5)
    for number in range(count):
        sender.pub(topic, str(number), qos)
        observer.message(payload=str(number))
    return topic, c, sender


def next_messages(c, count):
    """So many PUBLISHes come, and then no more."""
    found = [c.expect(PUBLISH) for _ in range(count)]
    c.expect_nothing()
    return found


def acknowledge_all(c, window, count):
    """Of @count messages never more than @window are in flight, and each
    acknowledgement lets the next one come."""
    flight = next_messages(c, min(window, count))
    for number in range(count):
        pkt = flight.pop(0)
        equal(pkt.payload, str(number).encode(), "payload")
        c.answer(pkt)
        left = count - number - 1 - len(flight)
        flight += next_messages(c, min(1, left))


@shows("MQTT-3.3.4-9", "MQTT-4.9.0-2", "MQTT-4.9.0-1", "MQTT-3.3.4-10",
       "MQTT-4.9.0-3")
def receive_maximum_qos1(t):
    """No more than the client's receive maximum are in flight; each PUBACK
    lets one more come; PINGREQ, SUBSCRIBE and UNSUBSCRIBE are answered
    though the quota is used up."""
    _, c, _ = flooded(t, 3, 1, 10)
    c.stash.extend(next_messages(c, 3))
    other = t.topic()
    c.sub(other, 0)
    c.unsub(other)
    acknowledge_all(c, 3, 10)


@shows("MQTT-3.3.4-9", "MQTT-4.9.0-2", "MQTT-3.3.4-10")
def receive_maximum_qos2(t):
    """At QoS 2 the quota comes back with PUBCOMP, not with PUBREC."""
    _, c, _ = flooded(t, 2, 2, 5)
    flight = next_messages(c, 2)
    for number in range(5):
        pkt = flight.pop(0)
        equal(pkt.payload, str(number).encode(), "payload")
        c.send(wire.ack(PUBREC, pkt.pid))
        c.expect(PUBREL, pid=pkt.pid)
        c.expect_nothing()
        c.send(wire.ack(PUBCOMP, pkt.pid))
        c.release(pkt.pid)
        flight += next_messages(c, 1 if number < 3 else 0)


@shows("MQTT-4.9.0-2", "MQTT-3.3.4-9")
def quota_comes_back_with_an_error(t):
    """PUBREC and PUBACK with an error code give the quota back as well."""
    for qos in (1, 2):
        _, c, _ = flooded(t, 1, qos, 4)
        for number in range(4):
            pkt, = next_messages(c, 1)
            equal(pkt.payload, str(number).encode(), "payload")
            c.answer(pkt, 0x80)
        c.expect_nothing()


@shows("MQTT-3.3.4-9", "MQTT-4.4.0-1")
def receive_maximum_after_reconnect(t):
    """The next connection's receive maximum holds for what is redelivered:
    of eight in flight only two come until they are acknowledged."""
    cid, topic = t.cid(), t.topic()
    c = t.lasting(cid)
    c.sub(topic, 1)
    sender = t.client()
    for number in range(8):
        sender.pub(topic, str(number), 1)
    for number in range(8):
        c.message(answer=False, payload=str(number))
    c.close()
    c = t.lasting(cid, present=True, properties=[(RECEIVE_MAXIMUM, 2)])
    acknowledge_all(c, 2, 8)


@shows()
def acknowledged_in_any_order(t):
    """From one message in flight to as many as may be and back, acknowledged in
    any order: no identifier in use is given to another, none is lost."""
    for window, count in (2, 50), (7, 400), (150, 1000):
        any_order(t, window, many(count, window), random.Random(window))


def any_order(t, window, count, chance):
    t.setting(max_inflight=window)
    topic = t.topic()
    c = t.client(5, properties=[(RECEIVE_MAXIMUM, window)])
    c.sub(topic, 1)
    sender = t.client(5)
    flight, used = {}, []
    for number in range(count):
        sender.send_pub(topic, str(number), 1)
        sender.expect(PUBACK, reason=0)
        pkt = c.expect(PUBLISH, payload=str(number).encode())
        check(pkt.pid not in flight, f"{pkt.pid} is in use")
        check(pkt.pid not in used[-100:], f"{pkt.pid} again so soon")
        used.append(pkt.pid)
        flight[pkt.pid] = pkt
        # Now few, now many of them are left.
        most = window - 1 if number // (3 * window) % 2 else 1
        while len(flight) > most or (flight and chance.random() < 0.2):
            c.answer(flight.pop(chance.choice(sorted(flight))))
    for pid in sorted(flight, key=lambda _: chance.random()):
        c.answer(flight[pid])
    c.expect_no_message(via=sender)


@shows()
def acknowledged_twice(t):
    """However many stay unacknowledged meanwhile, an identifier is not used again so
    soon that a second acknowledgment could find another message."""
    t.setting(max_inflight=100)
    topic, c, sender = t.topic(), t.client(4), t.client()
    c.sub(topic, 1)
    kept = []
    for stays in 0, 1, 5, 30, 60:
        while len(kept) < stays:
            sender.pub(topic, "stays", 1)
            kept.append(c.message(payload="stays", answer=False))
        used = []
        for number in range(many(150, 90)):
            sender.pub(topic, f"{number}", 1)
            pid = c.message(payload=f"{number}").pid
            check(pid not in used[-60:], f"{pid} again, with {stays} in flight")
            c.send(wire.ack(PUBACK, used[-1] if used else pid))
            used.append(pid)
    for pkt in kept:
        c.answer(pkt)
    c.expect_no_message(via=sender)


@shows()
def identifier_held_for_long(t):
    """One that is behind all others, when it is given back, brings none of them back
    that was just used."""
    t.setting(max_inflight=100)
    topic, c, sender = t.topic(), t.client(), t.client()
    c.sub(topic, 1)
    found = []
    for acknowledged in (), (1,), (2, 0), *[()] * 40:
        sender.pub(topic, "x", 1)
        found.append(c.message(answer=False))
        for number in acknowledged:
            c.answer(found[number])
    pids = [pkt.pid for pkt in found]
    equal(len(set(pids)), len(pids), f"different ones of {pids}")


@shows("MQTT-4.9.0-2", "MQTT-3.3.4-9")
def qos0_needs_no_quota(t):
    """QoS 0 messages arrive though the quota is used up, at the latest when
    it comes back, and do not use it."""
    topic, c, sender = flooded(t, 1, 1, 2)
    first = c.message(answer=False, qos=1)
    for _ in range(3):
        sender.pub(topic, "zero", 0)
    c.answer(first)
    found = sorted(c.message().qos for _ in range(4))
    equal(found, [0, 0, 0, 1], "QoS of the messages")
    c.expect_nothing()


@shows("MQTT-3.3.4-7", "MQTT-4.9.0-1", "MQTT-4.13.1-1")
def receive_maximum_of_the_broker(t):
    """The broker takes as many unfinished QoS 2 messages as its CONNACK
    says, and ends the connection with 0x93 at one more."""
    c = t.client()
    window = c.connack.get(RECEIVE_MAXIMUM, 65535)
    if window > 5000:
        raise Skip(f"the broker's receive maximum is {window}")
    topic = t.topic()
    for pid in range(1, window + 1):
        c.send(wire.publish(topic, "x", 2, pid))
    for pid in range(1, window + 1):
        c.expect(PUBREC, pid=pid)
    # One that is finished makes room for another
    c.send(wire.ack(PUBREL, 1))
    c.expect(PUBCOMP, pid=1)
    c.send(wire.publish(topic, "x", 2, window + 1))
    c.expect(PUBREC, pid=window + 1)
    c.send(wire.publish(topic, "x", 2, window + 2))
    c.expect_disconnect(0x93)


@shows("MQTT-3.3.4-7")
def receive_maximum_of_the_broker_set(t):
    """receive_maximum as set is what CONNACK says and what holds."""
    t.setting(receive_maximum=5)
    c = t.client()
    equal(c.connack.get(RECEIVE_MAXIMUM), 5, "receive maximum")
    c.send(*(wire.publish("a", "x", 2, pid) for pid in range(1, 7)))
    for pid in range(1, 6):
        c.expect(PUBREC, pid=pid)
    c.expect_disconnect(0x93)


@shows("MQTT-3.3.4-9", "MQTT311-4.4.0-1")
@versions(3, 4)
def max_inflight_v3(t):
    """For 3.x, which has no receive maximum, max_inflight bounds what is in
    flight; nothing is lost by it."""
    t.setting(max_inflight=4)
    topic = t.topic()
    c, sender = t.client(), t.client(5)
    c.sub(topic, 1)
    for number in range(12):
        sender.pub(topic, str(number), 1)
    acknowledge_all(c, 4, 12)


@shows("MQTT-4.6.0-5", "MQTT-4.6.0-6", "MQTT311-4.6.0-5", "MQTT311-4.6.0-6")
@versions(3, 4, 5)
def order_of_each_qos(t):
    """Messages of one publisher to one topic arrive in order, per QoS, with
    many of them on the way at once."""
    sender = t.client()
    for qos in range(3):
        topic = t.topic()
        c = t.client()
        c.sub(topic, qos)
        count = min(100, sender.connack.get(RECEIVE_MAXIMUM, 65535))
        sender.send(*(wire.publish(topic, str(n), qos, n + 1 if qos else None,
                                   ver=t.ver) for n in range(count)))
        pids = range(1, count + 1) if qos else ()
        for pid in pids:
            sender.await_packet(PUBACK if qos == 1 else PUBREC, pid)
        if qos == 2:
            sender.send(*(wire.ack(PUBREL, pid) for pid in pids))
            for pid in pids:
                sender.await_packet(PUBCOMP, pid)
        for number in range(count):
            c.message(payload=str(number), qos=qos)


@shows("MQTT-4.6.0-5", "MQTT311-4.6.0-6")
def order_of_acknowledgements(t):
    """PUBACKs, PUBRECs and PUBCOMPs come in the order of what they
    acknowledge."""
    sender = t.client()
    pids = [5, 3, 9, 1, 7, 2, 65535, 4]
    for qos, first in ((1, PUBACK), (2, PUBREC)):
        sender.send(*(wire.publish(t.topic(), "x", qos, pid) for pid in pids))
        for pid in pids:
            sender.expect(first, pid=pid)
    pids.reverse()
    sender.send(*(wire.ack(PUBREL, pid) for pid in pids))
    for pid in pids:
        sender.expect(PUBCOMP, pid=pid)


@shows("MQTT-4.6.0-5", "MQTT-4.6.0-6")
def order_with_several_publishers(t):
    """With four publishers each one's messages keep their order, and none is
    missing or doubled."""
    topic = t.topic()
    c = t.client()
    c.sub(topic, 1)
    senders = [t.client(3 + n % 3) for n in range(4)]
    for number in range(40):
        for index, sender in enumerate(senders):
            sender.send_pub(topic, f"{index}:{number}", 1)
    found = [[] for _ in senders]
    for _ in range(160):
        index, number = c.message(qos=1).payload.split(b":")
        found[int(index)].append(int(number))
    equal(found, [list(range(40))] * 4, "messages")
    c.expect_nothing()


@shows("MQTT-4.6.0-5", "MQTT-3.1.2-5")
def order_across_a_reconnect(t):
    """Messages keep their order when the subscriber breaks off and returns
    while they are being sent."""
    cid, topic = t.cid(), t.topic()
    c = t.lasting(cid)
    c.sub(topic, 1)
    sender = t.client()
    found = []
    for number in range(60):
        sender.pub(topic, str(number), 1)
        if number % 20 == 9:
            found += [int(c.message().payload) for _ in range(5)]
            c.barrier()
            c.close()
            c = t.lasting(cid, present=True)
    found += [int(pkt.payload) for pkt in c.drain(sender, 1)]
    equal(found, list(range(60)), "messages")
