# SPDX-License-Identifier: GPL-2.0
"""CONNECT and CONNACK: who gets in, who does not, and how they are told."""

import wire
from harness import check, equal, settings, shows, slow, versions
from mqttlib import Closed, Failure, now
from wire import CONNACK, DISCONNECT


@shows("MQTT-3.1.0-1", "MQTT311-3.1.0-1")
@versions(4, 5)
def first_packet_must_be_connect(t):
    """Anything but CONNECT as the first packet ends the connection, and
    nothing is sent before it ends."""
    for first in (wire.pingreq(), wire.publish("a", ver=t.ver),
                  wire.subscribe(1, [("a", 0)], t.ver), wire.auth(0x18),
                  wire.packet(DISCONNECT, 0), wire.packet(CONNACK, 0, b"\0\0")):
        t.raw().send(first).expect_close()


@shows("MQTT-3.1.0-2", "MQTT311-3.1.0-2", "MQTT-3.2.0-2")
@versions(3, 4, 5)
def second_connect_is_protocol_error(t):
    """A second CONNECT gets no CONNACK but ends the connection (0x82)."""
    c = t.client()
    c.send(wire.connect(t.ver, c.id))
    c.expect_disconnect(0x82)


@shows("MQTT-3.2.0-1", "MQTT-3.2.2-8", "MQTT-3.1.4-5", "MQTT311-3.2.0-1",
       "MQTT-3.2.2-1")
@versions(3, 4, 5)
def connack_is_first(t):
    """The answer to a good CONNECT is CONNACK with code 0, before anything
    else, though a session with a waiting message is resumed."""
    cid, topic = t.cid(), t.topic()
    c = t.lasting(cid)
    c.sub(topic, 1)
    c.close()
    t.client().pub(topic, "waiting", 1)
    c = t.raw()
    c.send(wire.connect(t.ver, cid, clean=False))
    c.expect(CONNACK, reason=0, session_present={True, None})
    c.message(topic=topic, payload="waiting", qos=1)


@shows("MQTT-3.1.2-1", "MQTT311-3.1.2-1")
def protocol_name(t):
    """Another protocol name is refused: closed, or 0x84 and closed."""
    for name in ("MQTTT", "mqtt", "", "HTTP", "MQIsd", "M\ufeffQTT"):
        c = t.raw().send(wire.connect(5, t.cid(), name=name))
        got = c.rest()
        check(all(p.type == CONNACK and p.reason in (0x84, 0x81, 1)
                  for p in got), f"{name!r}: {got}")


@shows("MQTT-3.1.2-2")
def level_above_five(t):
    """A level above 5 is answered with 0x84 in the form of 5.0."""
    for level in (6, 7, 0x7f, 0xff):
        c = t.raw(5).send(wire.connect(5, t.cid(), level=level))
        c.expect(CONNACK, reason=0x84)
        c.expect_close()


@shows("MQTT311-3.1.2-2", "MQTT311-3.2.2-1")
def level_unknown_below_five(t):
    """A level below 5 that does not exist is answered with return code 1."""
    for name, level in (("MQTT", 0), ("MQTT", 2), ("MQTT", 3), ("MQIsdp", 4)):
        c = t.raw(4)
        c.send(wire.connect(4, t.cid(), name=name, level=level))
        c.expect(CONNACK, reason=1, session_present=False)
        c.expect_close()


@shows("MQTT-3.1.2-3", "MQTT311-3.1.2-3", "MQTT-2.1.3-1")
@versions(4, 5)
def reserved_connect_flag(t):
    """Bit 0 of the connect flags must be 0."""
    c = t.raw()
    c.send(wire.connect(t.ver, t.cid(), flags=3))
    if t.ver == 5:
        c.expect(CONNACK, reason=0x81)
    c.expect_close()


@shows("MQTT-3.1.3-5", "MQTT311-3.1.3-5", "MQTT-3.1.3-4", "MQTT-3.1.3-3",
       "MQTT311-3.1.3-3", "MQTT311-3.1.3-4", "MQTT-3.1.3-2",
       "MQTT311-3.1.3-2")
@versions(3, 4, 5)
def client_identifiers(t):
    """Identifiers of 1 to 23 letters and digits are taken, and longer or
    other ones too; each stands for a session of its own."""
    text = "0123456789abcdefghijklmnopqrstuvwxyz" \
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    names = [text[at:at + 23] for at in (0, 23, 39)]
    names += ["Z", "0", "a" * 24, "a" * 1000, "gr\u00fc\u00df/+#",
              "\U0001f600", " ", "\ufeffx", "x"]
    clients = [t.client(client_id=name, present=False) for name in names]
    for client in clients:
        client.expect_nothing()
    for client in clients:
        client.disconnect()


