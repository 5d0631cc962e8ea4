# SPDX-License-Identifier: GPL-2.0
"""PUBLISH at each QoS, both ways, and what its acknowledgements say."""

import wire
from harness import KMQTTCTL, check, equal, many, patient, shows, versions
from wire import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL


def pair(t, options=2, ver=None):
    """A topic, a subscriber to it and a publisher."""
    topic = t.topic()
    watch = t.client(ver)
    watch.sub(topic, options)
    return topic, watch, t.client(ver)


@shows("MQTT-3.8.4-8", "MQTT-3.3.4-2", "MQTT311-3.8.4-6", "MQTT311-3.3.5-1",
       "MQTT-3.3.4-1", "MQTT-2.2.1-2", "MQTT-2.2.1-4", "MQTT311-2.3.1-5",
       "MQTT311-2.3.1-1", "MQTT-4.3.1-1", "MQTT-4.3.2-2", "MQTT-4.3.3-2",
       "MQTT-3.3.2-1", "MQTT311-3.3.2-1", "MQTT-3.3.1-4", "MQTT-3.3.2-3",
       "MQTT311-3.3.2-3")
@versions(3, 4, 5)
def qos_is_the_lower_of_both(t):
    """Each message arrives once, at the lower of the QoS it was published
    with and the QoS granted."""
    sender = t.client()
    for granted in range(3):
        topic = t.topic()
        watch = t.client()
        watch.sub(topic, granted)
        for qos in range(3):
            sender.pub(topic, f"{qos}", qos)
            pkt = watch.message(topic=topic, payload=f"{qos}",
                                qos=min(qos, granted), retain=False,
                                dup=False)
            check((pkt.pid is None) == (pkt.qos == 0), "packet identifier")
        watch.expect_no_message(via=sender)


@shows("MQTT-4.3.2-4", "MQTT-2.2.1-5", "MQTT311-2.3.1-6", "MQTT-3.4.2-1",
       "MQTT311-4.3.2-1", "MQTT-2.1.3-1")
@versions(3, 4, 5)
def puback_names_the_packet(t):
    """Each QoS 1 PUBLISH is answered by PUBACK with its identifier, over
    the whole range of identifiers."""
    topic, watch, sender = pair(t)
    for pid in (1, 2, 0x7f, 0x80, 0xff, 0x100, 0x8000, 0xfffe, 0xffff, 5):
        sender.send_pub(topic, f"{pid}", 1, pid=pid)
        sender.expect(PUBACK, pid=pid, reason=0)
        watch.message(payload=f"{pid}", qos=1)


@shows("MQTT-4.3.3-8", "MQTT-4.3.3-11", "MQTT-2.2.1-5", "MQTT311-2.3.1-6",
       "MQTT-3.5.2-1", "MQTT-3.7.2-1", "MQTT311-3.6.4-1", "MQTT311-4.3.3-1")
@versions(3, 4, 5)
def qos2_receiver(t):
    """PUBREC and PUBCOMP carry the identifier of the PUBLISH."""
    topic, watch, sender = pair(t)
    for pid in (1, 0xffff, 0x1234):
        sender.send_pub(topic, f"{pid}", 2, pid=pid)
        sender.expect(PUBREC, pid=pid, reason=0)
        sender.send(wire.ack(PUBREL, pid))
        sender.expect(PUBCOMP, pid=pid, reason=0)
        watch.message(payload=f"{pid}", qos=2)


@shows("MQTT-4.3.3-4", "MQTT311-3.5.4-1", "MQTT-3.6.2-1", "MQTT-4.3.3-6",
       "MQTT-3.6.1-1", "MQTT311-3.6.1-1")
@versions(3, 4, 5)
def qos2_sender(t):
    """The broker answers PUBREC with PUBREL (flags 2), and again when
    PUBREC comes twice, and then forgets the identifier at PUBCOMP."""
    topic, watch, sender = pair(t)
    sender.pub(topic, "x", 2)
    pkt = watch.message(answer=False, qos=2)
    for _ in range(2):
        watch.send(wire.ack(PUBREC, pkt.pid))
        watch.expect(PUBREL, pid=pkt.pid, reason=0)
    watch.send(wire.ack(PUBCOMP, pkt.pid))
    watch.release(pkt.pid)
    watch.expect_nothing()


