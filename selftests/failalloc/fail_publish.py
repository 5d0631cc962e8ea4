# SPDX-License-Identifier: GPL-2.0
"""Subscriptions, and the way of a message."""

import genl
import mqttlib
import wire
from wire import PUBREC
from world import fails

QUOTA = 0x97
# More than have their place in the connection, even if a slow machine takes
# them in parts.
MANY_ANSWERS = 100
MANY = [(f"many/{n}", 0) for n in range(400)]


@fails("mqtt_node_new", "alloc")
def a_filter_whose_levels_cannot_be_had_is_refused(w):
    one = w.client()
    before = w.gauges()
    with w.failing():
        one.sub([("a/b/c", 1), ("a/b/d", 1)], reasons=[QUOTA, 1])
    one.unsub("a/b/d")
    w.wait(lambda: w.gauges()["filter_nodes"] == before["filter_nodes"])
    # It is long, so it is of pages.
    with w.failing(10, 10):
        one.sub("x" * 20000, 1, reasons=[QUOTA])
    one.expect_nothing()


@fails("mqtt_node_new", "alloc")
def a_topic_that_cannot_be_kept_is_delivered(w):
    one = w.client()
    one.sub("a/#")
    with w.failing():
        one.pub("a/b", b"x", 1, retain=True)
        one.message(topic="a/b")
    w.grown(retained_refused=1, retained_messages=0, topic_nodes=0)


@fails("mqtt_node_new", "rhashtable_insert_slow")
@fails("kmqtt_sub_create|__rhashtable_insert_fast of subscribe.c",
       "rhashtable_insert_slow")
def one_of_many_filters_is_refused(w):
    subscribe_fast(w, MANY)


def subscribe_fast(w, filters):
    """So fast that a table's own worker does not come in; if it does, in that
    very moment, the filter is taken after all."""
    one = w.client()
    with w.failing():
        reasons = one.sub(filters, reasons=any).reasons
    refused = reasons.count(QUOTA)
    assert refused <= 1 and reasons.count(0) + refused == len(filters), \
        set(reasons)
    w.grown(subscriptions=len(filters) - refused)
    one.sub(filters)


@fails("kmqtt_group_get|__rhashtable_insert_fast of subscribe.c",
       "rhashtable_insert_slow")
def one_of_many_groups_is_refused(w):
    subscribe_fast(w, [(f"$share/g{n}/t", 0) for n in range(400)])


@fails("kmqtt_group_get", "alloc")
@fails("kmqtt_sub_create", "alloc")
def a_shared_filter_is_refused(w):
    one = w.client()
    with w.failing():
        one.sub([("$share/g/t/u", 1)], reasons=[QUOTA])
    w.grown(subscriptions=0, filter_nodes=0)
    one.sub([("$share/g/t/u", 1)])


@fails("kmqtt_sub_create", "alloc")
def a_filter_is_refused(w):
    one = w.client(ver=4)
    with w.failing():
        one.sub([("t/u", 1), ("t/v", 1)], reasons=[0x80, 1])
    w.grown(subscriptions=1)
    one.sub("t/u", 1)


@fails("kmqtt_subscribe_handle")
@fails("kmqtt_subscribe_answer")
def reason_codes_that_cannot_be_kept_end_the_connection(w):
    one = w.client()
    with w.failing():
        one.send(wire.subscribe(1, MANY))
        one.expect_disconnect(QUOTA)


@fails("kmqtt_unsubscribe_handle")
@fails("kmqtt_subscribe_answer")
def those_of_unsubscribe_too(w):
    one = w.client()
    with w.failing():
        one.send(wire.unsubscribe(1, [name for name, _ in MANY]))
        one.expect_disconnect(QUOTA)


@fails("kmqtt_ctl_alloc")
def an_answer_that_cannot_be_queued_ends_the_connection(w):
    packets = (wire.pingreq(), wire.publish("t", b"", 1, 1),
               wire.publish("t", b"", 2, 1), wire.ack(mqttlib.PUBREL, 1),
               wire.ack(PUBREC, 1))
    streams = [packet * MANY_ANSWERS for packet in packets]
    for stream in streams + [wire.subscribe(1, MANY[:40])]:
        one = w.client()
        with w.failing():
            one.send(stream)
            assert one.await_packet(mqttlib.DISCONNECT).reason == QUOTA
    # Nor can it be said then.
    one = w.client()
    with w.failing(2):
        one.send(wire.pingreq() * MANY_ANSWERS)
        one.expect_close(allow=(mqttlib.PINGRESP,))


