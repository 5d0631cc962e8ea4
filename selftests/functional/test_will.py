# SPDX-License-Identifier: GPL-2.0
"""Wills: published when a connection is lost, and only then."""

import wire
from harness import check, equal, shows, slow, versions
from mqttlib import now
from wire import SESSION_EXPIRY, WILL_DELAY, Will


def watcher(t, topic, options=2, **fields):
    c = t.client(**fields)
    c.sub(topic, options)
    return c


@shows("MQTT-3.1.2-7", "MQTT-3.1.2-8", "MQTT311-3.1.2-8", "MQTT311-3.1.2-9",
       "MQTT-3.1.2-14", "MQTT311-3.1.2-14", "MQTT-3.1.2-12",
       "MQTT311-3.1.2-12", "MQTT-3.1.2-10", "MQTT311-3.1.2-10")
@versions(3, 4, 5)
def will_after_lost_connection(t):
    """A connection that ends without DISCONNECT leaves its will, once, at
    its QoS, not retained."""
    for qos in range(3):
        topic = t.topic()
        watch = watcher(t, topic)
        c = t.client(will=Will(topic, f"gone {qos}", qos))
        c.close()
        watch.message(topic=topic, payload=f"gone {qos}", qos=qos,
                      retain=False)
        watch.expect_no_message(via=t.client())
        late = watcher(t, topic)
        late.expect_no_message(via=t.client())


@shows("MQTT-3.14.4-3", "MQTT-3.1.2-8", "MQTT311-3.14.4-3",
       "MQTT311-3.1.2-10", "MQTT-3.1.2-10")
@versions(3, 4, 5)
def no_will_after_disconnect(t):
    """DISCONNECT drops the will."""
    topic = t.topic()
    watch = watcher(t, topic)
    c = t.client(will=Will(topic, "gone"))
    c.disconnect()
    watch.expect_no_message(via=t.client())


@shows("MQTT-3.1.2-8")
def will_after_disconnect_with_will(t):
    """DISCONNECT 0x04 publishes the will."""
    topic = t.topic()
    watch = watcher(t, topic)
    t.client(will=Will(topic, "as asked", 1)).disconnect(0x04)
    watch.message(payload="as asked", qos=1)


@shows("MQTT-3.1.2-8")
def will_after_other_reasons(t):
    """Any DISCONNECT but 0x00 leaves the will to be published."""
    for reason in (0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97,
                   0x98, 0x99):
        topic = t.topic()
        watch = watcher(t, topic)
        t.client(will=Will(topic, "gone")).disconnect(reason)
        watch.message(topic=topic, payload="gone")


@shows("MQTT-3.1.2-8", "MQTT311-3.1.2-8")
@versions(3, 4, 5)
def will_after_protocol_error(t):
    """A client thrown out for its bad packet leaves its will."""
    topic = t.topic()
    watch = watcher(t, topic)
    c = t.client(will=Will(topic, "thrown out"))
    c.send(wire.publish("a", "x", pid=1, ver=t.ver, flags=6))
    c.expect_disconnect(0x81)
    watch.message(payload="thrown out")


@shows("MQTT-3.1.2-8", "MQTT311-3.1.2-8")
@versions(4, 5)
def will_after_take_over(t):
    """A connection that was taken over by a clean start leaves its will."""
    topic = t.topic()
    watch = watcher(t, topic)
    c = t.client(will=Will(topic, "taken over"))
    t.client(client_id=c.id)
    c.expect_disconnect(0x8e)
    watch.message(payload="taken over")


@shows("MQTT-3.1.2-15", "MQTT311-3.1.2-15")
@versions(3, 4, 5)
def retained_will(t):
    """A will with RETAIN is kept for those who subscribe later."""
    topic = t.topic()
    t.retained.add(topic)
    watch = watcher(t, topic)
    t.client(will=Will(topic, "kept", 1, retain=True)).close()
    watch.message(payload="kept", retain=False)
    watcher(t, topic).message(payload="kept", retain=True, qos=1)


@shows("MQTT-3.1.2-9", "MQTT-3.1.3-10", "MQTT-3.3.2-18", "MQTT-3.1.3-1")
def will_properties(t):
    """A will's properties go with it, user properties in their order."""
    topic = t.topic()
    users = [("b", "1"), ("a", "2"), ("b", "1"), ("", ""), ("a", "0")]
    properties = [(wire.USER_PROPERTY, users[0]),
                  (wire.PAYLOAD_FORMAT, 1),
                  (wire.CONTENT_TYPE, "text/plain"),
                  (wire.USER_PROPERTY, users[1]),
                  (wire.RESPONSE_TOPIC, "answer/here"),
                  (wire.CORRELATION_DATA, b"\0\1\2"),
                  (wire.MESSAGE_EXPIRY, 1000)]
    properties += [(wire.USER_PROPERTY, user) for user in users[2:]]
    watch = watcher(t, topic)
    t.client(will=Will(topic, "gr\u00fc\u00dfe", 0, False,
                       properties)).close()
    pkt = watch.message(payload="gr\u00fc\u00dfe")
    equal(pkt.all(wire.USER_PROPERTY), users, "user properties")
    equal(pkt.get(wire.PAYLOAD_FORMAT), 1, "payload format")
    equal(pkt.get(wire.CONTENT_TYPE), "text/plain", "content type")
    equal(pkt.get(wire.RESPONSE_TOPIC), "answer/here", "response topic")
    equal(pkt.get(wire.CORRELATION_DATA), b"\0\1\2", "correlation data")
    check(990 <= pkt.get(wire.MESSAGE_EXPIRY) <= 1000, "message expiry")