@shows("MQTT-4.3.3-10", "MQTT-3.3.1-3", "MQTT311-2.1.2-5")
@versions(3, 4, 5)
def qos2_repeated_publish(t):
    """A QoS 2 PUBLISH that comes again before its PUBREL is acknowledged
    again and not delivered again."""
    topic, watch, sender = pair(t)
    for dup in (False, True, True):
        sender.send_pub(topic, "once", 2, pid=9, dup=dup)
        sender.expect(PUBREC, pid=9)
    sender.send(wire.ack(PUBREL, 9))
    sender.expect(PUBCOMP, pid=9)
    watch.message(payload="once", dup=False)
    watch.expect_no_message(via=sender)


@shows("MQTT-4.3.3-12", "MQTT-4.3.2-5", "MQTT311-4.3.2-3",
       "MQTT311-2.1.2-5", "MQTT-3.3.1-3", "MQTT311-2.1.2-2")
@versions(3, 4, 5)
def identifier_is_free_after_the_exchange(t):
    """After PUBACK or PUBCOMP the same identifier is a new message, DUP or
    not; DUP is not passed on."""
    topic, watch, sender = pair(t)
    for qos in (1, 2):
        for number, dup in enumerate((False, True, True, False)):
            equal(sender.pub(topic, f"{qos}.{number}", qos, pid=3, dup=dup),
                  0, "reason")
            watch.message(payload=f"{qos}.{number}", dup=False)
    watch.expect_nothing()


@shows("MQTT-4.3.3-11", "MQTT311-3.6.4-1")
@versions(3, 4, 5)
def pubrel_is_always_answered(t):
    """PUBREL for an unknown identifier gets PUBCOMP (0x92 in 5.0)."""
    c = t.client()
    c.send(wire.ack(PUBREL, 4242))
    c.expect(PUBCOMP, pid=4242, reason=0x92 if t.ver == 5 else 0)
    c.expect_nothing()


@shows("MQTT-3.6.2-1")
def pubrec_of_unknown_identifier(t):
    """PUBREC for an unknown identifier gets PUBREL 0x92, one with an error
    code gets nothing; unknown PUBACK and PUBCOMP do no harm."""
    c = t.client()
    c.send(wire.ack(PUBREC, 99))
    c.expect(PUBREL, pid=99, reason=0x92)
    c.send(wire.ack(PUBREC, 98, 0x80), wire.ack(PUBACK, 97),
           wire.ack(PUBCOMP, 96), wire.ack(PUBCOMP, 95, 0x92))
    c.expect_nothing()


@shows("MQTT311-3.5.4-1")
@versions(3, 4)
def acks_of_unknown_identifiers(t):
    """3.x: PUBACK and PUBCOMP nobody waits for do no harm, PUBREC gets
    PUBREL."""
    c = t.client()
    c.send(wire.ack(PUBACK, 97), wire.ack(PUBCOMP, 96))
    c.expect_nothing()
    c.send(wire.ack(PUBREC, 95))
    c.expect(PUBREL, pid=95)


@shows("MQTT-3.4.2-1", "MQTT-3.5.2-1")
def no_matching_subscribers(t):
    """5.0 is told by 0x10 that nobody subscribed."""
    c = t.client()
    equal(c.pub(t.topic(), "x", 1), 0x10, "PUBACK reason")
    equal(c.pub(t.topic(), "x", 2), 0x10, "PUBREC reason")
    topic = t.topic()
    c.sub(topic, 0)
    equal(c.pub(topic, "x", 1), 0, "PUBACK reason with a subscriber")


@shows("MQTT311-3.3.5-2", "MQTT-3.3.4-1")
@versions(3, 4)
def v3_acks_carry_no_reason(t):
    """3.x: acknowledgements have two bytes and no more, subscribers or not
    (the decoder checks)."""
    c = t.client()
    c.pub(t.topic(), "x", 1)
    c.pub(t.topic(), "x", 2)
    c.expect_nothing()


@shows("MQTT-4.4.0-2", "MQTT-4.3.3-9")
def refused_by_the_subscriber(t):
    """PUBACK or PUBREC with an error code ends the exchange: no PUBREL, no
    retransmission after a reconnect, the identifier is free."""
    cid, topic = t.cid(), t.topic()
    sender = t.client()
    c = t.lasting(cid)
    c.sub(topic, 2)
    for qos, reason in ((1, 0x80), (2, 0x97), (1, 0x83), (2, 0x99)):
        sender.pub(topic, "no", qos)
        c.answer(c.message(answer=False, qos=qos), reason)
    c.expect_nothing()
    c.close()
    c = t.lasting(cid, present=True)
    c.expect_nothing()
    sender.pub(topic, "yes", 2)
    c.message(payload="yes")


