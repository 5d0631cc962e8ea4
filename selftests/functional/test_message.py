# SPDX-License-Identifier: GPL-2.0
"""What a 5.0 message carries: properties, expiry, topic aliases, size."""

import wire
from harness import Skip, check, equal, settings, shows, slow, versions
from mqttlib import now
from wire import (CONTENT_TYPE, CORRELATION_DATA, DISCONNECT,
                  MAXIMUM_PACKET_SIZE, MESSAGE_EXPIRY, PAYLOAD_FORMAT,
                  RESPONSE_TOPIC, TOPIC_ALIAS, TOPIC_ALIAS_MAXIMUM,
                  USER_PROPERTY)

ACKS = ((), (wire.PUBACK,), (wire.PUBREC,))	# what may refuse, by QoS


def pair(t, options=2, ver=None, **fields):
    topic = t.topic()
    watch = t.client(ver, **fields)
    watch.sub(topic, options)
    return topic, watch, t.client()


@shows("MQTT-3.3.2-4", "MQTT-3.3.2-13", "MQTT-3.3.2-15", "MQTT-3.3.2-16",
       "MQTT-3.3.2-17", "MQTT-3.3.2-18", "MQTT-3.3.2-19", "MQTT-3.3.2-20",
       "MQTT-1.5.7-1", "MQTT-2.2.2-1", "MQTT-1.5.4-3")
def properties_go_on(t):
    """Everything that belongs to the message reaches the subscriber
    unaltered, user properties in their order, also an absent one."""
    cid = t.cid()
    topic, watch, sender = pair(t)
    late = t.lasting(cid)
    late.sub(topic, 2)
    late.disconnect()
    old = t.client(4)
    old.sub(topic, 2)
    users = [("z", "1"), ("a", "2"), ("z", "1"), ("", ""), ("a", ""),
             ("\u20ac", "\U0001f600\ufeff"), ("k" * 300, "v" * 1000)]
    lists = ([],
             [(PAYLOAD_FORMAT, 0)], [(PAYLOAD_FORMAT, 1)],
             [(RESPONSE_TOPIC, "reply/to/\u00fc"), (CORRELATION_DATA, b"")],
             [(CORRELATION_DATA, bytes(range(256))), (CONTENT_TYPE, "")],
             [(USER_PROPERTY, user) for user in users],
             [(USER_PROPERTY, users[0]), (CONTENT_TYPE, "application/json"),
              (USER_PROPERTY, users[1]), (PAYLOAD_FORMAT, 1),
              (USER_PROPERTY, users[2]), (RESPONSE_TOPIC, "$SYS/x y"),
              (CORRELATION_DATA, b"\0"), (USER_PROPERTY, users[3])])
    for number, properties in enumerate(lists):
        sender.pub(topic, str(number), 1 + number % 2, properties=properties)
        compare(watch.message(payload=str(number)), properties)
        old.message(payload=str(number))
    late = t.lasting(cid, present=True)
    for properties in lists:
        compare(late.message(), properties)


def compare(pkt, properties):
    """The same properties; the order of user properties counts."""
    def order(items):
        return ([value for key, value in items if key == USER_PROPERTY],
                sorted(item for item in items if item[0] != USER_PROPERTY))
    equal(order(pkt.properties), order(properties), "properties")


@shows("MQTT-3.3.2-17", "MQTT-3.3.2-18")
def many_user_properties(t):
    """Two thousand user properties keep their order."""
    topic, watch, sender = pair(t, 0)
    users = [(f"k{n % 7}", str(n)) for n in range(2000)]
    sender.pub(topic, "x", properties=[(USER_PROPERTY, u) for u in users])
    equal(watch.message().all(USER_PROPERTY), users, "user properties")


@shows("MQTT-3.3.2-4", "MQTT-4.13.1-1")
def payload_format_is_checked(t):
    """A payload said to be UTF-8 that is not is refused with 0x99, in the
    acknowledgement or by DISCONNECT, and reaches nobody."""
    topic, watch, sender = pair(t)
    utf8 = [(PAYLOAD_FORMAT, 1)]
    for good in ("", "\u00e4\u20ac\U0001f600", "x" * 5000):
        sender.pub(topic, good, 1, properties=utf8)
        watch.message(payload=good)
    sender.pub(topic, b"\xff", 1, properties=[(PAYLOAD_FORMAT, 0)])
    watch.message(payload=b"\xff")
    for bad in (b"\xff", b"abc\xc3", b"\xed\xa0\x80", b"\xc0\x80"):
        for qos in range(3):
            c = t.client()
            c.send_pub(topic, bad, qos, properties=utf8)
            pkt = c.recv()
            check(pkt.type in (DISCONNECT, *ACKS[qos]) and
                  pkt.reason == 0x99, f"got {pkt}")
    watch.expect_no_message(via=sender)


