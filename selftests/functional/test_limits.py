# SPDX-License-Identifier: GPL-2.0
"""What the broker's settings bound, and what a client notices of it."""

import socket

import wire
from harness import (check, equal, eventually, patient, shows, stats,
                     versions)
from mqttlib import Closed, Failure, now
from wire import (CONNACK, DISCONNECT, PUBACK, PUBREC, PUBREL,
                  SUBSCRIPTION_ID)

QUOTA = 0x97


@shows("MQTT-4.4.0-1", "MQTT311-2.1.2-3", "MQTT311-2.3.1-3")
def retries(t):
    """With retry_interval a 3.x client gets what it does not acknowledge
    again, with DUP and the same identifier, and is disconnected after
    retry_max times; 5.0 gets nothing twice."""
    t.setting(retry_interval=1, retry_max=2)
    topic, sender = t.topic(), t.client(5)
    old = {ver: t.client(ver) for ver in (3, 4)}
    new, half = t.client(5), t.client(4)
    for c in (*old.values(), new, half):
        c.sub(topic, 2)
    begin = now()
    sender.pub(topic, "again", 2)
    first = half.message(answer=False, qos=2)
    half.send(wire.ack(PUBREC, first.pid))
    half.expect(PUBREL, pid=first.pid)
    pids = {ver: c.message(answer=False, dup=False).pid
            for ver, c in old.items()}
    fresh = new.message(answer=False, dup=False)
    for turn in (1, 2):
        for ver, c in old.items():
            c.message(answer=False, dup=True, pid=pids[ver], payload="again")
            check(now() - begin >= turn - 0.2, "too early")
        half.expect(PUBREL, pid=first.pid)
    for c in (*old.values(), half):
        c.expect_close()
    new.expect_nothing()
    new.answer(fresh)
    new.expect_nothing()


@shows("MQTT-3.8.4-7", "MQTT-3.9.3-2", "MQTT311-3.8.4-5")
@versions(4, 5)
def max_subscriptions(t):
    """A filter beyond max_subscriptions is refused (0x97, 0x80 in 3.x); the
    others hold, and one can be replaced or given up for another."""
    t.setting(max_subscriptions=3)
    c, sender = t.client(), t.client()
    topics = [t.topic() for _ in range(4)]
    no = QUOTA if t.ver == 5 else 0x80
    c.sub([(topic, 1) for topic in topics], reasons=[1, 1, 1, no])
    c.sub(topics[0], 2)
    sender.pub(topics[3], "no")
    sender.pub(topics[0], "yes", 2)
    c.message(payload="yes", qos=2)
    c.unsub(topics[1])
    c.sub(topics[3], 1)


@shows("MQTT-3.3.4-1", "MQTT-3.9.3-2")
def max_topic_levels(t):
    """A topic or filter of more levels than max_topic_levels is refused, one
    of just so many is not."""
    t.setting(max_topic_levels=10)
    base = t.topic()
    fits = base + "/x" * (9 - base.count("/"))
    c = t.client()
    c.sub(fits, 1)
    equal(c.pub(fits, "x", 1), 0, "PUBACK")
    c.message(topic=fits)
    c.sub(fits + "/y", reasons=[0x8f])
    c.send_pub(fits + "/y", "x", 1)
    pkt = c.recv()
    check(pkt.type in (PUBACK, DISCONNECT) and
          pkt.reason in (0x90, QUOTA), f"got {pkt}")


@shows("MQTT-3.2.2-7", "MQTT311-3.2.2-1", "MQTT311-3.2.2-2")
@versions(4, 5)
def max_connections(t):
    """Beyond max_connections a client is refused or closed at once; those
    that are connected stay."""
    first = t.client()
    t.setting(max_connections=1)
    reasons = {0x88, 0x89, QUOTA, 0x9f} if t.ver == 5 else {3}
    for _ in range(3):
        try:
            c = t.raw()
            c.send(wire.connect(t.ver, t.cid()))
            c.expect(CONNACK, reason=reasons)
            c.expect_close()
        except (Closed, ConnectionResetError):
            pass
    first.expect_nothing()
    t.setting(max_connections=10000)
    t.client().expect_nothing()


@shows("MQTT-4.5.0-1", "MQTT-4.6.0-5")
def full_queue_drops_the_oldest(t):
    """With queue_full_drops_oldest the newest messages are kept."""
    t.setting(max_queued_messages=10, queue_full_drops_oldest=1)
    cid, topic = t.cid(), t.topic()
    c = t.lasting(cid)
    c.sub(topic, 1)
    c.disconnect()
    sender = t.client()
    for number in range(40):
        sender.pub(topic, str(number), 1)
    c = t.lasting(cid, present=True)
    found = [int(c.message().payload)]
    while found[-1] != 39:
        found.append(int(c.message().payload))
    equal(found, sorted(found), "order")
    check(10 <= len(found) <= 32 and 0 not in found, f"kept {found}")
    c.expect_nothing()


