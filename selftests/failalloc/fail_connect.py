# SPDX-License-Identifier: GPL-2.0
"""From the TCP connection to CONNACK, and the way back."""

import contextlib
import os
import pathlib

import genl
import mqttlib
import wire
from wire import CONNACK
from world import PORT, fails, on_cpu, undisturbed, unload

QUOTA, BUSY, UNAVAILABLE = 0x97, 0x89, 0x88
# Where works run that belong to no CPU.
UNBOUND = pathlib.Path("/sys/devices/virtual/workqueue/cpumask")
METHOD = [(wire.AUTH_METHOD, "m")]


def says_nothing(one):
    assert one.rest() == [], "something was said"


@fails("kmqtt_listener_accept", "kernel_accept")
def a_connection_is_accepted_a_little_later(w):
    with w.failing() as fault:
        one = w.raw()
        fault.happened()
        one.open(client_id="one")


@fails("kmqtt_conn_alloc")
def a_connection_is_closed_at_once(w):
    with w.failing():
        # or even before its handshake is seen to have ended
        with contextlib.suppress(ConnectionResetError):
            says_nothing(w.raw())
    w.grown(connections_refused=1)
    w.client()


@fails("kmqtt_rx_borrow", fresh=True)
def who_cannot_be_read_is_closed(w):
    with w.failing(10, 10):
        says_nothing(w.connecting(port=PORT))
    w.client()


def ends_unanswered(w, daemon, here, there, sure):
    """A client is asked about here, and gives up there. Return: was it there that the
    broker saw to it? Where it does so, what had asked may not have returned yet."""
    before = w.gauges()["connections"]
    one = on_cpu(here, lambda: w.connecting(ver=4))
    daemon.next("AUTH_REQUEST")
    with w.failing(10, 10, sure=sure) as fault:
        on_cpu(there, one.close)
        w.wait(lambda: w.gauges()["connections"] == before)
        return fault.count()


@fails("kmqtt_rx_borrow", fresh=True)
def what_cannot_be_drained_is_not(w):
    """By a CPU that has read nothing yet: all else is done on another."""
    first, second = sorted(os.sched_getaffinity(0))[:2]
    before = UNBOUND.read_text()
    UNBOUND.write_text(f"{1 << first:x}")
    try:
        daemon = w.authority()
        for left in reversed(range(20)):
            if ends_unanswered(w, daemon, first, second, sure=not left):
                break
    finally:
        UNBOUND.write_text(before)


# Twice: a run whose time is over then, on a machine that stood still, tries again.
@fails("kmqtt_bulk_alloc", "kvmalloc")
def half_a_connect_ends_it(w):
    one = w.raw()
    with w.failing(2):
        one.send(wire.connect(5, "one")[:8])
        says_nothing(one)
    w.grown(dropped_memory=1)
    w.client()


@fails("kmqtt_bulk_alloc", "kvmalloc")
def half_a_packet_ends_the_connection(w):
    for ver in 4, 5:
        one = w.client(ver=ver)
        with w.failing(2):
            one.send(wire.publish("t", b"x" * 100, ver=ver)[:20])
            one.expect_disconnect(QUOTA)


@fails("kmqtt_bulk_alloc", "kvmalloc")
def a_packet_that_grows_ends_the_connection(w):
    one = w.client()
    packet = wire.publish("t", b"x" * 500000, ver=5)
    before = w.gauges()["memory_bytes"]
    one.send(packet[:3000])
    w.wait(lambda: w.gauges()["memory_bytes"] >= before + 3000)
    # What is put together of pages, or more of them than are one piece.
    with w.failing(10, 10):
        one.send(packet[3000:])
        one.expect_disconnect(QUOTA)


@fails("kmqtt_transport_read", "kernel_recvmsg")
def an_acknowledgement_of_tcp_may_be_late(w):
    one = w.client()
    one.sub("big")
    with w.failing(3):
        one.send_pub("big", b"x" * 1000000)
        one.message(topic="big", payload=b"x" * 1000000)


