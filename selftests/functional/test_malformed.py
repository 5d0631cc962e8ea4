# SPDX-License-Identifier: GPL-2.0
"""Bytes that no client may send. Each case says what is sent and which reason
the standard gives; a set where the standard leaves it open."""

import random
import struct

import wire
from harness import cases, check, shows
from mqttlib import Closed
from wire import (AUTH_DATA, AUTH_METHOD, CONNACK, CONTENT_TYPE,
                  MAXIMUM_PACKET_SIZE, PAYLOAD_FORMAT, PUBACK, PUBCOMP,
                  PUBREC, PUBREL, RECEIVE_MAXIMUM, REQUEST_PROBLEM_INFO,
                  REQUEST_RESPONSE_INFO, RESPONSE_TOPIC, SUBSCRIPTION_ID,
                  TOPIC_ALIAS, USER_PROPERTY, WILL_DELAY, connect, packet,
                  publish, string, subscribe, u16, unsubscribe)

MALFORMED, PROTOCOL, ALIAS = 0x81, 0x82, 0x94
EITHER = {MALFORMED, PROTOCOL}
TOPIC = {MALFORMED, PROTOCOL, 0x90}


class Bad:
    """Each of @data, on a connection of its own, must end it."""

    def __init__(self, name, data, reason=MALFORMED, ver=5):
        self.name = f"{name}/v{ver}"
        self.data = [data] if isinstance(data, bytes) else list(data)
        self.reason, self.ver = reason, ver


def both(name, make, reason=MALFORMED):
    """The same for 3.1.1 and 5.0; @make builds the data for a version."""
    return [Bad(name, make(ver), reason, ver) for ver in (4, 5)]


def connected(t, case):
    for data in case.data:
        c = t.client(case.ver)
        c.send(data)
        try:
            c.expect_disconnect(case.reason)
        except AssertionError as error:
            raise type(error)(f"{data[:60].hex(' ')}: {error}") from None
        c.close()


def connecting(t, case):
    """The same for CONNECT: 5.0 gets CONNACK, 3.x only the end."""
    for data in case.data:
        c = t.raw(case.ver)
        c.send(data)
        try:
            if case.ver == 5:
                c.expect(CONNACK, reason=case.reason, session_present=False)
            c.expect_close()
        except AssertionError as error:
            raise type(error)(f"{data[:60].hex(' ')}: {error}") from None
        c.close()


# What is right, by type; a client identifier of its own is not needed where
# no connection comes about

def good(ver):
    """A whole packet of each type that a connected client sends."""
    reason = b"" if ver < 5 else b"\0\0"
    return {
        "publish0": publish("a/b", "", ver=ver),
        "publish1": publish("a/b", "", 1, 1, ver=ver),
        "puback": packet(PUBACK, 0, u16(1) + reason),
        "pubrec": packet(PUBREC, 0, u16(1) + reason),
        "pubrel": packet(PUBREL, 2, u16(1) + reason),
        "pubcomp": packet(PUBCOMP, 0, u16(1) + reason),
        "subscribe": subscribe(1, [("a/b", 1)], ver),
        "unsubscribe": unsubscribe(1, ["a/b"], ver),
        "pingreq": wire.pingreq(),
        "disconnect": packet(wire.DISCONNECT, 0, reason),
    }


def fixed_headers():
    for ver in (4, 5):
        for name, data in good(ver).items():
            if name.startswith("publish"):
                continue
            first = data[0]
            yield Bad(f"{name}-flags",
                      [bytes([first & 0xf0 | flags]) + data[1:]
                       for flags in range(16) if flags != first & 15],
                      ver=ver)
    yield from both("publish-qos3", lambda ver: [
        publish("a", "x", pid=1, ver=ver, flags=flags)
        for flags in (6, 7, 14, 15)])
    yield from both("publish-qos0-dup", lambda ver: [
        publish("a", "x", ver=ver, flags=flags) for flags in (8, 9)])


