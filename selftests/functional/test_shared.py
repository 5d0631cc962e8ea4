# SPDX-License-Identifier: GPL-2.0
"""Shared subscriptions: $share/group/filter."""

import wire
from harness import check, equal, shows, stats, versions


def group(t, size, filt, options=1, share="g"):
    members = [t.client() for _ in range(size)]
    for c in members:
        c.sub(f"$share/{share}/{filt}", options)
    return members


def collect(t, members, sender):
    """The payloads each member got up to now."""
    return [[pkt.payload for pkt in c.drain(sender)] for c in members]


@shows("MQTT-4.8.2-1", "MQTT-4.8.2-2", "MQTT-3.8.4-1")
def each_message_to_one_member(t):
    """Each message goes to exactly one member of a group, and every member
    gets some."""
    topic = t.topic()
    members = group(t, 3, topic + "/#")
    sender = t.client()
    for number in range(30):
        sender.pub(f"{topic}/{number}", str(number), 1)
    found = collect(t, members, sender)
    equal(sorted(int(p) for part in found for p in part), list(range(30)),
          "messages")
    check(all(found), f"a member got nothing: {list(map(len, found))}")


@shows("MQTT-4.8.2-1", "MQTT-3.3.4-2")
def groups_and_others_are_independent(t):
    """Two groups and an ordinary subscriber each get every message once; a
    member that also subscribes by itself gets both copies."""
    topic = t.topic()
    first = group(t, 2, topic, share="g1")
    second = group(t, 2, topic, share="g2")
    single = t.client()
    single.sub(topic, 1)
    sender = t.client()
    for number in range(10):
        sender.pub(topic, str(number), 1)
    for part in (first, second, [single]):
        found = collect(t, part, sender)
        equal(sorted(int(p) for one in found for p in one), list(range(10)),
              "messages")
    both = t.client()
    topic = t.topic()
    both.sub([(topic, 1), ("$share/g/" + topic, 1)])
    sender.pub(topic, "twice", 1)
    equal([pkt.payload for pkt in both.drain(sender)], [b"twice"] * 2,
          "copies")


@shows("MQTT-4.8.2-3", "MQTT-3.8.4-8")
def granted_qos_holds(t):
    """A member gets messages at the QoS granted to it."""
    topic = t.topic()
    sender = t.client()
    for qos in range(3):
        c, = group(t, 1, topic, qos)
        sender.pub(topic, "x", 2)
        c.message(qos=qos)
        c.disconnect()


@shows("MQTT-3.8.3-4")
def no_local_is_refused(t):
    """No local on a shared subscription is a protocol error."""
    c = t.client()
    c.send(wire.subscribe(1, [("$share/g/a", 4)]))
    c.expect_disconnect(0x82)


@shows("MQTT-3.8.4-3", "MQTT-3.10.4-1")
def leaving_the_group(t):
    """Unsubscribing takes a member out; the rest get everything. The filter
    without $share is another subscription."""
    topic = t.topic()
    one, two = group(t, 2, topic)
    one.unsub(topic, reasons=[0x11])
    one.unsub("$share/other/" + topic, reasons=[0x11])
    one.unsub("$share/g/" + topic)
    sender = t.client()
    for number in range(6):
        sender.pub(topic, str(number), 1)
    equal([len(part) for part in collect(t, (one, two), sender)], [0, 6],
          "messages")


@shows("MQTT-3.3.1-9")
def no_retained_messages(t):
    """A shared subscription is not sent the retained messages."""
    topic = t.topic()
    sender = t.client()
    sender.pub(topic, "kept", 1, retain=True)
    c, = group(t, 1, topic)
    c.expect_no_message(via=sender)
    sender.pub(topic, "live", 1)
    c.message(payload="live")


@shows("MQTT-4.8.2-4", "MQTT-4.4.0-1")
def in_flight_stays_with_the_member(t):
    """What a member was sent and did not acknowledge waits for it, though
    others could have it."""
    topic, cid = t.topic(), t.cid()
    c = t.lasting(cid)
    c.sub("$share/g/" + topic, 1)
    sender = t.client()
    sender.pub(topic, "mine", 1)
    pkt = c.message(answer=False, payload="mine")
    other, = group(t, 1, topic)
    c.close()
    other.expect_no_message(via=sender)
    c = t.lasting(cid, present=True)
    c.message(payload="mine", dup=True, pid=pkt.pid)
    c.expect_nothing()