@shows("MQTT311-3.1.3-4")
def longest_client_identifier(t):
    """A client identifier may have all the 65,535 bytes a string can."""
    t.client(4, client_id="i" * 65535).disconnect()


@shows("MQTT-3.1.3-6", "MQTT-3.1.3-7", "MQTT-3.2.2-16")
def assigned_client_identifier(t):
    """Without an identifier a 5.0 client gets a unique one and can resume
    the session under it."""
    names = set()
    for clean in (True, False, True):
        c = t.client(client_id="", clean=clean, present=False)
        name = c.connack.get(wire.ASSIGNED_CLIENT_ID)
        check(name, "no identifier was assigned")
        names.add(name)
    equal(len(names), 3, "different identifiers")
    c = t.client(client_id="",
                 properties=[(wire.SESSION_EXPIRY, 60)])
    c.close()
    t.lasting(c.id, present=True)
    given = t.client()
    equal(given.connack.get(wire.ASSIGNED_CLIENT_ID), None,
          "assigned though one was given")


@shows("MQTT311-3.1.3-6")
def empty_client_identifier_v311(t):
    """3.1.1 with clean session 1: every such client is one of its own."""
    topic = t.topic()
    both = [t.client(4, client_id="") for _ in range(2)]
    for c in both:
        c.sub(topic)
    t.client().pub(topic, "x")
    for c in both:
        c.message(payload="x")


@shows("MQTT311-3.1.3-8", "MQTT311-3.1.3-9", "MQTT311-3.1.3-7",
       "MQTT311-3.2.2-1")
def empty_client_identifier_needs_clean_session(t):
    """3.1.1 without clean session and identifier: return code 2, closed."""
    c = t.client(4, client_id="", clean=False, reason=2)
    c.expect_close()


@shows("MQTT311-3.1.3-9")
def empty_client_identifier_v31(t):
    """3.1 asks for an identifier of at least one character: code 2."""
    for clean in (True, False):
        t.client(3, client_id="", clean=clean, reason=2).expect_close()


@shows("MQTT-3.1.4-6", "MQTT311-3.1.4-3", "MQTT-3.2.2-7")
@versions(4, 5)
def refused_connect_is_not_processed(t):
    """What follows a refused CONNECT in the same segment has no effect."""
    topic = t.topic()
    watch = t.client()
    watch.sub(topic)
    c = t.raw()
    bad = wire.connect(4, "", clean=False) if t.ver == 4 else \
        wire.connect(5, t.cid(), flags=3)
    c.send(bad, wire.publish(topic, "no", ver=t.ver),
           wire.subscribe(1, [(topic, 0)], t.ver))
    c.expect(CONNACK)
    c.expect_close()
    watch.expect_no_message(via=t.client())


@shows("MQTT-3.1.4-1", "MQTT311-3.1.4-1", "MQTT311-2.0.0-1",
       "MQTT311-3.2.2-2")
@versions(3, 4)
def malformed_connect_gets_no_connack(t):
    """A 3.x CONNECT out of shape is not answered, the connection ends."""
    good = wire.connect(t.ver, "abc")
    for bad in (wire.connect(t.ver, "abc", flags=0x06),
                wire.connect(t.ver, b"\xff\xfe"),
                wire.packet(wire.CONNECT, 0, good[2:] + b"x"),
                wire.packet(wire.CONNECT, 0, good[2:-1]),
                wire.packet(wire.CONNECT, 1, good[2:])):
        t.raw().send(bad).expect_close()


@shows("MQTT-3.1.2-16", "MQTT-3.1.2-17", "MQTT-3.1.2-18", "MQTT-3.1.2-19",
       "MQTT311-3.1.2-16", "MQTT311-3.1.2-17", "MQTT311-3.1.2-18",
       "MQTT311-3.1.2-19", "MQTT-3.1.3-12", "MQTT-3.1.3-1",
       "MQTT311-3.1.3-1")
@versions(3, 4, 5)
def name_and_password_flags(t):
    """User name and password are there if and only if their flag is set;
    each fault is found."""
    t.client(username="name", password=b"\0\xffsecret").disconnect()
    t.client(username="name").disconnect()
    cid = wire.string(t.cid())
    name, secret = wire.string("name"), wire.string("secret")
    for flags, payload in ((0x02, cid + name), (0x82, cid),
                           (0x82, cid + name + secret), (0xc2, cid + name),
                           (0x82, cid + wire.string(b"\xc0\x80"))):
        c = t.raw()
        c.send(wire.connect(t.ver, flags=flags, payload=payload))
        if t.ver == 5:
            c.expect(CONNACK, reason=0x81)
        c.expect_close()


@shows("MQTT311-3.1.2-20")
def password_without_name_v311(t):
    """3.1.1: no password without user name."""
    t.raw(4).send(wire.connect(4, t.cid(), password="x")).expect_close()


