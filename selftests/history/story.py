# SPDX-License-Identifier: GPL-2.0
"""Histories written by hand, for the test of the checker."""

SIZE = 20


class Story:
    """A history that is written down as it should have been: time goes on by
    a millisecond with each event, or as told."""

    def __init__(self):
        self.events, self.t, self.conns = [], 100.0, 0
        self.where = {}			# client to its connection
        self.pids = 0
        self.add("begin", slack=5)
        self.connect("witness", lasting=True)
        self.subscribe("witness", "#", 2)
        self.connect("mourner", lasting=True)
        self.subscribe("mourner", "w/#", 2)

    def add(self, what, **fields):
        self.t += 0.001
        event = {"e": what, "t": self.t, **fields}
        self.events.append(event)
        return event

    def on(self, client, what, **fields):
        return self.add(what, client=client, conn=self.where[client], **fields)

    def wait(self, seconds):
        self.t += seconds
        return self

    def pid(self):
        self.pids += 1
        return self.pids

    def connect(self, client, lasting=False, clean=None, present=False,
                will=None, delay=0, answered=True, expiry=0):
        self.conns += 1
        self.where[client] = self.conns
        if will:
            will = {"id": will, "topic": "w/x", "qos": 1, "delay": delay,
                    "size": SIZE}
        self.on(client, "open", ver=5, keep=4, will=will,
                expiry=expiry or (3600 if lasting else 0),
                clean=not present if clean is None else clean)
        if answered:
            self.on(client, "connack", reason=0, present=present)

    def gone(self, client, how="drop"):
        self.on(client, "gone", how=how)

    def leave(self, client, reason=0, how="fin"):
        self.on(client, "bye", reason=reason)
        self.gone(client, how)

    def subscribe(self, client, text, options=1, answered=True):
        pid = self.pid()
        self.on(client, "sub", pid=pid, filters=[[text, options]])
        if answered:
            self.on(client, "suback", pid=pid, reasons=[options & 3])

    def unsubscribe(self, client, text):
        pid = self.pid()
        self.on(client, "unsub", pid=pid, filters=[text])
        self.on(client, "unsuback", pid=pid, reasons=[0])

    def ping(self, client):
        self.on(client, "ping")
        self.on(client, "pong")

    def send(self, client, ident, topic="o/1", qos=1, retain=False, size=SIZE,
             dup=False, pid=None):
        pid = pid or (self.pid() if qos else None)
        self.on(client, "pub", id=ident, pid=pid, topic=topic, qos=qos,
                retain=retain, size=size, dup=dup)
        return pid

    def acked(self, client, ident, pid, qos):
        if qos == 1:
            self.on(client, "puback", id=ident, pid=pid, reason=0)
        else:
            self.on(client, "pubrec", id=ident, pid=pid, reason=0)
            self.on(client, "pubcomp", id=ident, pid=pid, reason=0)

    def publish(self, client, ident, topic="o/1", qos=1, **more):
        """Sent and acknowledged; the witness gets it."""
        pid = self.send(client, ident, topic, qos, **more)
        if more.get("size", SIZE):
            self.got("witness", ident, topic, qos)
        if qos:
            self.acked(client, ident, pid, qos)
        else:
            self.ping(client)

    def got(self, client, ident, topic="o/1", qos=1, retain=False, dup=False,
            pid=None, size=SIZE, ended=True):
        """Delivered; with QoS 2 to the end, if @ended."""
        pid = pid or (self.pid() if qos else None)
        self.on(client, "msg", id=ident, pid=pid, topic=topic, qos=qos,
                retain=retain, dup=dup, size=size, good=True)
        if qos == 2 and ended:
            self.on(client, "rec", pid=pid, id=ident)
            self.on(client, "rel", pid=pid)
            self.on(client, "comp", pid=pid, id=None)
        if qos == 1 and ended:
            self.on(client, "ack", pid=pid, id=ident)
        return pid

    def quiet(self):
        self.wait(20)
        self.add("quiet")
        self.wait(1)
        return self.events


def pair(qos=2):
    """A publisher p; a subscriber s of o/# whose session lasts."""
    story = Story()
    story.connect("p", lasting=True)
    story.connect("s", lasting=True)
    story.subscribe("s", "o/#", qos)
    return story