@shows("MQTT-3.3.2-6")
def expiry_is_passed_on(t):
    """A message sent on at once has the expiry interval it came with."""
    topic, watch, sender = pair(t)
    for seconds in (1, 60, 0xffffffff):
        sender.pub(topic, "x", 1, properties=[(MESSAGE_EXPIRY, seconds)])
        left = watch.message().get(MESSAGE_EXPIRY)
        check(left is not None and max(seconds - 1, 0) <= left <= seconds,
              f"{seconds} became {left}")
    sender.pub(topic, "x", 1)
    equal(watch.message().get(MESSAGE_EXPIRY), None, "expiry")


def waiting(t, seconds):
    """Let time pass without traffic."""
    idle = t.client()
    idle.sock.settimeout(seconds)
    try:
        idle.sock.recv(1)
    except TimeoutError:
        pass


@slow
@shows("MQTT-3.3.2-5", "MQTT-3.3.2-6")
def expiry_while_waiting(t):
    """A message that waits too long is dropped; one that waits less has that
    much less to live."""
    cid, topic, sender = t.cid(), t.topic(), t.client()
    c = t.lasting(cid)
    c.sub(topic, 2)
    c.disconnect()
    begin = now()
    for qos in (1, 2):
        sender.pub(topic, "short", qos, properties=[(MESSAGE_EXPIRY, 1)])
        sender.pub(topic, "long", qos, properties=[(MESSAGE_EXPIRY, 100)])
    sender.pub(topic, "forever", 1)
    waiting(t, 2.1)
    c = t.lasting(cid, present=True)
    for qos in (1, 2):
        left = c.message(payload="long", qos=qos).get(MESSAGE_EXPIRY)
        took = now() - begin
        check(99 - took <= left <= 98, f"{left} s left after {took:.1f} s")
    equal(c.message(payload="forever").get(MESSAGE_EXPIRY), None, "expiry")
    c.expect_nothing()


@slow
@shows("MQTT-3.3.2-5", "MQTT-3.3.2-6")
def expiry_of_retained(t):
    """A retained message expires too; before that its interval shrinks."""
    topic, other, sender = t.topic(), t.topic(), t.client()
    sender.pub(topic, "short", 1, retain=True,
               properties=[(MESSAGE_EXPIRY, 1)])
    sender.pub(other, "long", 1, retain=True,
               properties=[(MESSAGE_EXPIRY, 50)])
    waiting(t, 2.1)
    c = t.client()
    c.sub([(topic, 1), (other, 1)])
    left = c.message(payload="long").get(MESSAGE_EXPIRY)
    check(40 <= left <= 48, f"{left} s left")
    c.expect_nothing()


@slow
@shows("MQTT-4.3.3-7", "MQTT-4.3.3-13")
def no_expiry_once_sent(t):
    """A QoS 2 message that was sent is finished though its interval passes,
    on this connection and the next."""
    cid, topic, sender = t.cid(), t.topic(), t.client()
    c = t.lasting(cid)
    c.sub(topic, 2)
    for name in ("a", "b"):
        sender.pub(topic, name, 2, properties=[(MESSAGE_EXPIRY, 1)])
    first, second = (c.message(answer=False) for _ in range(2))
    c.send(wire.ack(wire.PUBREC, second.pid))
    c.expect(wire.PUBREL, pid=second.pid)
    c.close()
    waiting(t, 2.1)
    c = t.lasting(cid, present=True)
    got = {pkt.type: pkt.pid for pkt in (c.recv(), c.recv())}
    equal(got, {wire.PUBLISH: first.pid, wire.PUBREL: second.pid}, "packets")
    c.send(wire.ack(wire.PUBCOMP, second.pid),
           wire.ack(wire.PUBREC, first.pid))
    c.expect(wire.PUBREL, pid=first.pid, reason=0)
    c.send(wire.ack(wire.PUBCOMP, first.pid))
    c.expect_nothing()


