# SPDX-License-Identifier: GPL-2.0
"""What a client does to the broker by malice, neglect or bad luck, and that
nobody else notices."""

import json
import socket
import time

import wire
from harness import (CHECKED, check, ctl, equal, many, patient, shows, slow,
                     stats, versions)
from mqttlib import LIMIT, Client, Failure, now
from wire import PUBREC, PUBREL, SUBACK

QUOTA = 0x97
MIB = 1 << 20


def session(client_id):
    """What kmqttctl shows of one session."""
    return next(s for s in json.loads(ctl("-j", "session", "show"))
                if s["client_id"] == client_id)


def stuff(c, packet):
    """Send @packet again and again, read nothing, until nothing more goes
    out: neither side has room left, and the broker has stopped reading."""
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    c.sock.settimeout(1)
    data, end = packet * (65536 // len(packet)), now() + 4 * LIMIT
    try:
        while now() < end:
            c.sock.send(data)
    except socket.timeout:
        return
    raise Failure("the broker reads without end, though nobody reads it")


@shows("MQTT-3.1.2-22", "MQTT311-3.1.2-22")
@slow
@versions(4, 5)
def pings_unread(t):
    """A client that floods PINGREQ and reads no answer is no longer read,
    and its keep alive ends it."""
    topic, watch = t.topic(), t.client()
    watch.sub(topic)
    c = t.client(keep_alive=2, will=wire.Will(topic, "gone"))
    stuff(c, wire.pingreq())
    watch.message(payload="gone")


@shows("MQTT-3.1.2-8", "MQTT311-3.1.2-8")
@slow
@versions(4, 5)
def reset_while_not_read(t):
    """A client that is not read, since it takes no answers, and then resets
    the connection is gone at once, without any keep alive."""
    topic, watch = t.topic(), t.client()
    watch.sub(topic)
    c = t.client(will=wire.Will(topic, "gone"))
    stuff(c, wire.pingreq())
    c.reset()
    watch.message(payload="gone")


@shows("MQTT-3.1.4-3")
@slow
def take_over_while_not_read(t):
    """A client that is not read, since it takes no answers, makes way for
    another connection of its own."""
    cid = t.cid()
    stuff(t.lasting(cid), wire.pingreq())
    t.lasting(cid, present=True).barrier()


@shows("MQTT-3.1.4-1")
def garbage_and_end(t):
    """Garbage and the end of the connection in one go, many times over, some
    by FIN and some by RST."""
    for number in range(200):
        c = Client(5)
        c.send(b"\xf0\xff\xff\xff\xff" if number & 1 else b"\x10\x00")
        if number & 2:
            c.reset()
        else:
            c.close()
    t.client().expect_nothing()


@shows("MQTT-4.4.0-1", "MQTT311-4.4.0-1")
def retries_used_up(t):
    """When retry_max ends a 3.x connection, what was acknowledged in part
    and what was not are both there for the next one."""
    t.setting(retry_interval=1, retry_max=1)
    topic, cid, sender = t.topic(), t.cid(), t.client(5)
    c = t.lasting(cid, ver=4)
    c.sub(topic, 2)
    for text in "half", "not":
        sender.pub(topic, text, 2)
    half, no = (c.message(answer=False, dup=False) for _ in range(2))
    for pid in (half.pid, no.pid):
        c.message(answer=False, dup=True, pid=pid)
    c.send(wire.ack(PUBREC, half.pid))
    c.expect(PUBREL, pid=half.pid)
    c.expect_close(allow=(PUBREL,))
    c = t.lasting(cid, ver=4, present=True)
    found = {}
    for _ in range(2):
        pkt = c.recv()
        found[pkt.pid] = pkt.type
        if pkt.type == wire.PUBLISH:
            equal(pkt.payload, b"not", "payload")
            c.send(wire.ack(PUBREC, pkt.pid))
            c.await_packet(PUBREL, pid=pkt.pid)
        c.send(wire.ack(wire.PUBCOMP, pkt.pid))
    equal(found, {half.pid: PUBREL, no.pid: wire.PUBLISH}, "sent again")
    c.expect_nothing()


@shows("MQTT-3.3.2-5", "MQTT-4.6.0-5")
@slow
def live_behind_expired(t):
    """Messages behind many that have expired come without being asked for."""
    cid, topic, sender = t.cid(), t.topic(), t.client()
    c = t.lasting(cid)
    c.sub(topic, 1)
    c.disconnect()
    for number in range(60):
        sender.pub(topic, "stale", 1, properties=[(wire.MESSAGE_EXPIRY, 1)])
    for number in range(10):
        sender.pub(topic, str(number), 1)
    time.sleep(2)
    c = t.lasting(cid, present=True)
    for number in range(10):
        c.message(payload=str(number))


@shows("MQTT-3.8.4-3", "MQTT-3.9.3-1")
@patient
def one_filter_a_hundred_thousand_times(t):
    """One SUBSCRIBE that names "#" 100,000 times: each gets its reason code,
    the retained messages sent for it are bounded, and so is the memory."""
    count = 100000 if not CHECKED else 10000
    base, sender = t.topic(), t.client()
    topics = {f"{base}/{n}" for n in range(many(200))}
    t.retained |= topics
    for topic in topics:
        sender.pub(topic, "kept", 1, retain=True)
    before = stats()
    c = t.client()
    c.send(wire.subscribe(1, [("#", 0)] * count))
    sender.barrier()
    pkt = c.await_packet(SUBACK, seconds=4 * LIMIT)
    equal(len(pkt.reasons), count, "reason codes")
    check(stats()["memory_bytes"] < before["memory_bytes"] + 64 * MIB,
          "memory")
    own = [p for p in c.barrier() if p.topic in topics]
    check({p.topic for p in own} == topics, "a retained message is missing")
    check(len(own) <= 3 * before["retained_messages"] + 2048,
          f"{len(own)} retained messages")


@shows("MQTT-3.8.4-7", "MQTT-3.9.3-2")
@patient
def memory_of_share_names(t):
    """What a client names is counted: share names of 60,000 bytes come to
    memory_max and are refused (0x97) then; without them others go on."""
    c = t.client()
    room = stats()["memory_bytes"] + 8 * MIB
    t.setting(memory_max=room)
    reasons = []
    for number in range(200):
        name = f"$share/{number:05}{'n' * 60000}/{c.id}"
        c.send(wire.subscribe(number + 1, [(name, 0)]))
        reasons += c.expect(SUBACK, pid=number + 1).reasons
    equal(set(reasons), {0, QUOTA}, "reasons")
    check(60 < reasons.count(0) < 141, f"{reasons.count(0)} share names")
    check(stats()["memory_bytes"] <= room + MIB, "memory")
    c.disconnect()
    t.client().sub(t.topic(), 1)


@shows("MQTT-4.5.0-1", "MQTT-4.6.0-5")
def large_messages_drop_many_small(t):
    """With queue_full_drops_oldest a large message takes the place of as
    many small ones as it needs: max_queued_bytes holds."""
    limit = 64 * 1024
    t.setting(max_queued_bytes=limit, max_queued_messages=1000,
              queue_full_drops_oldest=1)
    cid, topic = t.cid(), t.topic()
    c = t.lasting(cid)
    c.sub(topic, 1)
    c.disconnect()
    sender, large = t.client(), many(20, 8)
    for number in range(300):
        sender.send_pub(topic, "small", 1)
    sender.barrier()
    for number in range(large):
        sender.pub(topic, b"%02d" % number + b"l" * 15000, 1)
        check(session(cid)["queued_bytes"] <= limit,
              f"{session(cid)['queued_bytes']} bytes are queued")
    c = t.lasting(cid, present=True)
    found = [c.message().payload[:2]]
    while found[-1] != b"%02d" % (large - 1):
        found.append(c.message().payload[:2])
    equal(found, sorted(found), "order")
    c.expect_nothing()


@shows("MQTT-3.1.2-24", "MQTT-3.1.2-25")
def resumed_with_a_smaller_maximum(t):
    """What was sent before is not sent again to a client that comes back
    with a smaller maximum packet size; it is as if acknowledged."""
    cid, topic, sender = t.cid(), t.topic(), t.client()
    c = t.lasting(cid)
    c.sub(topic, 2)
    for qos in (1, 2):
        sender.pub(topic, b"l" * 3000, qos)
        c.message(answer=False)
    sender.pub(topic, "first", 1)
    c.message(answer=False, payload="first")
    c.close()
    c = t.lasting(cid, present=True,
                  properties=[(wire.MAXIMUM_PACKET_SIZE, 1000)])
    c.message(payload="first", dup=True)
    sender.pub(topic, "second", 2)
    c.message(payload="second")
    c.expect_nothing()


def narrow(c):
    """Let little fit between the broker and @c, which reads nothing."""
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    return c


def grown(before):
    return stats()["memory_bytes"] - before["memory_bytes"]


@shows("MQTT311-4.4.0-1", "MQTT-4.9.0-2")
def resumed_while_repeating(t):
    """A message that waits to be repeated when the connection ends takes one
    place in the window of the next connection, and gives it back."""
    t.setting(retry_interval=1, retry_max=9, max_inflight=2)
    topic, cid, sender = t.topic(), t.cid(), t.client()
    c = narrow(t.lasting(cid, ver=4))
    c.sub([(topic, 1), (topic + "/flood", 0)])
    sender.pub(topic, "one", 1)
    c.message(answer=False, payload="one")
    for _ in range(300):
        sender.send_pub(topic + "/flood", b"f" * 30000)
    sender.barrier()
    time.sleep(2.5)
    c.reset()
    c = t.lasting(cid, ver=4, present=True)
    c.message(payload="one", dup=True)
    for number in range(5):
        sender.pub(topic, str(number), 1)
        c.message(payload=str(number))


@shows("MQTT311-4.4.0-1")
def repeated_from_now_on(t):
    """retry_interval holds at once for clients that are connected."""
    topic, sender = t.topic(), t.client()
    c = t.client(4, keep_alive=0)
    c.sub(topic, 1)
    sender.pub(topic, "again", 1)
    pid = c.message(answer=False, dup=False).pid
    t.setting(retry_interval=1)
    c.message(payload="again", dup=True, pid=pid)


@shows("MQTT-3.3.2-17", "MQTT-4.9.0-2")
@patient
def silent_with_properties(t):
    """What a subscriber that does not read may cost does not depend on which
    part of a message is large."""
    t.setting(max_queued_bytes=256 * 1024)
    topic, sender = t.topic(), t.client()
    large = [(wire.USER_PROPERTY, ("k", "v" * 60000))] * 3
    before = stats()
    lazy = [narrow(t.client()) for _ in range(3)]
    for c in lazy:
        c.sub(topic, 0)
    for number in range(60):
        sender.send_pub(topic, str(number), properties=large)
    sender.barrier()
    check(grown(before) < 3 * MIB, f"{grown(before)} bytes are held")
    for c in lazy:
        found = [int(pkt.payload) for pkt in c.barrier()]
        equal(found, sorted(set(found)), "order")


@shows("MQTT-3.3.1-9", "MQTT-3.3.1-5")
@patient
def silent_with_retained(t):
    """A new subscriber that does not read does not keep retained messages
    that have been replaced meanwhile."""
    t.setting(max_queued_bytes=128 * 1024)
    base, sender = t.topic(), t.client()
    topics = [f"{base}/{number}" for number in range(100)]

    def update(text):
        for topic in topics:
            sender.send_pub(topic, text * 20000, retain=True)
        sender.barrier()

    update(b"0")
    before = stats()
    lazy = []
    for turn in (b"1", b"2", b"3", b"4"):
        lazy.append(narrow(t.client()))
        lazy[-1].send(wire.subscribe(1, [(base + "/#", 0)]))
        sender.barrier()
        update(turn)
    check(grown(before) < 3 * MIB, f"{grown(before)} bytes are held")
    late = t.client()
    late.sub(base + "/#", 0)
    equal({late.message(retain=True).payload[:1] for _ in topics}, {b"4"},
          "retained messages")


@shows("MQTT-4.5.0-1")
@patient
def publishers_at_memory_max(t):
    """At memory_max messages are dropped and counted; who publishes stays
    connected."""
    topic, cid, sender = t.topic(), t.cid(), t.client()
    t.setting(max_queued_bytes=0, max_queued_messages=0)
    c = t.lasting(cid)
    c.sub(topic + "/full", 1)
    c.disconnect()
    t.setting(memory_max=stats()["memory_bytes"] + 2 * MIB)
    for size in (60000, 900):
        before = stats()["dropped_memory"]
        while stats()["dropped_memory"] == before:
            for _ in range(60000 // size + 5):
                sender.pub(topic + "/full", b"f" * size, 1)
    before = stats()["dropped_memory"]
    sender.send(wire.publish(topic + "/full", b"x" * 900, 1, 1) * 900)
    sender.send(wire.publish(topic + "/full", b"x" * 900) * 3000)
    for _ in range(900):
        sender.expect(wire.PUBACK)
    sender.barrier()
    check(stats()["dropped_memory"] > before, "the counter stands still")


@shows("MQTT-4.5.0-1", "MQTT-4.6.0-5")
def burst_beyond_the_queue(t):
    """A burst that is longer than max_queued_messages reaches a subscriber
    that reads."""
    t.setting(max_queued_messages=10)
    topic, sender = t.topic(), t.client()
    keen = [t.client() for _ in range(3)]
    for c in keen:
        c.sub(topic, 0)
    sender.send(b"".join(wire.publish(topic, str(n)) for n in range(60)))
    for c in keen:
        for number in range(60):
            c.message(payload=str(number))


@shows("MQTT-3.1.2-23", "MQTT-4.1.0-2")
@slow
def back_just_before_the_end(t):
    """A client that comes back about when its session ends, and goes for an
    hour, finds the session when it comes again."""
    cid = t.cid()
    for number in range(12):
        t.lasting(cid, clean=True, expiry=1).close()
        time.sleep(0.9 + number / 60)
        t.lasting(cid, expiry=3600).close()
        t.lasting(cid, present=True).close()


@shows("MQTT-3.2.2-7", "MQTT311-3.2.2-1")
@versions(4, 5)
def sessions_are_bounded(t):
    """Beyond session_max a client without a session is refused; those that
    have one come back."""
    cid = t.cid()
    t.lasting(cid).close()
    t.setting(session_max=stats()["sessions"])
    c = t.raw()
    c.send(wire.connect(t.ver, t.cid()))
    c.expect(wire.CONNACK, reason={QUOTA, 0x88, 0x89} if t.ver == 5 else 3)
    c.expect_close()
    t.lasting(cid, present=True).expect_nothing()


@shows("MQTT-3.3.1-5", "MQTT311-2.1.2-6")
def retained_bytes_are_bounded(t):
    """A retained message beyond retained_bytes_max is delivered and not
    kept; nor is the one before it, whose value is no longer true."""
    topic, other = t.topic(), t.topic()
    sender, watch = t.client(), t.client()
    watch.sub(topic, 1)
    for name in topic, other:
        sender.pub(name, "small", 1, retain=True)
    watch.message(payload="small")
    limit = stats()["retained_bytes"] + 1000
    t.setting(retained_bytes_max=limit)
    sender.pub(topic, b"l" * 2000, 1, retain=True)
    watch.message(payload=b"l" * 2000)
    check(stats()["retained_bytes"] <= limit, "more bytes are kept")
    late = t.client()
    late.sub([(topic, 1), (other, 1)])
    late.message(payload="small", topic=other, retain=True)
    late.expect_no_message(via=sender)
