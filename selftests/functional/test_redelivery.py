# SPDX-License-Identifier: GPL-2.0
"""A connection that breaks in the middle of an exchange: nothing is lost, and
at QoS 2 nothing comes twice, at whichever step it broke."""

import wire
from harness import check, equal, shows, versions
from wire import PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL


def receiving(t, qos, payload="x"):
    """A subscriber in the middle of receiving one message."""
    cid, topic = t.cid(), t.topic()
    c = t.lasting(cid)
    c.sub(topic, 2)
    sender = t.client()
    sender.pub(topic, payload, qos)
    return cid, topic, sender, c, c.message(answer=False, qos=qos, dup=False)


@shows("MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-4.3.2-3", "MQTT311-4.4.0-1",
       "MQTT311-4.4.0-2", "MQTT311-2.1.2-3", "MQTT311-4.3.2-1",
       "MQTT311-2.3.1-4")
@versions(3, 4, 5)
def qos1_unacknowledged(t):
    """QoS 1 without PUBACK comes again with DUP and the same identifier, as
    often as the client returns, until it is acknowledged."""
    cid, _, sender, c, first = receiving(t, 1)
    for _ in range(3):
        c.close()
        c = t.lasting(cid, present=True)
        c.message(answer=False, qos=1, dup=True, pid=first.pid, payload="x")
    c.answer(first)
    c.expect_nothing()
    c.close()
    t.lasting(cid, present=True).expect_nothing()
    sender.disconnect()


@shows("MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-4.3.3-3", "MQTT311-4.4.0-1",
       "MQTT311-4.3.3-1", "MQTT311-2.1.2-3")
@versions(3, 4, 5)
def qos2_out_before_pubrec(t):
    """To the client, step 1: no PUBREC yet. PUBLISH comes again with DUP."""
    cid, topic, sender, c, first = receiving(t, 2)
    c.close()
    c = t.lasting(cid, present=True)
    pkt = c.message(qos=2, dup=True, pid=first.pid, payload="x")
    equal(pkt.topic, topic, "topic")
    c.expect_no_message(via=sender)


@shows("MQTT-4.4.0-1", "MQTT-4.3.3-5", "MQTT-4.3.3-6", "MQTT311-4.4.0-1")
@versions(3, 4, 5)
def qos2_out_before_pubrel(t):
    """To the client, step 2: PUBREC was sent, PUBREL perhaps lost. Not
    PUBLISH but PUBREL comes again."""
    cid, _, sender, c, first = receiving(t, 2)
    c.send(wire.ack(PUBREC, first.pid))
    c.expect(PUBREL, pid=first.pid)
    c.close()
    c = t.lasting(cid, present=True)
    c.expect(PUBREL, pid=first.pid, reason=0)
    c.send(wire.ack(PUBCOMP, first.pid))
    c.expect_no_message(via=sender)
    c.close()
    t.lasting(cid, present=True).expect_nothing()


@shows("MQTT-4.4.0-1", "MQTT-4.3.3-5")
@versions(4, 5)
def qos2_out_pubrel_again_and_again(t):
    """To the client, step 3: as long as PUBCOMP is missing PUBREL comes on
    each reconnect; a PUBREC instead of PUBCOMP is answered too."""
    cid, _, _, c, first = receiving(t, 2)
    c.send(wire.ack(PUBREC, first.pid))
    c.expect(PUBREL, pid=first.pid)
    for _ in range(3):
        c.close()
        c = t.lasting(cid, present=True)
        c.expect(PUBREL, pid=first.pid)
    c.send(wire.ack(PUBREC, first.pid))
    c.expect(PUBREL, pid=first.pid, reason=0)
    c.send(wire.ack(PUBCOMP, first.pid))
    c.expect_nothing()


@shows("MQTT-4.3.3-4", "MQTT-4.4.0-1")
@versions(4, 5)
def qos2_out_after_pubcomp(t):
    """To the client, step 4: after PUBCOMP nothing comes again, and the
    identifier is free."""
    cid, topic, sender, c, first = receiving(t, 2)
    c.answer(first)
    c.expect_nothing()
    c.close()
    c = t.lasting(cid, present=True)
    c.expect_nothing()
    sender.pub(topic, "next", 2)
    c.message(payload="next", dup=False)


def sending(t):
    """A publisher with a session, and somebody who watches."""
    topic = t.topic()
    watch = t.client()
    watch.sub(topic, 2)
    cid = t.cid()
    return topic, watch, cid, t.lasting(cid)


@shows("MQTT-4.3.3-10", "MQTT-4.4.0-1", "MQTT311-4.3.3-1")
@versions(3, 4, 5)
def qos2_in_pubrec_lost(t):
    """From the client, step 1: PUBREC is lost. The PUBLISH sent again is
    acknowledged and delivered once in all."""
    topic, watch, cid, c = sending(t)
    c.send_pub(topic, "once", 2, pid=7)
    c.expect(PUBREC, pid=7)
    c.close()
    c = t.lasting(cid, present=True)
    c.send_pub(topic, "once", 2, pid=7, dup=True)
    c.expect(PUBREC, pid=7)
    c.send(wire.ack(PUBREL, 7))
    c.expect(PUBCOMP, pid=7, reason=0)
    watch.message(payload="once")
    watch.expect_no_message(via=c)