@shows("MQTT-3.1.2-5", "MQTT311-3.1.2-5")
@versions(4, 5)
def qos0_while_away(t):
    """QoS 0 messages do not wait for a client that is away, unless
    queue_qos0_offline says so."""
    cid, topic, sender = t.cid(), t.topic(), t.client()
    for wait in (0, 1):
        t.setting(queue_qos0_offline=wait)
        c = t.lasting(cid)
        c.sub(topic, 2)
        c.disconnect()
        sender.pub(topic, "zero", 0)
        sender.pub(topic, "one", 1)
        c = t.lasting(cid, present=True)
        if wait:
            c.message(payload="zero", qos=0)
        c.message(payload="one", qos=1)
        c.expect_nothing()
        c.disconnect()


@shows("MQTT-3.3.1-5", "MQTT311-2.1.2-6")
def retained_maximum(t):
    """Beyond retained_max a retained message is delivered and not kept; what
    is kept stays and can be cleared."""
    topic, other, sender = t.topic(), t.topic(), t.client()
    sender.pub(topic, "kept", 1, retain=True)
    watch = t.client()
    watch.sub(other, 1)
    t.setting(retained_max=0)
    sender.pub(other, "passes", 1, retain=True)
    watch.message(payload="passes")
    late = t.client()
    late.sub(other, 1)
    late.expect_no_message(via=sender)
    late.sub(topic, 1)
    late.message(payload="kept", retain=True)
    sender.pub(topic, "", 1, retain=True)
    late.message(payload="")
    late = t.client()
    late.sub(topic, 1)
    late.expect_no_message(via=sender)


@shows("MQTT-3.3.4-9", "MQTT-4.9.0-2")
def max_inflight_bounds_receive_maximum(t):
    """max_inflight holds for a 5.0 client that would take more."""
    t.setting(max_inflight=3)
    topic = t.topic()
    c, observer, sender = t.client(), t.client(), t.client()
    c.sub(topic, 1)
    observer.sub(topic, 0)
    for number in range(6):
        sender.pub(topic, str(number), 1)
        observer.message(payload=str(number))
    flight = [c.message(answer=False) for _ in range(3)]
    c.expect_nothing()
    for pkt in flight:
        c.answer(pkt)
    for number in range(3, 6):
        c.message(payload=str(number))
    c.expect_nothing()


@shows("MQTT-3.1.2-24", "MQTT-4.13.1-1")
def connect_size(t):
    """A CONNECT may have connect_size_max bytes and no more."""
    t.setting(connect_size_max=1000)
    spare = 1000 - len(wire.connect(5, "", keep_alive=60)) - 1
    c = t.raw()
    c.send(wire.connect(5, "s" * spare, keep_alive=60))
    c.expect(CONNACK, reason=0)
    c = t.raw()
    c.send(wire.connect(5, "s" * (spare + 1), keep_alive=60))
    found = c.next_or_end()
    if found and (found.type != CONNACK or
                  found.reason not in (0x95, QUOTA, 0x81)):
        raise Failure(f"got {found}")


@shows("MQTT-3.1.2-9", "MQTT-3.3.4-1")
def levels_of_a_will(t):
    """A will's topic has as many levels as any other."""
    t.setting(max_topic_levels=10)
    base = t.topic()
    fits = base + "/x" * (9 - base.count("/"))
    t.client(will=wire.Will(fits, "w")).disconnect()
    t.client(will=wire.Will(fits + "/y", "w"), reason=0x90).expect_close()


@shows("MQTT-3.1.2-24", "MQTT-3.8.4-1")
def answer_beyond_maximum_packet_size(t):
    """A SUBSCRIBE or UNSUBSCRIBE whose answer the client could not take has
    no effect and ends the connection (0x95)."""
    topic, sender = t.topic(), t.client()
    cid = t.cid()
    for build in (lambda f: wire.subscribe(1, [(name, 1) for name in f]),
                  lambda f: wire.unsubscribe(1, f)):
        c = t.lasting(cid, properties=[(wire.MAXIMUM_PACKET_SIZE, 30)])
        c.send(build([f"{topic}/{n}" for n in range(26)]))
        c.expect_disconnect(0x95)
    c = t.lasting(cid, present=True)
    sender.pub(topic + "/0", "no", 1)
    c.expect_no_message(via=sender)


@shows()
@patient
def many_messages_go_with_a_connection(t):
    """More than are dropped under one hold of a lock: of QoS 0, with and without
    subscription identifiers, all of what waits goes and is counted; what is above
    stays, in order, and is all that comes to the next connection."""
    cid, base, sender = t.cid(), t.topic(), t.client()
    t.setting(max_queued_messages=5000, max_queued_bytes=64 << 20)
    slow = t.lasting(cid)
    slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sub(base + "/plain", 0)
    slow.sub(base + "/numbered", 0, [(SUBSCRIPTION_ID, 7)])
    slow.sub(base + "/kept", 1)
    for number in range(1000):
        sender.send_pub(base + "/plain", b"p" * 2000)
        sender.send_pub(base + "/numbered", b"n" * 2000)
        if number % 50 == 0:
            sender.pub(base + "/kept", f"{number}", 1)
    sender.barrier()
    before = stats()["dropped_offline"]
    slow.reset()
    eventually(lambda: stats()["dropped_offline"] - before > 1000,
               "they are not dropped")
    back = t.lasting(cid, present=True)
    for number in range(0, 1000, 50):
        back.message(topic=base + "/kept", payload=f"{number}", qos=1)
    back.expect_no_message(via=sender)