@shows("MQTT-2.1.3-1", "MQTT-3.3.1-4", "MQTT-3.3.1-2", "MQTT-3.6.1-1",
       "MQTT-3.8.1-1", "MQTT-3.10.1-1", "MQTT-3.14.1-1", "MQTT-4.13.1-1",
       "MQTT311-2.1.2-1", "MQTT311-2.1.2-4", "MQTT311-3.6.1-1",
       "MQTT311-3.8.1-1", "MQTT311-3.10.1-1", "MQTT311-3.14.1-1",
       "MQTT311-2.0.0-1", "MQTT311-4.8.0-1")
@cases(fixed_headers())
def fixed_header_flags(t, case):
    """Reserved flag bits with another value than the one listed."""
    connected(t, case)


def types():
    yield from both("reserved-0", lambda ver: [
        packet(0, 0), packet(0, 15), packet(0, 0, b"\0\1")], EITHER)
    yield from both("connack", lambda ver: packet(
        wire.CONNACK, 0, b"\0\0" + (b"\0" if ver == 5 else b"")), EITHER)
    yield from both("suback", lambda ver: packet(
        wire.SUBACK, 0, u16(1) + (b"\0\0" if ver == 5 else b"\0")), EITHER)
    yield from both("unsuback", lambda ver: packet(
        wire.UNSUBACK, 0, u16(1) + (b"\0\0" if ver == 5 else b"")), EITHER)
    yield from both("pingresp", lambda ver: packet(wire.PINGRESP, 0), EITHER)


@shows("MQTT-4.13.1-1", "MQTT311-2.0.0-1", "MQTT311-4.8.0-1")
@cases(types())
def packet_types(t, case):
    """Packet types that only a server sends, and those that do not exist."""
    connected(t, case)


def lengths():
    yield from both("five-bytes", lambda ver: [
        b"\xc0\xff\xff\xff\xff\x01", b"\x30\x80\x80\x80\x80\x00",
        b"\x30\xff\xff\xff\xff\x7f"])
    yield Bad("not-minimal", [b"\xc0\x80\x00", b"\xe0\x80\x80\x00",
                              b"\xc0\x80\x80\x80\x00"])
    yield Bad("property-length-not-minimal",
              packet(wire.PUBLISH, 0, string("a") + b"\x80\x00"))
    yield Bad("property-length-too-long", [
        packet(wire.PUBLISH, 0, string("a") + length)
        for length in (b"\x01", b"\x7f", b"\xff\x7f", b"\xff\xff\xff\x7f",
                       b"\x80", b"\xff\xff\xff\xff\x01")])
    yield Bad("property-cut-by-its-length", packet(
        wire.PUBLISH, 0, string("a") + b"\x03" +
        wire.prop(wire.MESSAGE_EXPIRY, 5)))
    yield Bad("subscription-id-encoding", [
        subscribe(1, [("a", 0)], properties=[(SUBSCRIPTION_ID, value)])
        for value in (b"\x81\x00", b"\xff\xff\xff\xff\x01",
                      b"\x80\x80\x80\x80\x01")])
    yield Bad("property-id-not-minimal", publish(
        "a", "x", properties=b"\x81\x00\x01"))
    for ver in (4, 5):
        for name, data in good(ver).items():
            if name.startswith("publish"):
                continue
            body = data[2:] + b"\0"
            yield Bad(f"{name}-byte-too-many",
                      packet(data[0] >> 4, data[0] & 15, body),
                      MALFORMED if name != "subscribe" else EITHER, ver)


@shows("MQTT-1.5.5-1", "MQTT-4.13.1-1", "MQTT311-2.0.0-1", "MQTT-2.2.2-1")
@cases(lengths())
def wrong_lengths(t, case):
    """Lengths that lie, are too long or not of the shortest form."""
    connected(t, case)


