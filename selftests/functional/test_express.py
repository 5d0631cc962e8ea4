# SPDX-License-Identifier: GPL-2.0
"""Packets that come alone and are handled where they arrive: which are, and that
nobody can tell but by the counter."""

import contextlib
import os
import subprocess
import sys

import wire
from harness import check, equal, many, shows, stats, versions
from wire import (PINGRESP, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBSCRIPTION_ID,
                  TOPIC_ALIAS)

COUNTER = "packets_express"
GATHERED = "packets_gathered"
MALFORMED, PROTOCOL, TOPIC, NOT_FOUND = 0x81, 0x82, 0x90, 0x92
# Messages in which a client must have come to be handled so.
ENOUGH = 2000


def grown(before, counter=COUNTER):
    return stats()[counter] - before


def one_by_one(sender, watches, topic, count, qos=0, **more):
    """Each message is sent when the one before it has arrived everywhere."""
    for number in range(count):
        sender.pub(topic, f"{number}", qos, **more)
        for watch in watches:
            watch.message(topic=topic, payload=f"{number}", qos=qos)


def pair(t, qos=0, where=None):
    """A topic, who has subscribed to it, and who publishes to it and is handled
    so."""
    topic = t.topic()
    watch, sender = t.client(where=where), t.client(where=where)
    watch.sub(topic, qos)
    trusted(t, sender, watch, topic)
    return topic, watch, sender


