# SPDX-License-Identifier: GPL-2.0
"""A client that carries out a script, as a good client library would, and
records what it sends and gets. Whatever ends its connection, it comes back."""

import collections
import itertools
import pathlib
import select
import socket
import struct
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "functional"))

import history  # noqa: E402
import mqttlib  # noqa: E402
import wire  # noqa: E402
from model import FOR_EVER  # noqa: E402

KEEP = 4		# keep alive, seconds
PING = 1
NUMBERS = itertools.count(1)
ACKS = {wire.PUBACK: "puback", wire.PUBREC: "pubrec", wire.PUBCOMP: "pubcomp"}
ANSWERS = {wire.PUBACK: "ack", wire.PUBREC: "rec", wire.PUBCOMP: "comp"}
now = time.monotonic


class Connection(mqttlib.Client):
    """The strict client of the functional tests, which does not wait."""

    def __init__(self, ver, address):
        super().__init__(ver, *address)
        self.number, self.over = next(NUMBERS), False
        self.backlog = []	# answers held back, in order
        self.pinged = now()

    def send(self, *packets):
        try:
            self.sock.settimeout(mqttlib.LIMIT)
            self.sock.sendall(b"".join(packets))
        except OSError as error:
            self.eof = self.eof or f"sending: {error}"
        return self

    def take(self):
        """Read what is there."""
        try:
            self.fill(now() + 1)
        except mqttlib.TimedOut:
            self.eof = "timed out"
        except OSError as error:
            self.eof = str(error)

    def reset(self):
        """Close with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()


class Message:
    def __init__(self, ident, topic, qos, retain, size):
        self.id, self.topic, self.qos = ident, topic, qos
        self.retain, self.size = retain, size
        self.received = False		# PUBREC has come

    def packet(self, pid, ver, dup):
        data = history.payload(self.id, self.size) if self.size else b""
        return wire.publish(self.topic, data, self.qos, pid, self.retain, dup,
                            ver)


class Actor(threading.Thread):
    def __init__(self, name, ver, steps, address, record):
        super().__init__(name=name, daemon=True)
        self.client, self.ver, self.steps = name, ver, steps
        self.address, self.record_event = address, record
        self.conn = self.old = None
        self.how = (False, FOR_EVER, None, None)	# the last connect()'s
        self.must_clean = False		# a clean start waits to be accepted
        self.out = collections.OrderedDict()	# unfinished, by identifier
        self.asked = set()		# SUBSCRIBE, UNSUBSCRIBE unanswered
        self.pid, self.wills = 0, itertools.count(1)
        self.holding = False
        self.script_done = False
        self.stop = threading.Event()
        self.failed = None

    def record(self, what, conn, **fields):
        return self.record_event(what, client=self.client, conn=conn.number,
                                 **fields)

    @property
    def idle(self):
        return self.script_done and self.conn and not self.out and \
            not self.asked and not self.conn.backlog

    # The script

    def run(self):
        try:
            for pause, verb, arguments in self.steps:
                self.pump(now() + pause)
                getattr(self, verb)(*arguments)
            self.release()
            self.ensure()
            self.script_done = True
            while not self.stop.is_set():
                self.pump(now() + 0.1)
                self.ensure()
            self.leave(0)
        except Exception:
            self.failed = traceback.format_exc()
            self.script_done = True

    def wait(self):
        pass

    def ensure(self):
        """Connected, after whatever has happened."""
        if not self.conn:
            _, *rest = self.how
            self.connect(self.must_clean, *rest)

    def connect(self, clean, expiry, will, window):
        """Opens a connection; one that is there is taken over by it."""
        self.how = (clean, expiry, will, window)
        self.must_clean = self.must_clean or clean
        end = now() + 4 * mqttlib.LIMIT
        while not self.attempt(self.must_clean, expiry, will, window):
            if now() > end:
                raise mqttlib.TimedOut(f"{self.client} is not let in")
            self.pump(now() + 0.5)
        self.must_clean = False

    def attempt(self, clean, expiry, will, window):
        try:
            conn = Connection(self.ver, self.address)
        except OSError:
            return False
        if self.ver < 5:
            expiry = 0 if clean else FOR_EVER
        fields, properties = {}, []
        if will:
            topic, qos, delay = will
            ident = f"{self.client}.w{next(self.wills)}"
            fields["will"] = wire.Will(
                topic, history.payload(ident, 20), qos,
                properties=[(wire.WILL_DELAY, delay)] if delay else [])
            will = {"id": ident, "topic": topic, "qos": qos, "delay": delay,
                    "size": len(history.payload(ident, 20))}
        if self.ver == 5 and expiry:
            properties.append((wire.SESSION_EXPIRY, expiry))
        if self.ver == 5 and window:
            properties.append((wire.RECEIVE_MAXIMUM, window))
        if clean:
            self.out.clear()
        self.old, self.conn = self.conn, None
        self.record("open", conn, ver=self.ver, clean=clean, keep=KEEP,
                    expiry=expiry, will=will)
        conn.send(wire.connect(self.ver, self.client, clean, KEEP, properties,
                               **fields))
        end = now() + mqttlib.LIMIT / 3
        while not conn.connack and not conn.eof and now() < end:
            self.serve([c for c in (self.old, conn) if c], 0.1)
        accepted = conn.connack and not conn.connack.reason
        if accepted:
            if self.old:
                self.end(self.old, "drop")
            self.established(conn)
        else:
            self.end(conn, "drop")
            self.old, self.conn = None, self.old
        return accepted

    def established(self, conn):
        """Go on where the last connection ended."""
        self.old, self.conn = None, None if conn.over else conn
        self.asked.clear()
        if not conn.connack.session_present:
            self.out.clear()
        if conn.over:
            return
        for pid, message in self.out.items():
            if message.received:
                conn.send(wire.ack(wire.PUBREL, pid))
            else:
                self.transmit(conn, pid, message, True)

    def leave(self, reason):
        if not self.conn:
            return
        conn = self.conn
        self.record("bye", conn, reason=reason)
        conn.send(wire.disconnect(reason) if reason else wire.disconnect())
        end = now() + 2
        while self.conn is conn and now() < end:
            self.serve([conn], 0.1, answer=False)
        if self.conn is conn:
            self.end(conn, "drop")

    def drop(self, way):
        if self.conn:
            self.end(self.conn, "drop", way == "reset")

    def hold(self):
        self.holding = True

    def release(self):
        self.holding = False
        if self.conn:
            backlog, self.conn.backlog = self.conn.backlog, []
            for answer in backlog:
                self.respond(self.conn, *answer)

    def next_pid(self):
        while True:
            self.pid = self.pid % 0xffff + 1
            if self.pid not in self.out and self.pid not in self.asked:
                return self.pid

    def subscribe(self, text, options):
        self.ensure()
        pid = self.next_pid()
        self.asked.add(pid)
        self.record("sub", self.conn, pid=pid, filters=[[text, options]])
        self.conn.send(wire.subscribe(pid, [(text, options)], self.ver))

    def unsubscribe(self, text):
        self.ensure()
        pid = self.next_pid()
        self.asked.add(pid)
        self.record("unsub", self.conn, pid=pid, filters=[text])
        self.conn.send(wire.unsubscribe(pid, [text], self.ver))

    def publish(self, ident, topic, qos, retain, size):
        self.ensure()
        if size:
            size = len(history.payload(ident, size))
        message = Message(ident, topic, qos, retain, size)
        pid = self.next_pid() if qos else None
        if qos:
            self.out[pid] = message
        self.transmit(self.conn, pid, message, False)

    def transmit(self, conn, pid, message, dup):
        self.record("pub", conn, pid=pid, id=message.id, topic=message.topic,
                    qos=message.qos, retain=message.retain, size=message.size,
                    dup=dup)
        conn.send(message.packet(pid, self.ver, dup))

    # Meanwhile

    def pump(self, end):
        """Serve the connection until then; at least once."""
        while True:
            left = max(end - now(), 0)
            if self.conn:
                self.serve([self.conn], min(left, 0.2))
            else:
                time.sleep(left)
            if now() >= end:
                return

    def serve(self, conns, seconds, answer=True):
        ready = select.select([c.sock for c in conns if not c.eof], [], [],
                              seconds)[0]
        for conn in conns:
            if conn.sock in ready:
                conn.take()
            try:
                self.handle_all(conn, answer)
            except wire.Fault as fault:
                self.record("fault", conn, text=str(fault))
                conn.eof = conn.eof or "fault"
            if conn.eof:
                self.ended(conn)
            elif conn.connack and now() - conn.pinged > PING and answer:
                conn.pinged = now()
                self.record("ping", conn)
                conn.send(wire.pingreq())

    def ended(self, conn):
        """Found, not done."""
        how = {"closed": "fin", "fault": "drop"}.get(conn.eof, "reset")
        if how == "reset" and not conn.eof.startswith("reset"):
            # The broker may not know yet.
            how = "drop"
        self.end(conn, how)

    def end(self, conn, how, reset=False):
        if conn.over:
            return
        conn.over = True
        conn.eof = conn.eof or "left"
        conn.backlog.clear()
        self.record("gone", conn, how=how)
        if reset:
            conn.reset()
        else:
            conn.sock.close()
        if conn is self.conn:
            self.conn = None
            self.asked.clear()
        if conn is self.old:
            self.old = None

    def handle_all(self, conn, answer):
        while True:
            pkt = conn.parse()
            if not pkt:
                return
            conn.judge(pkt)
            self.handle(conn, pkt, answer)

    def handle(self, conn, pkt, answer):
        kind = pkt.type
        if kind == wire.PUBLISH:
            self.got(conn, pkt, answer)
        elif kind in ACKS:
            self.acked(conn, pkt, ACKS[kind])
        elif kind == wire.PUBREL:
            self.record("rel", conn, pid=pkt.pid)
            if answer:
                self.respond(conn, wire.PUBCOMP, pkt.pid)
        elif kind == wire.CONNACK:
            self.record("connack", conn, reason=pkt.reason,
                        present=bool(pkt.session_present))
        elif kind in (wire.SUBACK, wire.UNSUBACK):
            what = "suback" if kind == wire.SUBACK else "unsuback"
            self.record(what, conn, pid=pkt.pid, reasons=pkt.reasons)
            self.asked.discard(pkt.pid)
        elif kind == wire.PINGRESP:
            self.record("pong", conn)
        elif kind == wire.DISCONNECT:
            self.record("kicked", conn, reason=pkt.reason)

    def got(self, conn, pkt, answer):
        ident, good = history.recognize(pkt.payload) if pkt.payload else \
            (None, True)
        self.record("msg", conn, pid=pkt.pid, id=ident, topic=pkt.topic,
                    qos=pkt.qos, retain=pkt.retain, dup=pkt.dup,
                    size=len(pkt.payload), good=good)
        if pkt.qos and answer:
            self.respond(conn, wire.PUBREC if pkt.qos == 2 else wire.PUBACK,
                         pkt.pid, ident)

    def respond(self, conn, kind, pid, ident=None):
        """Now, or when the answers are released."""
        if self.holding:
            conn.backlog.append((kind, pid, ident))
            return
        if kind in ANSWERS:
            self.record(ANSWERS[kind], conn, pid=pid, id=ident)
        if kind in (wire.PUBACK, wire.PUBCOMP):
            conn.release(pid)
        conn.send(wire.ack(kind, pid))

    def acked(self, conn, pkt, what):
        message = self.out.get(pkt.pid)
        if not message and conn is self.old:
            return		# a clean start has ended that exchange
        if not message:
            self.record("fault", conn, text=f"{pkt} acknowledges nothing")
            return
        self.record(what, conn, pid=pkt.pid, id=message.id, reason=pkt.reason)
        if what == "pubrec" and pkt.reason < 0x80:
            message.received = True
            self.respond(conn, wire.PUBREL, pkt.pid)
        else:
            del self.out[pkt.pid]
