# SPDX-License-Identifier: GPL-2.0
"""Sessions: what outlives a connection, for how long, and what does not."""

import contextlib
import threading

import wire
from harness import Skip, check, equal, settings, shows, slow, versions
from mqttlib import now
from wire import SESSION_EXPIRY


def away(t, cid, filters, **fields):
    """A session under @cid with subscriptions, and nobody connected."""
    c = t.lasting(cid, **fields)
    c.sub(filters)
    c.disconnect()


@shows("MQTT-3.1.2-4", "MQTT-3.2.2-2", "MQTT311-3.1.2-6", "MQTT-3.1.4-4")
@versions(3, 4, 5)
def clean_start_discards(t):
    """Clean start drops the session there was: no subscription, no waiting
    message, session present 0."""
    cid, topic = t.cid(), t.topic()
    away(t, cid, [(topic, 1)])
    sender = t.client()
    sender.pub(topic, "waiting", 1)
    c = t.client(client_id=cid, clean=True, present=False)
    sender.pub(topic, "later", 1)
    c.expect_no_message(via=sender)
    c.disconnect()
    t.lasting(cid, present=False).expect_nothing()


@shows("MQTT-3.1.2-5", "MQTT-3.2.2-3", "MQTT-3.1.2-23", "MQTT311-3.1.2-4",
       "MQTT311-3.1.2-5", "MQTT-4.5.0-1", "MQTT311-4.3.2-2",
       "MQTT311-4.3.3-2", "MQTT311-4.1.0-1")
@versions(3, 4, 5)
def session_is_resumed(t):
    """Subscriptions and messages of QoS 1 and 2 wait for the client, in
    order; the subscriptions go on afterwards."""
    cid, topic = t.cid(), t.topic()
    away(t, cid, [(topic + "/+", 2)])
    sender = t.client()
    for number in range(12):
        sender.pub(f"{topic}/a", str(number), 1 + number % 2)
    c = t.lasting(cid, present=True)
    for number in range(12):
        c.message(topic=f"{topic}/a", payload=str(number),
                  qos=1 + number % 2, dup=False)
    sender.pub(f"{topic}/b", "live", 0)
    c.message(topic=f"{topic}/b", payload="live", qos=0)
    c.expect_nothing()


@shows("MQTT-3.1.2-6", "MQTT-3.2.2-3")
@versions(4, 5)
def no_session_to_resume(t):
    """Without a session, clean start 0 makes one: session present 0, then,
    on the next connection, 1."""
    cid = t.cid()
    t.lasting(cid, present=False).disconnect()
    t.lasting(cid, present=True).disconnect()
    t.lasting(cid, present=True).close()
    t.lasting(cid, present=True).disconnect()


@shows("MQTT-4.1.0-1", "MQTT-3.1.2-23", "MQTT-4.1.0-2")
def expiry_zero_ends_with_the_connection(t):
    """5.0 without session expiry: the session lasts as long as the
    connection, however that ends."""
    cid = t.cid()
    t.client(client_id=cid, clean=False, present=False).disconnect()
    c = t.client(client_id=cid, clean=False, present=False)
    c.close()
    c = t.client(client_id=cid, clean=False, present=False,
                 properties=[(SESSION_EXPIRY, 0)])
    c.disconnect()
    t.client(client_id=cid, clean=False, present=False)


@slow
@shows("MQTT-4.1.0-2", "MQTT-3.1.2-23")
def expiry_passes(t):
    """A session ends when its expiry interval has passed since the
    connection closed, and not before."""
    cid, other, topic = t.cid(), t.cid(), t.topic()
    away(t, other, [(topic, 1)], expiry=30)
    away(t, cid, [(topic, 1)], expiry=30)
    t.lasting(cid, expiry=1, present=True).close()
    t.sessions[cid] = 5
    wait_until_gone(t, cid)
    t.lasting(other, present=True)


def wait_until_gone(t, cid, at_least=0.9):
    """Ask again until the broker has no session for @cid. Asking resumes the
    session and gives it one more second, so leave it alone for longer."""
    begin = now()
    pause = 1.5
    for _ in range(6):
        idle = t.client()
        idle.sock.settimeout(pause)
        try:
            idle.sock.recv(1)
        except TimeoutError:
            pass
        c = t.client(5, client_id=cid, clean=False,
                     properties=[(SESSION_EXPIRY, 1)])
        if not c.connack.session_present:
            check(now() - begin >= at_least, "the session ended too early")
            return
        c.disconnect()
        pause += 0.5
    check(False, "the session does not end")