@shows("MQTT-4.8.2-5")
def in_flight_ends_with_the_session(t):
    """If the session ends instead, a QoS 2 message that was sent goes to
    nobody else."""
    topic, cid = t.topic(), t.cid()
    c = t.lasting(cid)
    c.sub("$share/g/" + topic, 2)
    sender = t.client()
    sender.pub(topic, "lost", 2)
    c.message(answer=False, payload="lost")
    other, = group(t, 1, topic, 2)
    c.close()
    t.client(client_id=cid, clean=True).disconnect()
    other.expect_no_message(via=sender)


@shows("MQTT-4.8.2-6")
def refused_goes_to_nobody_else(t):
    """A message that a member refuses is dropped."""
    topic = t.topic()
    sender = t.client()
    one, two = group(t, 2, topic, 2)
    for qos in (1, 2, 1, 2):
        sender.pub(topic, "no", qos)
    count = 0
    for c in (one, two):
        count += len(c.drain(sender, reason=0x83))
    equal(count, 4, "messages")
    for c in (one, two):
        c.expect_no_message(via=sender)


@shows("MQTT-4.8.2-1")
def the_full_pass_it_on(t):
    """A member whose queue is full costs the group nothing while another has
    room, and one without a connection gets nothing while one with it does."""
    t.setting(max_queued_messages=10, max_inflight=4)
    topic, away = t.topic(), t.cid()
    slow, quick = group(t, 2, topic)
    absent = t.lasting(away)
    absent.sub("$share/g/" + topic, 1)
    absent.disconnect()
    sender, before, found = t.client(), stats(), 0
    for number in range(40):
        sender.pub(topic, str(number), 1)
        found += len(quick.drain(sender))
    equal(stats()["dropped_queue_full"], before["dropped_queue_full"], "dropped")
    equal(t.lasting(away).drain(sender), [], "messages of the absent")
    equal(40 - found, 4 + 10, "messages that wait for the slow one")


@shows("MQTT-3.3.4-3", "MQTT-3.3.4-4")
def identifiers_of_shared_subscriptions(t):
    """A subscription identifier works for a shared subscription."""
    topic = t.topic()
    c = t.client()
    c.sub("$share/g/" + topic, 1, properties=[(wire.SUBSCRIPTION_ID, 9)])
    t.client().pub(topic, "x", 1)
    equal(c.message().all(wire.SUBSCRIPTION_ID), [9], "identifiers")


@shows("MQTT-4.7.1-1", "MQTT-4.7.2-1", "MQTT-4.8.2-2")
def shared_filters_match_as_others(t):
    """The filter after the group's name follows the rules of all filters;
    group names are compared byte for byte."""
    base = t.topic()
    sender = t.client()
    c = t.client()
    c.sub([(f"$share/{name}/{base}/+/x", 0)
           for name in ("g", "G", "gr\u00fcn", " ", "$share")])
    sender.pub(base + "/a/x", "1")
    sender.pub(base + "/x", "2")
    equal([pkt.payload for pkt in c.drain(sender)], [b"1"] * 5, "copies")


@shows("MQTT-4.8.2-1")
@versions(3, 4)
def shared_subscriptions_of_v3(t):
    """3.x clients may share too, or have $share as an ordinary first level;
    in no case do they get a message twice."""
    topic = t.topic()
    members = [t.client() for _ in range(2)]
    for c in members:
        c.sub("$share/g/" + topic, 0)
    sender = t.client()
    for number in range(8):
        sender.pub(topic, str(number))
    found = sorted(p for part in collect(t, members, sender) for p in part)
    check(len(found) in (0, 8) and len(set(found)) == len(found),
          f"got {found}")


@shows("MQTT-4.8.2-4", "MQTT-4.5.0-1")
def absent_member(t):
    """With one member away nothing is lost: every message reaches the one
    that is there or waits for the one that is not."""
    topic, cid = t.topic(), t.cid()
    c = t.lasting(cid)
    c.sub("$share/g/" + topic, 1)
    here, = group(t, 1, topic)
    c.disconnect()
    sender = t.client()
    for number in range(10):
        sender.pub(topic, str(number), 1)
    found = collect(t, [here, t.lasting(cid, present=True)], sender)
    equal(sorted(int(p) for part in found for p in part), list(range(10)),
          "messages")
