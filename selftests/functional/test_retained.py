# SPDX-License-Identifier: GPL-2.0
"""Retained messages: set, replace, clear, and who is sent them."""

import wire
from harness import check, equal, shows, versions

AS_PUBLISHED = 8
HANDLING_NEW, HANDLING_NEVER = 0x10, 0x20


def asked(t, sender, filt, options=2, **fields):
    """What a new client is sent on subscribing."""
    c = t.client(**fields)
    c.sub(filt, options)
    found = c.drain(sender)
    c.disconnect()
    return found


@shows("MQTT-3.3.1-5", "MQTT-3.3.1-9", "MQTT311-2.1.2-6", "MQTT311-2.1.2-7",
       "MQTT311-2.1.2-9")
@versions(3, 4, 5)
def kept_for_new_subscribers(t):
    """The last retained message of a topic is sent, with RETAIN 1 and the
    lower QoS, to whoever subscribes later."""
    sender = t.client()
    for qos in range(3):
        topic = t.topic()
        sender.pub(topic, "old", 1, retain=True)
        sender.pub(topic, f"new {qos}", qos, retain=True)
        for granted in range(3):
            pkt, = asked(t, sender, topic, granted)
            equal((pkt.payload, pkt.retain, pkt.qos, pkt.dup),
                  (b"new %d" % qos, True, min(qos, granted), False), "message")


@shows("MQTT311-2.1.2-8", "MQTT-3.3.1-5")
@versions(3, 4, 5)
def qos0_replaces(t):
    """A retained QoS 0 message replaces one of QoS 1."""
    topic, sender = t.topic(), t.client()
    sender.pub(topic, "one", 1, retain=True)
    sender.pub(topic, "zero", 0, retain=True)
    sender.barrier()
    pkt, = asked(t, sender, topic)
    equal((pkt.payload, pkt.qos), (b"zero", 0), "message")


@shows("MQTT-3.3.1-6", "MQTT-3.3.1-7", "MQTT311-2.1.2-11")
@versions(3, 4, 5)
def empty_payload_clears(t):
    """A retained message without payload goes to the subscribers, is not
    kept and removes the one there was."""
    sender = t.client()
    for qos in range(3):
        topic = t.topic()
        watch = t.client()
        watch.sub(topic, 2)
        sender.pub(topic, "x", 1, retain=True)
        watch.message(payload="x", retain=False)
        for _ in range(2):
            sender.pub(topic, b"", qos, retain=True)
            watch.message(payload="", retain=False, qos=qos)
        equal(asked(t, sender, topic), [], "messages")


@shows("MQTT-3.3.1-8", "MQTT311-2.1.2-12")
@versions(3, 4, 5)
def without_retain_nothing_is_stored(t):
    """A message without RETAIN, empty or not, leaves the retained one."""
    topic, sender = t.topic(), t.client()
    sender.pub(topic, "first", 1)
    equal(asked(t, sender, topic), [], "messages")
    sender.pub(topic, "kept", 1, retain=True)
    sender.pub(topic, "passing", 1)
    sender.pub(topic, "", 1)
    pkt, = asked(t, sender, topic)
    equal(pkt.payload, b"kept", "payload")


@shows("MQTT-3.3.1-12", "MQTT-3.3.1-13", "MQTT311-2.1.2-10")
@versions(3, 4, 5)
def retain_flag_of_live_messages(t):
    """An established subscription sees RETAIN 0, or in 5.0 with retain as
    published the flag as it was sent."""
    topic, sender = t.topic(), t.client()
    plain = t.client()
    plain.sub(topic, 1)
    sees = [(plain, False)]
    if t.ver == 5:
        kept = t.client()
        kept.sub(topic, 1 | AS_PUBLISHED)
        sees.append((kept, True))
    for retain in (True, False):
        sender.pub(topic, "x", 1, retain=retain)
        for c, as_published in sees:
            c.message(payload="x", retain=retain and as_published)


@shows("MQTT-3.3.1-9", "MQTT-3.3.1-12", "MQTT-3.3.1-13")
def sent_on_subscribing_as_published_or_not(t):
    """What is sent on subscribing has RETAIN 1 with either option."""
    topic, sender = t.topic(), t.client()
    sender.pub(topic, "x", 1, retain=True)
    for options in (1, 1 | AS_PUBLISHED):
        pkt, = asked(t, sender, topic, options)
        equal(pkt.retain, True, "RETAIN")


@shows("MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11")
def retain_handling(t):
    """0: sent each time; 1: sent for a new subscription only; 2: never."""
    topic, sender = t.topic(), t.client()
    sender.pub(topic, "x", 1, retain=True)
    c = t.client()
    for _ in range(2):
        c.sub(topic, 1)
        c.message(payload="x", retain=True)
    c.sub(topic, 1 | HANDLING_NEW)
    c.expect_no_message(via=sender)
    c.sub(topic, 1 | HANDLING_NEVER)
    c.expect_no_message(via=sender)
    c.unsub(topic)
    c.sub(topic, 1 | HANDLING_NEVER)
    c.expect_no_message(via=sender)
    c.unsub(topic)
    c.sub(topic, 1 | HANDLING_NEW)
    c.message(payload="x", retain=True)
    # Another filter is another subscription, though it overlaps
    c.sub(topic + "/#", 1 | HANDLING_NEW)
    c.message(payload="x", retain=True)
    c.expect_nothing()