def trusted(t, sender, watch, topic, qos=0):
    t.setting(express_after=2)
    before = stats()[COUNTER]
    for _ in range(ENOUGH // 20):
        one_by_one(sender, [watch], topic, 20, qos)
        if grown(before) >= 10:
            return
    check(False, f"{grown(before)} of {ENOUGH} packets")


def handled_at_once(t, where=None):
    """Packets of both sides, with each QoS."""
    count = many(100)
    for qos in range(3):
        topic, watch, sender = pair(t, qos, where)
        before, gathered_before = stats()[COUNTER], stats()[GATHERED]
        one_by_one(sender, [watch], topic, count, qos)
        # PUBLISH; two PUBACKs; PUBREL, and PUBREC and PUBCOMP of the other.
        check(grown(before) >= count // 4 * (1, 2, 4)[qos],
              f"QoS {qos}: {grown(before)} packets")
        waited = grown(gathered_before, GATHERED)
        check(waited <= grown(before) // 2,
              f"QoS {qos}: {waited} of {grown(before)} have waited")
        watch.expect_no_message(via=sender)


def gathered(t, where=None):
    """Many packets at once, and one by one to who has not read those before."""
    topic, watch, sender = pair(t, where=where)
    before = stats()[COUNTER]
    for start in range(0, 500, 50):
        sender.send(b"".join(wire.publish(topic, f"{n}")
                             for n in range(start, start + 50)))
        for number in range(start, start + 50):
            watch.message(payload=f"{number}")
    equal(grown(before), 0, "of those sent together")
    waited = 0
    # Fewer than fill half a queue, from where on the io work has them.
    for start in range(0, 400, 50):
        trusted(t, sender, watch, topic)
        before = stats()[GATHERED]
        for number in range(start, start + 50):
            sender.send_pub(topic, f"{number}")
        for number in range(start, start + 50):
            watch.message(payload=f"{number}")
        waited += grown(before, GATHERED)
    check(waited >= 100, f"{waited} of those sent one by one have waited")


def ended(t, cases, where=None):
    """Each packet of @cases is the end, for its reason."""
    for packet, reason in cases:
        _, _, sender = pair(t, where=where)
        sender.send(packet)
        sender.expect_disconnect(reason)


@shows()
@versions(3, 4, 5)
def each_qos(t):
    """What comes one at a time is handled where it arrives, acknowledgments of
    both sides too, and everything arrives once."""
    handled_at_once(t)


@shows()
def switched_off(t):
    """With express_after 0 nothing is; changed back, it is again."""
    topic, watch, sender = pair(t)
    t.setting(express_after=0)
    before = stats()[COUNTER]
    one_by_one(sender, [watch], topic, 50)
    equal(grown(before), 0, COUNTER)
    trusted(t, sender, watch, topic)


def several(t, watch, topic):
    """Two subscriptions of one client that match."""
    watch.sub(topic, 0, [(SUBSCRIPTION_ID, 1)])
    watch.sub(topic.rsplit("/", 1)[0] + "/+", 0, [(SUBSCRIPTION_ID, 2)])


def shared(t, watch, topic):
    """A share group."""
    watch.unsub(topic)
    watch.sub("$share/g/" + topic, 0)


@shows()
def not_what_takes_longer(t):
    """Retained messages, topic aliases, long ones, subscriptions that overlap
    and share groups go the usual way."""
    for kind in (dict(retain=True), dict(properties=[(TOPIC_ALIAS, 1)]),
                 dict(payload="x" * 2000), dict(setup=several),
                 dict(setup=shared)):
        topic, watch, sender = pair(t)
        kind.pop("setup", lambda *_: None)(t, watch, topic)
        payload = kind.pop("payload", "x")
        before = stats()[COUNTER]
        for _ in range(20):
            sender.pub(topic, payload, 0, **kind)
            pkt = watch.message(payload=payload)
            if pkt.all(SUBSCRIPTION_ID):
                equal(sorted(pkt.all(SUBSCRIPTION_ID)), [1, 2],
                      "identifiers of both")
        equal(grown(before), 0, f"{COUNTER} ({kind})")


@shows()
def of_any_size_up_to_a_frame(t):
    """What is not small, too, with each QoS: nearly all leaves at once if it comes
    alone, but a burst of it is gathered, and all arrives in order."""
    count = many(100)
    for qos in range(3):
        topic, watch, sender = pair(t, qos)
        before, waited = stats()[COUNTER], stats()[GATHERED]
        for number in range(count):
            payload = f"{number}".ljust(1400, ".")
            sender.pub(topic, payload, qos)
            watch.message(payload=payload, qos=qos)
        check(grown(before) >= count // 2,
              f"QoS {qos}: {grown(before)} packets")
        waited = grown(waited, GATHERED)
        check(waited <= grown(before) // 2,
              f"QoS {qos}: {waited} of {grown(before)} have waited")
    topic, watch, sender = pair(t)
    waited = stats()[GATHERED]
    for turn in range(10):
        trusted(t, sender, watch, topic)
        for number in range(50):
            sender.send_pub(topic, f"{number}".ljust(1000, "."))
        for number in range(50):
            watch.message(payload=f"{number}".ljust(1000, "."))
    check(grown(waited, GATHERED) >= 20,
          f"{grown(waited, GATHERED)} of those sent one by one have waited")


@shows()
def not_to_many(t):
    """A few subscribers are, many are not."""
    topic, watch, sender = pair(t)
    watches = [watch]
    count = many(100)
    for wanted, limit in ((4, count * 2 // 5), (17, 0)):
        while len(watches) < wanted:
            watches.append(t.client())
            watches[-1].sub(topic, 0)
        before = stats()[COUNTER]
        one_by_one(sender, watches, topic, count)
        check(limit <= grown(before) <= (count if limit else 0),
              f"{grown(before)} packets to {wanted}")


@shows()
def a_burst_is_gathered(t):
    """Of a publisher that does not wait many packets leave together, whatever it
    did before: the io work handles them if they come in one segment; where they
    arrive they wait, since their subscriber has not read what was sent. Nothing
    is lost, nothing is out of order."""
    gathered(t)


@shows()
def many_that_send_one_each(t):
    """What comes of many publishers at once leaves together, and each packet is
    acknowledged."""
    topic = t.topic()
    watch, senders = t.client(), [t.client() for _ in range(20)]
    watch.sub(topic, 1)
    t.setting(express_after=2)
    before = stats()[GATHERED]
    for turn in range(ENOUGH // 100):
        for sender in senders:
            sender.send(wire.publish(topic, f"{turn}", 1, 1 + turn))
        for _ in senders:
            watch.message(payload=f"{turn}", qos=1)
        for sender in senders:
            sender.expect(wire.PUBACK, pid=1 + turn)
    check(grown(before, GATHERED) >= 100,
          f"{grown(before, GATHERED)} of {len(senders) * turn} have waited")


@contextlib.contextmanager
def busy_processors():
    """By who comes before the broker's threads and workers, as we do."""
    with contextlib.ExitStack() as stack:
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, 0, -20)
        stack.callback(os.setpriority, os.PRIO_PROCESS, 0, nice)
        for _ in range(os.cpu_count()):
            child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            stack.callback(child.wait)
            stack.callback(child.kill)
        yield


@shows()
def with_processors_that_are_busy(t):
    """What waits for the processor is sent, too, if it is never idle. (How many
    wait cannot be said: where softirqs must wait themselves packets meet in the
    socket, and the io work handles them.)"""
    topic, watch, sender = pair(t)
    with busy_processors():
        for _ in range(many(10, 4)):
            one_by_one(sender, [watch], topic, 3)
            for number in range(10):
                sender.send_pub(topic, f"{number}")
            for number in range(10):
                watch.message(payload=f"{number}")


@shows()
def bursts_with_processors_that_are_busy(t):
    """The io work of clients that send several packets at once waits for the
    processor, too, and comes if it is never idle; half a packet, others that come
    meanwhile and the end of the connection do not keep it."""
    pairs = [pair(t) for _ in range(3)]
    with busy_processors():
        for turn in range(many(12, 5)):
            for topic, _, sender in pairs:
                data = b"".join(wire.publish(topic, f"{n}") for n in range(8))
                cut = turn % len(data)
                sender.send(data[:cut])
                sender.send(data[cut:])
            for _, watch, _ in pairs:
                for number in range(8):
                    watch.message(payload=f"{number}")
        for topic, watch, sender in pairs:
            sender.send(b"".join(wire.publish(topic, f"{n}") for n in range(8)))
            sender.close()
            for number in range(8):
                watch.message(payload=f"{number}")


@shows()
def what_is_wrong_is_as_wrong(t):
    """An error in a packet that would be handled so ends the connection as it
    does otherwise; what needs an answer gets it."""
    ended(t, ((wire.publish("a/+", b""), TOPIC),
              (wire.publish("a", b"", 0, flags=6), MALFORMED),
              (wire.packet(wire.PINGREQ, 0, b"x"), MALFORMED),
              (wire.connect(), PROTOCOL)))
    topic, watch, sender = pair(t)
    sender.send(wire.ack(PUBREL, 7))
    sender.expect(PUBCOMP, pid=7, reason=NOT_FOUND)
    sender.send(wire.ack(PUBREC, 7))
    sender.expect(PUBREL, pid=7, reason=NOT_FOUND)
    sender.send(wire.pingreq())
    sender.expect(PINGRESP)
    one_by_one(sender, [watch], topic, 20)


@shows()
def beside_others(t):
    """What one client publishes alone, and another in a burst, to the same
    subscriber: of each all, in order."""
    topic, watch, sender = pair(t)
    other = t.client()
    for _ in range(20):
        other.send(wire.publish(topic, b"burst") * 30)
        for number in range(5):
            sender.send_pub(topic, f"{number}")
        got = [watch.expect(PUBLISH).payload for _ in range(35)]
        equal([p for p in got if p != b"burst"],
              [b"%d" % n for n in range(5)], "messages of one")
