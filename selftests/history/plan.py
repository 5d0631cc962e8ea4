# SPDX-License-Identifier: GPL-2.0
"""What everybody does in a round, decided in advance: a pure function of the
seed and the round's number. Times are pauses; what is on its way when the next
step comes is up to the machine."""

import random

from model import FOR_EVER

ACTORS = 6
SECONDS = 6		# of pauses in a script

# One disturbance of the link each, as arguments of netem; None: taken away.
NETEM = {
    "calm": [None],
    "lossy": ["loss 5%", "loss 15% 25%", None],
    "slow": ["delay 60ms 30ms", "delay 250ms", None],
    "shuffled": ["delay 20ms 15ms reorder 30% 50%",
                 "delay 15ms 10ms duplicate 5% reorder 20%", None],
    "torn": ["loss 100%", "loss 30%", "delay 100ms 80ms loss 5%", None],
}
PROFILES = ("calm", "lossy", "shuffled", "torn", "slow")
OPEN_TOPICS = ("o/0", "o/1", "o/2/x", "o/2/y")
FILTERS = ("o/#", "o/+", "o/0", "o/1", "o/2/#", "o/+/x", "r/#", "r/+", "r/all",
           "w/#", "w/+")
# Weights of an actor's steps, by how restless it is
STEPS = {
    "steady": (("publish", 50), ("subscribe", 8), ("unsubscribe", 3),
               ("hold", 6), ("cut", 4), ("drop", 1)),
    "restless": (("publish", 36), ("subscribe", 10), ("unsubscribe", 5),
                 ("hold", 8), ("cut", 12), ("drop", 4), ("take_over", 6),
                 ("leave", 5), ("renew", 3), ("away", 4)),
}


class Plan:
    """One round: .scripts: steps of each actor, (pause, verb, arguments);
    .faults: those of the world; .settings of the broker."""

    def __init__(self, seed, number):
        self.seed, self.number = seed, number
        rng = random.Random(f"{seed}/{number}")
        first = random.Random(f"{seed}").randrange(len(PROFILES))
        self.profile = PROFILES[(first + number) % len(PROFILES)]
        self.settings = {"max_inflight": rng.choice((1, 2, 5, 20)),
                         "max_queued_messages": 0, "max_queued_bytes": 0,
                         "retry_interval": 0}
        self.versions, self.scripts = {}, {}
        for n in range(ACTORS):
            name = f"c{n}"
            self.versions[name] = rng.choice((4, 5, 5))
            self.scripts[name] = Script(rng, name, self.versions[name],
                                        rng.choice(("steady", "restless",
                                                    "restless"))).steps
        self.faults = make_faults(rng, self.profile)


