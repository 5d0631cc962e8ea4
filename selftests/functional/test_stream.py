# SPDX-License-Identifier: GPL-2.0
"""TCP is a stream: packets come in any pieces, many at once, over IPv4 and
IPv6, and either side may stop reading."""

import os
import socket

import wire
from harness import Skip, check, equal, shows, versions
from mqttlib import HOST, Client
from wire import PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, SUBACK, UNSUBACK


def conversation(ver, cid, topic):
    """The packets of a whole conversation, and the types of the answers."""
    properties = [(wire.USER_PROPERTY, ("key", "value")),
                  (wire.RECEIVE_MAXIMUM, 100)]
    will = wire.Will(topic + "/will", "gone", 1)
    sent = [wire.connect(ver, cid, properties=properties, will=will,
                         username="name", password="secret"),
            wire.subscribe(1, [(topic, 0), (topic + "/+", 2)], ver),
            wire.publish(topic + "/none", b"p" * 130, 1, 2, ver=ver),
            wire.publish("elsewhere/" + topic, "x", 2, 3, ver=ver),
            wire.ack(wire.PUBREL, 3),
            wire.unsubscribe(4, [topic, topic + "/+"], ver),
            wire.pingreq()]
    return sent, [wire.CONNACK, SUBACK, PUBACK, PUBREC, PUBCOMP, UNSUBACK,
                  PINGRESP]


def answers(c, wanted):
    """Read up to PINGRESP; @wanted in order, besides the own message."""
    found = []
    while not found or found[-1] != PINGRESP:
        pkt = c.recv()
        if pkt.type != PUBLISH:
            found.append(pkt.type)
    equal(found, wanted, "answers")


@shows("MQTT-4.2-1", "MQTT311-4.2.0-1")
@versions(4, 5)
def split_at_every_byte(t):
    """Cut in two at each byte, the conversation goes the same way. The first
    part is known to have arrived before the second is sent."""
    sent, wanted = conversation(t.ver, t.cid(), t.topic())
    stream = b"".join(sent)
    ends = [len(b"".join(sent[:n + 1])) for n in range(len(sent))]
    for cut in range(1, len(stream)):
        if stream[cut - 2:cut + 2] == b"pppp":
            continue	# within the payload one cut is like another
        c = t.raw()
        c.id = t.cid()
        c.send(stream[:cut])
        done = sum(1 for end in ends if end <= cut)
        # Answers to the whole packets of the first part: it has been read
        found = []
        while len(found) < done:
            pkt = c.recv()
            if pkt.type != PUBLISH:
                found.append(pkt.type)
        c.send(stream[cut:])
        while not found or found[-1] != PINGRESP:
            pkt = c.recv()
            if pkt.type != PUBLISH:
                found.append(pkt.type)
        equal(found, wanted, f"cut at {cut}")
        c.close()


@shows("MQTT-4.2-1", "MQTT311-4.2.0-1")
@versions(3, 4, 5)
def byte_by_byte(t):
    """One byte per segment."""
    sent, wanted = conversation(t.ver, t.cid(), t.topic())
    c = t.raw()
    for byte in b"".join(sent):
        c.send(bytes([byte]))
    answers(c, wanted)


@shows("MQTT-4.2-1", "MQTT311-4.2.0-1")
@versions(3, 4, 5)
def all_in_one_segment(t):
    """The whole conversation in one segment, CONNECT included."""
    sent, wanted = conversation(t.ver, t.cid(), t.topic())
    c = t.raw()
    c.send(*sent)
    answers(c, wanted)


@shows("MQTT-4.2-1", "MQTT-4.6.0-5")
@versions(4, 5)
def many_packets_at_once(t):
    """Two thousand small PUBLISHes in one write arrive whole and in order,
    mixed with PINGREQs that are all answered."""
    topic = t.topic()
    c, sender = t.client(), t.client()
    c.sub(topic, 0)
    one = [wire.publish(topic, str(n), ver=t.ver) for n in range(500)]
    for part in range(4):
        sender.send(b"".join(pkt + (wire.pingreq() if n % 100 == 0 else b"")
                             for n, pkt in enumerate(one)))
        for _ in range(5):
            sender.expect(PINGRESP)
        for number in range(500):
            c.message(payload=str(number), topic=topic)
        check(part < 4, "part")