def truncated():
    """Each packet cut short at every byte, its length saying so. @whole:
    lengths of the body that are packets in themselves."""
    whole = {"puback": (2, 3), "pubrec": (2, 3), "pubrel": (2, 3),
             "pubcomp": (2, 3), "disconnect": (0, 1), "pingreq": (0,)}
    for ver in (4, 5):
        for name, data in good(ver).items():
            body = data[2:]
            cuts = [body[:size] for size in range(len(body))
                    if size not in whole.get(name, ())]
            if cuts:
                yield Bad(name, [packet(data[0] >> 4, data[0] & 15, cut)
                                 for cut in cuts], EITHER, ver)
    properties = [(USER_PROPERTY, ("k", "v")), (RESPONSE_TOPIC, "r"),
                  (wire.CORRELATION_DATA, b"c"), (wire.MESSAGE_EXPIRY, 9),
                  (TOPIC_ALIAS, 1), (PAYLOAD_FORMAT, 1)]
    for item in properties:
        data = wire.prop(*item)
        yield Bad(f"property-{item[0]:#04x}", [
            publish("a", "", properties=data[:size])
            for size in range(1, len(data))])


@shows("MQTT-4.13.1-1", "MQTT311-2.0.0-1", "MQTT-3.8.3-2", "MQTT-3.10.3-2",
       "MQTT311-3.8.3-1", "MQTT-2.2.2-1", "MQTT311-4.8.0-1")
@cases(truncated())
def cut_short(t, case):
    """Packets whose fields do not fit in their length."""
    connected(t, case)


FEW = (b"\xff", b"a\0b", b"\xed\xa0\x80")
MANY = FEW + (b"\0", b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf",
              b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xe2\x82", b"a\xe2\x28\xa1",
              b"\xed\xbf\xbf", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf",
              b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80",
              b"\xfe", b"\xf0\x9f\x98")


def strings():
    yield from both("publish-topic", lambda ver: [
        publish(bad, "x", ver=ver) for bad in MANY])
    yield from both("subscribe-filter", lambda ver: [
        subscribe(1, [("a", 0), (bad, 0)], ver) for bad in MANY])
    yield from both("unsubscribe-filter", lambda ver: [
        unsubscribe(1, ["a", bad], ver) for bad in FEW])
    for name, ident in (("content-type", CONTENT_TYPE),
                        ("response-topic", RESPONSE_TOPIC)):
        yield Bad(name, [publish("a", "x", properties=[(ident, bad)])
                         for bad in FEW])
    yield Bad("user-property-name", [
        publish("a", "x", properties=[(USER_PROPERTY, (bad, "v"))])
        for bad in FEW])
    yield Bad("user-property-value", [
        subscribe(1, [("a", 0)], properties=[(USER_PROPERTY, ("k", bad))])
        for bad in FEW])
    for name, kind in (("puback", PUBACK), ("pubrec", PUBREC),
                       ("pubrel", PUBREL), ("pubcomp", PUBCOMP)):
        yield Bad(f"{name}-reason-string", [
            wire.ack(kind, 1, 0, [(wire.REASON_STRING, bad)])
            for bad in FEW])
    yield Bad("disconnect-reason-string", [
        wire.disconnect(0, [(wire.REASON_STRING, bad)]) for bad in FEW])


@shows("MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-1.5.7-1", "MQTT-3.3.2-1",
       "MQTT-3.3.2-13", "MQTT-3.3.2-19", "MQTT-3.8.3-1", "MQTT-3.10.3-1",
       "MQTT-4.7.3-2", "MQTT311-1.4.0-1", "MQTT311-1.4.0-2",
       "MQTT311-3.3.2-1", "MQTT311-4.7.3-2", "MQTT-4.7.3-3")
@cases(strings())
def bad_strings(t, case):
    """Strings that are not UTF-8 or hold U+0000, wherever one can stand."""
    connected(t, case)


