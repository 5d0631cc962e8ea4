# SPDX-License-Identifier: GPL-2.0
"""Clients in every state a connection can be in, and traffic between them."""

import os
import pathlib
import select
import socket
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "functional"))

import mqttlib  # noqa: E402
import wire  # noqa: E402
from mqttlib import Client, Failure  # noqa: E402

RETAINED = 20
OFFLINE = 30


def gone(sock, end):
    """Read until the peer has closed; False if it does not in time."""
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([sock], [], [], left)[0]:
            return False
        try:
            if not sock.recv(262144):
                return True
        except OSError:
            return True


class Publisher(threading.Thread):
    """Publishes with QoS 0, 1 and 2 in turn until the connection ends, and
    answers nothing: whatever the broker waits for stays open."""

    def __init__(self, client, topic):
        super().__init__(daemon=True)
        self.client, self.topic, self.count = client, topic, 0
        self.failed = None

    def run(self):
        try:
            while not self.client.eof:
                self.client.pub(self.topic, b"x" * (self.count % 3000),
                                self.count % 3)
                self.count += 1
        except (Failure, wire.Fault, OSError) as error:
            # A goodbye is an end as well.
            if not (self.client.eof or self.client.ended):
                self.failed = error


class Crowd:
    """
    Connections to host:port: subscribers of each version and QoS, shared
    ones, sleeping sessions with a queue and with a will that waits, a reader
    that has stopped, one without CONNECT, one in the middle of a packet.
    """

    def __init__(self, host, port, publishers=2, name=""):
        self.where = {"host": host, "port": port}
        self.name = name
        self.socks, self.publishers = [], []
        self.readers = []
        self.subscribers()
        self.sleepers()
        self.unfinished()
        for n in range(publishers):
            client = self.client(5 if n % 2 else 4, f"publisher{n}")
            self.publishers.append(Publisher(client, f"load/{n}"))

    def client(self, ver, name, clean=True, **fields):
        client = Client(ver, **self.where)
        client.open(client_id=self.name + name, clean=clean, **fields)
        self.socks.append(client.sock)
        return client

    def subscribers(self):
        for ver in (3, 4, 5):
            for qos in (0, 1, 2):
                more = {}
                if ver == 5:
                    more["properties"] = [(wire.TOPIC_ALIAS_MAXIMUM, 5),
                                          (wire.SESSION_EXPIRY, 600)]
                client = self.client(
                    ver, f"sub{ver}{qos}", clean=bool(qos),
                    keep_alive=60 if qos else 0,
                    will=wire.Will("load/will", b"w", qos, retain=qos == 1),
                    **more)
                client.sub([("load/#", qos), ("load/+", qos), ("+/0", qos)])
                if ver == 5:
                    client.sub("$share/all/load/#", qos)
                self.readers.append(client)
        stopped = self.client(4, "stopped")
        stopped.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stopped.sub("load/#", 1)

    def sleepers(self):
        """Sessions without a connection; retained messages."""
        asleep = Client(5, **self.where).open(
            client_id=self.name + "asleep", properties=[(wire.SESSION_EXPIRY, 3600)])
        asleep.sub("sleep/#", 2)
        asleep.disconnect()
        willing = Client(5, **self.where).open(
            client_id=self.name + "willing", properties=[(wire.SESSION_EXPIRY, 3600)],
            will=wire.Will("load/late", b"late", 1,
                           properties=[(wire.WILL_DELAY, 1800)]))
        willing.close()
        source = self.client(5, "source")
        for n in range(OFFLINE):
            source.pub(f"sleep/{n}", b"p" * n * 100, n % 3)
        for n in range(RETAINED):
            source.pub(f"kept/{n}", b"r" * n * 50, n % 3, retain=True)
        late = self.client(4, "late")
        late.sub("kept/#", 1)

    def unfinished(self):
        silent = Client(5, **self.where)
        half = Client(5, **self.where)
        half.send(wire.connect(5, client_id="half")[:9])
        middle = self.client(4, "middle")
        middle.send(wire.publish("load/middle", b"y" * 100000, 0, ver=4)
                    [:40000])
        self.socks += [silent.sock, half.sock]

    def traffic(self, count):
        """Start to publish; return once each publisher has done count."""
        for publisher in self.publishers:
            publisher.start()
        end = time.monotonic() + mqttlib.LIMIT
        while any(p.count < count for p in self.publishers):
            for publisher in self.publishers:
                if publisher.failed:
                    raise publisher.failed
                if not publisher.is_alive():
                    raise Failure("a publisher was closed too early")
            if time.monotonic() > end:
                raise Failure("the publishers do not get on")
            self.read_some()

    def read_some(self):
        """Take in and acknowledge a part of what has come."""
        socks = {c.sock: c for c in self.readers}
        for sock in select.select(list(socks), [], [], 0.01)[0]:
            self.acknowledge(socks[sock])

    def acknowledge(self, client):
        pkt = client.recv()
        if pkt.type == wire.PUBLISH and pkt.qos:
            kind = wire.PUBACK if pkt.qos == 1 else wire.PUBREC
            client.held.discard(pkt.pid)
            client.send(wire.ack(kind, pkt.pid))
        elif pkt.type == wire.PUBREL and pkt.pid % 2:
            # Every other exchange stays unfinished.
            client.send(wire.ack(wire.PUBCOMP, pkt.pid))

    def expect_gone(self):
        """The broker must have closed all of them."""
        end = time.monotonic() + mqttlib.LIMIT
        for publisher in self.publishers:
            if publisher.ident:
                publisher.join(mqttlib.LIMIT)
            if publisher.failed:
                raise publisher.failed
        left = sum(not gone(sock, end) for sock in self.socks
                   if sock.fileno() >= 0)
        if left:
            raise Failure(f"{left} connections are still open")

    def close(self):
        for sock in self.socks:
            sock.close()


def main():
    """For a process of its own: a crowd that lives until its input ends."""
    crowd = Crowd(sys.argv[1], int(sys.argv[2]))
    crowd.traffic(20)
    print("ready", flush=True)
    sys.stdin.read()
    # The sockets go all at once, with everything unread in them.
    os._exit(0)


if __name__ == "__main__":
    main()