@slow
@shows("MQTT-4.1.0-1")
def expiry_counts_from_the_end(t):
    """A session stays as long as its connection is open, though the expiry
    interval is shorter."""
    cid, topic = t.cid(), t.topic()
    c = t.lasting(cid, expiry=1)
    c.sub(topic, 1)
    idle = t.client()
    idle.sock.settimeout(2.5)
    try:
        idle.sock.recv(1)
    except TimeoutError:
        pass
    t.client().pub(topic, "still here", 1)
    c.message(payload="still here")
    c.disconnect()
    t.lasting(cid, present=True)


@shows("MQTT-3.1.2-23")
def expiry_is_told_when_changed(t):
    """CONNACK names the session expiry only where the broker uses another
    than the client asked for."""
    c = t.client(properties=[(SESSION_EXPIRY, 5)])
    check(c.connack.get(SESSION_EXPIRY, 5) == 5, "expiry changed")


@shows("MQTT-3.1.2-23", "MQTT-3.14.2-2")
def expiry_limited_by_setting(t):
    """session_expiry_max cuts the interval down, and CONNACK says so."""
    t.setting(session_expiry_max=100)
    c = t.client(properties=[(SESSION_EXPIRY, 0xffffffff)])
    equal(c.connack.get(SESSION_EXPIRY), 100, "session expiry")
    c.disconnect()
    c = t.client(properties=[(SESSION_EXPIRY, 50)])
    check(c.connack.get(SESSION_EXPIRY, 50) == 50, "expiry changed")


@shows("MQTT-4.1.0-2", "MQTT-3.14.4-3")
def disconnect_changes_expiry(t):
    """DISCONNECT may shorten the expiry to 0 or lengthen it."""
    cid = t.cid()
    t.lasting(cid).disconnect(0, [(SESSION_EXPIRY, 0)])
    c = t.lasting(cid, present=False, expiry=1)
    c.disconnect(0, [(SESSION_EXPIRY, 600)])
    t.lasting(cid, present=True)


@shows("MQTT-4.13.1-1")
def disconnect_must_not_make_expiry(t):
    """With expiry 0 in CONNECT, DISCONNECT must not ask for another."""
    cid = t.cid()
    c = t.client(client_id=cid)
    c.send(wire.disconnect(0, [(SESSION_EXPIRY, 60)]))
    c.expect_disconnect(0x82)
    t.client(client_id=cid, clean=False, present=False)


@shows("MQTT-3.1.2-23")
def expiry_never(t):
    """0xFFFFFFFF is taken: the session does not expire."""
    cid = t.cid()
    t.lasting(cid, expiry=0xffffffff).close()
    t.lasting(cid, expiry=1, present=True).disconnect()


@shows("MQTT311-3.1.2-6", "MQTT311-3.1.2.7", "MQTT-3.1.2-4")
@versions(3, 4, 5)
def retained_outlives_session(t):
    """The end of a session leaves the retained messages it published."""
    topic = t.topic()
    c = t.client()
    c.pub(topic, "stays", 1, retain=True)
    c.disconnect()
    c = t.client()
    c.sub(topic)
    c.message(topic=topic, payload="stays", retain=True)


@shows("MQTT311-3.1.2-5", "MQTT-4.5.0-1")
@versions(4, 5)
def session_stores_while_away_only_matches(t):
    """While away, what matches a subscription waits, at the QoS it granted;
    anything else does not."""
    cid, topic = t.cid(), t.topic()
    away(t, cid, [(topic + "/one", 1), (topic + "/two", 2)])
    sender = t.client()
    sender.pub(topic + "/none", "x", 1)
    sender.pub(topic + "/one", "1", 2)
    sender.pub(topic + "/two", "2", 2)
    c = t.lasting(cid, present=True)
    c.message(topic=topic + "/one", payload="1", qos=1)
    c.message(topic=topic + "/two", payload="2", qos=2)
    c.expect_nothing()


@shows("MQTT-3.1.2-5", "MQTT-4.1.0-1")
def session_moves_between_versions(t):
    """A session made by 3.1.1 goes on under 5.0 and back."""
    cid, topic = t.cid(), t.topic()
    away(t, cid, [(topic, 1)], ver=4)
    sender = t.client()
    sender.pub(topic, "first", 1, properties=[(wire.CONTENT_TYPE, "t")])
    c = t.lasting(cid, ver=5, present=True)
    equal(c.message(payload="first").get(wire.CONTENT_TYPE), "t", "type")
    c.disconnect()
    sender.pub(topic, "second", 1, properties=[(wire.CONTENT_TYPE, "t")])
    t.lasting(cid, ver=4, present=True).message(payload="second")