class Script:
    def __init__(self, rng, name, ver, nature):
        self.rng, self.name, self.ver = rng, name, ver
        self.steps, self.serial, self.filters = [], 0, set()
        self.pause = 0			# before the next step
        verbs, weights = zip(*STEPS[nature])
        self.connect()
        self.subscribe()
        self.subscribe()
        left = SECONDS
        while left > 0:
            pause = rng.choice((0, 0.02, 0.05, 0.2, 0.5))
            left -= pause + 0.03
            self.pause = pause
            getattr(self, rng.choices(verbs, weights)[0])()

    def add(self, verb, *arguments, pause=None):
        self.steps.append((self.pause if pause is None else pause, verb,
                           arguments))

    def connect(self, clean=None):
        """CONNECT, over a connection that is still there: a take-over."""
        rng = self.rng
        clean = rng.random() < 0.2 if clean is None else clean
        # Of 5.0 only; 3.1.1 has one flag for both.
        expiry = rng.choice((0, 2, FOR_EVER, FOR_EVER, FOR_EVER))
        will = None
        if rng.random() < 0.7:
            delay = rng.choice((0, 0, 1, 3)) if self.ver == 5 else 0
            will = (f"w/{self.name}", rng.randrange(3), delay)
        window = rng.choice((1, 3, 10, 65535)) if self.ver == 5 else None
        self.add("connect", clean, expiry, will, window)

    take_over = connect

    def renew(self):
        self.connect(clean=True)

    def leave(self):
        """A proper goodbye; or one that asks for the will (5.0)."""
        reason = 4 if self.ver == 5 and self.rng.random() < 0.3 else 0
        self.add("leave", reason)
        self.connect()

    def drop(self):
        self.add("drop", self.rng.choice(("close", "reset")))
        self.connect()

    def away(self):
        """Gone for a time, in which the will may become due."""
        self.add("drop", self.rng.choice(("close", "reset")))
        self.add("wait", pause=self.rng.choice((0.5, 1.5, 4)))
        self.connect(clean=self.rng.random() < 0.3)

    def hold(self):
        """Nothing is acknowledged for a time."""
        self.add("hold")
        if self.rng.random() < 0.4:
            # Retained messages that wait may be out of date meanwhile.
            self.filters.add("r/#")
            self.add("subscribe", "r/#", 2)
        self.add("wait", pause=self.rng.choice((0.3, 1)))
        if self.rng.random() < 0.6:
            self.add("drop", "close")
            self.add("release")
            self.connect(clean=False)
        else:
            self.add("release")

    def cut(self):
        """The connection ends with messages on their way. Those held back are
        half-way: the next connection goes on with PUBREL."""
        held = self.rng.random() < 0.5
        if held:
            self.add("hold")
        self.publish(at_least=1)
        self.pause = self.rng.choice((0, 0, 0.05))
        self.add("drop", self.rng.choice(("close", "reset")))
        if held:
            self.add("release", pause=0)
        self.connect(clean=False)

    def subscribe(self):
        rng = self.rng
        text = rng.choice(FILTERS)
        options = rng.choice((0, 1, 1, 2, 2, 2))
        if self.ver == 5 and rng.random() < 0.3:
            # A member of one group only: then it is clear by which a message
            # came.
            text = f"$share/g{int(self.name[1:]) % 2}/s/#"
        elif self.ver == 5:
            options |= rng.choice((0, 0, 0, 4, 0x10, 0x20))
        self.filters.add(text)
        self.add("subscribe", text, options)

    def unsubscribe(self):
        if self.filters:
            text = self.rng.choice(sorted(self.filters))
            self.filters.discard(text)
            self.add("unsubscribe", text)

    def publish(self, at_least=0):
        rng = self.rng
        kind = rng.choice("ooosr")
        if kind == "o":
            topic = rng.choice(OPEN_TOPICS)
        elif kind == "s":
            topic = f"s/{rng.randrange(2)}"
        else:
            topic = rng.choice(("r/all", f"r/{self.name}"))
        qos = max(rng.choice((0, 1, 1, 2, 2)), at_least)
        for n in range(rng.choice((1, 1, 2, 4, 8))):
            self.serial += 1
            size = rng.choice((20, 20, 60, 300, 2000))
            if kind == "r" and rng.random() < 0.1:
                size = 0
            self.add("publish", f"{self.name}.{self.serial}", topic, qos,
                     kind == "r", size, pause=0 if n else None)


def make_faults(rng, profile):
    """(pause, verb, arguments) of the world."""
    steps, left = [], SECONDS
    while left > 0:
        pause = rng.uniform(0.3, 1.5)
        left -= pause
        verb = rng.choices(("netem", "listener", "destroy", "kick", "daemon"),
                           (30, 4, 6, 6, 6))[0]
        arguments = ()
        if verb == "netem":
            way = rng.choice(NETEM[profile])
            if way is None and profile == "calm":
                continue
            arguments = (way,)
        elif verb == "listener":
            arguments = (rng.uniform(0, 0.8),)
        elif verb == "kick":
            arguments = (f"c{rng.randrange(ACTORS)}",)
        elif verb == "daemon":
            arguments = (rng.choice((0.1, 0.5, 2)),)
        steps.append((pause, verb, arguments))
        if verb == "netem" and arguments[0] == "loss 100%":
            pause = rng.choice((0.5, 1.5, 1.5, 7))
            left -= pause
            steps.append((pause, "netem", (None,)))
    return steps
