# SPDX-License-Identifier: GPL-2.0
"""Requests by netlink: listeners, dumps, rules, events."""

import errno
import socket

import genl
from genl import N, pack
from world import PORT, fails, undisturbed

RULE = dict(ACCESS=N["ACCESS_ALL"], FILTER="#",
            RULE_FLAGS=N["RULE_EVERYONE"])


def listen(w, port=PORT + 2):
    return genl.listen(w.nl, port)


@fails("kmqtt_nl_reply_new")
@fails("kmqtt_listener_create")
def no_listener_without_memory(w):
    with w.failing():
        w.refused("ENOMEM", lambda: listen(w), "memory")
    w.grown(listeners=0)
    listen(w)


@fails("kmqtt_transport_open", "sock_create_kern")
def no_listener_without_a_socket(w):
    """ENFILE is what the kernel says of a socket it has no memory for."""
    with w.failing():
        w.refused("ENFILE", lambda: listen(w), "memory")
    w.grown(listeners=0)
    listen(w)


@fails("kmqtt_transport_bind", "kernel_bind")
def an_address_that_cannot_be_bound_is_said_to_be_in_use(w):
    """That is all that TCP says."""
    with w.failing():
        w.refused("EADDRINUSE", lambda: listen(w))
    w.grown(listeners=0)
    listen(w)


@fails("kmqtt_nl_reply_new")
def nothing_is_removed_without_an_answer(w):
    w.client().pub("r", b"x", 1, retain=True)
    with w.failing():
        w.refused("ENOMEM", lambda: w.nl.do("RETAINED_DEL", FILTER="#"),
                  "memory")
    w.grown(retained_messages=1)


@fails("kmqtt_nl_walk_start")
def tables_are_not_listed(w):
    for command in "SESSION_GET", "CLIENT_GET", "SUBSCRIPTION_GET":
        with w.failing(sure=False) as fault:
            try:
                w.nl.dump(command)
            except genl.Refused as error:
                assert error.errno == errno.ENOMEM
            else:
                assert not fault.count(), f"{command} has not failed"
        assert w.nl.dump(command), command


@fails("kmqtt_nl_sub_start")
def subscriptions_are_not_listed(w):
    for fields in {}, {"CLIENT_ID": "witness"}:
        with w.failing():
            w.refused("ENOMEM", lambda: w.nl.dump("SUBSCRIPTION_GET",
                                                  **fields))
        assert w.nl.dump("SUBSCRIPTION_GET", **fields)


@fails("kmqtt_nl_page_add")
def retained_messages_are_not_listed(w):
    reason = w.client().pub("r", b"x", 1, retain=True)
    for fields in {}, {"FILTER": "#"}:
        listed = w.nl.dump("RETAINED_GET", **fields)
        assert len(listed) == 1, f"after {reason:#x}: {listed}"
        with w.failing():
            w.refused("ENOMEM", lambda: w.nl.dump("RETAINED_GET", **fields),
                      "no memory")
        assert w.nl.dump("RETAINED_GET", **fields)


def set_rules(w, rules, flags=N["ACL_START"] | N["ACL_COMMIT"]):
    w.nl.do("ACL_SET", b"".join(pack(ITEM=rule) for rule in rules),
            ACL_FLAGS=flags)


@fails("kmqtt_acl_rule_create")
@fails("kmqtt_acl_create")
@fails("kmqtt_acl_chain_of", "alloc")
def rules_that_cannot_be_had_change_nothing(w):
    set_rules(w, [RULE])
    before = w.nl.dump("ACL_GET")
    named = dict(ACCESS=N["ACCESS_READ"], FILTER="t", USERNAME="user")
    with w.failing():
        w.refused("ENOMEM", lambda: set_rules(w, [named, dict(RULE)]),
                  "memory")
    assert w.nl.dump("ACL_GET") == before
    w.round()
    set_rules(w, [named, RULE])
    assert len(w.nl.dump("ACL_GET")) == len(before) + 1


@fails("kmqtt_acl_compile")
def a_table_of_names_is_made_smaller(w):
    """The kernel has the smallest size in any case."""
    named = dict(ACCESS=N["ACCESS_READ"], FILTER="t", USERNAME="user")
    with w.failing():
        set_rules(w, [named, RULE])
    assert len(w.nl.dump("ACL_GET")) == 3
    w.round()


@fails("kmqtt_acl_chain_of", "rhashtable_insert_slow")
def names_that_cannot_be_had_change_nothing(w):
    """So many at once that the table's own worker does not come in."""
    set_rules(w, [RULE])
    many = [dict(ACCESS=N["ACCESS_READ"], FILTER="t", USERNAME=f"user{n}")
            for n in range(300)]
    with w.failing():
        undisturbed(lambda: w.refused(
            "ENOMEM", lambda: set_rules(w, [*many, RULE]), "memory"))
    assert len(w.nl.dump("ACL_GET")) == 2
    set_rules(w, [*many, RULE])
    assert len(w.nl.dump("ACL_GET")) == 302


@fails("kmqtt_acl_pattern_expand")
def a_rule_that_cannot_be_judged_allows_nothing(w):
    everybody = dict(RULE, RULE_FLAGS=N["RULE_EVERYONE"] | N["RULE_PATTERN"],
                     FILTER="own/%c/#")
    set_rules(w, [everybody, dict(RULE, FILTER="witness/#")])
    one = w.client("me")
    with w.failing():
        one.sub("own/me/x", 1, reasons=[0x87])
    one.sub("own/me/x", 1)
    # And forbids what it might be meant to.
    deny = dict(everybody, RULE_FLAGS=N["RULE_ALL"])
    set_rules(w, [deny, RULE])
    with w.failing():
        one.sub("other", 1, reasons=[0x87])
    one.sub("other", 1)


@fails("kmqtt_event_multicast", "__alloc_skb")
def an_event_that_cannot_be_told_is_counted(w):
    ear = w.ear()
    with w.failing():
        w.client()
    w.grown(events_lost=1)
    assert ear.quiet(), "it was told"


@fails("kmqtt_event_multicast", "netlink_broadcast")
def who_does_not_get_a_copy_of_an_event_is_told(w):
    ears = [w.ear(), w.ear()]
    # The first time it is only not made shorter.
    with w.failing(2):
        w.client()
    lost = [ear.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            for ear in ears]
    assert sorted(lost) == [0, errno.ENOBUFS], lost
    assert ears[lost.index(0)].next("EVENT")["CLIENT_ID"] == "one"
