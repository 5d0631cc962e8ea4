# SPDX-License-Identifier: GPL-2.0
"""SUBSCRIBE, UNSUBSCRIBE, topic filters, options and identifiers."""

import wire
from harness import check, equal, shows, versions
from wire import SUBACK, SUBSCRIPTION_ID, UNSUBACK

NO_LOCAL = 4


@shows("MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-2.2.1-6", "MQTT-3.8.4-6",
       "MQTT-3.8.4-7", "MQTT-3.9.3-1", "MQTT-3.9.3-2", "MQTT311-3.8.4-1",
       "MQTT311-3.8.4-2", "MQTT311-2.3.1-7", "MQTT311-3.8.4-5",
       "MQTT311-3.9.3-1", "MQTT311-3.9.3-2", "MQTT-3.8.4-5",
       "MQTT311-3.8.4-4", "MQTT311-1.1.0-1")
@versions(3, 4, 5)
def suback(t):
    """SUBACK has the identifier of the SUBSCRIBE and a code for each filter
    in their order; every filter of the packet is in force."""
    c, sender = t.client(), t.client()
    topics = [t.topic() for _ in range(6)]
    for pid in (1, 0xffff, 0x100):
        c.send(wire.subscribe(pid, [(topic, (at + pid) % 3)
                                    for at, topic in enumerate(topics)],
                              t.ver))
        c.expect(SUBACK, pid=pid,
                 reasons=[(at + pid) % 3 for at in range(6)])
    for topic in topics:
        sender.pub(topic, topic)
        c.message(topic=topic, payload=topic)


@shows("MQTT-3.8.4-5", "MQTT311-3.8.4-4", "MQTT-3.9.3-1")
def suback_for_many_filters(t):
    """A SUBSCRIBE with 500 filters is answered with 500 codes."""
    c = t.client()
    base = t.topic()
    filters = [(f"{base}/{n}", n % 3) for n in range(500)]
    c.sub(filters)
    c.unsub(*(name for name, _ in filters))


# filter, topics that it matches, topics that it does not
MATCHES = (
    ("{0}/a/b", ["{0}/a/b"], ["{0}/a", "{0}/a/b/", "{0}/a/b/c", "{0}/A/b"]),
    ("{0}/+", ["{0}/a", "{0}/"], ["{0}", "{0}/a/b", "{0}/a/"]),
    ("{0}/+/b", ["{0}/a/b", "{0}//b"], ["{0}/b", "{0}/a/b/c"]),
    ("{0}/+/+", ["{0}/a/b", "{0}//", "{0}/a/"], ["{0}/a"]),
    ("{0}/#", ["{0}", "{0}/", "{0}/a", "{0}/a/b/c", "{0}//"], ["{0}x"]),
    ("{0}/a/#", ["{0}/a", "{0}/a/b"], ["{0}", "{0}/b", "{0}/ab"]),
    ("{0}/+/#", ["{0}/a", "{0}/a/b/c", "{0}/"], ["{0}"]),
    ("{0}/ ", ["{0}/ "], ["{0}", "{0}/", "{0}/  "]),
    ("{0}//", ["{0}//"], ["{0}/", "{0}"]),
    ("{0}/\u00e9", ["{0}/\u00e9"], ["{0}/e\u0301", "{0}/e", "{0}/\u00c9"]),
    ("{0}/\ufeffx", ["{0}/\ufeffx"], ["{0}/x"]),
    ("{0}/$x/+", ["{0}/$x/a"], ["{0}/x/a"]),
    ("+/{1}/+", ["/{1}/a", "x/{1}/a"], ["$x/{1}/a", "{1}/a"]),
    ("/{1}", ["/{1}"], ["{1}", "//{1}"]),
    ("/+/{1}", ["//{1}", "/a/{1}"], ["/{1}", "a/b/{1}"]),
    ("$x/{1}/+", ["$x/{1}/a"], ["x/{1}/a"]),
    ("$x/{1}/#", ["$x/{1}/a/b", "$x/{1}"], ["$y/{1}"]),
)


@shows("MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.7.2-1", "MQTT-4.7.3-4",
       "MQTT-4.7.0-1", "MQTT311-4.7.1-2", "MQTT311-4.7.1-3",
       "MQTT311-4.7.1-1", "MQTT-3.3.2-3", "MQTT311-3.3.2-3",
       "MQTT-1.5.4-3", "MQTT311-1.4.0-3", "MQTT-4.7.3-1",
       "MQTT311-4.7.3-1")