@fails("kmqtt_connecting_create")
def a_connect_that_cannot_be_kept_is_a_quota(w):
    with w.failing():
        w.connecting(port=PORT).expect(CONNACK, reason=QUOTA)
    w.grown(dropped_memory=1)
    # As large as it may be.
    with w.failing(10, 10):
        w.connecting(port=PORT, username="u" * 50000,
                     password=b"p" * 50000).expect(CONNACK, reason=QUOTA)
    w.client()


@fails("kmqtt_connect_send_connack")
def no_connack_is_the_end(w):
    with w.failing():
        says_nothing(w.connecting(port=PORT))
    w.grown(connects_accepted=0)
    w.client(present=False, clean=False)


@fails("kmqtt_connect_send_connack")
def no_connack_that_refuses_is_the_end_too(w):
    with w.failing():
        says_nothing(w.connecting(port=PORT, properties=METHOD))
    w.grown(connects_refused=1)


@fails("kmqtt_ctl_alloc")
def a_connack_that_cannot_be_queued_is_the_end(w):
    with w.failing():
        # With an identifier for the client in it: a short one has its place.
        says_nothing(w.connecting("", port=PORT))
    w.client()


@fails("kmqtt_strdup")
def a_user_name_that_cannot_be_kept_is_busy(w):
    with w.failing():
        w.client(reason=BUSY, username="user")
    w.client(username="user")


@fails("kmqtt_strdup")
def a_method_that_cannot_be_kept_is_a_quota(w):
    with w.failing():
        w.connecting(properties=METHOD).expect(CONNACK, reason=QUOTA)


@fails("kmqtt_session_copy_username", "kstrdup")
def a_user_name_of_a_session_is_busy(w):
    with w.failing():
        w.client(reason=BUSY, username="user")
    w.client(username="user")


@fails("kmqtt_session_copy_username", "kstrdup")
def who_cannot_take_over_leaves_the_old_one_alone(w):
    old = w.client()
    with w.failing():
        w.client(reason=BUSY, username="user")
    old.expect_nothing()
    w.grown(take_overs=0)


@fails("kmqtt_session_create", "alloc")
def no_session_is_busy(w):
    with w.failing():
        w.client(reason=BUSY)
        w.client(reason=0, present=False)
    w.client(ver=4)


@fails("kmqtt_session_create", "rhashtable_insert_slow")
def a_table_that_cannot_grow_is_busy(w):
    """Connecting so fast that the table's own worker does not come in."""
    many = [w.raw() for _ in range(120)]
    packets = [wire.connect(5, f"many{n}") for n in range(120)]
    with w.failing():
        undisturbed(lambda: [one.sock.send(packet)
                             for one, packet in zip(many, packets)])
        reasons = [one.expect(CONNACK, reason={0, BUSY}).reason
                   for one in many]
        assert reasons.count(BUSY) == 1, f"{reasons.count(BUSY)} are busy"
    one = many[reasons.index(BUSY)]
    one.expect_close()
    w.client()


@fails("kmqtt_will_create")
def a_will_that_cannot_be_kept_is_a_quota(w):
    with w.failing():
        w.client(reason=QUOTA, will=wire.Will("will", b"x", 1))
    w.grown(wills_sent=0)


@fails("kmqtt_msg_alloc")
def the_message_of_a_will_is_a_quota(w):
    with w.failing():
        w.client(reason=QUOTA, will=wire.Will("will", b"x", 1))
    with w.failing(10, 10):
        w.client(reason=QUOTA, will=wire.Will("will", b"x" * 60000, 1))
    w.grown(wills_sent=0)


@fails("kmqtt_auth_request_create")
def who_cannot_be_asked_about_is_told_so(w):
    daemon = w.authority()
    with w.failing():
        w.connecting().expect(CONNACK, reason=UNAVAILABLE)
    assert daemon.quiet(), "the authority was asked"
    answer(daemon, w.connecting(ver=4), 0)


