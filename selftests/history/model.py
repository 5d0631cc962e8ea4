# SPDX-License-Identifier: GPL-2.0
"""From events to what they are about: connections, sessions, subscriptions,
publications, deliveries. Of everything that took effect in the broker only an
interval is known: it may have been from the moment it was asked for, it was for
sure when the answer had come."""

import collections
import functools

NEVER = float("inf")
# No session of this expiry ends by it while the test runs (seconds).
FOR_EVER = 3600


@functools.lru_cache(maxsize=None)
def matches(pattern, topic):
    levels, names = pattern.split("/"), topic.split("/")
    for at, level in enumerate(levels):
        if level == "#":
            return True
        if at == len(names) or level not in ("+", names[at]):
            return False
    return len(names) == len(levels)


class Conn:
    """A network connection. alive: when the broker surely still had it."""

    def __init__(self, event):
        self.event, self.id, self.client = event, event["conn"], event["client"]
        self.opened = self.alive = event["t"]
        self.clean, self.expiry = event["clean"], event["expiry"]
        self.keep, self.will = event["keep"], event["will"]
        self.connack, self.present, self.refused = NEVER, None, False
        self.gone, self.how, self.bye, self.kicked = NEVER, None, None, False
        self.session = None
        self.events = [event]
        self.asked = {}			# what waits for an answer: when sent
        self.answers = []		# (asked, answered)

    @property
    def confirmed(self):
        return self.connack < NEVER and not self.refused

    def ask(self, key, t):
        self.asked.setdefault(key, collections.deque()).append(t)

    def answer(self, key, t):
        if self.asked.get(key):
            sent = self.asked[key].popleft()
            self.alive = max(self.alive, sent)
            self.answers.append((sent, t))

    def processed(self, t):
        """When it was known that the broker had read what was sent at t."""
        return min((got for sent, got in self.answers if sent >= t),
                   default=NEVER)


class Session:
    """The state behind a client identifier, from one clean start to the next.
    It may have ended from may_end on."""

    def __init__(self, client):
        self.client, self.conns = client, []
        self.may_end = NEVER
        self.subs, self.deliveries = [], []
        self.by_pub = collections.defaultdict(list)

    def __repr__(self):
        return f"{self.client}/{self.conns[0].id}"


class Sub:
    def __init__(self, event, text, options):
        self.event, self.filter, self.conn = event, text, event["conn"]
        self.group, self.pattern = None, text
        if text.startswith("$share/"):
            _, self.group, self.pattern = text.split("/", 2)
        self.qos, self.no_local = options & 3, bool(options & 4)
        self.retain_handling = options >> 4 & 3
        self.may_from, self.sure_from = event["t"], NEVER
        self.sure_until = self.may_until = NEVER

    def matches(self, topic):
        return matches(self.pattern, topic)

    def may_apply(self, since, until):
        return self.may_from <= until and self.may_until >= since

    def sure_during(self, since, until):
        return self.sure_from <= since and until <= self.sure_until


class Pub:
    """A message; the broker took it in between start and end. It is sure if
    the broker said so."""

    def __init__(self, event, session, index):
        self.id, self.topic = event["id"], event["topic"]
        self.qos, self.retain = event["qos"], event["retain"]
        self.size = event["size"]
        self.client, self.session, self.index = event["client"], session, index
        self.start, self.end = event["t"], NEVER
        self.sure, self.attempts, self.last = False, 0, None
        self.events = []
        self.is_will = False

    def before(self, other):
        """Did the broker surely take it in before the other?"""
        if self.end < other.start:
            return True
        return self.session is other.session is not None and \
            self.qos == other.qos and self.index < other.index


class Delivery:
    def __init__(self, event, session, pub):
        self.event, self.session, self.pub = event, session, pub
        self.t, self.conn, self.qos = event["t"], event["conn"], event["qos"]
        self.retain, self.dup = event["retain"], event["dup"]
        self.again = False	# the same exchange, started on an earlier conn