@versions(4, 5)
def matching(t):
    """Topic filters match what they must, byte for byte, and nothing else."""
    sender = t.client()
    for number, (filt, good, bad) in enumerate(MATCHES):
        base = t.topic()
        names = (base, base.replace("/", "-"))
        c = t.client()
        c.sub(filt.format(*names))
        for topic in bad + good:
            sender.pub(topic.format(*names), str(number))
        found = [pkt.topic for pkt in c.drain(sender)]
        equal(found, [topic.format(*names) for topic in good], filt)
        c.disconnect()


@shows("MQTT-4.7.2-1")
@versions(3, 4, 5)
def dollar_topics(t):
    """# and + do not match topics that start with $."""
    c, sender = t.client(), t.client()
    key = t.key + "-dollar"
    c.sub([("#", 0), ("+/" + key, 0), ("+/#", 0), ("/#", 0)])
    for topic in ("$" + key, "$/" + key, "$SYSX/" + key):
        sender.pub(topic, "hidden")
    sender.pub("x/" + key, "seen")
    found = [pkt for pkt in c.drain(sender, sentinel=t.topic())
             if key in pkt.topic]
    equal([pkt.topic for pkt in found], ["x/" + key], "topics")
    c.disconnect()


@shows("MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.8.2-1", "MQTT-4.8.2-2",
       "MQTT311-4.7.1-2", "MQTT311-4.7.1-3", "MQTT-3.9.3-2",
       "MQTT311-3.9.3-2")
@versions(3, 4, 5)
def filters_out_of_shape(t):
    """A filter with misplaced wildcards is refused (0x8F, 0x80 in 3.x) and
    the others in the packet are in force, or the connection ends."""
    topic = t.topic()
    bad = ["", "a#", "#a", "a/#/b", "a/b#", "+a", "a+", "a/+b/c", "a/b+/c",
           "##", "++", "#/", "a/#/", "#/+"]
    if t.ver == 5:
        bad += ["$share/", "$share/g", "$share/g/", "$share//a", "$share/+/a",
                "$share/#/a", "$share/g+/a", "$share/a#b/c", "$share/g/a#"]
    for filt in bad:
        c = t.client()
        c.send(wire.subscribe(5, [(filt, 0), (topic, 1)], t.ver))
        pkt = c.next_or_end()
        if pkt is None and t.ver < 5:
            continue
        check(pkt, f"{filt}: closed without a reason")
        if pkt.type == wire.DISCONNECT:
            check(pkt.reason in (0x81, 0x82, 0x8f), f"{filt}: {pkt}")
            continue
        wanted = [0x8f if t.ver == 5 else 0x80, 1]
        equal((pkt.type, pkt.reasons), (SUBACK, wanted), filt)


@shows("MQTT-3.8.4-3", "MQTT-3.8.4-4", "MQTT311-3.8.4-3", "MQTT-3.3.1-9")
@versions(3, 4, 5)
def resubscribing_replaces(t):
    """The same filter again replaces the subscription: the new QoS counts,
    one copy comes, the retained message is sent again."""
    topic = t.topic()
    sender = t.client()
    sender.pub(topic, "kept", 1, retain=True)
    c = t.client()
    for qos in (2, 0, 1):
        c.sub(topic, qos)
        c.message(payload="kept", retain=True, qos=min(1, qos))
        sender.pub(topic, "live", 2)
        c.message(payload="live", retain=False, qos=qos)
        c.expect_nothing()
    c.unsub(topic)
    sender.pub(topic, "after", 1)
    c.expect_no_message(via=sender)


@shows("MQTT-3.8.4-4", "MQTT311-3.8.4-3")
def resubscribing_loses_nothing(t):
    """While a subscription is being replaced over and over no message is
    lost."""
    topic = t.topic()
    c, sender = t.client(), t.client()
    c.sub(topic, 1)
    for number in range(100):
        sender.send_pub(topic, str(number), 1)
        c.send(wire.subscribe(c.next_pid(), [(topic, 1)]))
    found = []
    while len(found) < 100:
        pkt = c.await_packet(wire.PUBLISH)
        c.answer(pkt)
        found.append(int(pkt.payload))
    equal(found, list(range(100)), "messages")
    equal([pkt.type for pkt in c.barrier()], [SUBACK] * 100, "answers")


@shows("MQTT-3.3.4-2", "MQTT311-3.3.5-1", "MQTT-3.3.4-3", "MQTT-3.3.4-4",
       "MQTT-3.3.4-5")