def connect_strings():
    def places(bad, ver):
        will = wire.Will(bad, "m")
        yield connect(ver, bad)
        yield connect(ver, "id", will=will)
        yield connect(ver, "id", username=bad)

    yield from both("fields", lambda ver: [
        data for bad in FEW for data in places(bad, ver)])
    yield Bad("properties", [
        connect(5, "id", properties=[item]) for bad in FEW
        for item in ((USER_PROPERTY, (bad, "")), (USER_PROPERTY, ("", bad)),
                     (AUTH_METHOD, bad))])
    yield Bad("will-properties", [
        connect(5, "id", will=wire.Will("t", "m", properties=[item]))
        for bad in FEW
        for item in ((USER_PROPERTY, (bad, "")), (CONTENT_TYPE, bad),
                     (RESPONSE_TOPIC, bad))])


@shows("MQTT-1.5.4-1", "MQTT-1.5.4-2", "MQTT-3.1.3-4", "MQTT-3.1.3-11",
       "MQTT-3.1.3-12", "MQTT311-1.4.0-1", "MQTT311-1.4.0-2",
       "MQTT-3.1.4-1", "MQTT311-3.1.4-1")
@cases(connect_strings())
def bad_strings_in_connect(t, case):
    """The same in CONNECT."""
    connecting(t, case)


# Properties: what may stand where in packets from a client

EVERY = sorted(wire.PROPERTY_TYPES)
ACK = {wire.REASON_STRING, USER_PROPERTY}
PLACES = {
    "publish": ({PAYLOAD_FORMAT, wire.MESSAGE_EXPIRY, TOPIC_ALIAS,
                 RESPONSE_TOPIC, wire.CORRELATION_DATA, USER_PROPERTY,
                 SUBSCRIPTION_ID, CONTENT_TYPE},
                lambda p: publish("a", "x", properties=p)),
    "puback": (ACK, lambda p: wire.ack(PUBACK, 1, 0, p)),
    "pubrec": (ACK, lambda p: wire.ack(PUBREC, 1, 0, p)),
    "pubrel": (ACK, lambda p: wire.ack(PUBREL, 1, 0, p)),
    "pubcomp": (ACK, lambda p: wire.ack(PUBCOMP, 1, 0, p)),
    "subscribe": ({SUBSCRIPTION_ID, USER_PROPERTY},
                  lambda p: subscribe(1, [("a", 0)], properties=p)),
    "unsubscribe": ({USER_PROPERTY},
                    lambda p: unsubscribe(1, ["a"], properties=p)),
    # What only a server may put into DISCONNECT is left open there
    "disconnect": ({wire.SESSION_EXPIRY, wire.REASON_STRING, USER_PROPERTY,
                    wire.SERVER_REFERENCE},
                   lambda p: wire.disconnect(0, p)),
}
CONNECT_PLACES = {
    "connect": ({wire.SESSION_EXPIRY, RECEIVE_MAXIMUM, MAXIMUM_PACKET_SIZE,
                 wire.TOPIC_ALIAS_MAXIMUM, REQUEST_RESPONSE_INFO,
                 REQUEST_PROBLEM_INFO, USER_PROPERTY, AUTH_METHOD,
                 AUTH_DATA},
                lambda p: connect(5, "id", properties=p)),
    "will": ({WILL_DELAY, PAYLOAD_FORMAT, wire.MESSAGE_EXPIRY, CONTENT_TYPE,
              RESPONSE_TOPIC, wire.CORRELATION_DATA, USER_PROPERTY},
             lambda p: connect(5, "id",
                               will=wire.Will("t", "m", properties=p))),
}
UNKNOWN = (b"\x00\x00", b"\x04\x00", b"\x2b\x00", b"\x7f\x00",
           b"\x80\x01\x00", b"\xff\xff\xff\x7f", b"\xa6\x01\x00")