@fails("kmqtt_publish_make_aliases")
def an_alias_that_cannot_be_kept_ends_the_connection(w):
    one = w.client()
    with w.failing():
        one.send_pub("topic", properties=[(wire.TOPIC_ALIAS, 1)])
        one.expect_disconnect(QUOTA)


@fails("kmqtt_publish_set_alias", "kmemdup")
def an_alias_that_cannot_change_ends_the_connection(w):
    one = w.client()
    one.pub("topic", b"", 1, properties=[(wire.TOPIC_ALIAS, 2)])
    with w.failing():
        one.send_pub("other", properties=[(wire.TOPIC_ALIAS, 2)])
        one.expect_disconnect(QUOTA)


def hold(one, pid, **answer):
    """A QoS 2 message that is not released."""
    one.send(wire.publish("t", b"x", 2, pid, ver=one.ver))
    one.expect(PUBREC, pid=pid, **answer)


def with_identifiers(w, name, ver=5):
    """A client that holds as many as have their place in a session."""
    one = w.client(name, ver)
    for number in range(16):
        hold(one, 1 + number * 4000)
    return one


@fails("kmqtt_rel_hold")
def an_identifier_that_cannot_be_kept_is_refused(w):
    one = with_identifiers(w, "one")
    with w.failing(2):
        hold(one, 7, reason=QUOTA)
    hold(one, 7, reason=0x10)
    # What fails once is had at the second try.
    two = with_identifiers(w, "two")
    with w.failing(1):
        hold(two, 7, reason=0x10)
    old = with_identifiers(w, "old", 4)
    with w.failing(2):
        old.send(wire.publish("t", b"x", 2, 7, ver=4))
        old.expect_close()
    w.grown(publish_unmatched=50)


@fails("kmqtt_msg_alloc")
def a_message_that_cannot_be_had_is_refused(w):
    one, old = w.client(), w.client("old", 4)
    with w.failing():
        assert one.pub("nobody", b"lost", 1) == QUOTA
    with w.failing():
        one.send_pub("nobody", b"lost", 2)
        one.expect(PUBREC, reason=QUOTA)
    with w.failing():
        one.send_pub("nobody", b"lost")
        one.expect_nothing()
    with w.failing():
        old.send_pub("nobody", b"lost", 1)
        old.expect_close()
    w.grown(dropped_memory=5)


@fails("kmqtt_msg_alloc")
def a_large_message_that_cannot_be_had_is_refused(w):
    one = w.client()
    # Read as a whole, and copied; then received into a buffer of its own.
    for size in 40000, 300000:
        with w.failing(10, 10):
            assert one.pub("nobody", b"x" * size, 1) == QUOTA
    w.grown(dropped_memory=2)


def publish_refused(w, size=40000, **how):
    """By PUBACK if it was read as a whole, by DISCONNECT if in pieces."""
    one = w.client()
    with w.failing(10, 10, **how):
        one.send_pub("nobody", b"x" * size, 1)
        assert one.recv().reason == QUOTA
    w.grown(dropped_memory=1)


@fails("kmqtt_bulk_alloc", "kvmalloc")
def a_payload_that_cannot_be_had_is_refused(w):
    publish_refused(w)


@fails("kmqtt_bulk_alloc", "alloc_pages")
def a_payload_not_in_one_piece_is_copied(w):
    subs = [w.client(f"sub{n}", 4 + n % 2) for n in range(4)]
    for sub in subs:
        sub.sub("t")
    with w.failing(0, 1):
        w.client().pub("t", b"x" * 20000)
        for sub in subs:
            sub.message(topic="t", payload=b"x" * 20000)


@fails("kmqtt_bulk_alloc", "__vmalloc")
def a_payload_neither_in_one_piece_nor_in_pages_is_refused(w):
    publish_refused(w, 20000, whole="kmqtt_bulk_alloc")


