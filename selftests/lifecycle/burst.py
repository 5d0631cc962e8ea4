# SPDX-License-Identifier: GPL-2.0
"""Clients that publish a small message each at the same time, again and again."""

import pathlib
import sys
import threading

import ktap

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "functional"))

import wire  # noqa: E402
from mqttlib import Client, Failure  # noqa: E402


class Burst(threading.Thread):
    """So many publishers of one topic, and who has subscribed to it: nothing is
    lost, nothing comes twice. Turns go on while it is entered."""

    def __init__(self, host, port, count):
        super().__init__(daemon=True)
        self.watch = Client(5, host, port).open(client_id="watch")
        self.senders = [Client(5, host, port).open(client_id=f"sender{n}")
                        for n in range(count)]
        self.watch.sub("burst", 0)
        self.turns, self.stopped, self.failed = 0, False, None

    def turn(self):
        for n, sender in enumerate(self.senders):
            sender.send(wire.publish("burst", f"{self.turns}.{n}", 1,
                                     1 + self.turns % 1000))
        got = sorted(self.watch.expect(wire.PUBLISH).payload
                     for _ in self.senders)
        wanted = sorted(b"%d.%d" % (self.turns, n)
                        for n in range(len(self.senders)))
        if got != wanted:
            raise Failure(f"{got} instead of {wanted}")
        for sender in self.senders:
            sender.expect(wire.PUBACK, pid=1 + self.turns % 1000)
        self.turns += 1

    def run(self):
        try:
            while not self.stopped:
                self.turn()
        except (Failure, wire.Fault, OSError) as error:
            self.failed = error

    def more(self, turns):
        """Wait for so many."""
        until = self.turns + turns
        ktap.eventually(lambda: self.failed or self.turns >= until,
                        f"{turns} turns are not done")
        if self.failed:
            raise self.failed

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        self.join()
        for client in (self.watch, *self.senders):
            client.close()
