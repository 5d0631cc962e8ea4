# SPDX-License-Identifier: GPL-2.0
"""Keep alive, PINGREQ, DISCONNECT, and AUTH without a method."""

import wire
from harness import check, equal, shows, slow, versions
from mqttlib import LIMIT, Failure, TimedOut, now
from wire import AUTH_DATA, AUTH_METHOD, DISCONNECT, PINGRESP


@shows("MQTT-3.12.4-1", "MQTT311-3.12.4-1")
@versions(3, 4, 5)
def pingreq(t):
    """Each PINGREQ gets a PINGRESP."""
    c = t.client()
    for _ in range(3):
        c.send(wire.pingreq())
        c.expect(PINGRESP)
    c.send(wire.pingreq() * 50)
    for _ in range(50):
        c.expect(PINGRESP)


def closed_after(c, begin, low, high):
    """The broker must close between @low and @high seconds after @begin."""
    c.expect_disconnect(0x8d, seconds=high + 10)
    took = now() - begin
    check(low <= took <= high + 10, f"closed after {took:.2f} s")
    return took


@slow
@shows("MQTT-3.1.2-22", "MQTT311-3.1.2-22", "MQTT-3.2.2-22",
       "MQTT-4.13.2-1")
@versions(3, 4, 5)
def silence_ends_the_connection(t):
    """After one and a half times the keep alive without a packet the
    connection ends (0x8D), and not earlier."""
    begin = now()
    c = t.client(keep_alive=1)
    closed_after(c, begin, 1.4, 1.5)


@slow
@shows("MQTT-3.1.2-22", "MQTT311-3.1.2-22", "MQTT311-3.1.2-21")
@versions(4, 5)
def any_packet_keeps_alive(t):
    """PINGREQ, PUBLISH, SUBSCRIBE and acknowledgements each restart the
    time, what the broker sends does not, and half a packet does not."""
    c = t.client(keep_alive=4)
    for data in (wire.pingreq(), wire.publish(t.topic(), "x", ver=t.ver),
                 wire.subscribe(9, [(t.topic(), 0)], t.ver),
                 wire.ack(wire.PUBACK, 99)):
        quiet(c, 3.2)
        c.send(data)
    begin = now()
    c.sub(t.topic())
    c.stash.clear()
    # the middle of the wait sees the beginning of a packet, no whole one
    quiet(c, 3.2)
    c.send(b"\xc0")
    closed_after(c, begin, 5.9, 6)


def quiet(c, seconds):
    """Let time pass; what comes in the meantime is kept."""
    end = now() + seconds
    try:
        while True:
            c.stash.append(c.read(end))
    except TimedOut:
        pass


@slow
@shows("MQTT-3.1.2-22", "MQTT-3.2.2-22")
@versions(3, 4, 5)
def no_keep_alive(t):
    """Keep alive 0: the connection stays though nothing is sent."""
    c = t.client(keep_alive=0)
    quiet(c, 3.5)
    c.expect_nothing()


@slow
@shows("MQTT-3.1.2-22")
def receiving_does_not_keep_alive(t):
    """Messages to a client do not count for its keep alive."""
    topic = t.topic()
    sender = t.client()
    c = t.client(keep_alive=1)
    c.sub(topic, 0)
    begin = now()
    try:
        while now() - begin < 4 * LIMIT / 15:
            sender.pub(topic, "x")
            pkt = c.recv()
            if pkt.type == DISCONNECT:
                equal(pkt.reason, 0x8d, "reason")
                return
            quiet(sender, 0.2)
    except Failure as error:
        raise Failure(f"closed without 0x8D: {error}") from None
    check(False, "the client stayed connected")


@shows("MQTT-3.14.4-3", "MQTT-3.14.4-1", "MQTT-3.14.4-2",
       "MQTT311-3.14.4-3", "MQTT311-3.14.4-1")