@shows("MQTT-3.1.2-19")
def password_without_name_v5(t):
    """5.0 allows a password alone."""
    t.client(5, password="x").disconnect()


@shows("MQTT-3.1.2-9", "MQTT-3.1.2-11", "MQTT-3.1.2-12", "MQTT-3.1.2-13",
       "MQTT311-3.1.2-9", "MQTT311-3.1.2-11", "MQTT311-3.1.2-12",
       "MQTT311-3.1.2-13", "MQTT-3.1.3-11")
@versions(3, 4, 5)
def will_flags(t):
    """Will QoS 3, will fields without will flag and a will flag without its
    fields are malformed."""
    cid = wire.string(t.cid())
    will = wire.props([]) if t.ver == 5 else b""
    will += wire.string("topic") + wire.string("message")
    bad = [(0x1e, cid + will), (0x06, cid), (0x06, cid + will[:-8]),
           (0x06, cid + will[:-1])]
    if t.ver > 3:	# 3.1 has the bits ignored without will
        bad += [(0x0a, cid), (0x12, cid), (0x22, cid)]
    bad.append((0x06, cid + will.replace(b"topic", b"to\xffic")))
    for flags, payload in bad:
        c = t.raw()
        c.send(wire.connect(t.ver, flags=flags, payload=payload))
        if t.ver == 5:
            c.expect(CONNACK, reason=0x81)
        c.expect_close()
    for qos in range(3):
        t.client(will=wire.Will(t.topic(), "m", qos)).disconnect()


@shows("MQTT-3.1.4-3", "MQTT311-3.1.4-2")
@versions(3, 4, 5)
def take_over(t):
    """A client identifier in use is taken over: the older connection ends
    (0x8E), the newer one works."""
    first = t.client()
    second = t.client(client_id=first.id, present=False)
    first.expect_disconnect(0x8e)
    second.expect_nothing()


@shows("MQTT-3.1.4-3", "MQTT-3.1.4-4", "MQTT-4.1.0-1")
def take_over_resumes(t):
    """Taking over with clean start 0 keeps the session of the connection
    that is pushed out."""
    cid, topic = t.cid(), t.topic()
    first = t.lasting(cid)
    first.sub(topic, 1)
    second = t.lasting(cid, present=True)
    first.expect_disconnect(0x8e)
    t.client().pub(topic, "for the second", 1)
    second.message(payload="for the second")


@shows("MQTT-3.1.4-3", "MQTT311-3.1.4-2")
def take_over_across_versions(t):
    """Protocol levels share the client identifiers."""
    cid = t.cid()
    old = t.client(4, client_id=cid)
    new = t.client(5, client_id=cid)
    old.expect_close()
    t.client(3, client_id=cid)
    new.expect_disconnect(0x8e)


@shows("MQTT-3.2.2-9", "MQTT-3.2.2-10", "MQTT-4.9.0-1")
def connack_properties(t):
    """What CONNACK promises is in its range, and left out where it is the
    standard's default."""
    c = t.client(keep_alive=60)
    got = dict(c.connack.properties)
    check(got.get(wire.RECEIVE_MAXIMUM, 65535) > 0, "receive maximum 0")
    check(got.get(wire.MAXIMUM_PACKET_SIZE, 1) > 0, "packet size 0")
    for ident in (wire.MAXIMUM_QOS, wire.RETAIN_AVAILABLE,
                  wire.WILDCARD_AVAILABLE, wire.SUBSCRIPTION_ID_AVAILABLE,
                  wire.SHARED_AVAILABLE):
        check(got.get(ident, 1) == 1 and
              (ident != wire.MAXIMUM_QOS or ident not in got),
              f"property {ident:#x} takes something away")
    for ident in (wire.AUTH_METHOD, wire.AUTH_DATA, wire.RESPONSE_INFO,
                  wire.SERVER_KEEP_ALIVE, wire.ASSIGNED_CLIENT_ID):
        check(ident not in got, f"property {ident:#x} is not called for")


@shows("MQTT-3.1.2-21", "MQTT-3.2.2-22")
def server_keep_alive(t):
    """With max_keepalive lower than what the client wants, CONNACK says so;
    with a keep alive below it, it does not."""
    t.setting(max_keepalive=20)
    for wanted in (60, 0):
        equal(t.client(keep_alive=wanted).connack.get(
            wire.SERVER_KEEP_ALIVE), 20, f"server keep alive for {wanted}")
    equal(t.client(keep_alive=10).connack.get(wire.SERVER_KEEP_ALIVE), None,
          "server keep alive")


