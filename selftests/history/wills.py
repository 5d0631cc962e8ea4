# SPDX-License-Identifier: GPL-2.0
"""Wills: each exactly when it is due. A connection's end in the broker lies
between the last sign of life and the moment the client knew of it; what the
next CONNECT of the same client means for the will is decided from that."""

from model import NEVER

# The kernel counts ticks, and rounds (seconds)
EARLY = 0.05


class Due:
    """When a will may come, and whether it must, must not or may."""

    def __init__(self, verdict, since=0, until=NEVER):
        self.verdict, self.since, self.until = verdict, since, until


def disturbed(model, conn):
    """Was somebody making the broker end connections, meanwhile?"""
    return any(e["since"] <= conn.gone and e["until"] >= conn.alive and
               e.get("client", conn.client) == conn.client
               for e in model.others["disturb"])


def later_than(model, conn):
    """The connections of the same client that were begun after this one."""
    mine = model.clients[conn.client]
    return mine[mine.index(conn) + 1:]


def end_of(model, conn):
    """(calm, since, until): in between the broker has seen the connection
    end; calm if it had no reason of its own to end it."""
    later = later_than(model, conn)
    calm = conn.gone < NEVER and not disturbed(model, conn) and \
        not any(c.opened <= conn.gone for c in later) and \
        (not conn.keep or conn.gone - conn.alive < 1.2 * conn.keep)
    since = conn.alive
    if calm and conn.how == "drop":
        since = conn.bye["t"] if conn.bye else conn.gone
    until = conn.gone
    if conn.how == "drop":
        until = conn.gone + 1.5 * conn.keep if conn.keep else NEVER
    until = min([until] + [c.connack for c in later if c.confirmed])
    return calm, since, max(since, until)


def due(model, conn):
    if conn.refused:
        return Due("not")
    if not conn.confirmed:
        return Due("may")
    later = later_than(model, conn)
    calm, since, until = end_of(model, conn)
    if conn.gone == NEVER and not later:
        return Due("not")		# the history ends before it does
    if conn.bye and conn.bye["reason"] == 0:
        # The broker's own end shows that it has read it.
        normal = conn.how == "fin" and not conn.kicked and calm
        return Due("not" if normal else "may", since)
    # It does not outlive the session [MQTT-3.1.3-9].
    delay = min(conn.will["delay"], conn.expiry)
    since, until = since + delay, until + delay
    if not delay:
        return Due("must", since, until)
    return renewed(later, since, until)


def renewed(later, since, until):
    """With a delay: the next connection may forestall the will [MQTT-3.1.3-9];
    one with a clean start ends the session, and so the waiting."""
    first = min((c.opened for c in later), default=NEVER)
    following = next((c for c in later if c.confirmed), None)
    if first > until:
        return Due("must", since, until)
    if not following or following.connack == NEVER:
        return Due("may", min(since, first))
    if following.clean:
        return Due("must", min(since, first), min(until, following.connack))
    sole = following is later[0]
    if sole and following.present and following.connack < since:
        return Due("not")
    return Due("may", min(since, first))


def check(model, wrong):
    # One that gets nothing else, so that no will waits behind other messages
    observers = [s for s in model.sessions if s.client == "mourner"]
    for conn in model.conns.values():
        if not conn.will:
            continue
        verdict = due(model, conn)
        pub = model.pubs[conn.will["id"]]
        for session in observers:
            if any(s.matches(pub.topic) and
                   s.sure_during(conn.opened, min(verdict.until, model.quiet))
                   for s in session.subs):
                judge(model, conn, verdict, session.by_pub[pub.id], wrong)


def judge(model, conn, verdict, seen, wrong):
    story = [e for e in conn.events if e["e"] in ("open", "connack", "bye",
                                                 "kicked", "gone")]
    for after in later_than(model, conn)[:2]:
        story += [e for e in after.events if e["e"] in ("open", "connack")]
    seen = [d for d in seen if not d.again]
    story += [d.event for d in seen]
    name = f"will {conn.will['id']} (delay {conn.will['delay']})"
    if len(seen) > 1:
        wrong("will doubled", f"{name} came {len(seen)} times", story)
    if not seen:
        # Something must have been able to be late by the end.
        if verdict.verdict == "must" and \
                verdict.until + model.slack < model.quiet:
            wrong("will missing", f"{name} has not come", story)
        return
    t = seen[0].t
    if verdict.verdict == "not":
        wrong("will unwanted", f"{name} came and must not", story)
    elif t < verdict.since - EARLY:
        wrong("will early", f"{name} came {verdict.since - t:.3f} s too early",
              story)
    elif verdict.verdict == "must" and t > verdict.until + model.slack:
        wrong("will late", f"{name} came {t - verdict.until:.3f} s after it "
              "was due", story)