@shows("MQTT-3.1.2-5")
def unsubscribed_while_present(t):
    """A subscription dropped before the client left does not come back."""
    cid, topic = t.cid(), t.topic()
    c = t.lasting(cid)
    c.sub(topic, 1)
    c.unsub(topic)
    c.disconnect()
    t.client().pub(topic, "x", 1)
    t.lasting(cid, present=True).expect_nothing()


@shows("MQTT-4.5.0-1", "MQTT-3.1.2-5")
def queue_is_bounded(t):
    """Beyond max_queued_messages nothing more waits; what was taken first is
    kept, in order."""
    limit = settings()["max_queued_messages"]
    if not 0 < limit <= 5000:
        raise Skip(f"max_queued_messages is {limit}")
    t.setting(max_queued_messages=50)
    cid, topic = t.cid(), t.topic()
    away(t, cid, [(topic, 1)])
    sender = t.client(4)
    for number in range(80):
        sender.pub(topic, str(number), 1)
    c = t.lasting(cid, present=True)
    found = [int(c.message().payload)]
    found += [int(pkt.payload) for pkt in c.drain(sender, 1)]
    check(50 <= len(found) <= 72, f"{len(found)} messages were kept")
    equal(found, sorted(found), "order")


LAST_WORDS = [f"{n:4000}" for n in range(120)]


def comes_again(t, topic, *last):
    """A client with a will sends more than is read at a time, acknowledgments
    and @last, and has its session on another connection at once, on which
    nothing is repeated. Returns the old connection."""
    # As long as a tenth of it all is read; a slow machine takes its time.
    t.setting(connect_timeout=600)
    cid, own, sender = t.cid(), t.topic(), t.client()
    old = t.lasting(cid, will=wire.Will(topic, "will"))
    old.sub(own, 1)
    for n in range(20):
        sender.pub(own, f"{n}", 1)
    acks = [wire.ack(wire.PUBACK, pkt.pid)
            for pkt in old.messages(20, answer=False)]
    properties = [(SESSION_EXPIRY, 3600)] if t.ver == 5 else ()
    again = wire.connect(t.ver, cid, False, properties=properties)
    new = t.raw()
    old.send(*(wire.publish(topic, payload, ver=t.ver)
               for payload in LAST_WORDS), *acks, *last)
    new.send(again)
    new.open(send=False, present=True, client_id=cid)
    new.expect_no_message(via=sender)
    return old


@shows("MQTT-3.1.4-3", "MQTT311-3.1.4-2")
@versions(4, 5)
def sent_before_take_over(t):
    """What a client has sent is handled before it gets its session on another
    connection: QoS 0 messages, which it would not repeat, acknowledgments."""
    topic, watch = t.topic(), t.client()
    watch.sub(topic)
    comes_again(t, topic).expect_disconnect(0x8e)
    for payload in (*LAST_WORDS, "will"):
        watch.message(payload=payload)


@shows("MQTT-3.1.2-10", "MQTT-3.14.4-3", "MQTT311-3.1.2-10")
@versions(4, 5)
def disconnect_before_take_over(t):
    """So is DISCONNECT: it takes the will away."""
    topic, watch = t.topic(), t.client()
    watch.sub(topic)
    comes_again(t, topic, wire.packet(wire.DISCONNECT, 0)).expect_close()
    for payload in LAST_WORDS:
        watch.message(payload=payload)
    watch.expect_no_message(via=t.client())


@shows("MQTT-3.1.4-3")
def take_over_of_a_talker(t):
    """Whoever goes on sending keeps nobody waiting who takes the session over."""
    cid, topic, watch = t.cid(), t.topic(), t.client()
    watch.sub(topic)
    old = t.lasting(cid)
    data = wire.publish(topic, b"x" * 1000) * 50

    def talk():
        with contextlib.suppress(OSError):
            while True:
                old.sock.sendall(data)

    talker = threading.Thread(target=talk)
    talker.start()
    watch.message()
    t.lasting(cid, present=True).barrier()
    old.expect_disconnect(0x8e)
    old.close()
    talker.join()
