#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The checker of histories is given histories in which one thing is wrong, and
has to find that and nothing else; and right ones, which it has to let pass. It
needs no broker and no rights."""

import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "ctl"))

import history  # noqa: E402
import ktap  # noqa: E402
from checker import check  # noqa: E402
from story import SIZE, Story, pair  # noqa: E402

ROWS = []


def plant(name, *kinds):
    """A test: the story must lead to exactly these kinds of violation."""
    def mark(function):
        ROWS.append((name, function, kinds))
        return function
    return mark


# Right ones

@plant("clean: each QoS, in order")
def _():
    story = pair()
    for n in range(12):
        story.publish("p", f"m{n}", qos=n % 3)
        story.got("s", f"m{n}", qos=n % 3)
    return story


@plant("clean: what was not acknowledged may be lost, or come twice with QoS 1")
def _():
    story = pair()
    story.send("p", "lost", qos=1)
    pid = story.send("p", "twice", qos=1)
    story.got("witness", "twice")
    story.got("s", "twice")
    story.gone("p")
    story.connect("p", lasting=True, present=True)
    story.send("p", "twice", qos=1, dup=True, pid=pid)
    story.got("witness", "twice")
    story.got("s", "twice")
    story.acked("p", "twice", pid, 1)
    return story


@plant("clean: deliveries repeated on the next connection")
def _():
    story = pair()
    one = two = None
    for ident, qos in (("a", 1), ("b", 2)):
        story.publish("p", ident, qos=qos)
    one = story.got("s", "a", qos=1, ended=False)
    two = story.got("s", "b", qos=2, ended=False)
    story.gone("s")
    story.connect("s", lasting=True, present=True)
    story.got("s", "a", qos=1, dup=True, pid=one)
    story.got("s", "b", qos=2, dup=True, pid=two)
    return story


@plant("clean: a session that ends takes its messages along")
def _():
    story = pair()
    story.gone("s")
    story.publish("p", "m")
    story.connect("s", lasting=True, clean=True)
    return story


@plant("clean: wills: at once, after a delay, forestalled, after goodbye")
def _():
    story = Story()
    story.connect("a", will="a1")
    story.gone("a")
    story.got("mourner", "a1", "w/x")
    story.connect("b", will="b1", delay=3, lasting=True)
    story.gone("b")
    story.wait(3.2)
    story.got("mourner", "b1", "w/x")
    story.connect("b", will="b2", delay=3, lasting=True, present=True)
    story.gone("b")
    story.wait(1)
    story.connect("b", will="b3", lasting=True, present=True)
    story.leave("b")
    story.connect("b", will="b4", lasting=True, present=True)
    story.leave("b", reason=4)
    story.got("mourner", "b4", "w/x")
    # A clean start ends the session, whose will is due then.
    story.connect("b", will="b5", delay=3, lasting=True, present=True)
    story.gone("b")
    story.connect("b", clean=True)
    story.got("mourner", "b5", "w/x")
    return story


@plant("clean: shared by two, one of which leaves with a message")
def _():
    story = Story()
    story.connect("p")
    for name in ("one", "two"):
        story.connect(name, lasting=name == "one")
        story.subscribe(name, "$share/g/o/#", 1)
    for n in range(4):
        story.publish("p", f"m{n}")
        story.got(("one", "two")[n % 2], f"m{n}")
    story.publish("p", "with two")
    story.gone("two")
    return story


@plant("clean: retained replaced, cleared and set again")
def _():
    story = Story()
    story.connect("p")
    for ident, size in (("r1", SIZE), ("r2", SIZE)):
        story.publish("p", ident, "r/1", retain=True, size=size)
    story.connect("s", lasting=True)
    story.subscribe("s", "r/#")
    story.got("s", "r2", "r/1", retain=True)
    story.publish("p", "no", "r/1", retain=True, size=0)
    story.connect("late", lasting=True)
    story.subscribe("late", "r/1")
    return story


@plant("clean: subscribed twice before the first answer; no own ones retained")
def _():
    story = pair()
    first, second = story.pid(), story.pid()
    story.on("s", "sub", pid=first, filters=[["o/1", 2]])
    story.on("s", "sub", pid=second, filters=[["o/1", 0]])
    story.unsubscribe("s", "o/#")
    story.on("s", "suback", pid=first, reasons=[2])
    story.on("s", "suback", pid=second, reasons=[0])
    story.publish("p", "m")
    story.got("s", "m", qos=0)
    story.publish("p", "own", "r/1", retain=True)
    story.subscribe("p", "r/1", 5)
    return story


# Wrong ones

@plant("QoS 1 lost", "lost")
def _():
    story = pair()
    story.publish("p", "m")
    return story


@plant("QoS 1 lost by the witness", "lost")
def _():
    story = Story()
    story.connect("p")
    story.acked("p", "m", story.send("p", "m"), 1)
    return story


@plant("QoS 0 lost without any reason", "lost")
def _():
    story = pair()
    story.publish("p", "m", qos=0)
    return story


@plant("QoS 2 lost over a resumed session", "lost")
def _():
    story = pair()
    story.gone("s")
    story.publish("p", "m", qos=2)
    story.connect("s", lasting=True, present=True)
    return story


@plant("lost, as a later one shows, although the session has ended", "lost")
def _():
    story = Story()
    story.connect("p")
    story.connect("s")
    story.subscribe("s", "o/#")
    story.publish("p", "m1")
    story.publish("p", "m2")
    story.got("s", "m2")
    story.gone("s")
    return story


@plant("QoS 1 lost while the subscription was renewed", "lost")
def _():
    story = pair(1)
    pid = story.pid()
    story.on("s", "sub", pid=pid, filters=[["o/#", 2]])
    story.publish("p", "m")
    story.on("s", "suback", pid=pid, reasons=[2])
    return story


@plant("QoS 1 twice, sent once", "doubled")
def _():
    story = pair()
    story.publish("p", "m")
    story.got("s", "m")
    story.got("s", "m")
    return story


@plant("QoS 2 twice", "doubled")
def _():
    story = pair()
    pid = story.send("p", "m", qos=2)
    story.got("s", "m", qos=2)
    story.gone("p")
    story.connect("p", lasting=True, present=True)
    story.send("p", "m", qos=2, dup=True, pid=pid)
    story.got("witness", "m", qos=2)
    story.got("s", "m", qos=2)
    story.acked("p", "m", pid, 2)
    return story


@plant("QoS 2 twice, said to be a repetition of what was completed", "doubled")
def _():
    story = pair()
    story.publish("p", "m", qos=2)
    pid = story.got("s", "m", qos=2)
    story.gone("s")
    story.connect("s", lasting=True, present=True)
    story.got("s", "m", qos=2, dup=True, pid=pid)
    return story


@plant("QoS 2 repeated without DUP", "doubled")
def _():
    story = pair()
    story.publish("p", "m", qos=2)
    pid = story.got("s", "m", qos=2, ended=False)
    story.gone("s")
    story.connect("s", lasting=True, present=True)
    story.got("s", "m", qos=2, pid=pid)
    return story


@plant("an identifier for two messages at a time", "doubled")
def _():
    story = pair()
    story.publish("p", "m1", qos=2)
    story.publish("p", "m2", qos=2)
    pid = story.got("s", "m1", qos=2, ended=False)
    story.got("s", "m2", qos=2, pid=pid)
    return story


@plant("QoS 1 again although its acknowledgement was read", "doubled")
def _():
    story = pair()
    story.publish("p", "m")
    pid = story.got("s", "m")
    story.ping("s")
    story.gone("s")
    story.connect("s", lasting=True, present=True)
    story.got("s", "m", dup=True, pid=pid)
    return story


@plant("an exchange that the next connection does not resume", "unfinished")
def _():
    story = pair()
    for ident, qos in (("a", 1), ("b", 2)):
        story.publish("p", ident, qos=qos)
        story.got("s", ident, qos=qos, ended=False)
    story.gone("s")
    story.connect("s", lasting=True, present=True)
    return story


@plant("QoS 0 twice", "doubled")
def _():
    story = pair()
    story.publish("p", "m", qos=0)
    story.got("s", "m", qos=0)
    story.got("s", "m", qos=0)
    return story


@plant("disordered", "disordered")
def _():
    story = pair()
    story.publish("p", "m1")
    story.publish("p", "m2")
    story.got("s", "m2")
    story.got("s", "m1")
    return story


@plant("disordered over a resumed session", "disordered")
def _():
    story = pair()
    story.gone("s")
    for n in range(3):
        story.publish("p", f"m{n}")
    story.connect("s", lasting=True, present=True)
    for n in (0, 2, 1):
        story.got("s", f"m{n}")
    return story


@plant("retained: not the last", "retained")
def _():
    story = Story()
    story.connect("p")
    story.publish("p", "r1", "r/1", retain=True)
    story.publish("p", "r2", "r/1", retain=True)
    story.connect("s", lasting=True)
    story.subscribe("s", "r/#")
    story.got("s", "r1", "r/1", retain=True)
    return story


@plant("retained: none at all", "retained")
def _():
    story = Story()
    story.connect("p")
    story.publish("p", "r1", "r/1", retain=True)
    story.connect("s", lasting=True)
    story.subscribe("s", "r/#")
    return story


@plant("retained: one that was cleared", "retained")
def _():
    story = Story()
    story.connect("p")
    story.publish("p", "r1", "r/1", retain=True)
    story.publish("p", "no", "r/1", retain=True, size=0)
    story.connect("s", lasting=True)
    story.subscribe("s", "r/#")
    story.got("s", "r1", "r/1", retain=True)
    return story


@plant("retained: after a newer one of the same topic", "retained")
def _():
    story = Story()
    story.connect("p")
    story.publish("p", "r1", "r/1", retain=True)
    story.connect("s", lasting=True)
    story.subscribe("s", "r/#")
    story.publish("p", "r2", "r/1", retain=True)
    story.got("s", "r2", "r/1")
    story.got("s", "r1", "r/1", retain=True)
    return story


@plant("retained: twice for one subscription", "doubled")
def _():
    story = Story()
    story.connect("p")
    story.publish("p", "r1", "r/1", retain=True)
    story.connect("s", lasting=True)
    story.subscribe("s", "r/#")
    story.got("s", "r1", "r/1", retain=True)
    story.got("s", "r1", "r/1", retain=True)
    return story


@plant("retained: although the subscription does not want it", "retained")
def _():
    story = Story()
    story.connect("p")
    story.publish("p", "r1", "r/1", retain=True)
    story.connect("s", lasting=True)
    story.subscribe("s", "r/#", 0x21)
    story.got("s", "r1", "r/1", retain=True)
    return story


@plant("will missing", "will missing")
def _():
    story = Story()
    story.connect("a", will="a1")
    story.gone("a")
    return story


@plant("will missing after a clean start", "will missing")
def _():
    story = Story()
    story.connect("a", will="a1", delay=3, lasting=True)
    story.gone("a")
    story.connect("a", clean=True)
    return story


@plant("will missing after a take-over", "will missing")
def _():
    story = Story()
    story.connect("a", will="a1", lasting=True)
    story.connect("a", lasting=True, present=True)
    return story


@plant("will before its delay is over", "will early")
def _():
    story = Story()
    story.connect("a", will="a1", delay=3, lasting=True)
    story.wait(1)
    story.gone("a")
    story.wait(2)
    story.got("mourner", "a1", "w/x")
    return story


@plant("will while the client is connected", "will early")
def _():
    story = Story()
    story.connect("a", will="a1")
    story.wait(1)
    story.ping("a")
    story.got("mourner", "a1", "w/x")
    story.wait(1)
    story.ping("a")
    story.gone("a")
    return story


@plant("will long after it was due", "will late")
def _():
    story = Story()
    story.connect("a", will="a1")
    story.gone("a")
    story.wait(15)
    story.got("mourner", "a1", "w/x")
    return story


@plant("will twice", "doubled", "will doubled")
def _():
    story = Story()
    story.connect("a", will="a1")
    story.gone("a")
    story.got("mourner", "a1", "w/x")
    story.got("mourner", "a1", "w/x")
    return story


@plant("will after a normal DISCONNECT", "will unwanted")
def _():
    story = Story()
    story.connect("a", will="a1")
    story.leave("a")
    story.got("mourner", "a1", "w/x")
    return story


@plant("will although the client was back in time", "will unwanted")
def _():
    story = Story()
    story.connect("a", will="a1", delay=3, lasting=True)
    story.gone("a")
    story.wait(1)
    story.connect("a", lasting=True, present=True)
    story.wait(3)
    story.got("mourner", "a1", "w/x")
    return story


@plant("a message without a subscription", "foreign")
def _():
    story = pair()
    story.publish("p", "m", "s/1")
    story.got("s", "m", "s/1")
    return story


@plant("a message after the subscription had ended", "foreign")
def _():
    story = pair()
    story.unsubscribe("s", "o/#")
    story.publish("p", "m")
    story.got("s", "m")
    return story


@plant("a message of an earlier session", "foreign")
def _():
    story = pair()
    story.gone("s")
    story.publish("p", "m")
    story.connect("s", lasting=True, clean=True)
    story.got("s", "m")
    return story


@plant("the client's own message, which it does not want", "foreign")
def _():
    story = Story()
    story.connect("p", lasting=True)
    story.subscribe("p", "o/#", 5)
    story.publish("p", "m")
    story.got("p", "m")
    return story


@plant("a message nobody has sent", "foreign")
def _():
    story = pair()
    story.got("s", "m")
    return story


@plant("a changed message", "corrupt")
def _():
    story = pair()
    story.publish("p", "m")
    story.got("s", "m", size=SIZE - 1)
    return story


@plant("a higher QoS than subscribed", "qos")
def _():
    story = pair(1)
    story.publish("p", "m", qos=2)
    story.got("s", "m", qos=2)
    return story


@plant("shared: two members get it", "shared twice")
def _():
    story = Story()
    story.connect("p")
    for name in ("one", "two"):
        story.connect(name, lasting=True)
        story.subscribe(name, "$share/g/o/#", 1)
    story.publish("p", "m")
    story.got("one", "m")
    story.got("two", "m")
    return story


@plant("shared: QoS 2 to another after the first one's end", "shared twice")
def _():
    story = Story()
    story.connect("p")
    for name in ("one", "two"):
        story.connect(name, lasting=name == "two")
        story.subscribe(name, "$share/g/o/#", 2)
    story.publish("p", "m", qos=2)
    story.got("one", "m", qos=2)
    story.gone("one")
    story.got("two", "m", qos=2)
    return story


@plant("shared: no member gets it", "lost")
def _():
    story = Story()
    story.connect("p")
    for name in ("one", "two"):
        story.connect(name, lasting=True)
        story.subscribe(name, "$share/g/o/#", 1)
    story.publish("p", "m")
    return story


@plant("shared: one member gets it twice", "doubled")
def _():
    story = Story()
    story.connect("p")
    story.connect("one", lasting=True)
    story.subscribe("one", "$share/g/o/#", 1)
    story.publish("p", "m")
    story.got("one", "m")
    story.got("one", "m")
    return story


@plant("a session that is forgotten", "session")
def _():
    story = pair()
    story.gone("s")
    story.connect("s", lasting=True, clean=False, present=False)
    return story


@plant("a session that has expired", "session")
def _():
    story = Story()
    story.connect("s", expiry=2)
    story.gone("s")
    story.wait(20)
    story.connect("s", expiry=2, present=True)
    return story


@plant("a session that expires too early", "session")
def _():
    story = Story()
    story.connect("s", expiry=9)
    story.gone("s")
    story.wait(5)
    story.connect("s", expiry=9, clean=False, present=False)
    return story


@plant("clean: sessions that expire, and one that does so with its will")
def _():
    story = pair()
    story.connect("a", expiry=2, will="a1", delay=3)
    story.subscribe("a", "o/#")
    story.gone("a")
    story.wait(2)
    story.got("mourner", "a1", "w/x")
    story.wait(1)
    story.publish("p", "m")
    story.got("s", "m")
    story.connect("a", expiry=2, clean=False, present=False)
    return story


@plant("a session after a clean start", "session")
def _():
    story = pair()
    story.gone("s")
    story.connect("s", lasting=True, clean=True, present=True)
    return story


@plant("a connection that ends by itself", "ended")
def _():
    story = pair()
    story.gone("s", "fin")
    return story


@plant("clean: a connection that somebody has ended")
def _():
    story = pair()
    story.add("disturb", how="kicked", since=story.t, until=story.t, client="s")
    story.gone("s", "fin")
    return story


@plant("a counter of dropped messages", "dropped")
def _():
    story = pair()
    story.add("counters", values={"dropped_queue_full": 1,
                                  "dropped_offline": 7})
    return story


@plant("messages that never arrive", "stuck")
def _():
    story = pair()
    story.add("stuck", text="s: 3 messages")
    return story


def run(_, function, kinds):
    found = check(function().quiet())
    text = "\n".join(f"{v.kind}: {v.text}" for v in found)
    assert sorted({v.kind for v in found}) == sorted(set(kinds)), \
        f"expected {kinds or 'nothing'}, found:\n{text or 'nothing'}"
    for violation in found:
        assert violation.events, f"{text}: without the events it is about"


ktap.table("planted", [(name, function, kinds)
                       for name, function, kinds in ROWS])(run)


@ktap.test
def a_request_is_before_its_answer_whatever_the_clock():
    ticks = iter((7.0, 7.0, 7.0, 7.01, 7.01))
    clock = history.Clock(lambda: next(ticks))
    times = [clock() for _ in range(5)]
    assert times == sorted(set(times)), times
    assert 7.01 <= times[-1] < 7.011, times


if __name__ == "__main__":
    ktap.main()