@shows("MQTT-4.3.2-3", "MQTT-4.3.3-3", "MQTT-4.4.0-1")
@versions(3, 4, 5)
def no_retransmission_while_connected(t):
    """An unacknowledged message is not sent again on the same connection,
    whatever else happens on it."""
    topic, watch, sender = pair(t)
    sender.pub(topic, "1", 1)
    sender.pub(topic, "2", 2)
    held = [watch.message(answer=False) for _ in range(2)]
    watch.sub(t.topic(), 1)
    for _ in range(3):
        watch.expect_nothing()
    for pkt in held:
        watch.answer(pkt)
    watch.expect_nothing()


@shows("MQTT-2.2.1-4", "MQTT-4.3.2-1", "MQTT-4.3.3-1", "MQTT311-2.3.1-4",
       "MQTT311-2.3.1-3")
@versions(4, 5)
def identifiers_in_use_are_not_given_again(t):
    """Of many messages in flight no two have the same identifier, also when
    the oldest stays unacknowledged (the client checks)."""
    topic, watch, sender = pair(t, 1)
    sender.pub(topic, "first", 1)
    first = watch.message(answer=False)
    for number in range(300):
        sender.send_pub(topic, str(number), 0 if number % 3 else 1)
        watch.message(payload=str(number))
    watch.answer(first)
    watch.expect_nothing()