@shows("MQTT-4.2-1")
def pieces_of_large_packets(t):
    """Large packets in pieces that end anywhere, several on the way at
    once."""
    topic = t.topic()
    c, sender = t.client(), t.client()
    c.sub(topic, 1)
    payloads = [bytes([n]) * size for n, size in
                enumerate((1, 70000, 3, 4096, 16384, 100000, 0, 5000))]
    stream = b"".join(wire.publish(topic, p, 1, n + 1)
                      for n, p in enumerate(payloads))
    at, step = 0, 1
    while at < len(stream):
        sender.send(stream[at:at + step])
        at, step = at + step, step * 7 % 30011 + 1
    for number, payload in enumerate(payloads):
        c.message(payload=payload)
        sender.expect(PUBACK, pid=number + 1)


@shows("MQTT-3.1.2-24", "MQTT-4.2-1")
def reader_that_stops(t):
    """A subscriber that does not read stops neither the publisher nor the
    other subscribers; what it is sent afterwards is whole packets."""
    topic = t.topic()
    lazy, keen, sender = t.client(), t.client(), t.client()
    lazy.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    for c in (lazy, keen):
        c.sub(topic, 0)
    for number in range(400):
        sender.send_pub(topic, b"%06d" % number + b"z" * 20000, 0)
        keen.message()
    sender.barrier()
    keen.expect_nothing()
    found = [int(pkt.payload[:6]) for pkt in lazy.barrier()]
    check(found == sorted(set(found)), "order")
    check(found and found[0] == 0, "the first message")


@shows("MQTT-3.1.4-1", "MQTT-4.2-1")
def connections_that_say_nothing(t):
    """Connections that end before a whole CONNECT harm nobody."""
    stream = wire.connect(5, t.cid())
    for cut in (0, 1, 2, 3, 9, 12, len(stream) - 1):
        t.raw().send(stream[:cut]).close()
    t.client().expect_nothing()


@shows("MQTT-3.1.2-8", "MQTT311-3.1.2-8", "MQTT-4.2-1")
def reset_connection(t):
    """A connection that is reset leaves its will like one that is closed."""
    topic = t.topic()
    watch = t.client()
    watch.sub(topic)
    c = t.client(will=wire.Will(topic, "reset"))
    c.reset()
    watch.message(payload="reset")


@shows("MQTT-4.2-1")
def half_closed(t):
    """A client that shuts down its sending side after DISCONNECT or without
    it sees the connection end."""
    c = t.client()
    c.send(wire.packet(wire.DISCONNECT, 0))
    c.shut()
    c.expect_close()
    c = t.client()
    c.shut()
    c.expect_close(allow=(wire.DISCONNECT,))


@shows("MQTT-4.2-1", "MQTT311-4.2.0-1")
@versions(3, 4, 5)
def ipv6(t):
    """Clients on IPv4 and IPv6 talk to each other."""
    host = os.environ.get("KMQTT_HOST6", "::1")
    try:
        Client(4, host).close()
    except OSError as error:
        raise Skip(f"no broker at {host}: {error.strerror} "
                   f"(KMQTT_HOST6 names the address)") from None
    topic = t.topic()
    six = t.client(where={"host": host})
    equal(six.sock.family, socket.AF_INET6, "address family")
    four = t.client(where={"host": HOST})
    for c in (six, four):
        c.sub(topic, 2)
    for qos in range(3):
        for c in (six, four):
            c.pub(topic, f"{qos}", qos)
            six.message(payload=f"{qos}", qos=qos)
            four.message(payload=f"{qos}", qos=qos)