def sample(ident):
    """A property with a value that is right by itself."""
    return ident, {wire.STRING: "s", wire.BINARY: b"b",
                   wire.PAIR: ("k", "v")}.get(wire.PROPERTY_TYPES[ident], 1)


def misplaced(places):
    for name, (allowed, make) in places.items():
        yield Bad(f"{name}-not-allowed", [make([sample(ident)])
                                          for ident in EVERY
                                          if ident not in allowed])
        yield Bad(f"{name}-unknown", [make(data) for data in UNKNOWN])
        twice = allowed - {USER_PROPERTY, SUBSCRIPTION_ID,
                           wire.SERVER_REFERENCE}
        extra = [sample(AUTH_METHOD)] if name == "connect" else []
        if twice:
            yield Bad(f"{name}-twice", [
                make([*(extra if ident == AUTH_DATA else []),
                      sample(ident), sample(ident)])
                for ident in sorted(twice)], PROTOCOL)


@shows("MQTT-4.13.1-1", "MQTT-2.2.2-1", "MQTT-3.14.2-1")
@cases(misplaced(PLACES))
def properties_out_of_place(t, case):
    """Properties that do not belong there, do not exist or come twice."""
    connected(t, case)


@shows("MQTT-3.1.4-1", "MQTT-4.13.1-1")
@cases(misplaced(CONNECT_PLACES))
def connect_properties_out_of_place(t, case):
    """The same in CONNECT and its will."""
    connecting(t, case)


def values():
    def one(ident, value):
        return [(ident, value)]

    yield Bad("topic-alias-0", publish("a", "", properties=one(TOPIC_ALIAS,
                                                               0)), ALIAS)
    yield Bad("payload-format", [
        publish("a", "", properties=one(PAYLOAD_FORMAT, value))
        for value in (2, 0x80, 255)], EITHER)
    yield Bad("subscription-id-0", subscribe(
        1, [("a", 0)], properties=one(SUBSCRIPTION_ID, 0)), PROTOCOL)
    yield Bad("subscription-id-twice", subscribe(
        1, [("a", 0)], properties=[(SUBSCRIPTION_ID, 1),
                                   (SUBSCRIPTION_ID, 2)]), PROTOCOL)
    yield Bad("subscription-id-in-publish", publish(
        "a", "x", properties=one(SUBSCRIPTION_ID, 1)), PROTOCOL)
    yield Bad("response-topic-wildcard", [
        publish("a", "x", properties=one(RESPONSE_TOPIC, topic))
        for topic in ("a/+", "#")], TOPIC)
    yield Bad("alias-without-topic", publish(
        "", "x", properties=one(TOPIC_ALIAS, 1)), PROTOCOL)
    yield from both("topic-empty", lambda ver: publish("", "x", ver=ver),
                    PROTOCOL)
    yield from both("topic-wildcard", lambda ver: [
        publish(topic, "x", ver=ver) for topic in ("#", "+", "a/+/b", "a/#",
                                                   "a+", "a#b")], TOPIC)
    yield from both("packet-id-0", lambda ver: [
        publish("a", "x", 1, 0, ver=ver), publish("a", "x", 2, 0, ver=ver),
        subscribe(0, [("a", 0)], ver), unsubscribe(0, ["a"], ver),
        wire.ack(PUBACK, 0), wire.ack(PUBREL, 0)], EITHER)
    yield from both("no-filter", lambda ver: [subscribe(1, [], ver),
                                              unsubscribe(1, [], ver)],
                    PROTOCOL)
    yield from both("unsubscribe-empty-filter", lambda ver: [
        unsubscribe(1, [""], ver)], {MALFORMED, PROTOCOL, 0x8f})
    yield from both("subscribe-qos3", lambda ver: [
        subscribe(1, [("a", 3)], ver),
        subscribe(1, [("b", 1), ("a", 3)], ver)], PROTOCOL)
    yield Bad("subscribe-retain-handling-3",
              subscribe(1, [("a", 0x30)]), PROTOCOL)
    yield Bad("subscribe-reserved-bits", [
        subscribe(1, [("a", bits)]) for bits in (0x40, 0x80, 0xc1)])
    yield Bad("subscribe-reserved-bits", [
        subscribe(1, [("a", bits)], 4) for bits in (4, 8, 0x10, 0x80, 0xfc)],
        ver=4)
    for name, kind in (("puback", PUBACK), ("pubrec", PUBREC),
                       ("pubrel", PUBREL), ("pubcomp", PUBCOMP)):
        yield Bad(f"{name}-reason", [wire.ack(kind, 1, reason) for reason in
                                     (1, 2, 0x7f, 0x8e, 0xff)], EITHER)
    yield Bad("disconnect-reason", [wire.disconnect(reason) for reason in
                                    (1, 2, 3, 0x18, 0x7f, 0xff)], EITHER)


