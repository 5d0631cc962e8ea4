# SPDX-License-Identifier: GPL-2.0
"""Enhanced authentication (5.0): AUTH both ways, before CONNACK and after.

The authority is played here: it knows a method CHALLENGE that asks two
questions, and a method DIRECT that asks none."""

import errno
import threading

import wire
from harness import check, equal, shows
from wire import AUTH, AUTH_DATA, AUTH_METHOD, CONNACK

QUESTIONS = (b"first?", b"second?\0\xff")
ANSWERS = (b"one", b"two\0\xff")
LONG = "a reason string that a small packet does not hold " * 4


class Authority(threading.Thread):
    """Answers the kernel's requests until the socket is closed."""

    def __init__(self, genl):
        super().__init__(daemon=True)
        self.netlink, self.refused = genl.Genl(), genl.Refused
        self.netlink.sock.settimeout(None)
        self.netlink.do("AUTHORITY_SET")
        self.asked = {}		# questions put, by client

    def run(self):
        while True:
            try:
                request = self.netlink.next("AUTH_REQUEST")
                self.netlink.do("AUTH_REPLY",
                                REQUEST_ID=request["REQUEST_ID"],
                                **self.answer(request))
            except self.refused as error:
                if error.errno != errno.ENOENT:
                    raise
            except OSError:
                return

    def answer(self, request):
        method = request.get("AUTH_METHOD")
        if method is None:
            return {"REASON": 0}
        if method == "DIRECT":
            return {"REASON": 0, "AUTH_DATA": b"at once"}
        if method != "CHALLENGE":
            return {"REASON": 0x8c, "REASON_STRING": LONG}
        client, data = request["CLIENT_ID"], request.get("AUTH_DATA")
        # 1 is STAGE_CONTINUE: anything else is the beginning
        if request["STAGE"] != 1:
            self.asked[client] = 0
        elif data and data[:1] == b"!":
            return {"REASON": data[1]}
        elif data != ANSWERS[self.asked[client]]:
            return {"REASON": 0x87, "REASON_STRING": LONG}
        else:
            self.asked[client] += 1
        if self.asked[client] == len(QUESTIONS):
            return {"REASON": 0, "AUTH_DATA": b"welcome"}
        return {"REASON": 0x18,
                "AUTH_DATA": QUESTIONS[self.asked[client]]}


def method(name="CHALLENGE", data=None):
    return [(AUTH_METHOD, name)] + ([] if data is None
                                    else [(AUTH_DATA, data)])


def begin(t, extra=(), **fields):
    """A client that has sent its CONNECT."""
    c = t.raw(5)
    c.auth_method, c.id = "CHALLENGE", t.cid()
    c.packet_maximum = dict(extra).get(wire.MAXIMUM_PACKET_SIZE)
    c.send(wire.connect(5, c.id, properties=[*method(), *extra], **fields))
    return c


def question(c, number):
    """The broker's AUTH with one of the questions."""
    pkt = c.expect(AUTH, reason=0x18)
    equal((pkt.get(AUTH_METHOD), pkt.get(AUTH_DATA)),
          ("CHALLENGE", QUESTIONS[number]), "AUTH")
    return c


def reply(c, number):
    return c.send(wire.auth(0x18, method(data=ANSWERS[number])))


def admitted(t, **fields):
    """A client that has answered both questions."""
    c = begin(t, **fields)
    for number in range(2):
        question(c, number)
        reply(c, number)
    pkt = c.expect(CONNACK, reason=0)
    equal((pkt.get(AUTH_METHOD), pkt.get(AUTH_DATA)),
          ("CHALLENGE", b"welcome"), "CONNACK")
    return c


@shows("MQTT-4.12.0-2", "MQTT-4.12.0-3", "MQTT-4.12.0-5", "MQTT-3.2.0-1")
def questions_and_answers(t):
    """Each AUTH of the broker has 0x18 and the method of CONNECT, as has the
    CONNACK; the client that answers is let in."""
    c = admitted(t)
    c.expect_nothing()
    topic = t.topic()
    c.sub(topic, 1)
    c.pub(topic, "in", 1)
    c.message(payload="in")


@shows("MQTT-4.12.0-5")
def no_question_needed(t):
    """A method that is content with CONNECT: CONNACK has method and data."""
    c = t.client(properties=method("DIRECT", b"\0\xff"))
    equal((c.connack.get(AUTH_METHOD), c.connack.get(AUTH_DATA)),
          ("DIRECT", b"at once"), "CONNACK")


@shows("MQTT-4.12.0-6", "MQTT-4.12.0-7")
def without_method(t):
    """Without a method there is no AUTH and none in CONNACK; AUTH of the
    client is 0x82."""
    c = t.client(username="name")
    equal((c.connack.get(AUTH_METHOD), c.connack.get(AUTH_DATA)),
          (None, None), "CONNACK")
    c.send(wire.auth(0x19, method()))
    c.expect_disconnect(0x82)


@shows("MQTT-4.12.0-4", "MQTT-4.12.0-1", "MQTT-3.2.2-7")
def refused(t):
    """A wrong answer to either question is refused in CONNACK; so is a
    method nobody knows. No session is left."""
    for right in range(2):
        c = begin(t)
        for number in range(right):
            question(c, number)
            reply(c, number)
        question(c, right)
        c.send(wire.auth(0x18, method(data=b"wrong")))
        c.expect(CONNACK, reason=0x87)
        c.expect_close()
        t.client(client_id=c.id, clean=False, present=False)
    t.client(properties=method("OTHER"), reason=0x8c).expect_close()