@fails("kmqtt_fifo_grow")
def one_of_those_who_get_it_does_not(w):
    a, b, one = w.client("a"), w.client("b", 4), w.client()
    for sub in a, b:
        sub.sub("t")
    with w.failing():
        # The first of those that come together has its place in the session.
        one.send(wire.publish("t", b"x") * 40)
        one.expect_nothing()
    w.grown(dropped_memory=1)
    assert len(a.barrier() + b.barrier()) == 79, "lost more than once"


@fails("kmqtt_out_alloc")
def one_delivery_is_dropped_and_counted(w):
    a, b, one = w.client("a"), w.client("b", 4), w.client()
    for sub in a, b:
        sub.sub("t", 1)
    with w.failing():
        one.pub("t", b"x", 1)
    w.grown(dropped_memory=1)
    assert len(a.barrier() + b.barrier()) == 1, "lost more than once"


@fails("kmqtt_out_take", "bulk")
def one_of_many_deliveries_is_dropped(w):
    subs = [w.client(f"sub{n}") for n in range(6)]
    for sub in subs:
        sub.sub("t", 1)
    with w.failing():
        w.client().pub("t", b"x", 1)
    w.grown(dropped_memory=1)
    assert sum(len(sub.barrier()) for sub in subs) == 5


@fails("kmqtt_out_stock")
@fails("kmqtt_msg_alloc")
def what_a_softirq_cannot_have_the_io_work_has(w):
    genl.set_config(w.nl, express_after=1)
    sub, one = w.client("sub"), w.client()
    sub.sub("t", 1)
    for payload in b"first", b"second", b"third":
        one.pub("t", payload, 1)
        sub.message(payload=payload)
    with w.failing() as fault:
        # One that comes before all that was sent is acknowledged is not for it.
        for _ in range(50):
            assert one.pub("t", b"x", 1) == 0
            sub.message(payload=b"x")
            if fault.count():
                break
    w.grown(dropped_memory=0)


@fails("kmqtt_out_add_ids")
def identifiers_that_cannot_be_had_drop_the_delivery(w):
    one = overlapping(w)
    with w.failing():
        one.pub("a/b", b"x", 1)
        one.expect_nothing()
    w.grown(dropped_memory=1)
    one.pub("a/b", b"x", 1)
    pkt, = one.barrier()
    assert sorted(pkt.all(wire.SUBSCRIPTION_ID)) == [1, 2]


def overlapping(w):
    one = w.client()
    one.sub("a/+", 1, [(wire.SUBSCRIPTION_ID, 1)])
    one.sub("a/#", 1, [(wire.SUBSCRIPTION_ID, 2)])
    return one


@fails("kmqtt_merge_grow")
@fails("kmqtt_merge_add_id")
def what_cannot_be_merged_is_delivered_twice(w):
    one = overlapping(w)
    with w.failing():
        one.pub("a/b", b"x", 1)
    found = one.barrier()
    assert sorted(i for pkt in found
                  for i in pkt.all(wire.SUBSCRIPTION_ID)) == [1, 2], found
    assert len(found) == 2, found


@fails("kmqtt_packet_ids_alloc")
def what_has_no_place_in_the_window_waits(w):
    one = w.client()
    one.sub("t", 2)
    # These have their places in the session.
    for payload in b"1", b"2":
        one.pub("t", payload, 1)
        one.message(payload=payload, answer=False)
    with w.failing(6):
        one.send_pub("t", b"x", 2)
        one.await_packet(PUBREC)
        one.message(topic="t", answer=False)
    w.grown(dropped_memory=0)


@fails("kmqtt_packet_ids_alloc")
@fails("kmqtt_out_alloc")
@fails("kmqtt_fifo_grow")
def what_is_retained_waits(w):
    one = w.client()
    for n in range(3):
        one.pub(f"r/{n}", b"x", 1, retain=True)
    qos = 0 if w.row.function == "kmqtt_fifo_grow" else 1
    with w.failing(4):
        one.sub("r/+", qos)
        one.messages(3, retain=True, qos=qos)
    w.grown(dropped_memory=0)


