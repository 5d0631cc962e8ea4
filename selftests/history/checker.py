#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Is a recorded history one that the standard allows? A pure function of the
events (history.py); wherever it cannot know, it believes the broker.

usage: checker.py HISTORY	a file of guest.py; tells what is wrong in it"""

import collections
import sys

import history
import wills
from model import NEVER, Model

# Counters of deliveries that nothing in the test permits to drop
FORBIDDEN = ("dropped_queue_full", "dropped_expired", "dropped_too_large",
             "dropped_memory", "dropped_retries", "acl_denied_publish",
             "acl_denied_subscribe", "acl_denied_delivery", "retained_refused",
             "malformed_packets", "protocol_errors", "oversize_packets")

Violation = collections.namedtuple("Violation", "kind text events")


def check(events):
    """All violations."""
    model, found = Model(events), []

    def wrong(kind, text, *about):
        told = {}
        for part in about:
            for event in part:
                told[id(event)] = event
        found.append(Violation(kind, text, sorted(
            told.values(), key=lambda event: event["t"])))

    for violation in model.wrong:
        wrong(*violation)
    check_test(model, wrong)
    for session in model.sessions:
        for delivery in session.deliveries:
            check_foreign(model, session, delivery, wrong)
        check_doubled(session, model, wrong)
        check_order(session, wrong)
        check_finished(session, model, wrong)
        check_lost(session, model, wrong)
        check_retained(session, model, wrong)
    check_shared(model, wrong)
    wills.check(model, wrong)
    return found


def check_test(model, wrong):
    """What needs no look at messages."""
    for event in model.others["stuck"]:
        wrong("stuck", event["text"], [event])
    for conn in model.conns.values():
        for event in conn.events:
            if event["e"] == "fault":
                wrong("fault", f"{conn.client}: {event['text']}", [event])
        if conn.confirmed and conn.how in ("fin", "reset") and not conn.bye \
                and wills.end_of(model, conn)[0]:
            wrong("ended", f"the broker has ended {conn.client}/{conn.id} "
                  "without a reason", conn.events[:2], conn.events[-3:])
    for event in model.others["counters"]:
        for name, value in event["values"].items():
            if name in FORBIDDEN and value:
                wrong("dropped", f"the broker has counted {name} {value}",
                      [event])


# Helpers: subscriptions of a session that are about a publication

def possible(session, pub, until, shared=None):
    """Subscriptions by which the message may have come until then."""
    return [s for s in session.subs if s.may_apply(pub.start, until) and
            s.matches(pub.topic) and
            (shared is None or bool(s.group) == shared) and
            not (s.no_local and pub.client == session.client)]


def certain(session, pub):
    """Subscriptions of its own that held all the time the broker took."""
    return [s for s in session.subs if not s.group and pub.sure and
            s.sure_during(pub.start, pub.end) and s.matches(pub.topic) and
            not (s.no_local and pub.client == session.client)]


def keeps(model, session, qos, since):
    """Must the session have got in the end what was for it then? QoS 0 needs
    one connection all along."""
    if qos:
        return model.survives(session)
    return any(model.lasts(c) and c.connack <= since for c in session.conns)


def live(session, pub):
    return [d for d in session.by_pub.get(pub.id, ()) if not d.retain]


# Promises

def check_foreign(model, session, delivery, wrong):
    """Only what was subscribed to, as it was published."""
    pub, event = delivery.pub, delivery.event
    about = [event], pub.events
    if event["topic"] != pub.topic or event["size"] != pub.size or \
            not event["good"]:
        wrong("corrupt", f"{session} got {pub.id} changed", *about)
        return
    subs = possible(session, pub, delivery.t)
    if delivery.retain:
        subs = [s for s in session.subs if s.may_from <= delivery.t and
                s.matches(pub.topic) and not s.group]
    if not subs:
        wrong("foreign", f"{session} got {pub.id} on {pub.topic} without a "
              "subscription", *about, [s.event for s in session.subs])
    elif delivery.qos not in {min(pub.qos, s.qos) for s in subs}:
        wrong("qos", f"{session} got {pub.id} with QoS {delivery.qos}", *about,
              [s.event for s in subs])
    elif delivery.retain and not pub.retain:
        wrong("retained", f"{session} got {pub.id} as retained, which it is "
              "not", *about)


def check_doubled(session, model, wrong):
    for ident, all_of_it in session.by_pub.items():
        pub = model.pubs[ident]
        fresh = [d for d in all_of_it if not d.retain and not d.again]
        if len(fresh) < 2:
            continue
        subs = possible(session, pub, fresh[-1].t)
        # Each share group stands for itself [MQTT-4.8.2].
        ways = len({s.group for s in subs})
        limit = ways * (pub.attempts if pub.qos == 1 else 1)
        if len(fresh) > limit:
            wrong("doubled", f"{session} got {ident} {len(fresh)} times",
                  pub.events, [d.event for d in all_of_it],
                  [s.event for s in subs])


def check_order(session, wrong):
    """Messages of a publisher with one topic and QoS arrive in the order in
    which they were sent [MQTT-4.6.0]; of each the first arrival counts."""
    last, seen = {}, set()
    for delivery in session.deliveries:
        pub = delivery.pub
        if delivery.retain or pub.is_will or pub.id in seen or \
                any(s.group and s.matches(pub.topic) for s in session.subs):
            continue
        seen.add(pub.id)
        stream = pub.session, pub.topic, pub.qos, delivery.qos
        before = last.get(stream)
        if before and pub.index < before.pub.index:
            wrong("disordered", f"{session} got {pub.id} after "
                  f"{before.pub.id}", pub.events, before.pub.events,
                  [before.event, delivery.event])
        else:
            last[stream] = delivery


def check_finished(session, model, wrong):
    """An exchange that one connection has left open is resumed on the next
    [MQTT-4.4.0-1]: in the end the client has answered all of them."""
    left = {}		# by packet identifier: what was seen last
    for conn in session.conns:
        for event in conn.events:
            what, pid = event["e"], event.get("pid")
            if what in ("msg", "rel") and pid and event["t"] < model.quiet:
                left[pid] = event
            elif what in ("ack", "comp"):
                left.pop(pid, None)
    if not model.survives(session):
        return
    for pid, event in left.items():
        wrong("unfinished", f"{session}: the exchange with packet identifier "
              f"{pid} was left open and not resumed", [event],
              [c.event for c in session.conns])


def check_lost(session, model, wrong):
    """What was acknowledged reaches everybody who had subscribed."""
    latest = {}		# of each stream, the latest message that has come
    for delivery in session.deliveries:
        pub = delivery.pub
        key = pub.session, pub.topic, pub.qos
        if not delivery.retain and pub.index > latest.get(key, (0,))[0]:
            latest[key] = pub.index, delivery
    for pub in model.pubs.values():
        if not pub.size or pub.is_will or not pub.sure or live(session, pub):
            continue
        subs = certain(session, pub)
        if not subs:
            continue
        qos = min(pub.qos, max(s.qos for s in subs))
        about = pub.events, [s.event for s in subs], [
            c.event for c in session.conns]
        if keeps(model, session, qos, pub.start):
            wrong("lost", f"{session} has never got {pub.id} (QoS {pub.qos}, "
                  f"subscribed with {qos})", *about)
            continue
        index, later = latest.get((pub.session, pub.topic, pub.qos), (0, None))
        if qos and later and later.qos and index > pub.index:
            wrong("lost", f"{session} got {later.pub.id}, and not {pub.id} "
                  "before it", *about, [later.event])


def check_shared(model, wrong):
    groups = collections.defaultdict(list)
    for session in model.sessions:
        for sub in session.subs:
            if sub.group:
                groups[sub.group, sub.pattern].append((session, sub))
    for (group, pattern), members in groups.items():
        for pub in model.pubs.values():
            if pub.size and members[0][1].matches(pub.topic):
                judge_shared(model, group, members, pub, wrong)


def judge_shared(model, group, members, pub, wrong):
    able = [(s, sub) for s, sub in members if sub.may_apply(pub.start, pub.end)]
    served = {s for s, _ in able if live(s, pub) and
              not possible(s, pub, NEVER, shared=False) and
              len({x.group for x in possible(s, pub, NEVER)}) == 1}
    about = [pub.events, [sub.event for _, sub in able],
             [d.event for s in served for d in live(s, pub)]]
    # Whose session ends may leave a message to another, if not of QoS 2.
    ended = {s for s, _ in able if not model.survives(s)}
    limit = 1
    if pub.qos == 1:
        limit = pub.attempts
    if min([pub.qos] + [d.qos for s in served for d in live(s, pub)]) < 2:
        limit += len(ended)
    if len(served) > limit:
        wrong("shared twice", f"{len(served)} members of {group} got {pub.id}",
              *about)
    if served or not pub.sure or ended or not pub.qos or \
            any(live(s, pub) for s, _ in able):
        return
    if all(sub.qos for _, sub in able) and \
            any(sub.sure_during(pub.start, pub.end) for _, sub in able):
        wrong("lost", f"no member of {group} has got {pub.id}", *about)


# Retained messages

def superseded(pub, pubs, until):
    return any(other.sure and other.end < until and pub.before(other)
               for other in pubs)


def candidates(pubs, since, until):
    """Those of a topic that may have been retained within that time, and
    whether there may have been none."""
    found = [p for p in pubs if p.start <= until and
             not superseded(p, pubs, since)]
    none = not any(p.sure and p.end < since for p in pubs) or \
        any(not p.size for p in found)
    return [p for p in found if p.size], none


def check_retained(session, model, wrong):
    topics = collections.defaultdict(list)
    for pub in model.pubs.values():
        if pub.retain:
            topics[pub.topic].append(pub)
    for topic, pubs in topics.items():
        subs = [s for s in session.subs if not s.group and s.matches(topic)]
        got = [d for d in session.deliveries
               if d.retain and d.pub.topic == topic]
        for delivery in got:
            if not any(delivery.pub in candidates(
                    pubs, s.may_from, min(s.sure_from, delivery.t))[0]
                       for s in subs if s.retain_handling != 2):
                wrong("retained", f"{session} got {delivery.pub.id} as "
                      f"retained on {topic}, which was not the last",
                      [s.event for s in subs], [delivery.event],
                      *[p.events for p in pubs])
        judge_replays(session, subs, got, wrong)
        judge_stale(session, topic, wrong)
        for sub in subs:
            judge_replay(model, session, sub, pubs, got, wrong)


def judge_replays(session, subs, got, wrong):
    """Once for each SUBSCRIBE."""
    count = collections.Counter(d.pub for d in got if not d.again)
    for pub, times in count.items():
        if times > max(1, sum(s.retain_handling != 2 for s in subs)):
            wrong("doubled", f"{session} got {pub.id} {times} times as "
                  "retained", [s.event for s in subs],
                  [d.event for d in got if d.pub is pub])


def judge_stale(session, topic, wrong):
    """Who gets a retained message after a newer one would believe that the
    older is the state of things."""
    newest = None
    for delivery in session.deliveries:
        if delivery.pub.topic != topic or delivery.dup:
            continue
        if newest and delivery.retain and \
                delivery.pub.before(newest.pub) and \
                newest.pub.sure and delivery.pub is not newest.pub:
            wrong("retained", f"{session} got {delivery.pub.id} as retained "
                  f"after {newest.pub.id}", delivery.pub.events,
                  newest.pub.events, [newest.event, delivery.event])
        elif not delivery.retain and delivery.pub.retain:
            newest = delivery


def judge_replay(model, session, sub, pubs, got, wrong):
    """The last message must come, as retained or because it came anew."""
    if sub.retain_handling or sub.sure_from == NEVER or \
            not keeps(model, session, sub.qos and min(p.qos for p in pubs),
                      sub.may_from):
        return
    wanted, none = candidates(pubs, sub.may_from, sub.sure_from)
    if sub.no_local and any(p.client == session.client for p in wanted):
        return		# whether that is about retained ones is not said
    if none or any(d.pub in wanted and d.t > sub.may_from for d in got):
        return
    if any(d.pub.end > sub.may_from and not d.retain and d.pub.retain
           for p in pubs for d in session.by_pub.get(p.id, ())) or \
            any(not p.size and p.end > sub.may_from for p in pubs):
        return
    wrong("retained", f"{session} got none of "
          f"{', '.join(p.id for p in wanted)} for its subscription",
          [sub.event], *[p.events for p in wanted])


def report(found, limit=8):
    """Lines to read."""
    for violation in found[:limit]:
        yield f"{violation.kind}: {violation.text}"
        origin = violation.events[0]["t"] if violation.events else 0
        for event in violation.events[:40]:
            yield "    " + history.line(event, origin)
    if len(found) > limit:
        yield f"and {len(found) - limit} more"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    FOUND = check(history.load(sys.argv[1]))
    for text in report(FOUND, 1000):
        print(text)
    sys.exit(1 if FOUND else 0)