def answer(daemon, one, reason, **fields):
    """The authority's answer, and the CONNACK that follows."""
    request = daemon.next("AUTH_REQUEST")
    daemon.do("AUTH_REPLY", REQUEST_ID=request["REQUEST_ID"], REASON=reason,
              **fields)
    return one.expect(CONNACK, reason=reason) if one else request


@fails("kmqtt_auth_send", "__alloc_skb")
def a_question_that_cannot_be_sent_is_sent_later(w):
    daemon = w.authority()
    with w.failing():
        answer(daemon, w.connecting(), 0)


@fails("kmqtt_nl_get_answer")
def an_answer_that_cannot_be_taken_may_be_repeated(w):
    daemon = w.authority()
    one = w.connecting()
    request = daemon.next("AUTH_REQUEST")
    with w.failing():
        w.refused("ENOMEM", lambda: daemon.do(
            "AUTH_REPLY", REQUEST_ID=request["REQUEST_ID"], REASON=0))
    daemon.do("AUTH_REPLY", REQUEST_ID=request["REQUEST_ID"], REASON=0)
    one.expect(CONNACK, reason=0)


@fails("kmqtt_strdup")
def an_accepted_name_that_cannot_be_kept_is_busy(w, **told):
    daemon = w.authority()
    with w.failing():
        one = w.connecting(username="user")
        request = daemon.next("AUTH_REQUEST")
        daemon.do("AUTH_REPLY", REQUEST_ID=request["REQUEST_ID"], REASON=0,
                  **told)
        one.expect(CONNACK, reason=BUSY)


@fails("kmqtt_connect_accepted", "kstrdup")
def a_name_given_by_the_authority_is_no_other(w):
    an_accepted_name_that_cannot_be_kept_is_busy(w, USERNAME="real")


@fails("kmqtt_auth_say")
def a_challenge_that_cannot_be_sent_is_a_quota(w):
    daemon = w.authority()
    with w.failing():
        one = w.connecting(properties=METHOD)
        answer(daemon, None, 0x18, AUTH_DATA=b"x")
        one.expect(CONNACK, reason=QUOTA)
        one.expect_close()


@fails("kmqtt_auth_say")
def a_word_of_a_reauthentication_ends_the_connection(w):
    daemon = w.authority()
    one = w.connecting(properties=METHOD)
    answer(daemon, one, 0)
    with w.failing():
        one.send(wire.auth(0x19, METHOD))
        answer(daemon, None, 0)
        one.expect_disconnect(QUOTA)


@fails("kmqtt_auth_request_create")
def who_cannot_be_asked_about_again_is_told_so(w):
    daemon = w.authority()
    one = w.connecting(properties=METHOD)
    answer(daemon, one, 0)
    with w.failing():
        one.send(wire.auth(0x19, METHOD))
        one.expect_disconnect(BUSY)


@fails("kmqtt_tx_idle", "kernel_sock_shutdown")
def an_end_that_cannot_be_told_is_an_end(w):
    """TCP does not try again to send a FIN that it had no memory for: the
    client finds out by its keep alive. Nothing is held for it here."""
    before = w.gauges()["connections"]
    one = w.client()
    with w.failing():
        w.nl.do("CLIENT_DEL", CLIENT_ID="one")
        one.expect(mqttlib.DISCONNECT, reason=0x98)
        w.wait(lambda: w.gauges()["connections"] == before)


@fails("kmqtt_listener_take", "sock_release")
def who_is_one_too_many_finds_out_when_it_speaks(w):
    """There was no memory for the RST that says so at once."""
    genl.set_config(w.nl, max_connections=1)
    with w.failing() as fault:
        one = w.raw()
        fault.happened()
        one.send(wire.connect(5, "one"))
        says_nothing(one)
    w.grown(connections_refused=1)


@fails("kmqtt_conn_release", "sock_release", fresh=True)
def unloading_waits_for_nobody_who_cannot_be_told(w):
    one = w.client(ver=4)
    with w.failing():
        w.nl.close()
        unload()
        one.send(wire.pingreq())
        says_nothing(one)
    w.start()
