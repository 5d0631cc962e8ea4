# SPDX-License-Identifier: GPL-2.0
"""What happened: a list of events, each a dictionary with e (what) and t
(seconds of Clock). What a client sends is recorded before it is sent, what it
gets after it was read, so that the broker's part lies between the two.

Events of a connection have conn (a number) and client (its identifier):

open	CONNECT is sent: ver, clean, keep (seconds), expiry (seconds by which the
	session outlives the connection), will (None, or id, topic, qos, delay)
connack	reason, present
ping, pong
bye	DISCONNECT is sent: reason
kicked	DISCONNECT has come: reason
gone	the connection has ended: how (fin, reset: the broker's side was first;
	drop: the client closed it)
sub	pid, filters (a list of filter, options); suback: pid, reasons
unsub	pid, filters; unsuback: pid
pub	id, pid, topic, qos, retain, size (of the payload, 0: empty), dup
puback, pubrec, pubcomp		id, pid, reason: have come
msg	id, pid, topic, qos, retain, dup, size, good (payload as it was sent)
ack, rec, comp	PUBACK, PUBREC, PUBCOMP is sent: pid, id (comp: none)
rel	PUBREL has come: pid
fault	text: the broker has broken a rule that needs no history

Events of the test as a whole:

begin	slack: seconds within which what is due must have come
disturb	how, since, until; client, if it was about one only: the broker was
	made to end connections
quiet	every client is connected, no message is under way
stuck	text: that did not come about
counters	values: what the broker says it has dropped, by name
"""

import json
import threading
import time


class Clock:
    """Monotonic seconds, later with each look, since what was before what is
    all that the checker goes by. A guest whose TSC could not be calibrated has
    nothing but the timer interrupt: there a request and its answer have the
    same time, 10 ms long."""

    STEP = 1e-6

    def __init__(self, source=time.monotonic):
        self.source, self.last = source, 0
        self.lock = threading.Lock()

    def __call__(self):
        with self.lock:
            self.last = max(self.source(), self.last + self.STEP)
            return self.last


now = Clock()


class History:
    def __init__(self):
        self.events = []

    def record(self, what, **fields):
        # One append: threads need no lock for it.
        event = {"e": what, "t": now(), **fields}
        self.events.append(event)
        return event


def save(events, path):
    with open(path, "w", encoding="utf-8") as file:
        for event in events:
            file.write(json.dumps(event) + "\n")


def load(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def line(event, origin=0):
    """One event to read."""
    more = " ".join(f"{key}={value}" for key, value in event.items()
                    if key not in ("e", "t", "client", "conn"))
    who = f"{event['client']}/{event['conn']}" if "conn" in event else \
        event.get("client", "-")
    return f"{event['t'] - origin:9.3f} {who:12} {event['e']:8} {more}"


def payload(ident, size):
    """Bytes that tell whose they are, all along."""
    word = ident.encode() + b" "
    return (word * (size // len(word) + 1))[:max(size, len(word))]


def recognize(data):
    """(id, whether all of it is as payload() made it)"""
    ident = data.split(b" ", 1)[0].decode(errors="replace")
    return ident, data == payload(ident, len(data))