@shows("MQTT-3.3.1-10")
def retain_handling_over_a_reconnect(t):
    """A subscription of a resumed session exists: handling 1 sends
    nothing."""
    cid, topic, sender = t.cid(), t.topic(), t.client()
    sender.pub(topic, "x", 1, retain=True)
    c = t.lasting(cid)
    c.sub(topic, 1 | HANDLING_NEW)
    c.message(payload="x", retain=True)
    c.disconnect()
    c = t.lasting(cid, present=True)
    c.sub(topic, 1 | HANDLING_NEW)
    c.expect_no_message(via=sender)
    c.sub(topic, 1)
    c.message(payload="x", retain=True)


@shows("MQTT311-2.1.2-7", "MQTT-3.3.1-9", "MQTT-4.7.1-1", "MQTT-4.7.1-2")
@versions(4, 5)
def wildcards_find_all(t):
    """A filter with wildcards is sent every retained message it matches."""
    base, sender = t.topic(), t.client()
    topics = ["", "/", "/a", "/a/b", "/a/b/c", "/b", "//b", "/$x"]
    for topic in topics:
        sender.pub(base + topic, base + topic, 1, retain=True)
    for filt, wanted in (("", [""]), ("/#", topics), ("/+", ["/", "/a", "/b",
                                                            "/$x"]),
                         ("/a/#", ["/a", "/a/b", "/a/b/c"]),
                         ("/+/b", ["/a/b", "//b"]), ("/+/+/c", ["/a/b/c"]),
                         ("/c", [])):
        found = asked(t, sender, base + filt)
        equal(sorted(pkt.topic for pkt in found),
              sorted(base + topic for topic in wanted), filt)
        check(all(pkt.retain for pkt in found), "RETAIN")
    head = base.split("/", 1)[1]
    found = asked(t, sender, "+/" + head + "/a")
    equal([pkt.topic for pkt in found], [base + "/a"], "+ in front")


@shows("MQTT-4.7.2-1")
def wildcards_do_not_find_dollar(t):
    """# and + do not find retained messages under $."""
    key = t.key + "-kept"
    sender = t.client()
    sender.pub(f"${key}/x", "x", 1, retain=True)
    equal([pkt for pkt in asked(t, sender, "+/x") if key in pkt.topic], [],
          "messages")
    equal([pkt for pkt in asked(t, sender, "#") if key in pkt.topic], [],
          "messages")
    found = asked(t, sender, f"${key}/#")
    equal([pkt.topic for pkt in found], [f"${key}/x"], "topics")


@shows("MQTT-3.3.1-5", "MQTT-3.3.2-17", "MQTT-3.3.2-18", "MQTT-3.3.2-4",
       "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-20")
def properties_are_kept(t):
    """A retained message keeps its properties."""
    topic, sender = t.topic(), t.client()
    properties = [(wire.PAYLOAD_FORMAT, 1), (wire.CONTENT_TYPE, "a/b"),
                  (wire.RESPONSE_TOPIC, "x/y"),
                  (wire.CORRELATION_DATA, b"\xff\0"),
                  (wire.USER_PROPERTY, ("k", "2")),
                  (wire.USER_PROPERTY, ("k", "1"))]
    sender.pub(topic, "x", 1, retain=True, properties=properties)
    pkt, = asked(t, sender, topic)
    equal(sorted(pkt.properties, key=lambda p: p[0]), properties,
          "properties")


@shows("MQTT311-3.1.2.7", "MQTT-3.3.1-5", "MQTT-4.5.0-1")
@versions(3, 4, 5)
def many_retained_messages(t):
    """Three hundred retained messages are all sent, at QoS 1 through an
    inflight window that is smaller."""
    base, sender = t.topic(), t.client()
    for number in range(300):
        sender.send_pub(f"{base}/{number}", str(number), 1, retain=True)
        if number % 50 == 49:
            sender.barrier()
    c = t.client()
    c.sub(base + "/+", 1)
    found = {}
    for _ in range(300):
        pkt = c.message(qos=1, retain=True)
        found[pkt.topic] = int(pkt.payload)
    equal(found, {f"{base}/{n}": n for n in range(300)}, "messages")
    c.expect_nothing()


@shows("MQTT-3.3.1-9", "MQTT311-2.1.2-9")
@versions(4, 5)
def offline_copies_are_not_retained(t):
    """A message that was retained when published and waited for an absent
    subscriber comes with RETAIN 0."""
    cid, topic, sender = t.cid(), t.topic(), t.client()
    c = t.lasting(cid)
    c.sub(topic, 1)
    c.disconnect()
    sender.pub(topic, "x", 1, retain=True)
    c = t.lasting(cid, present=True)
    c.message(payload="x", retain=False)
    c.expect_nothing()