@versions(3, 4, 5)
def overlapping(t):
    """Subscriptions that overlap give one copy with the highest QoS, and in
    5.0 with the identifiers of all of them."""
    topic = t.topic()
    c, sender = t.client(), t.client()
    filters = (topic + "/#", topic + "/+", topic + "/a", topic + "/a/#",
               topic + "/b")
    for number, filt in enumerate(filters, 1):
        c.sub(filt, number % 3,
              properties=[(SUBSCRIPTION_ID, number * 1000)])
    c.sub("+/" + topic.split("/", 1)[1] + "/a", 0)
    sender.pub(topic + "/a", "once", 2)
    pkt = c.message(payload="once", qos=2)
    if t.ver == 5:
        equal(sorted(pkt.all(SUBSCRIPTION_ID)), [1000, 2000, 3000, 4000],
              "subscription identifiers")
    c.expect_no_message(via=sender)


@shows("MQTT-3.3.4-3", "MQTT-3.3.4-4", "MQTT-3.8.4-3")
def subscription_identifiers(t):
    """Every size of identifier comes back; replacing a subscription replaces
    or removes it; without one there is none."""
    topic = t.topic()
    c, sender = t.client(), t.client()
    for ident in (1, 127, 128, 16383, 16384, 2097151, 2097152, 268435455):
        c.sub(topic, 1, properties=[(SUBSCRIPTION_ID, ident)])
        sender.pub(topic, "x", 1)
        equal(c.message().all(SUBSCRIPTION_ID), [ident], "identifiers")
    c.sub(topic, 1)
    sender.pub(topic, "x", 1)
    equal(c.message().all(SUBSCRIPTION_ID), [], "identifiers")


@shows("MQTT-3.3.4-3", "MQTT-3.1.2-5")
def subscription_identifiers_last(t):
    """Identifiers are part of the session, and of retained messages sent on
    subscribing; equal ones of two subscriptions may come once or twice."""
    cid, topic = t.cid(), t.topic()
    c = t.lasting(cid)
    sender = t.client()
    sender.pub(topic, "kept", 1, retain=True)
    c.sub([(topic, 1), (topic + "/#", 1)],
          properties=[(SUBSCRIPTION_ID, 77)])
    for _ in range(2):
        pkt = c.message(payload="kept", retain=True)
        check(set(pkt.all(SUBSCRIPTION_ID)) == {77}, f"{pkt}")
    c.disconnect()
    sender.pub(topic, "waits", 1)
    c = t.lasting(cid, present=True)
    equal(set(c.message(payload="waits").all(SUBSCRIPTION_ID)), {77},
          "identifiers")


@shows("MQTT-3.8.3-3")
def no_local(t):
    """With no local a client does not get its own messages by that
    subscription; others do, and its other subscriptions count."""
    topic = t.topic()
    c, other = t.client(), t.client()
    c.sub(topic + "/#", 1 | NO_LOCAL)
    other.sub(topic + "/#", 1)
    c.pub(topic + "/a", "own", 1)
    other.message(payload="own")
    c.expect_no_message(via=c)
    other.pub(topic + "/a", "foreign", 1)
    c.message(payload="foreign")
    other.message(payload="foreign")
    c.sub(topic + "/a", 0, properties=[(SUBSCRIPTION_ID, 5)])
    c.pub(topic + "/a", "own", 1)
    pkt = c.message(payload="own", qos=0)
    equal(pkt.all(SUBSCRIPTION_ID), [5], "identifiers")
    c.expect_no_message(via=c)


@shows("MQTT-3.8.3-3")
def no_local_and_wills(t):
    """No local goes by the client identifier: it holds for the client's own
    will and after a reconnect."""
    cid, topic = t.cid(), t.topic()
    watch = t.client()
    watch.sub(topic)
    c = t.lasting(cid)
    c.sub(topic, 1 | NO_LOCAL)
    c.disconnect()
    c = t.lasting(cid, present=True)
    c.pub(topic, "own", 1)
    c.expect_no_message(via=c)
    watch.message(payload="own")


@shows("MQTT311-3.8.4-6", "MQTT-3.3.4-2")
@versions(3, 4, 5)
def own_messages(t):
    """Without no local a client gets its own messages."""
    topic = t.topic()
    c = t.client()
    c.sub(topic, 2)
    for qos in range(3):
        c.pub(topic, "own", qos)
        c.message(payload="own", qos=qos)
    c.expect_nothing()