@slow
@shows("MQTT-4.3.3-13", "MQTT-4.3.3-10")
def exchange_goes_on_after_expiry(t):
    """A publisher finishes its QoS 2 exchange though the message has expired
    in between."""
    topic, sender = t.topic(), t.client()
    sender.send_pub(topic, "x", 2, pid=5, properties=[(MESSAGE_EXPIRY, 1)])
    check(sender.expect(wire.PUBREC, pid=5).reason in (0, 0x10), "PUBREC")
    waiting(t, 1.6)
    sender.send(wire.ack(wire.PUBREL, 5))
    sender.expect(wire.PUBCOMP, pid=5, reason=0)


@shows("MQTT-3.3.2-12", "MQTT-3.3.2-8", "MQTT-3.2.2-9")
def alias_from_the_client(t):
    """Every alias up to the broker's maximum can be set, used and set anew,
    and is not passed on as it is."""
    c = t.client()
    maximum = c.connack.get(TOPIC_ALIAS_MAXIMUM, 0)
    if not maximum:
        raise Skip("the broker takes no topic aliases")
    base = t.topic()
    watch = t.client()
    watch.sub(base + "/#", 1)
    aliases = [*range(1, min(maximum, 50) + 1), maximum]
    for alias in aliases:
        c.pub(f"{base}/{alias}", "set", 1, properties=[(TOPIC_ALIAS, alias)])
        pkt = watch.message(topic=f"{base}/{alias}", payload="set")
        equal(pkt.alias, None, "alias without an offer")
    for alias in aliases:
        for qos in range(3):
            c.pub("", "use", qos, properties=[(TOPIC_ALIAS, alias)])
            watch.message(topic=f"{base}/{alias}", payload="use")
    c.pub(base + "/new", "set", 1, properties=[(TOPIC_ALIAS, 1)])
    c.pub("", "use", 1, properties=[(TOPIC_ALIAS, 1)])
    for word in ("set", "use"):
        watch.message(topic=base + "/new", payload=word)


@shows("MQTT-3.3.2-7")
def alias_ends_with_the_connection(t):
    """An alias means nothing on the next connection: 0x82."""
    cid = t.cid()
    c = t.lasting(cid)
    if not c.connack.get(TOPIC_ALIAS_MAXIMUM, 0):
        raise Skip("the broker takes no topic aliases")
    c.pub(t.topic(), "x", 1, properties=[(TOPIC_ALIAS, 1)])
    c.disconnect()
    c = t.lasting(cid, present=True)
    c.send_pub("", "x", 1, properties=[(TOPIC_ALIAS, 1)])
    c.expect_disconnect(0x82)


@shows("MQTT-3.3.2-8", "MQTT-3.3.2-12", "MQTT-4.13.1-1")
def alias_out_of_range(t):
    """Alias 0 and one beyond the maximum end the connection with 0x94."""
    maximum = t.client().connack.get(TOPIC_ALIAS_MAXIMUM, 0)
    for alias in (0, maximum + 1, 65535):
        if 0 < alias <= maximum:
            continue
        c = t.client()
        c.send_pub(t.topic(), "x", 0, properties=[(TOPIC_ALIAS, alias)])
        c.expect_disconnect(0x94)


@shows("MQTT-3.3.2-12", "MQTT-3.3.2-9")
def alias_maximum_set(t):
    """topic_alias_maximum 0: CONNACK has none, and any alias is 0x94."""
    t.setting(topic_alias_maximum=0)
    c = t.client()
    equal(c.connack.get(TOPIC_ALIAS_MAXIMUM, 0), 0, "maximum")
    c.send_pub(t.topic(), "x", 0, properties=[(TOPIC_ALIAS, 1)])
    c.expect_disconnect(0x94)


@shows("MQTT-3.1.2-26", "MQTT-3.1.2-27", "MQTT-3.3.2-11", "MQTT-3.3.2-10",
       "MQTT-3.3.2-8")
def alias_to_the_client(t):
    """Whatever aliases the broker uses are within what the client offers and
    stand for the right topic (the client checks); without an offer there is
    none."""
    sender = t.client()
    for offer in (None, 0, 1, 2, 5, 65535):
        base = t.topic()
        properties = [] if offer is None else [(TOPIC_ALIAS_MAXIMUM, offer)]
        watch = t.client(properties=properties)
        watch.sub(base + "/#", 1)
        for turn in range(4):
            for number in range(8):
                sender.pub(f"{base}/{number}", f"{turn} {number}", turn % 2)
                watch.message(topic=f"{base}/{number}",
                              payload=f"{turn} {number}")
        watch.disconnect()