@fails("kmqtt_collect_grow")
def retained_messages_that_cannot_be_gathered_are_counted(w):
    one = w.client()
    for n in range(10):
        one.pub(f"r/{n}", b"x", 1, retain=True)
    with w.failing():
        one.sub("r/+")
        one.expect_nothing()
    w.grown(dropped_memory=1)
    one.sub("r/+")
    one.messages(10)


@fails("kmqtt_retain_put")
def a_message_that_cannot_be_kept_replaces_none(w):
    """A value that is too old would be worse than none."""
    one = w.client()
    one.pub("r", b"old", 1, retain=True)
    with w.failing():
        one.pub("r", b"new", 1, retain=True)
    w.grown(retained_refused=1, retained_messages=0, topic_nodes=0)
    one.sub("r")
    one.expect_nothing()


@fails("kmqtt_msg_make_image")
def each_encodes_what_cannot_be_encoded_for_all(w):
    subs = [w.client(f"sub{n}", 4 + n % 2) for n in range(4)]
    for sub in subs:
        sub.sub("t", 1)
    with w.failing(4):
        w.client().pub("t", b"x", 1)
    for sub in subs:
        sub.message(topic="t", payload=b"x")


@fails("kmqtt_strip_get")
@fails("kmqtt_laid_alloc")
def each_is_sent_what_cannot_be_laid_out_for_all(w):
    subs = [w.client(f"sub{n}", 4 + n % 2) for n in range(6)]
    for sub in subs:
        sub.sub("t")
    with w.failing(1, 1):
        w.client().send(wire.publish("t", b"x" * 200) * 30)
        for sub in subs:
            sub.messages(30)
    w.grown(dropped_memory=0)


@fails("kmqtt_burst_get")
def each_is_routed_that_cannot_be_routed_with_others(w):
    sub = w.client("sub")
    sub.sub("t")
    with w.failing():
        w.client().send(wire.publish("t", b"x") * 30)
        sub.messages(30)
    w.grown(dropped_memory=0)


@fails("kmqtt_batch_borrow", fresh=True)
def what_cannot_be_put_together_is_sent_later(w):
    with w.failing(6, 6):
        one = w.client()
        one.sub("t")
        one.pub("t", b"x", 1)
        one.message(topic="t")


@fails("kmqtt_batch_room")
def a_long_head_that_has_no_room_is_sent_later(w):
    one = w.client()
    one.sub("long/#")
    topic = "long/" + "x" * 40000
    with w.failing(8, 8):
        one.send_pub(topic, b"x")
        one.message(topic=topic)


@fails("kmqtt_alias_give")
def a_topic_without_an_alias_is_sent_in_full(w):
    one = w.client(properties=[(wire.TOPIC_ALIAS_MAXIMUM, 10)])
    one.sub("topic/+")
    for times in 1, 2:
        with w.failing(times):
            one.send_pub("topic/1", b"x")
            pkt = one.message(topic="topic/1")
            assert not pkt.alias, pkt
    one.send_pub("topic/1", b"x")
    assert one.message(topic="topic/1").alias


@fails("kmqtt_push_pages", "skb_page_frag_refill")
def a_head_between_pages_that_has_no_room_is_sent_later(w):
    one, late, topic = w.client(), w.client("late"), "t/" + "x" * 1900
    for sub in one, late:
        sub.sub("t/#")
    payloads = [b"%02d" % number + b"x" * 5000 for number in range(60)]
    # So many that are not read fill what is there for them.
    with w.failing(0, 4):
        for payload in payloads:
            one.send_pub(topic, payload)
            one.message(topic=topic, payload=payload)
        for payload in payloads:
            late.message(topic=topic, payload=payload)


@fails("kmqtt_transport_send")
@fails("kmqtt_push_copied")
@fails("kmqtt_push_pages", "tcp_sendpage")
def what_tcp_has_no_memory_for_is_sent_later(w):
    one = w.client()
    one.sub("t/#")
    for size in 1, 3000, 20000, 300000:
        with w.failing(2, sure=False):
            one.send_pub("t/1", b"x" * size)
            one.message(topic="t/1", payload=b"x" * size)
    with w.failing(8, 8, sure=False):
        one.send_pub("t/2", b"x" * 200000)
        one.message(topic="t/2", payload=b"x" * 200000)