@shows("MQTT-3.10.4-1", "MQTT-3.10.4-2", "MQTT-3.10.4-4", "MQTT-3.10.4-5",
       "MQTT-3.10.4-6", "MQTT-3.11.3-1", "MQTT-3.11.3-2", "MQTT-2.2.1-6",
       "MQTT311-3.10.3-1", "MQTT311-3.10.3-2", "MQTT311-3.10.3-4",
       "MQTT311-3.10.3-5", "MQTT311-3.10.3-6", "MQTT311-2.3.1-7",
       "MQTT-3.10.3-1")
@versions(3, 4, 5)
def unsubscribe(t):
    """UNSUBACK has the identifier and, in 5.0, a code per filter in order;
    what matches exactly is deleted, anything else stays."""
    topic = t.topic()
    c, sender = t.client(), t.client()
    c.sub([(topic + "/a", 1), (topic + "/b", 1), (topic + "/+", 0)])
    pid = 0x8001
    c.send(wire.unsubscribe(pid, [topic + "/a", topic + "/#", topic + "/x",
                                  topic + "/b/", topic + "/+"], t.ver))
    pkt = c.expect(UNSUBACK, pid=pid)
    if t.ver == 5:
        equal(pkt.reasons, [0, 0x11, 0x11, 0x11, 0], "reasons")
    sender.pub(topic + "/a", "gone", 1)
    sender.pub(topic + "/b", "stays", 1)
    c.message(topic=topic + "/b", payload="stays", qos=1)
    c.expect_no_message(via=sender)


@shows("MQTT-3.10.4-5", "MQTT311-3.10.3-5")
@versions(3, 4, 5)
def unsubscribe_nothing(t):
    """UNSUBSCRIBE of what is not there is answered too."""
    c = t.client()
    for pid in (1, 0xffff):
        c.send(wire.unsubscribe(pid, [t.topic()], t.ver))
        c.expect(UNSUBACK, pid=pid, reasons=[0x11] if t.ver == 5 else [])


@shows("MQTT-3.10.4-3", "MQTT311-3.10.3-3")
@versions(4, 5)
def unsubscribe_in_flight(t):
    """Messages the broker has started to send are finished after
    UNSUBSCRIBE, also over a reconnect."""
    cid, topic = t.cid(), t.topic()
    c = t.lasting(cid)
    c.sub(topic, 2)
    sender = t.client()
    sender.pub(topic, "1", 1)
    sender.pub(topic, "2", 2)
    held = [c.message(answer=False) for _ in range(2)]
    c.unsub(topic)
    c.send(wire.ack(wire.PUBREC, held[1].pid))
    c.expect(wire.PUBREL, pid=held[1].pid)
    c.close()
    c = t.lasting(cid, present=True)
    got = sorted((pkt.type, pkt.pid) for pkt in (c.recv(), c.recv()))
    equal(got, [(wire.PUBLISH, held[0].pid), (wire.PUBREL, held[1].pid)],
          "packets")
    c.send(wire.ack(wire.PUBCOMP, held[1].pid),
           wire.ack(wire.PUBACK, held[0].pid))
    c.expect_no_message(via=sender)


@shows("MQTT-3.9.2-1", "MQTT-3.9.2-2", "MQTT-3.11.2-1", "MQTT-3.11.2-2",
       "MQTT-3.4.2-2", "MQTT-3.4.2-3", "MQTT-3.5.2-2", "MQTT-3.5.2-3",
       "MQTT-3.6.2-2", "MQTT-3.6.2-3", "MQTT-3.7.2-2", "MQTT-3.7.2-3",
       "MQTT-3.1.2-24")
def acknowledgements_in_a_small_packet(t):
    """With a small maximum packet size every acknowledgement still comes,
    and none is larger (the client checks each packet)."""
    c = t.client(properties=[(wire.MAXIMUM_PACKET_SIZE, 24)])
    c.sub("a/#/b", reasons=[0x8f])
    c.unsub(t.topic(), reasons=[0x11])
    equal(c.pub(t.topic(), "x", 1), 0x10, "PUBACK")
    equal(c.pub(t.topic(), "x", 2), 0x10, "PUBREC")
    c.send(wire.ack(wire.PUBREC, 7))
    c.expect(wire.PUBREL, pid=7, reason=0x92)
    c.send(wire.ack(wire.PUBREL, 8))
    c.expect(wire.PUBCOMP, pid=8, reason=0x92)