@shows("MQTT-3.3.2-7", "MQTT-3.1.2-26")
def alias_to_the_client_after_reconnect(t):
    """On a new connection the broker sets its aliases anew, also for what it
    redelivers (the client checks)."""
    cid, topic, sender = t.cid(), t.topic(), t.client()
    offer = [(TOPIC_ALIAS_MAXIMUM, 5)]
    c = t.lasting(cid, properties=offer)
    c.sub(topic, 1)
    for number in range(4):
        sender.pub(topic, str(number), 1)
        c.message(answer=False, payload=str(number), topic=topic)
    c.close()
    for number in range(4, 8):
        sender.pub(topic, str(number), 1)
    c = t.lasting(cid, present=True, properties=offer)
    for number in range(8):
        c.message(payload=str(number), topic=topic)
    # A take-over does not wait for acknowledgments that were not looked at.
    c.expect_nothing()
    c.close()
    t.lasting(cid, present=True).expect_nothing()


@shows("MQTT-3.1.2-24", "MQTT-3.1.2-25")
def too_large_for_the_client(t):
    """A message beyond the client's maximum packet size is dropped for it as
    if it had been sent, and only for it."""
    topic, watch, sender = pair(t, 2, properties=[(MAXIMUM_PACKET_SIZE, 300)])
    other = t.client()
    other.sub(topic, 2)
    head = len(wire.publish(topic, b"", 1, 1)) - 2 + 3
    for qos in range(3):
        fits = 300 - head + (0 if qos else 2)
        for size in (fits, fits + 1, 5000, 10):
            sender.pub(topic, b"x" * size, qos)
            other.message(payload=b"x" * size)
            if size <= fits:
                watch.message(payload=b"x" * size, qos=qos)
    watch.expect_no_message(via=sender)


@shows("MQTT-3.1.2-24", "MQTT-3.1.2-25", "MQTT-4.9.0-2")
def too_large_takes_no_quota(t):
    """Dropped messages use neither quota nor queue: what fits still comes,
    also to a session that was away and from the retained ones."""
    cid, topic, sender = t.cid(), t.topic(), t.client()
    small = [(MAXIMUM_PACKET_SIZE, 200), (wire.RECEIVE_MAXIMUM, 1)]
    c = t.lasting(cid, properties=small)
    c.sub(topic + "/#", 1)
    for _ in range(3):
        sender.pub(topic, b"x" * 1000, 1)
    sender.pub(topic, "fits", 1)
    c.message(payload="fits")
    c.disconnect()
    sender.pub(topic, b"x" * 1000, 1)
    sender.pub(topic, "fits too", 1)
    sender.pub(topic + "/r", b"x" * 1000, 1, retain=True)
    c = t.lasting(cid, present=True, properties=small)
    c.message(payload="fits too")
    c.sub(topic + "/#", 1)
    c.expect_nothing()


@shows("MQTT-3.1.2-24", "MQTT-4.13.1-1")
@versions(4, 5)
def too_large_for_the_broker(t):
    """A packet beyond the broker's max_packet_size ends the connection
    (0x95) by its length alone; CONNACK names the limit."""
    t.setting(max_packet_size=1000)
    c = t.client()
    if t.ver == 5:
        equal(c.connack.get(MAXIMUM_PACKET_SIZE), 1000, "maximum")
    topic = t.topic()
    fits = 1000 - len(wire.publish(topic, b"", 1, 1, ver=t.ver)) - 1
    c.sub(topic, 0)
    c.pub(topic, b"x" * fits, 1)
    c.message(payload=b"x" * fits)
    c.send(b"\x30" + wire.varint(998))
    c.expect_disconnect(0x95)


@shows("MQTT-3.1.2-24", "MQTT-4.13.1-1")
@versions(3, 4, 5)
def too_large_by_default(t):
    """A remaining length of 268,435,455 ends the connection unless the
    broker has announced that it takes that much."""
    if t.client(5).connack.get(MAXIMUM_PACKET_SIZE) is None or \
            wants_everything():
        raise Skip("the broker takes packets of any size")
    c = t.client()
    c.send(b"\x32\xff\xff\xff\x7f")
    c.expect_disconnect(0x95)


def wants_everything():
    try:
        return settings()["max_packet_size"] >= 268435455
    except Skip:
        return False