@shows("MQTT-2.2.1-4", "MQTT311-2.3.1-4")
@patient
def identifiers_wrap_around(t):
    """Identifiers start again, the one still in use is left out, and one that was
    used comes again after as many others as may be in flight at least: an
    acknowledgement that comes twice finds no other message."""
    window = many(600) if KMQTTCTL else 20
    if KMQTTCTL:
        t.setting(max_inflight=window)	# fewer, larger segments
    topic, watch, sender = pair(t, 1, ver=4)
    sender.pub(topic, "x", 1)
    stuck = watch.message(answer=False)
    publish = wire.publish(topic, "x", 1, 7, ver=4)
    at = publish.index(b"\0\7x")
    last, total, batch = {}, 0, many(500)
    while total < 65536 + batch and total < 5 * len(last) + batch:
        sender.send(publish * batch)
        left = batch
        while left:
            pids = identifiers(take(watch, len(publish)), len(publish), at)
            check(stuck.pid not in pids, "the identifier in use came again")
            for number, pid in enumerate(pids, total + batch - left):
                check(number - last.get(pid, -window) >= window,
                      f"identifier {pid} came again too soon")
                last[pid] = number
            left -= len(pids)
            watch.send(b"".join(b"\x40\2" + wire.u16(pid) for pid in pids))
        left = batch
        while left:
            acks = take(sender, 4)
            equal(acks, b"\x40\2\0\7" * (len(acks) // 4), "PUBACKs")
            left -= len(acks) // 4
        total += batch
    check(len(last) < total, "none came again")
    check(0 not in last, "an identifier was 0")


def take(client, size):
    """Bytes off the wire, undecoded: as many whole packets of @size as there
    are, at least one."""
    end = client.limit()
    while len(client.buffer) < size:
        check(client.fill(end), "the broker closed the connection")
    count = len(client.buffer) // size * size
    data = bytes(client.buffer[:count])
    del client.buffer[:count]
    return data


def identifiers(data, size, at):
    """The packet identifiers of equal PUBLISH packets with QoS 1, DUP 0."""
    count = len(data) // size
    equal(data[::size], b"\x32" * count, "first bytes of PUBLISH")
    return [high << 8 | low for high, low in
            zip(data[at::size], data[at + 1::size])]


@shows("MQTT-3.3.1-2", "MQTT311-2.1.2-4", "MQTT-2.2.1-2")
@versions(4, 5)
def dup_with_qos0(t):
    """DUP at QoS 0 is malformed."""
    c = t.client()
    c.send(wire.publish("a", "x", flags=8, ver=t.ver))
    c.expect_disconnect(0x81)


@shows("MQTT-3.3.4-2", "MQTT-3.3.4-1")
def payload_sizes(t):
    """Payloads around each step of the length encoding come through whole."""
    topic, watch, sender = pair(t)
    overhead = len(wire.publish(topic, b"", ver=5)) - 2
    for edge in (127, 128, 16383, 16384, 65535, 65536, 200000):
        for size in (edge - overhead - 1, edge - overhead, edge):
            payload = bytes(range(256)) * (size // 256 + 1)
            sender.pub(topic, payload[:size], size % 3)
            watch.message(payload=payload[:size], topic=topic)


@shows("MQTT-3.3.4-2")
@versions(3, 4, 5)
def a_megabyte(t):
    """A payload of one million bytes reaches clients of each version."""
    topic, watch, sender = pair(t, 1)
    other = t.client(4)
    other.sub(topic, 0)
    payload = bytes(i * 7 & 0xff for i in range(256)) * 4000
    sender.pub(topic, payload, 1)
    watch.message(payload=payload, qos=1)
    other.message(payload=payload, qos=0)


@shows("MQTT-3.3.2-3", "MQTT-4.7.3-3", "MQTT311-4.7.3-3")
@versions(3, 4, 5)
def longest_topic(t):
    """A topic of 65,535 bytes works."""
    topic = t.topic() + "/"
    topic += "x" * (65535 - len(topic))
    watch, sender = t.client(), t.client()
    watch.sub(topic, 1)
    sender.pub(topic, "x", 1)
    watch.message(topic=topic, payload="x")


@shows("MQTT-3.3.4-2", "MQTT-4.5.0-1")
def versions_mixed(t):
    """Every protocol level receives what any other publishes."""
    topic = t.topic()
    everyone = [t.client(ver) for ver in (3, 4, 5, 3, 4, 5)]
    for c in everyone:
        c.sub(topic, 2)
    for number, sender in enumerate(everyone):
        qos = number % 3
        sender.pub(topic, str(number), qos)
        for c in everyone:
            pkt = c.message(payload=str(number), topic=topic, qos=qos)
            equal(pkt.properties, [], "properties")


@shows("MQTT-4.5.0-1", "MQTT311-4.3.2-2", "MQTT311-4.3.3-2")
def fan_out(t):
    """One message reaches each of 60 subscribers once."""
    topic = t.topic()
    crowd = [t.client(3 + number % 3) for number in range(60)]
    for number, c in enumerate(crowd):
        c.sub(topic, number % 3)
    sender = t.client()
    for qos in range(3):
        sender.pub(topic, f"all {qos}", qos)
        for number, c in enumerate(crowd):
            c.message(payload=f"all {qos}", qos=min(qos, number % 3))
    for c in crowd:
        c.expect_nothing()


@shows("MQTT-3.3.4-1")
def short_and_long_ack_forms(t):
    """5.0 acknowledgements of 2, 3 and more bytes mean the same."""
    topic, watch, sender = pair(t)
    forms = ({}, {"reason": 0}, {"reason": 0, "properties": []},
             {"reason": 0, "properties": [(wire.REASON_STRING, "fine"),
                                          (wire.USER_PROPERTY, ("a", "b")),
                                          (wire.USER_PROPERTY, ("a", "b"))]})
    for form in forms:
        sender.send_pub(topic, "2", 2, pid=5)
        sender.expect(PUBREC, pid=5)
        sender.send(wire.ack(PUBREL, 5, **form))
        sender.expect(PUBCOMP, pid=5, reason=0)
        pkt = watch.expect(PUBLISH, qos=2)
        watch.send(wire.ack(PUBREC, pkt.pid, **form))
        watch.expect(PUBREL, pid=pkt.pid, reason=0)
        watch.send(wire.ack(PUBCOMP, pkt.pid, **form))
        watch.release(pkt.pid)
        sender.pub(topic, "1", 1)
        pkt = watch.expect(PUBLISH, qos=1)
        watch.send(wire.ack(PUBACK, pkt.pid, **form))
        watch.release(pkt.pid)
    watch.expect_no_message(via=sender)


@shows("MQTT-2.2.1-5", "MQTT-3.3.4-1")
def same_identifier_both_ways(t):
    """Client and broker number their messages independently: one identifier
    may be in use in both directions."""
    topic = t.topic()
    c, sender = t.client(), t.client()
    c.sub(topic, 2)
    sender.pub(topic, "to you", 2)
    pkt = c.message(answer=False)
    c.send_pub(t.topic(), "from you", 2, pid=pkt.pid)
    c.expect(PUBREC, pid=pkt.pid)
    c.send(wire.ack(PUBREC, pkt.pid))
    c.expect(PUBREL, pid=pkt.pid, reason=0)
    c.send(wire.ack(PUBREL, pkt.pid))
    c.expect(PUBCOMP, pid=pkt.pid, reason=0)
    c.send(wire.ack(PUBCOMP, pkt.pid))
    c.expect_nothing()