@shows("MQTT-3.3.2-8", "MQTT-3.3.4-6", "MQTT-3.3.2-14", "MQTT-3.3.2-2",
       "MQTT-4.7.0-1", "MQTT-4.7.3-1", "MQTT-3.8.3-2", "MQTT-3.10.3-2",
       "MQTT-3.8.3-5", "MQTT-4.13.1-1", "MQTT311-3.3.2-2", "MQTT311-4.7.1-1",
       "MQTT311-4.7.3-1", "MQTT311-3.8.3-1", "MQTT311-3-8.3-2",
       "MQTT311-2.3.1-1", "MQTT-3.4.2-1", "MQTT-3.5.2-1", "MQTT-3.6.2-1",
       "MQTT-3.7.2-1", "MQTT-3.14.2-1", "MQTT-2.2.1-2")
@cases(values())
def bad_values(t, case):
    """Values that are out of their range or make no sense where they are."""
    connected(t, case)


def connect_values():
    def items(*pairs):
        return [connect(5, "id", properties=[pair]) for pair in pairs]

    yield Bad("receive-maximum-0", items((RECEIVE_MAXIMUM, 0)), PROTOCOL)
    yield Bad("maximum-packet-size-0", items((MAXIMUM_PACKET_SIZE, 0)),
              PROTOCOL)
    yield Bad("request-information", items(
        (REQUEST_PROBLEM_INFO, 2), (REQUEST_RESPONSE_INFO, 2),
        (REQUEST_PROBLEM_INFO, 255)), PROTOCOL)
    yield Bad("auth-data-alone", items((AUTH_DATA, b"x")), PROTOCOL)
    yield Bad("will-payload-format", connect(5, "id", will=wire.Will(
        "t", "m", properties=[(PAYLOAD_FORMAT, 2)])), EITHER)
    yield Bad("will-response-topic", connect(5, "id", will=wire.Will(
        "t", "m", properties=[(RESPONSE_TOPIC, "a/#")])), TOPIC)
    yield from both("will-topic-empty", lambda ver: connect(
        ver, "id", will=wire.Will("", "m")), TOPIC)
    yield from both("flags", lambda ver: [
        packet(wire.CONNECT, flags, connect(ver, "id")[2:])
        for flags in (1, 2, 4, 8, 15)])
    yield from both("byte-too-many", lambda ver: packet(
        wire.CONNECT, 0, connect(ver, "id")[2:] + b"\0"))
    yield Bad("property-length", [
        packet(wire.CONNECT, 0, string("MQTT") + b"\5\2\0\0" + length +
               string("id")) for length in (b"\x01", b"\x7f", b"\x80\x00",
                                            b"\xff\xff\xff\xff\x01")])


@shows("MQTT-3.1.4-1", "MQTT-4.13.1-1", "MQTT-2.1.3-1", "MQTT311-3.1.4-1",
       "MQTT311-2.1.2-1", "MQTT-1.5.5-1", "MQTT-3.2.2-7", "MQTT-3.2.2-6")