@versions(3, 4, 5)
def disconnect(t):
    """After DISCONNECT the broker sends nothing more and closes; what the
    client sends after it has no effect."""
    topic = t.topic()
    watch = t.client()
    watch.sub(topic)
    c = t.client()
    end = wire.disconnect(0, []) if t.ver == 5 else \
        wire.packet(DISCONNECT, 0)
    c.send(end, wire.publish(topic, "too late", ver=t.ver), wire.pingreq())
    c.expect_close()
    watch.expect_no_message(via=t.client())


@shows("MQTT-3.14.4-3", "MQTT-3.14.2-1")
def disconnect_forms(t):
    """DISCONNECT of 0, 1, 2 and more bytes, with all it may carry."""
    for end in (wire.disconnect(), wire.disconnect(0),
                wire.disconnect(0, []), wire.disconnect(0x04, []),
                wire.disconnect(0, [(wire.REASON_STRING, "enough"),
                                    (wire.USER_PROPERTY, ("a", "b")),
                                    (wire.USER_PROPERTY, ("a", "b")),
                                    (wire.SESSION_EXPIRY, 0)])):
        c = t.client()
        c.send(end)
        c.expect_close()


@shows("MQTT-3.14.0-1", "MQTT-3.2.0-1")
def no_disconnect_before_connack(t):
    """Whatever is wrong with CONNECT, the answer is CONNACK or nothing, not
    DISCONNECT (the client checks)."""
    for bad in (wire.connect(5, "x", flags=3), b"\x10\x00", b"\x1f\x00",
                b"\x10\xff\xff\xff\xff\x01", wire.pingreq(), b"\xff\xff",
                wire.connect(5, "x", properties=[(0x7f, b"")])):
        c = t.raw(5)
        c.send(bad).shut()
        c.rest()


@shows("MQTT-3.14.2-1", "MQTT-3.14.2-2", "MQTT-4.13.1-1", "MQTT-4.13.2-1",
       "MQTT-3.14.4-1", "MQTT-3.14.4-2")
def disconnect_from_the_broker(t):
    """The broker's own DISCONNECT has a code of the table, no session
    expiry, and is the last packet before the end (the client checks)."""
    for bad, reason in ((wire.packet(0, 0), {0x81, 0x82}),
                        (wire.publish("a", "x", pid=1, flags=6), 0x81),
                        (wire.subscribe(1, []), 0x82)):
        c = t.client(properties=[(wire.SESSION_EXPIRY, 10)])
        c.send(bad, wire.pingreq() * 3)
        c.expect_disconnect(reason)


@shows("MQTT-4.12.0-1", "MQTT-4.12.0-4")
def unknown_authentication_method(t):
    """A method the broker does not know is refused: 0x8C or 0x87."""
    for extra in ([], [(AUTH_DATA, b"\0data")]):
        c = t.client(properties=[(AUTH_METHOD, "NO-SUCH-METHOD"), *extra],
                     reason={0x8c, 0x87})
        c.expect_close()


@shows("MQTT-4.12.0-7", "MQTT-4.12.0-6", "MQTT-3.15.2-1")
def auth_without_method(t):
    """Without an authentication method in CONNECT there is no AUTH, from
    either side: 0x82."""
    for reason, properties in ((0x18, [(AUTH_METHOD, "M")]),
                               (0x19, [(AUTH_METHOD, "M")]), (0, []),
                               (None, None)):
        c = t.client()
        equal(c.connack.get(AUTH_METHOD), None, "authentication method")
        c.send(wire.auth(reason, properties))
        c.expect_disconnect(0x82)


@shows("MQTT-3.15.1-1", "MQTT-2.1.3-1")
def auth_flags(t):
    """AUTH with a reserved flag set is malformed."""
    for flags in (1, 2, 4, 8, 15):
        c = t.client()
        c.send(wire.packet(wire.AUTH, flags))
        c.expect_disconnect(0x81)


@shows("MQTT311-2.0.0-1")
@versions(3, 4)
def auth_is_unknown_to_v3(t):
    """3.x has no packet of type 15."""
    t.client().send(wire.packet(wire.AUTH, 0)).expect_close()
