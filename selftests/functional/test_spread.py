# SPDX-License-Identifier: GPL-2.0
"""A fan-out to so many that several processors send it."""

import wire
from harness import many, patient, shows

CROWD = 150	# the last of those who stay are 130: KMQTT_SPREAD_MIN is 128
BURST = 15
# Twice so many have been given it before the last has, and some are left.
LARGE_CROWD = 2 * 128 + 24
LARGE_BURST = 40	# KMQTT_BURST is 32


def crowd(t, topic):
    """Half of them with QoS 1, which is what they acknowledge."""
    watches = [t.client() for _ in range(CROWD)]
    for number, watch in enumerate(watches):
        watch.sub(topic, number & 1)
    return watches


def burst(sender, topic, begin):
    sender.send(b"".join(wire.publish(topic, f"{n}", 1, pid=n + 1)
                         for n in range(begin, begin + BURST)))


def everything(watch, begin, size=BURST):
    for number in range(begin, begin + size):
        watch.message(payload=f"{number}")


@shows()
@patient
def each_gets_all_in_order(t):
    """Bursts, of which the next begins when the first of them have the last: the
    order of each subscriber is that of the publisher, and nothing comes twice."""
    topic, sender = t.topic(), t.client()
    watches = crowd(t, topic)
    bursts = range(0, many(3, 2) * BURST, BURST)
    for begin in bursts:
        burst(sender, topic, begin)
        for watch in watches[:3]:
            everything(watch, begin)
    for watch in watches[3:]:
        for begin in bursts:
            everything(watch, begin)
    for watch in watches:
        watch.expect_no_message(via=sender)


@shows()
@patient
def who_leaves_meanwhile(t):
    """Subscribers that go in the middle of it, well-behaved and not, take nothing
    from the others."""
    topic, sender = t.topic(), t.client()
    watches = crowd(t, topic)
    for begin in range(0, many(4, 2) * BURST, BURST):
        burst(sender, topic, begin)
        for number, watch in enumerate(watches[:5]):
            watch.reset() if number & 1 else watch.disconnect()
        watches = watches[5:]
        for watch in watches:
            everything(watch, begin)


@shows()
@patient
def sent_while_it_is_routed(t):
    """Bursts of QoS 0, of which the first of a crowd are sent what the last are still
    to be given: each gets all of it once, in order, those too who have two
    subscriptions that match."""
    topic, sender = t.topic(), t.client()
    watches = [t.client() for _ in range(LARGE_CROWD)]
    for number, watch in enumerate(watches):
        watch.sub(topic, 0)
        if number % 8 == 0:
            watch.sub(topic + "/#", 0)
    bursts = range(0, many(3, 2) * LARGE_BURST, LARGE_BURST)
    for begin in bursts:
        sender.send(b"".join(wire.publish(topic, f"{n}", 0)
                             for n in range(begin, begin + LARGE_BURST)))
        everything(watches[0], begin, LARGE_BURST)
        everything(watches[-1], begin, LARGE_BURST)
    for watch in watches[1:-1]:
        for begin in bursts:
            everything(watch, begin, LARGE_BURST)
    for watch in watches:
        watch.expect_no_message(via=sender)
