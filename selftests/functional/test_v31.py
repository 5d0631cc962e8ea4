# SPDX-License-Identifier: GPL-2.0
"""What is special about MQTT 3.1 (protocol name MQIsdp, level 3)."""

import wire
from harness import check, equal, shows
from wire import CONNACK, PUBACK, PUBCOMP, PUBREC, PUBREL, SUBACK, UNSUBACK


@shows("MQTT311-3.1.2-1")
def name_and_level_belong_together(t):
    """MQIsdp goes with level 3 only, MQTT not with level 3."""
    t.client(3).disconnect()
    for name, level in (("MQIsdp", 4), ("MQIsdp", 5), ("MQTT", 3),
                        ("MQIsdp", 0)):
        c = t.raw(4)
        c.send(wire.connect(3, t.cid(), name=name, level=level))
        found = c.rest()
        check(all(pkt.type == CONNACK and pkt.reason for pkt in found),
              f"{name} {level}: {found}")


@shows("MQTT311-3.1.3-5", "MQTT-3.1.3-5")
def long_client_identifier(t):
    """More than 23 characters are taken, as 3.1.1 does."""
    for size in (1, 23, 24, 200):
        t.client(3, client_id="y" * size, present=False).disconnect()


@shows("MQTT311-2.1.2-3")
def dup_in_retries(t):
    """3.1 sets DUP in a SUBSCRIBE, UNSUBSCRIBE or PUBREL that it repeats."""
    c, topic = t.client(3), t.topic()
    c.send(wire.subscribe(1, [(topic, 1)], 3),
           wire.subscribe(1, [(topic, 1)], 3, flags=0x0a))
    for _ in range(2):
        c.expect(SUBACK, pid=1, reasons=[1])
    c.send_pub(t.topic(), "x", 2, pid=2)
    c.expect(PUBREC, pid=2)
    for flags in (2, 0x0a):
        c.send(wire.ack(PUBREL, 2, flags=flags))
        c.expect(PUBCOMP, pid=2)
    c.send(wire.unsubscribe(3, [topic], 3, flags=0x0a))
    c.expect(UNSUBACK, pid=3)


@shows("MQTT311-2.1.2-3", "MQTT-4.3.3-10")
def dup_publish(t):
    """A repeated PUBLISH with DUP: QoS 1 is delivered as it comes, QoS 2
    once."""
    topic = t.topic()
    watch, c = t.client(4), t.client(3)
    watch.sub(topic, 2)
    for dup in (False, True):
        c.send_pub(topic, "two", 2, pid=5, dup=dup)
        c.expect(PUBREC, pid=5)
    c.send(wire.ack(PUBREL, 5))
    c.expect(PUBCOMP, pid=5)
    watch.message(payload="two", dup=False)
    for dup in (False, True):
        c.send_pub(topic, "one", 1, pid=6, dup=dup)
        c.expect(PUBACK, pid=6)
        watch.message(payload="one", dup=False)
    watch.expect_nothing()


@shows("MQTT311-3.1.2-10")
def will_bits_without_will(t):
    """3.1 does not use will QoS and will retain when there is no will."""
    c = t.raw(3)
    c.send(wire.connect(3, t.cid(), flags=0x2a))
    kinds = [pkt.reason for pkt in (c.next_or_end(),) if pkt]
    check(kinds in ([0], []), f"{kinds}")


@shows("MQTT311-3.2.0-1")
def connack_has_two_bytes(t):
    """CONNACK of 3.1 has a reserved byte of 0, session or not (the decoder
    checks)."""
    cid = t.cid()
    for _ in range(3):
        c = t.lasting(cid, ver=3)
        equal((c.connack.size, c.connack.reason), (4, 0), "CONNACK")
        c.close()


@shows("MQTT311-3.8.4-1", "MQTT-3.8.4-8")
def three_levels_talk(t):
    """Wildcards, retained messages and each QoS work for 3.1 as for the
    others."""
    base = t.topic()
    c, other = t.client(3), t.client(5)
    c.pub(base + "/r", "kept", 2, retain=True)
    c.sub(base + "/#", 2)
    c.message(payload="kept", qos=2, retain=True)
    for qos in range(3):
        other.pub(f"{base}/{qos}", "live", qos,
                  properties=[(wire.USER_PROPERTY, ("a", "b"))])
        c.message(topic=f"{base}/{qos}", payload="live", qos=qos)