@shows("MQTT-3.1.2-7", "MQTT311-3.1.2-9")
@versions(3, 4, 5)
def empty_will(t):
    """A will may have no payload."""
    topic = t.topic()
    watch = watcher(t, topic)
    t.client(will=Will(topic, b"", 1)).close()
    watch.message(topic=topic, payload="", qos=1)


@slow
@shows("MQTT-3.1.2-8")
def will_delay_passes(t):
    """With a delay the will waits for it; nothing comes earlier."""
    topic = t.topic()
    watch = watcher(t, topic)
    c = t.client(properties=[(SESSION_EXPIRY, 60)],
                 will=Will(topic, "late", properties=[(WILL_DELAY, 2)]))
    begin = now()
    c.close()
    watch.message(payload="late")
    took = now() - begin
    check(took >= 1.9, f"the will came after {took:.2f} s")


@slow
@shows("MQTT-3.1.3-9", "MQTT-3.1.2-8")
def will_delay_interrupted(t):
    """A new connection to the session before the delay is over: no will."""
    cid, topic, after = t.cid(), t.topic(), t.topic()
    watch = watcher(t, topic)
    watch.sub(after)
    t.lasting(cid, will=Will(topic, "no", properties=[(WILL_DELAY, 1)])) \
        .close()
    t.lasting(cid, present=True)
    # A later will with a longer delay shows that the time has passed
    t.client(properties=[(SESSION_EXPIRY, 60)],
             will=Will(after, "end", properties=[(WILL_DELAY, 2)])).close()
    watch.message(topic=after, payload="end")


@slow
@shows("MQTT-3.1.2-8")
def will_delay_cut_by_session_end(t):
    """The session's end publishes the will, though its delay is longer."""
    topic = t.topic()
    watch = watcher(t, topic)
    c = t.client(properties=[(SESSION_EXPIRY, 1)],
                 will=Will(topic, "ended", properties=[(WILL_DELAY, 600)]))
    begin = now()
    c.close()
    watch.message(payload="ended")
    took = now() - begin
    check(took >= 0.9, f"the will came after {took:.2f} s")


@shows("MQTT-3.1.2-8", "MQTT-3.1.2-4")
def will_delay_ended_by_clean_start(t):
    """A clean start ends the session, so its delayed will is published."""
    cid, topic = t.cid(), t.topic()
    watch = watcher(t, topic)
    t.lasting(cid, will=Will(topic, "cleaned",
                             properties=[(WILL_DELAY, 600)])).close()
    t.client(client_id=cid)
    watch.message(payload="cleaned")


@shows("MQTT-3.1.2-8")
def will_delay_without_session(t):
    """Without session expiry the session ends with the connection: the will
    comes at once, whatever its delay."""
    topic = t.topic()
    watch = watcher(t, topic)
    t.client(will=Will(topic, "now", properties=[(WILL_DELAY, 600)])).close()
    watch.message(payload="now")


@slow
@shows("MQTT-3.1.2-22", "MQTT311-3.1.2-22", "MQTT-3.1.2-8")
@versions(4, 5)
def will_after_keep_alive(t):
    """A client that falls silent leaves its will."""
    topic = t.topic()
    watch = watcher(t, topic)
    c = t.client(keep_alive=1, will=Will(topic, "silent"))
    watch.message(payload="silent")
    c.expect_disconnect(0x8d)


@shows("MQTT-3.1.2-10")
def will_is_forgotten_after_use(t):
    """The next connection to the session does not inherit the old will."""
    cid, topic = t.cid(), t.topic()
    watch = watcher(t, topic)
    t.lasting(cid, will=Will(topic, "once")).close()
    watch.message(payload="once")
    t.lasting(cid, present=True).close()
    t.lasting(cid, present=True)
    watch.expect_no_message(via=t.client())


@shows("MQTT-3.1.2-8")
def will_to_oneself(t):
    """A session that subscribes to its own will finds it when it returns."""
    cid, topic = t.cid(), t.topic()
    c = t.lasting(cid, will=Will(topic, "mine", 1))
    c.sub(topic, 1)
    watch = watcher(t, topic)
    c.close()
    watch.message(payload="mine")
    t.lasting(cid, present=True).message(payload="mine", qos=1)


@shows("MQTT-3.1.3-11", "MQTT-4.7.0-1", "MQTT311-4.7.1-1")
@versions(4, 5)
def will_topic_with_wildcard(t):
    """A will topic must not have wildcards."""
    for topic in ("a/+", "#"):
        c = t.raw()
        c.send(wire.connect(t.ver, t.cid(), will=Will(topic, "x")))
        if t.ver == 5:
            c.expect(wire.CONNACK, reason={0x81, 0x82, 0x90})
        c.expect_close()


@shows("MQTT-3.3.1-6", "MQTT-3.1.2-15")
def empty_retained_will_clears(t):
    """A retained will without payload removes the retained message."""
    topic = t.topic()
    t.client().pub(topic, "old", 1, retain=True)
    watch = watcher(t, topic)
    watch.message(payload="old", retain=True)
    t.client(will=Will(topic, b"", 0, retain=True)).close()
    watch.message(payload="")
    watcher(t, topic).expect_no_message(via=t.client())