@shows("MQTT-3.2.2-12", "MQTT-3.2.2-9", "MQTT-3.2.2-10")
def maximum_qos(t):
    """With maximum_qos 1: CONNACK says so, a will of QoS 2 is refused with
    0x9B, QoS 2 subscriptions are still taken, QoS 2 PUBLISH ends in 0x9B."""
    t.setting(maximum_qos=1)
    c = t.client()
    equal(c.connack.get(wire.MAXIMUM_QOS), 1, "maximum QoS")
    t.client(will=wire.Will("a", "b", 2), reason=0x9b).expect_close()
    suback = c.sub(t.topic(), 2, reasons=any)
    check(suback.reasons[0] in (1, 2), f"{suback}")
    c.send_pub(t.topic(), "x", 2)
    c.expect_disconnect(0x9b)


@shows("MQTT-3.2.2-13", "MQTT-3.2.2-6")
def retain_unavailable(t):
    """With retain_available 0: CONNACK says so, a retained will is refused
    with 0x9A, a retained PUBLISH ends in 0x9A."""
    t.setting(retain_available=0)
    c = t.client()
    equal(c.connack.get(wire.RETAIN_AVAILABLE), 0, "retain available")
    t.client(will=wire.Will("a", "b", 0, True), reason=0x9a,
             present=False).expect_close()
    c.send_pub(t.topic(), "x", 1, retain=True)
    c.expect_disconnect(0x9a)


@shows("MQTT-3.1.2-28")
def response_information(t):
    """Response information is not returned unless asked for; asked for, it
    may be."""
    for properties in ([], [(wire.REQUEST_RESPONSE_INFO, 0)]):
        c = t.client(properties=properties)
        equal(c.connack.get(wire.RESPONSE_INFO), None, "response information")
    t.client(properties=[(wire.REQUEST_RESPONSE_INFO, 1)]).disconnect()


@shows("MQTT-3.1.2-29")
def problem_information(t):
    """With request problem information 0 no acknowledgement carries a
    reason string or user property (the client checks each packet)."""
    c = t.client(properties=[(wire.REQUEST_PROBLEM_INFO, 0)])
    c.sub([("a/#/b", 0), (t.topic(), 1)], reasons=[0x8f, 1])
    c.unsub(t.topic("none"), reasons=[0x11])
    check(c.pub(t.topic(), "x", 1) in (0, 0x10), "PUBACK")
    check(c.pub(t.topic(), "x", 2) in (0, 0x10), "PUBREC")
    c.send(wire.ack(wire.PUBREC, 77))
    c.expect(wire.PUBREL, pid=77, reason=0x92)
    c.send(wire.ack(wire.PUBREL, 78))
    c.expect(wire.PUBCOMP, pid=78, reason=0x92)


@shows("MQTT-3.2.2-19", "MQTT-3.2.2-20", "MQTT-3.14.2-3", "MQTT-3.14.2-4",
       "MQTT-3.1.2-24")
def no_property_beyond_maximum_packet_size(t):
    """Neither CONNACK nor DISCONNECT exceeds what the client can take."""
    small = [(wire.MAXIMUM_PACKET_SIZE, 40)]
    c = t.client(properties=small)
    c.send(wire.connect(5, c.id))
    c.expect_disconnect(0x82)
    c = t.raw()
    c.packet_maximum = 12
    c.send(wire.connect(5, t.cid(), flags=0x1e | 0x80, properties=[
        (wire.MAXIMUM_PACKET_SIZE, 12)]))
    for pkt in c.rest():
        equal(pkt.type, CONNACK, "type")


@slow
@shows("MQTT-3.1.0-1", "MQTT-3.1.4-2")
def half_open_is_bounded(t):
    """A connection that sends no whole CONNECT is closed after
    connect_timeout."""
    limit = 10
    t.setting(connect_timeout=limit)
    begin = now()
    c = t.raw().send(wire.connect(5, t.cid())[:-1])
    c.expect_close(seconds=limit + 10)
    check(now() - begin >= limit - 0.5, "closed too early")


@shows("MQTT-3.1.4-2", "MQTT-4.13.2-1")
def connect_too_large(t):
    """A CONNECT beyond connect_size_max is refused by its length alone."""
    size = settings()["connect_size_max"]
    c = t.raw()
    c.send(b"\x10" + wire.varint(size + 1000),
           wire.connect(5, t.cid())[2:])
    try:
        c.expect(CONNACK, reason={0x95, 0x97, 0x81})
        c.expect_close()
    except Closed:
        pass


@shows("MQTT-3.1.2-24", "MQTT-3.2.0-1")
def many_connections_in_parallel(t):
    """A hundred clients at once each get their own CONNACK."""
    clients = [t.raw(5) for _ in range(100)]
    for c in clients:
        c.id = t.cid()
        c.send(wire.connect(5, c.id))
    for c in clients:
        c.open(send=False)
    for c in clients:
        c.send(wire.pingreq())
    for c in clients:
        pkt = c.recv()
        if pkt.type != wire.PINGRESP:
            raise Failure(f"got {pkt}")
