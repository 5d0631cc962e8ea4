# SPDX-License-Identifier: GPL-2.0
"""An MQTT client for tests: it sends what it is told, checks everything it
gets against the rules that always hold, and waits for events, never for time.
A deadline only ends a wait that has failed."""

import collections
import os
import select
import socket
import struct
import threading
import time

import wire
from wire import (AUTH, CONNACK, DISCONNECT, NAMES, PINGRESP, PUBACK, PUBCOMP,
                  PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK, Fault)

HOST = os.environ.get("KMQTT_HOST", "127.0.0.1")
PORT = int(os.environ.get("KMQTT_PORT", "1883"))
# How long one wait may take before it has failed (seconds)
LIMIT = float(os.environ.get("KMQTT_TEST_LIMIT", "15"))

now = time.monotonic
test_state = threading.local()	# .deadline: when the running test has failed


class Failure(AssertionError):
    """The broker did something else than the test expects."""


class TimedOut(Failure):
    """The broker did nothing."""


class Closed(Failure):
    """The broker closed the connection."""


def one_of(wanted, value):
    return value in wanted if isinstance(wanted, (set, tuple, frozenset)) \
        else value == wanted


class Client:
    """One network connection. Connect with wire.connect() or open()."""

    def __init__(self, ver=5, host=None, port=None, context=None, path=None):
        self.ver, self.context = ver, context
        if path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(LIMIT)
            self.sock.connect(path)
        else:
            self.sock = socket.create_connection((host or HOST, port or PORT),
                                                 LIMIT)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.stash = collections.deque()	# read, but not asked for yet
        self.eof = None
        self.connack = None
        self.ended = False		# a DISCONNECT of the server was seen
        self.aliases = {}
        self.alias_maximum = 0
        self.packet_maximum = None
        self.problem_info = True
        self.auth_method = None
        self.held = set()		# identifiers the server has in use
        self.last_pid = 0
        self.id = ""

    # Sending

    def send(self, *packets):
        """Send bytes; that the peer has closed is found when reading."""
        try:
            self.sock.sendall(b"".join(packets))
        except OSError:
            pass
        return self

    def next_pid(self):
        self.last_pid = self.last_pid % 0xffff + 1
        return self.last_pid

    # Receiving

    def limit(self, seconds=None):
        end = now() + (seconds or LIMIT)
        return min(end, getattr(test_state, "deadline", end))

    def fill(self, end):
        """Read more bytes; False when the server has closed."""
        if self.eof:
            return False
        self.sock.settimeout(max(end - now(), 0.001))
        try:
            data = self.sock.recv(262144)
        except socket.timeout:
            raise TimedOut(f"nothing came in time; got so far: "
                           f"{bytes(self.buffer[:40]).hex()!r}") from None
        except (ConnectionResetError, BrokenPipeError) as error:
            self.eof = f"reset: {error}"
            return False
        if not data:
            self.eof = "closed"
        self.buffer += data
        return bool(data)

    def parse(self):
        """Cut a whole packet out of the buffer, or None."""
        data, length, shift = self.buffer, 0, 0
        for at in range(1, 6):
            if len(data) <= at:
                return None
            if at == 5:
                raise Fault("remaining length of more than four bytes")
            length |= (data[at] & 0x7f) << shift
            shift += 7
            if not data[at] & 0x80:
                break
        if data[at] == 0 and at > 1:
            raise Fault("remaining length with a superfluous byte")
        size = at + 1 + length
        if len(data) < size:
            return None
        first, body = data[0], bytes(data[at + 1:size])
        del data[:size]
        return wire.decode(first, body, size, self.ver)

    def read(self, end):
        """The next packet off the wire; Closed at the end."""
        while True:
            pkt = self.parse()
            if pkt:
                self.judge(pkt)
                return pkt
            if not self.fill(end):
                if self.buffer:
                    raise Fault(f"closed within a packet: {self.buffer.hex()}")
                raise Closed(f"the broker closed the connection ({self.eof})")

    def judge(self, pkt):
        """Rules that hold for each packet whatever the test is about."""
        if self.ended:
            raise Fault(f"{pkt} after DISCONNECT")
        if not self.connack and pkt.type not in (CONNACK, AUTH):
            raise Fault(f"{pkt} before CONNACK")
        if self.connack and pkt.type == CONNACK:
            raise Fault("a second CONNACK")
        if self.packet_maximum and pkt.size > self.packet_maximum:
            raise Fault(f"{pkt.size} bytes, over the maximum packet size "
                        f"{self.packet_maximum}: {pkt}")
        if pkt.type == CONNACK:
            self.connack = pkt
        if pkt.type == DISCONNECT:
            self.ended = True
        if pkt.type == AUTH and not self.auth_method:
            raise Fault("AUTH to a client without authentication method")
        if not self.problem_info and \
                pkt.type not in (PUBLISH, CONNACK, DISCONNECT) and \
                (pkt.get(wire.REASON_STRING) is not None or
                 pkt.get(wire.USER_PROPERTY)):
            raise Fault(f"problem information not asked for: {pkt}")
        if pkt.type == PUBLISH:
            self.judge_publish(pkt)

    def judge_publish(self, pkt):
        if pkt.alias is not None:
            if not 0 < pkt.alias <= self.alias_maximum:
                raise Fault(f"alias {pkt.alias}, maximum {self.alias_maximum}")
            if pkt.topic:
                self.aliases[pkt.alias] = pkt.topic
            elif pkt.alias not in self.aliases:
                raise Fault(f"alias {pkt.alias} stands for nothing yet")
            pkt.topic = self.aliases[pkt.alias]
        if not pkt.topic:
            raise Fault("PUBLISH without topic or alias")
        if pkt.qos:
            if pkt.pid in self.held and not pkt.dup:
                raise Fault(f"packet identifier {pkt.pid} is in use")
            self.held.add(pkt.pid)

    def recv(self, seconds=None):
        """The next packet that no one has taken yet."""
        if self.stash:
            return self.stash.popleft()
        return self.read(self.limit(seconds))

    def expect(self, kind, seconds=None, **fields):
        """The next packet must be of @kind with these fields; a set means
        any of its members."""
        pkt = self.recv(seconds)
        wanted = ", ".join(f"{k}={v!r}" for k, v in fields.items())
        if pkt.type != kind:
            raise Failure(f"expected {NAMES[kind]}({wanted}), got {pkt}")
        for key, value in fields.items():
            if not one_of(value, getattr(pkt, key)):
                raise Failure(f"expected {NAMES[kind]} with {wanted}, "
                              f"got {pkt}")
        return pkt

    def await_packet(self, kind, pid=None, seconds=None):
        """Wait for a packet of @kind; what comes before it stays to be read."""
        end = self.limit(seconds)
        for index, pkt in enumerate(self.stash):
            if pkt.type == kind and pid in (None, getattr(pkt, "pid", None)):
                del self.stash[index]
                return pkt
        while True:
            pkt = self.read(end)
            if pkt.type == kind and pid in (None, getattr(pkt, "pid", None)):
                return pkt
            if pkt.type == DISCONNECT:
                raise Failure(f"waiting for {NAMES[kind]}, got {pkt}")
            self.stash.append(pkt)

    def expect_close(self, seconds=None, allow=()):
        """Nothing but the end of the connection may come."""
        while True:
            try:
                pkt = self.recv(seconds)
            except Closed:
                return
            if pkt.type not in allow:
                raise Failure(f"expected the connection to end, got {pkt}")

    def expect_disconnect(self, reason, seconds=None):
        """5.0: DISCONNECT with @reason, then the end; 3.x: the end."""
        if self.ver < 5:
            self.expect_close(seconds)
            return None
        pkt = self.expect(DISCONNECT, seconds, reason=reason)
        self.expect_close(seconds)
        return pkt

    def rest(self, seconds=None):
        """Everything that comes until the connection ends."""
        found = []
        try:
            while True:
                found.append(self.recv(seconds))
        except Closed:
            return found

    def next_or_end(self):
        """The next packet, or None where the connection ends instead."""
        try:
            return self.recv()
        except Closed:
            return None

    def barrier(self):
        """What the broker has sent up to the answer to a PINGREQ."""
        self.send(wire.pingreq())
        self.await_packet(PINGRESP)
        found = list(self.stash)
        self.stash.clear()
        return found

    def expect_nothing(self):
        """By a barrier: nothing unread may lie before the PINGRESP."""
        found = self.barrier()
        if found:
            raise Failure(f"expected nothing, got {found}")

    # Connection

    def open(self, reason=0, present=None, send=True, **fields):
        """Send CONNECT with @fields of wire.connect(); check the CONNACK."""
        properties = dict(fields.get("properties", ()))
        if self.ver == 5:
            self.alias_maximum = properties.get(wire.TOPIC_ALIAS_MAXIMUM, 0)
            self.packet_maximum = properties.get(wire.MAXIMUM_PACKET_SIZE)
            self.problem_info = properties.get(wire.REQUEST_PROBLEM_INFO, 1)
            self.auth_method = properties.get(wire.AUTH_METHOD)
        self.id = fields.get("client_id", "")
        if send:
            self.send(wire.connect(self.ver, **fields))
        pkt = self.expect(CONNACK, reason=reason)
        if present is not None and self.ver > 3 and \
                pkt.session_present != present:
            raise Failure(f"session present is {pkt.session_present}")
        if reason == 0 and self.ver == 5:
            self.id = pkt.get(wire.ASSIGNED_CLIENT_ID, self.id)
        return self

    def shut(self, how=socket.SHUT_WR):
        """Say that no more bytes will come."""
        try:
            self.sock.shutdown(how)
        except OSError:
            pass

    def close(self):
        """End the connection without DISCONNECT, as a lost network does."""
        self.shut(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self):
        """End the connection by RST, as a host that crashes does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    def disconnect(self, reason=None, properties=None):
        """Send DISCONNECT; the broker must close and send nothing."""
        if self.ver < 5:
            self.send(wire.packet(DISCONNECT, 0))
        else:
            self.send(wire.disconnect(reason, properties))
        self.expect_close(allow=(PUBLISH, PUBREL))
        self.sock.close()

    # Whole exchanges

    def sub(self, filters, options=0, properties=(), reasons=None):
        """SUBSCRIBE, SUBACK; @filters: one, or a list of (filter, options)"""
        if isinstance(filters, (str, bytes)):
            filters = [(filters, options)]
        pid = self.next_pid()
        self.send(wire.subscribe(pid, filters, self.ver, properties))
        pkt = self.await_packet(SUBACK, pid)
        if reasons is None:
            reasons = [opt & 3 for _, opt in filters]
        if reasons is not any and pkt.reasons != reasons:
            raise Failure(f"SUBACK {pkt.reasons}, expected {reasons}")
        return pkt

    def unsub(self, *filters, reasons=None):
        pid = self.next_pid()
        self.send(wire.unsubscribe(pid, filters, self.ver))
        pkt = self.await_packet(UNSUBACK, pid)
        if self.ver == 5 and pkt.reasons != (reasons or [0] * len(filters)):
            raise Failure(f"UNSUBACK {pkt.reasons}")
        return pkt

    def send_pub(self, topic, payload=b"", qos=0, retain=False, properties=(),
                 pid=None, dup=False):
        """PUBLISH alone; its packet identifier is returned."""
        if qos and pid is None:
            pid = self.next_pid()
        if retain and self.context:
            self.context.retained.add(topic)
        self.send(wire.publish(topic, payload, qos, pid, retain, dup, self.ver,
                               properties))
        return pid

    def pub(self, topic, payload=b"", qos=0, **more):
        """PUBLISH and its whole handshake; returns the reason code."""
        pid = self.send_pub(topic, payload, qos, **more)
        if qos == 0:
            return None
        if qos == 1:
            return self.await_packet(PUBACK, pid).reason
        reason = self.await_packet(PUBREC, pid).reason
        if reason < 0x80:
            self.send(wire.ack(PUBREL, pid))
            self.await_packet(PUBCOMP, pid)
        return reason

    def answer(self, pkt, reason=None):
        """Acknowledge @pkt in the way its QoS asks for, to the end."""
        if pkt.qos == 1:
            self.send(wire.ack(PUBACK, pkt.pid, reason))
        elif pkt.qos == 2:
            self.send(wire.ack(PUBREC, pkt.pid, reason))
            if not reason or reason < 0x80:
                self.await_packet(PUBREL, pkt.pid)
                self.send(wire.ack(PUBCOMP, pkt.pid))
        self.held.discard(pkt.pid)

    def release(self, pid):
        """The test itself has ended the exchange of @pid."""
        self.held.discard(pid)

    def message(self, answer=True, seconds=None, **fields):
        """The next packet must be a PUBLISH with @fields; acknowledge it."""
        if isinstance(fields.get("payload"), str):
            fields["payload"] = fields["payload"].encode()
        pkt = self.expect(PUBLISH, seconds, **fields)
        if answer:
            self.answer(pkt)
        return pkt

    def messages(self, count, **more):
        return [self.message(**more) for _ in range(count)]

    def drain(self, via, qos=0, sentinel=None, reason=None):
        """Messages that @via's earlier publications led to here: @via
        publishes a sentinel after them, which ends the list. @reason is for
        the acknowledgements."""
        context = self.context or via.context
        topic = sentinel or context.topic("sentinel")
        if not sentinel:
            self.sub(topic, qos)
        via.pub(topic, b"sentinel", qos)
        found = []
        while True:
            pkt = self.message(answer=False)
            self.answer(pkt, reason)
            if pkt.topic == topic:
                return found + self.barrier()
            found.append(pkt)

    def expect_no_message(self, via):
        found = self.drain(via)
        if found:
            raise Failure(f"expected no message, got {found}")


def wait_closed(clients, seconds=None):
    """Wait until the broker has closed each of @clients."""
    end = now() + (seconds or LIMIT)
    left = {client.sock: client for client in clients}
    while left:
        ready = select.select(list(left), [], [], max(end - now(), 0))[0]
        if not ready:
            raise TimedOut(f"{len(left)} connections are still open")
        for sock in ready:
            if not left[sock].fill(end):
                del left[sock]