@cases(connect_values())
def bad_connect_values(t, case):
    """The same in CONNECT."""
    if "flags" in case.name:
        # Nothing of the packet may be believed: no CONNACK is needed
        for data in case.data:
            found = t.raw(case.ver).send(data).rest()
            check(all(pkt.type == CONNACK and pkt.reason == MALFORMED
                      for pkt in found), f"{found}")
        return
    connecting(t, case)


@shows("MQTT-3.1.4-1", "MQTT311-3.1.4-1", "MQTT-3.1.2-9", "MQTT-3.1.2-17",
       "MQTT-3.1.2-19")
@cases([Bad("connect", b"", ver=4), Bad("connect", b"", ver=5)])
def connect_cut_short(t, case):
    """CONNECT cut short at every byte, its length saying so: from the
    protocol level on 5.0 is told why."""
    properties = [(wire.SESSION_EXPIRY, 1), (USER_PROPERTY, ("a", "b"))]
    will = wire.Will("t", "m", properties=[(WILL_DELAY, 1)])
    body = connect(case.ver, "id", properties=properties, will=will,
                   username="u", password="p")[2:]
    for size in range(len(body)):
        c = t.raw(case.ver).send(packet(wire.CONNECT, 0, body[:size]))
        if case.ver == 5 and size > 7:
            c.expect(CONNACK, reason=MALFORMED)
            c.expect_close()
        else:
            check(all(pkt.type == CONNACK and pkt.reason and case.ver == 5
                      for pkt in c.rest()), f"cut at {size}")
        c.close()


@shows("MQTT-3.1.0-1", "MQTT-4.13.1-1")
@cases([Bad("garbage", b"", ver=4), Bad("garbage", b"", ver=5)])
def random_bytes(t, case):
    """Noise, before and after CONNECT: the broker serves on."""
    noise = random.Random(f"kmqtt {case.ver}")
    steady = t.client(case.ver)
    steady.sub(t.topic())
    for number in range(60):
        c = t.raw(case.ver)
        if number % 2:
            c.open(client_id=t.cid())
        c.send(noise.randbytes(noise.randrange(1, 400)))
        c.close()
    steady.expect_nothing()
    t.client(case.ver).expect_nothing()


@shows("MQTT-3.1.4-1", "MQTT-4.13.1-1", "MQTT-3.1.0-1")
@cases([Bad("flipped", b"", ver=4), Bad("flipped", b"", ver=5)])
def flipped_bits(t, case):
    """A conversation with one byte changed, at each place once: the broker
    answers in whole packets or closes, and serves on (the client checks)."""
    change = random.Random(f"kmqtt flip {case.ver}")
    stream = b"".join(data for name, data in good(case.ver).items()
                      if name != "disconnect") + wire.pingreq()
    for at in range(len(stream)):
        bad = bytearray(stream)
        bad[at] ^= 1 << change.randrange(8)
        c = t.client(case.ver)
        c.send(bytes(bad))
        c.shut()
        try:
            while True:
                c.recv()
        except Closed:
            pass
        c.close()
    t.client(case.ver).expect_nothing()


@shows("MQTT-4.7.3-4", "MQTT-1.5.4-1", "MQTT-1.5.4-3")
@cases([Bad("valid", b"", ver=ver) for ver in (3, 4, 5)])
def strings_that_are_right(t, case):
    """Characters at the edges of what UTF-8 allows come through unaltered."""
    c = t.client(case.ver)
    base = t.topic()
    c.sub(base + "/#")
    for char in ("\u00a0", "\u07ff", "\u0800", "\ud7ff", "\ue000",
                 "\ufeff", "\ufffd", "\U00010000", "\U0010fffd"):
        c.pub(f"{base}/{char}", struct.pack("!I", ord(char)))
        c.message(topic=f"{base}/{char}", payload=struct.pack("!I",
                                                              ord(char)))
