#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Writes first inputs for the fuzzers of the daemon and of kmqttctl, from the
texts of the daemon's tests and from messages of the module's interface.

usage: seeds.py DIR"""

import pathlib
import re
import struct
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "ctl"))

from uapi import N, pack  # noqa: E402

FAMILY = 0x1c
STRING = r'"((?:[^"\\]|\\.)*)"'
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "a": "\a"}


def unescape(text):
    def one(m):
        word = m.group(1)
        if word[0] == "x":
            return chr(int(word[1:], 16))
        if word[0] in "01234567":
            return chr(int(word, 8))
        return ESCAPES[word]
    return re.sub(r"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", one, text)\
        .encode("latin-1")


def texts(source, table):
    """The second string of each line of a table, macros put in."""
    code = (HERE.parent / "daemon" / source).read_text()
    macros = dict(re.findall(r"#define (\w+)\s+(%s)" % STRING.replace(
        "(", "(?:", 1), code))
    body = code[code.index(table):]
    body = body[:body.index("\n};")]
    for name, value in macros.items():
        body = re.sub(r"\b%s\b" % name, lambda _: value, body)
    for m in re.finditer(r"\{ %s,\s*((?:%s\s*)+)" %
                         (STRING, STRING.replace("(", "(?:", 1)), body):
        yield b"".join(unescape(s)
                       for s in re.findall(STRING, m.group(2)))
    if table.startswith("mistakes"):
        yield b"".join(unescape(v[1:-1]) for v in macros.values())


def message(command, attrs, kind=FAMILY, seq=0):
    body = struct.pack("=BBH", N["CMD_" + command], 1, 0) + attrs
    return struct.pack("=IHHII", 16 + len(body), kind, 2, seq, 0) + body


def error(number, attrs=b""):
    body = struct.pack("=i", number) + struct.pack("=IHHII", 20, FAMILY, 5, 0, 0)
    return struct.pack("=IHHII", 16 + len(body) + len(attrs), 2, 0x300 if attrs
                       else 0x100, 0, 0) + body + attrs


def datagram(*messages):
    data = b"".join(messages)
    return struct.pack(">H", len(data)) + data


CLIENT = dict(CLIENT_ID="plc-\u00e9\n", USERNAME="hall 2", VERSION=5,
              ADDRESS=bytes([127, 0, 0, 1]), PORT=40000, LISTENER_ID=1,
              KEEP_ALIVE=60, AGE=61000, PACKETS_IN=1, PACKETS_OUT=2,
              BYTES_IN=3, BYTES_OUT=4, DROPPED=5)
LISTENER = dict(LISTENER_ID=1, ADDRESS=bytes(16), PORT=1883, AUTH_MODE=2,
                MAX_CONNECTIONS=10, CONNECTIONS=1)
SETTING = dict(NAME="max_inflight", VALUE=20, DEFAULT=20, MIN=1, MAX=65535,
               HELP="messages on their way")
SESSION = dict(CLIENT_ID="a\\b", CONNECTED=1, EXPIRY=2 ** 32 - 1,
               SUBSCRIPTIONS=1, INFLIGHT=2, QUEUED=3, QUEUED_BYTES=4,
               AWAITING_REL=5, DROPPED=6)
SUBSCRIPTION = dict(CLIENT_ID="a", FILTER="a/+/\"x\"", QOS=1, OPTIONS=0x2c,
                    SUBSCRIPTION_ID=7)
RETAINED = dict(TOPIC="plant/1", QOS=1, SIZE=4000, AGE=10, EXPIRY=9,
                PAYLOAD="2\u00b0C \U0001f600".encode() + b"\xff\0\1\2")
RULE = dict(ITEM=dict(ACCESS=3, FILTER="a/#", USERNAME="al", RULE_FLAGS=1))
COUNTER = dict(NAME="bytes_in", VALUE=2 ** 64 - 1, HELP="bytes")
EVENT = dict(EVENT_TYPE=3, CLIENT_ID="x\x1b[31m", USERNAME="u", REASON=0x87,
             ADDRESS=bytes([10, 0, 0, 1]), PORT=1, LISTENER_ID=1, DROPPED=9,
             QOS=2, TOPIC="a/b")


def question(**more):
    return pack(**dict(CLIENT_ID="c\x01", VERSION=5, LISTENER_ID=1,
                       ADDRESS=bytes([127, 0, 0, 1]), PORT=5), **more)


def questions():
    # REQUEST_ID and the like are not what kmqttctl's tests know
    def raw(kind, data):
        return struct.pack("=HH", 4 + len(data), N["A_" + kind]) + data + \
            bytes(-len(data) % 4)
    base = question() + raw("REQUEST_ID", struct.pack("=Q", 9)) + \
        raw("STAGE", b"\0")
    yield base
    for password in b"secret", b"even", b"13 characters":
        yield base + pack(USERNAME="alice\t") + raw("PASSWORD", password)
    yield base + raw("AUTH_METHOD", b"SCRAM\0") + raw("AUTH_DATA", b"x")


def netlink():
    yield 0, datagram(message("LISTENER_NEW", pack(**LISTENER)),
                      message("LISTENER_NEW", pack(**LISTENER)))
    yield 1, datagram(message("CONFIG_SET", pack(**SETTING)))
    yield 2, datagram(message("LISTENER_NEW", pack(LISTENER_ID=3)))
    text = struct.pack("=HH", 9, 1) + b"why?\0\0\0\0"
    place = struct.pack("=HHI", 8, 2, 20)
    for number in -17, -1, -95:
        yield 2, datagram(error(number, text + place))
        yield 2, datagram(error(number))
    yield 2, datagram(message("EVENT", pack(**EVENT)), error(0))
    for q in questions():
        for users in 3, 0x80 + 1:
            yield users, datagram(message("AUTH_REQUEST", q))
    for kind in range(13):
        yield 4, datagram(message("EVENT", pack(**dict(EVENT,
                                                       EVENT_TYPE=kind))))
    yield 4, datagram(message("EVENT", pack(EVENT_TYPE=7, FILTER="a/#")))
    gone = struct.pack("=HH", 10, 2) + b"kmqtt\0\0\0"
    yield 5, datagram(struct.pack("=IHHIIBBH", 20 + len(gone), 16, 0, 0, 0,
                                  2, 2, 0) + gone)


def ctl():
    shown = [("LISTENER_GET", LISTENER), ("LISTENER_NEW", LISTENER),
             ("CLIENT_GET", CLIENT), ("CLIENT_GET", CLIENT),
             ("SESSION_GET", SESSION), ("SUBSCRIPTION_GET", SUBSCRIPTION),
             ("RETAINED_GET", RETAINED), ("RETAINED_DEL", dict(COUNT=4)),
             ("STATS_GET", COUNTER), ("CONFIG_GET", SETTING),
             ("CONFIG_GET", SETTING), ("CONFIG_GET", SETTING),
             ("ACL_GET", RULE)]
    for how in 0, 1, 3, 4:
        for command, (name, attrs) in enumerate(shown):
            one = message(name, pack(**attrs))
            yield bytes([command, how]), datagram(one, one)
        for kind in range(13):
            yield bytes([13, how]), datagram(message(
                "EVENT", pack(**dict(EVENT, EVENT_TYPE=kind))))
    yield bytes([9, 0]), datagram(error(-1))


def topics():
    for pair in ("a/+\0+/b", "#\0a/b/c", "a/#\0a", "/#\0+", "$SYS/#\0#",
                 "a//b\0a/+/b", "+/+\0/x", "a/b/#\0+"):
        yield b"", pair.encode()


def trees():
    for kind in 0, 1:
        yield bytes([kind]), b"".join(
            bytes([op, n, depth]) + bytes((n * 7 + i) % 256
                                          for i in range(depth + 1))
            for n in range(40) for op in range(8) for depth in (1, 3))
        yield bytes([kind]), bytes(range(256)) * 2


def packets():
    for kind in range(6):
        for fill in 0, 1, 5, 0x7f, 0xff:
            yield bytes([kind]), bytes([fill]) * 60
            yield bytes([kind]), bytes(range(fill, min(fill + 90, 256)))


def write(top, target, number, data):
    (top / target).mkdir(parents=True, exist_ok=True)
    (top / target / ("first-%04d" % number)).write_bytes(data)


def main():
    top = pathlib.Path(sys.argv[1])
    conf = [b"\0" + t for t in texts("config.c", "tests[] = {")]
    conf += [b"\1" + t for t in texts("config.c", "resolve[] = {")]
    conf += [b"\7" + b"include_dir dir\n\xff" + t[1:] for t in conf[:40]]
    example = (HERE.parent.parent / "user/kmqttd.conf.example").read_bytes()
    conf.append(b"\0" + re.sub(rb"(?m)^#(?=[a-z])", b"", example))
    for target, inputs in (
            ("config", conf),
            ("passwd", texts("files.c", "mistakes[] = {")),
            ("acl", texts("files.c", "rules[] = {")),
            ("netlink", (bytes([s]) + d for s, d in netlink())),
            ("ctl", (c + d for c, d in ctl())),
            ("overlap", (c + d for c, d in topics())),
            ("tree", (c + d for c, d in trees())),
            ("encode", (c + d for c, d in packets()))):
        number = -1
        for number, data in enumerate(inputs):
            write(top, target, number, data)
        if number < 3:
            sys.exit("only %d inputs for %s" % (number + 1, target))


if __name__ == "__main__":
    main()