class Model:
    def __init__(self, events):
        # Stable: what one client did stays in its order.
        self.events = sorted(events, key=lambda event: event["t"])
        self.conns, self.clients = {}, collections.defaultdict(list)
        self.sessions, self.pubs = [], {}
        self.others = collections.defaultdict(list)
        for event in self.events:
            self.sort_in(event)
        self.quiet = min((e["t"] for e in self.others["quiet"]), default=NEVER)
        self.slack = self.others["begin"][0]["slack"]
        self.wrong = []		# (kind, text, events) found on the way
        for client in self.clients.values():
            self.make_sessions(client)
        for session in self.sessions:
            self.make_subs(session)
        for client in self.clients.values():
            self.make_pubs(client)
        for session in self.sessions:
            self.make_deliveries(session)

    def lasts(self, conn):
        """Was the connection there when all was quiet?"""
        return conn.confirmed and conn.opened < self.quiet < conn.gone

    def survives(self, session):
        return session.may_end > self.quiet

    # Connections

    REQUESTS = {"open": "connack", "ping": "pong", "sub": "suback",
                "unsub": "unsuback"}

    def sort_in(self, event):
        if "conn" not in event:
            self.others[event["e"]].append(event)
            return
        what, t = event["e"], event["t"]
        if what == "open":
            conn = self.conns[event["conn"]] = Conn(event)
            self.clients[conn.client].append(conn)
        else:
            conn = self.conns[event["conn"]]
            conn.events.append(event)
        pid = event.get("pid")
        if what in self.REQUESTS:
            conn.ask((self.REQUESTS[what], pid), t)
        elif what == "pub" and event["qos"]:
            conn.ask((("puback", "pubrec")[event["qos"] - 1], pid), t)
        else:
            conn.answer((what, pid), t)
        if what == "connack":
            conn.connack, conn.present = t, event["present"]
            conn.refused = event["reason"] != 0
        elif what == "gone":
            conn.gone, conn.how = t, event["how"]
        elif what == "bye":
            conn.bye = event
        elif what == "kicked":
            conn.kicked = True

    # Sessions

    def make_sessions(self, conns):
        """Conns of one client, in the order of their CONNECTs."""
        current, unsure = None, False
        for conn in conns:
            if not conn.confirmed:
                if conn.refused:
                    continue
                unsure = True
                # It may have been accepted, and have ended the session.
                if current and (conn.clean or conn.expiry < FOR_EVER):
                    current.may_end = min(current.may_end, conn.opened)
                continue
            if current:
                self.expire(current, conn.connack)
            self.judge_present(conn, current, unsure)
            if conn.clean or not conn.present or not current:
                if current:
                    current.may_end = min(current.may_end, conn.opened)
                current = Session(conn.client)
                self.sessions.append(current)
            current.conns.append(conn)
            conn.session = current
            unsure = False
        if current and not self.lasts(current.conns[-1]):
            self.expire(current, NEVER)

    @staticmethod
    def expire(session, until):
        """Time goes by from its latest connection until the next one."""
        last = session.conns[-1]
        if last.expiry < FOR_EVER and last.alive + last.expiry < until:
            session.may_end = min(session.may_end, last.alive + last.expiry)

    def expired(self, conn):
        """When a session without another connection was gone for sure."""
        noticed = conn.gone
        if conn.how == "drop":
            noticed += 1.5 * conn.keep if conn.keep else NEVER
        return noticed + conn.expiry + self.slack

    def judge_present(self, conn, current, unsure):
        text = None
        if conn.present and conn.clean:
            text = "a clean start, and there is a session"
        elif conn.present and not current and not unsure:
            text = "a session that nobody has begun"
        elif not conn.present and not conn.clean and current and \
                current.may_end > conn.connack:
            text = f"the session {current} is lost"
        elif conn.present and current and not unsure and \
                conn.opened > self.expired(current.conns[-1]):
            text = f"the session {current} had expired"
        if text:
            self.wrong.append(("session", text, [conn.event] + [
                e for e in conn.events if e["e"] == "connack"]))

    # Subscriptions

    def make_subs(self, session):
        for conn in session.conns:
            for event in conn.events:
                what = event["e"]
                if what == "sub":
                    for text, options in event["filters"]:
                        self.subscribe(session, Sub(event, text, options))
                elif what == "suback":
                    self.subscribed(session, event)
                elif what in ("unsub", "unsuback"):
                    self.unsubscribe(session, event, what == "unsuback")

    @staticmethod
    def subscribe(session, new):
        for old in session.subs:
            if old.filter == new.filter:
                old.sure_until = min(old.sure_until, new.may_from)
        session.subs.append(new)

    @staticmethod
    def subscribed(session, event):
        asked = [s for s in session.subs if s.conn == event["conn"] and
                 s.event["pid"] == event["pid"] and s.sure_from == NEVER and
                 s.may_until == NEVER]
        for sub, reason in zip(asked, event["reasons"]):
            if reason > 2:
                sub.may_until = event["t"]
                continue
            sub.qos, sub.sure_from = reason, event["t"]
            for old in session.subs[:session.subs.index(sub)]:
                if old.filter != sub.filter:
                    continue
                # Replaced without a gap [MQTT-3.8.4-3].
                if old.sure_until == sub.may_from and old.qos and sub.qos:
                    old.sure_until = event["t"]
                old.may_until = min(old.may_until, event["t"])

    @staticmethod
    def unsubscribe(session, event, done):
        if not done:
            for sub in session.subs:
                if sub.filter in event["filters"]:
                    sub.sure_until = min(sub.sure_until, event["t"])
                    sub.ending = event["conn"], event["pid"]
            return
        for sub in session.subs:
            if getattr(sub, "ending", None) == (event["conn"], event["pid"]):
                sub.may_until = min(sub.may_until, event["t"])

    # Publications

    def make_pubs(self, conns):
        mine, index = [], 0
        for conn in conns:
            self.make_will(conn)
            for event in conn.events:
                if event["e"] == "pub":
                    index += 1
                    self.attempt(conn, event, mine, index)
                elif event["e"] in ("puback", "pubrec", "pubcomp"):
                    self.acknowledged(event)
        confirmed = [c.connack for c in conns if c.confirmed]
        for pub in mine:
            if pub.qos == 0:
                pub.end = pub.last.processed(pub.start)
                pub.sure = pub.end < NEVER
            if not pub.sure:
                # Nothing of an old connection is read after the next CONNACK.
                pub.end = min((t for t in confirmed if t > pub.last.connack),
                              default=NEVER)

    def attempt(self, conn, event, mine, index):
        pub = self.pubs.get(event["id"])
        if not pub:
            pub = self.pubs[event["id"]] = Pub(event, conn.session, index)
            mine.append(pub)
        pub.attempts += 1
        pub.last = conn
        pub.events.append(event)

    def acknowledged(self, event):
        pub = self.pubs.get(event["id"])
        if not pub:
            return
        pub.events.append(event)
        # PUBCOMP may say that the exchange was over before.
        if event["e"] == "pubcomp" or \
                event["e"] == "puback" and event["reason"] < 0x80:
            pub.end, pub.sure = min(pub.end, event["t"]), True

    def make_will(self, conn):
        if not conn.will:
            return
        event = dict(conn.event, retain=False, **conn.will)
        pub = self.pubs[event["id"]] = Pub(event, None, 0)
        pub.is_will, pub.attempts = True, 1
        pub.events.append(conn.event)

    # Deliveries

    def make_deliveries(self, session):
        held, acked = {}, {}	# by packet identifier: a delivery; an answer
        for conn in session.conns:
            for event in conn.events:
                what, pid = event["e"], event.get("pid")
                if what == "rel":
                    held.pop(pid, None)
                elif what == "ack":
                    acked[pid] = (event, conn)
                elif what == "msg" and event["size"]:
                    self.deliver(session, conn, event, held, acked.get(pid))

    def deliver(self, session, conn, event, held, acked):
        pub = self.pubs.get(event["id"])
        if not pub:
            self.wrong.append(("foreign", f"{session} got a message nobody has "
                               "sent", [event]))
            return
        new = Delivery(event, session, pub)
        if event["qos"] == 2 and event["pid"] in held:
            self.judge_again(new, held[event["pid"]])
        elif event["qos"] == 2:
            held[event["pid"]] = new
        elif event["dup"]:
            new.again = any(d.qos == 1 and d.retain == new.retain
                            for d in session.by_pub[pub.id])
            self.judge_dup(new, conn, acked)
        session.deliveries.append(new)
        session.by_pub[pub.id].append(new)

    def judge_dup(self, new, conn, acked):
        """QoS 1 once more: only on a later connection, and only what the
        broker may think was not acknowledged."""
        if not conn.present:
            self.wrong.append(("doubled", f"{new.session}: DUP on a session's "
                               "first connection", [new.event]))
        elif acked and acked[0]["id"] == new.pub.id and \
                new.pub.attempts == 1 and not new.retain and \
                acked[1].processed(acked[0]["t"]) < NEVER:
            self.wrong.append(("doubled", f"{new.session}: sent again although "
                               "the broker had read the PUBACK",
                               [acked[0], new.event]))

    def judge_again(self, new, before):
        """The identifier is in use: it must be the same message once more, on
        a later connection."""
        new.again = True
        text = None
        if new.pub is not before.pub:
            text = f"packet identifier {new.event['pid']} is still in use"
        elif not new.dup:
            text = "sent again without DUP"
        elif new.conn == before.conn:
            text = "sent again on the same connection"
        if text:
            self.wrong.append(("doubled", f"{new.session}: {text}",
                               [before.event, new.event]))