@shows("MQTT-4.3.3-11", "MQTT-4.4.0-1", "MQTT311-3.6.4-1")
@versions(3, 4, 5)
def qos2_in_pubrel_after_reconnect(t):
    """From the client, step 2: PUBREL comes on the next connection."""
    topic, watch, cid, c = sending(t)
    c.send_pub(topic, "once", 2, pid=7)
    c.expect(PUBREC, pid=7)
    c.close()
    c = t.lasting(cid, present=True)
    c.send(wire.ack(PUBREL, 7))
    c.expect(PUBCOMP, pid=7, reason=0)
    watch.message(payload="once")
    watch.expect_no_message(via=c)


@shows("MQTT-4.3.3-11", "MQTT-4.4.0-1")
@versions(4, 5)
def qos2_in_pubcomp_lost(t):
    """From the client, step 3: PUBCOMP is lost. The PUBREL sent again gets
    PUBCOMP again; nothing is delivered twice."""
    topic, watch, cid, c = sending(t)
    equal(c.pub(topic, "once", 2, pid=7), 0, "reason")
    c.close()
    c = t.lasting(cid, present=True)
    c.send(wire.ack(PUBREL, 7))
    c.expect(PUBCOMP, pid=7, reason=0x92 if t.ver == 5 else 0)
    watch.message(payload="once")
    watch.expect_no_message(via=c)


@shows("MQTT-4.3.3-12", "MQTT-4.4.0-1")
@versions(4, 5)
def qos2_in_identifier_again(t):
    """From the client, step 4: after PUBCOMP, on the next connection too,
    the identifier stands for a new message, though DUP is set."""
    topic, watch, cid, c = sending(t)
    c.pub(topic, "one", 2, pid=7)
    c.close()
    c = t.lasting(cid, present=True)
    c.pub(topic, "two", 2, pid=7, dup=True)
    watch.message(payload="one")
    watch.message(payload="two")
    watch.expect_no_message(via=c)


@shows("MQTT-3.1.2-4", "MQTT311-3.1.2-6", "MQTT-4.3.3-10")
@versions(4, 5)
def clean_start_forgets_identifiers(t):
    """With a new session the same QoS 2 identifier is a new message."""
    topic, watch, cid, c = sending(t)
    c.send_pub(topic, "old", 2, pid=7)
    c.expect(PUBREC, pid=7)
    c.close()
    c = t.client(client_id=cid, clean=True, present=False)
    c.pub(topic, "new", 2, pid=7, dup=True)
    # The old one was delivered on PUBLISH, or never without its PUBREL
    found = [pkt.payload for pkt in watch.drain(c)]
    check(found in ([b"new"], [b"old", b"new"]), f"got {found}")


@shows("MQTT-4.4.0-1", "MQTT-4.6.0-5", "MQTT311-4.6.0-1", "MQTT311-4.6.0-6",
       "MQTT-2.2.1-4")
@versions(3, 4, 5)
def redelivery_keeps_the_order(t):
    """After a reconnect what was in flight comes first, in its order and
    with its identifiers, then what waited, in its order."""
    cid, topic = t.cid(), t.topic()
    c = t.lasting(cid)
    c.sub(topic, 2)
    sender = t.client()
    for number in range(8):
        sender.pub(topic, str(number), 1 + number % 2)
    held = [c.message(answer=False) for _ in range(8)]
    # PUBREC for one in the middle: of it PUBREL comes instead
    c.send(wire.ack(PUBREC, held[3].pid))
    c.expect(PUBREL, pid=held[3].pid)
    # not c.close(): the broker must know before it gets the next ones
    c.disconnect()
    for number in range(8, 12):
        sender.pub(topic, str(number), 1 + number % 2)
    c = t.lasting(cid, present=True)
    pkts = [c.recv() for _ in range(12)]
    publishes = [pkt for pkt in pkts if pkt.type == PUBLISH]
    equal([int(pkt.payload) for pkt in publishes],
          [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11], "order")
    for pkt in publishes:
        number = int(pkt.payload)
        equal(pkt.dup, number < 8, f"DUP of message {number}")
        if number < 8:
            equal(pkt.pid, held[number].pid, f"identifier of {number}")
    equal([pkt.pid for pkt in pkts if pkt.type == PUBREL], [held[3].pid],
          "PUBREL")
    for pkt in publishes:
        c.answer(pkt)
    c.send(wire.ack(PUBCOMP, held[3].pid))
    c.expect_nothing()


@shows("MQTT-4.4.0-1", "MQTT-3.1.4-3", "MQTT311-4.4.0-1")
@versions(4, 5)
def redelivery_after_take_over(t):
    """Taking over an open connection redelivers what is in flight on it."""
    cid, _, _, c, first = receiving(t, 1)
    new = t.lasting(cid, present=True)
    c.expect_disconnect(0x8e)
    new.message(dup=True, pid=first.pid, payload="x")
    new.expect_nothing()


@shows("MQTT-4.4.0-1")
def acknowledged_late(t):
    """PUBACK on the new connection for an identifier of the old one counts,
    though it crosses the redelivery."""
    cid, topic, sender, c, first = receiving(t, 1)
    c.close()
    c = t.raw()
    c.send(wire.connect(5, cid, False, properties=[(wire.SESSION_EXPIRY, 99)]),
           wire.ack(PUBACK, first.pid))
    c.open(send=False)
    check(all(pkt.type == PUBLISH and pkt.pid == first.pid
              for pkt in c.barrier()), "only the redelivery may come")
    c.close()
    c = t.lasting(cid, present=True)
    c.expect_no_message(via=sender)
    sender.pub(topic, "next", 1)
    c.message(payload="next", dup=False)