@shows("MQTT-3.15.2-2", "MQTT-3.15.2-3", "MQTT-3.2.2-19", "MQTT-3.1.2-24")
def small_packets(t):
    """Neither AUTH nor CONNACK exceeds what the client can take, whatever
    the authority has to say (the client checks)."""
    small = [(wire.MAXIMUM_PACKET_SIZE, 80)]
    c = admitted(t, extra=small)
    c.send(wire.auth(0x19, method()))
    question(c, 0)
    c = question(begin(t, extra=small), 0)
    c.send(wire.auth(0x18, method(data=b"wrong")))
    c.expect(CONNACK, reason=0x87)
    c.expect_close()


@shows("MQTT-3.15.2-1", "MQTT-4.12.0-3", "MQTT-4.13.1-1")
def wrong_auth(t):
    """An AUTH with another method or a reason that is not the client's turn
    ends the connection."""
    for bad in (wire.auth(0x18, method("OTHER", ANSWERS[0])),
                wire.auth(0x19, method()), wire.auth(0, method()),
                wire.auth(0x18, [(AUTH_DATA, ANSWERS[0])]), wire.auth()):
        c = question(begin(t), 0)
        c.send(bad)
        found = c.rest()
        check(all(pkt.type == CONNACK and pkt.reason in (0x82, 0x8c)
                  for pkt in found), f"{bad.hex()}: {found}")


@shows("MQTT-3.1.4-6", "MQTT-3.2.0-1", "MQTT-4.13.1-1")
def nothing_else_before_connack(t):
    """Before CONNACK the broker takes AUTH and DISCONNECT only; anything
    else ends the connection and has no effect."""
    topic = t.topic()
    watch = t.client()
    watch.sub(topic)
    for data in (wire.publish(topic, "no"), wire.pingreq(),
                 wire.subscribe(1, [(topic, 0)]), wire.disconnect()):
        c = question(begin(t, will=wire.Will(topic, "no")), 0)
        c.send(data)
        check(all(pkt.type == CONNACK and pkt.reason == 0x82
                  for pkt in c.rest()), "more than a refusal")
    watch.expect_no_message(via=t.client())


@shows("MQTT-4.12.0-5", "MQTT-4.12.0-2", "MQTT-4.12.0-3")
def again(t):
    """Re-authentication goes through the same questions and ends with AUTH
    0x00; messages pass meanwhile. It can be done more than once."""
    c, topic = admitted(t), t.topic()
    c.sub(topic, 1)
    sender = t.client()
    for turn in range(2):
        c.send(wire.auth(0x19, method()))
        question(c, 0)
        sender.pub(topic, f"{turn}", 1)
        c.message(payload=f"{turn}")
        c.pub(topic, "own", 1)
        c.message(payload="own")
        reply(c, 0)
        question(c, 1)
        reply(c, 1)
        pkt = c.expect(AUTH, reason=0)
        equal((pkt.get(AUTH_METHOD), pkt.get(AUTH_DATA)),
              ("CHALLENGE", b"welcome"), "AUTH")
    c.expect_nothing()


@shows("MQTT-4.12.1-2")
def again_and_refused(t):
    """A wrong answer in a re-authentication: DISCONNECT with the reason and
    the end; the will is published."""
    topic = t.topic()
    watch = t.client()
    watch.sub(topic)
    c = admitted(t, will=wire.Will(topic, "refused"))
    c.send(wire.auth(0x19, method()))
    question(c, 0)
    c.send(wire.auth(0x18, method(data=b"wrong")))
    c.expect_disconnect(0x87)
    watch.message(payload="refused")


@shows("MQTT-4.12.1-2", "MQTT-4.12.0-5", "MQTT-4.13.1-1")
def again_out_of_turn(t):
    """AUTH with another method, or 0x18 without a question, ends the
    connection of an authenticated client."""
    for bad in (wire.auth(0x19, method("OTHER")),
                wire.auth(0x18, method(data=ANSWERS[0])),
                wire.auth(0, method())):
        c = admitted(t)
        c.send(bad)
        c.expect_disconnect({0x82, 0x8c})


@shows("MQTT-4.12.0-3", "MQTT-4.13.1-1")
def again_and_again_without_waiting(t):
    """A client that goes on before the authority has answered is ended; its
    questions do not take the place of others' at the authority."""
    c = admitted(t)
    c.send(wire.auth(0x19, method()) +
           wire.auth(0x18, method(data=ANSWERS[0])) * 500)
    found = c.rest()
    check(found and found[-1].type == wire.DISCONNECT and
          found[-1].reason in (0x82, 0x87), f"{found[-1:]}")
    admitted(t).expect_nothing()


@shows("MQTT-4.13.1-1", "MQTT-4.12.1-2")
def reasons_of_disconnect(t):
    """What only CONNACK may say is not said in DISCONNECT."""
    for reason, told in ((0x86, 0x87), (0x88, 0x89), (0x8a, 0x87),
                         (0x89, 0x89), (0x97, 0x97)):
        c = admitted(t)
        c.send(wire.auth(0x19, method()))
        question(c, 0)
        c.send(wire.auth(0x18, method(data=b"!" + bytes([reason]))))
        c.expect_disconnect(told)
