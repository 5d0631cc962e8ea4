#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""kmqttctl without a module: arguments, requests, what answers look like.

KMQTTCTL_FAKE names the program that "make" builds here: kmqttctl with a
module played from a file."""

import base64
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import ktap
from uapi import N, TOP, pack, unpack

INSTALLED = pathlib.Path(__file__).resolve().parent / "kmqttctl-fake"
BUILT = TOP / "build/selftests/ctl/kmqttctl-fake"
PROGRAM = os.environ.get("KMQTTCTL_FAKE") or \
    (INSTALLED if INSTALLED.exists() else BUILT)
LIMIT = 60


def hexed(attrs):
    return pack(**attrs).hex()


def objects(command, *rows):
    return [f"object {N['CMD_' + command]} {hexed(row)}" for row in rows]


def refuse(command, number, text):
    return [f"refuse {N['CMD_' + command]} {number} {text}"]


class Run:
    """One run of the program: what it was given, said and asked."""

    def __init__(self, *args, played=(), env=None, stdout=subprocess.PIPE,
                 act=None):
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder, "played")
            log = pathlib.Path(folder, "log")
            script.write_text("".join(line + "\n" for line in played))
            log.touch()
            environment = dict(os.environ, KMQTT_FAKE=str(script),
                               KMQTT_FAKE_LOG=str(log), LC_ALL="C.UTF-8",
                               TZ="UTC", UBSAN_OPTIONS="halt_on_error=1",
                               ASAN_OPTIONS="exitcode=99:detect_leaks=0")
            environment.update(env or {})
            with subprocess.Popen([PROGRAM, *args], env=environment,
                                  stdin=subprocess.DEVNULL, stdout=stdout,
                                  stderr=subprocess.PIPE) as process:
                try:
                    early = act(process) if act else b""
                    out, err = process.communicate(timeout=LIMIT)
                finally:
                    process.kill()
            self.status = process.returncode
            self.raw = early + (out or b"")
            self.err = err.decode(errors="backslashreplace")
            self.requests = [
                (int(line.split(" ")[0]),
                 unpack(bytes.fromhex(line.split(" ")[1])))
                for line in log.read_text().splitlines()]
        assert "Sanitizer" not in self.err and "runtime error" not in self.err,\
            self.err

    @property
    def out(self):
        return self.raw.decode()

    def json(self):
        return json.loads(self.out)


def expect(value, wanted):
    assert value == wanted, f"\nis     {value!r}\nwanted {wanted!r}"


LOOPBACK = bytes([127, 0, 0, 1])
V6 = bytes(15) + b"\1"

USAGE = [
    ("no object", [], "Usage: kmqttctl"),
    ("unknown object", ["lisener"], "lisener is unknown"),
    ("ambiguous object", ["s"],
     "s can be each of: session, subscription, stats, stop"),
    ("unknown command", ["client", "kik"],
     "kik is unknown, it should be one of: show, kick"),
    ("unknown option", ["-x"], "invalid option"),
    ("namespace that is not there", ["-n", "no-such-netns", "stats"],
     "/run/netns/no-such-netns: No such file"),
    ("no address", ["listener", "add"], "or the path is missing"),
    ("path that is relative", ["listener", "add", "run/mqtt"],
     "begins with /, unlike run/mqtt"),
    ("path that is relative, with its prefix",
     ["listener", "add", "unix:mqtt"], "begins with /, unlike mqtt"),
    ("path too long", ["listener", "add", "/" + "p" * 107],
     "at most 107 bytes, not the 108"),
    ("port alone", ["listener", "add", "1883"], "1883 has no address"),
    ("no port", ["listener", "add", "127.0.0.1"], "127.0.0.1 has no port"),
    ("no port after the bracket", ["listener", "add", "[::1]"], "no port"),
    ("IPv6 without brackets", ["listener", "add", "::1:1883"],
     "needs brackets"),
    ("bracket open", ["listener", "add", "[::1:1883"], r"lacks a \]"),
    ("junk after the bracket", ["listener", "add", "[::1]1883"], "only a :"),
    ("host name", ["listener", "add", "localhost:1883"],
     "localhost is not an address"),
    ("star", ["listener", "add", "*:1883"], r"0\.0\.0\.0, .*\[::\]"),
    ("zone", ["listener", "add", "[fe80::1%eth0]:1883"], "zone"),
    ("IPv4 in brackets", ["listener", "add", "[1.2.3.4]:1883"],
     "1.2.3.4 is not an address"),
    ("octet too large", ["listener", "add", "1.2.3.256:1883"],
     "1.2.3.256 is not an address"),
    ("address too long", ["listener", "add", "1" * 5000 + ":1883"],
     "1 is not an address"),
    ("port 0", ["listener", "add", "127.0.0.1:0"], "1 to 65535"),
    ("port 65536", ["listener", "add", "127.0.0.1:65536"], "port 65536"),
    ("port beyond all bounds", ["listener", "add", "127.0.0.1:4294969179"],
     "1 to 65535"),
    ("port empty", ["listener", "add", "127.0.0.1:"], 'port "" is not'),
    ("port with a sign", ["listener", "add", "127.0.0.1:+1883"], "1 to 65535"),
    ("auth without mode", ["listener", "add", "127.0.0.1:1883", "auth"],
     "refuse, open or authority"),
    ("auth unknown", ["listener", "add", "127.0.0.1:1883", "auth", "all"],
     "all is unknown, it should be one of: refuse, open, authority"),
    ("max not a number", ["listener", "add", "127.0.0.1:1883", "max", "-1"],
     "must be a number, not -1"),
    ("max too large",
     ["listener", "add", "127.0.0.1:1883", "max", "4294967296"],
     "from 0 to 4294967295"),
    ("listener set of nothing", ["listener", "set", "1"], "what to set"),
    ("listener 0", ["listener", "del", "0"], "from 1 to 4294967295"),
    ("listener del of nothing", ["listener", "del"], "is missing"),
    ("one too many", ["listener", "del", "1", "2"], "2 is one argument too"),
    ("kick of nobody", ["client", "kick"], "identifier is missing"),
    ("reason without code", ["client", "kick", "x", "reason"], "missing"),
    ("reason that is none", ["client", "kick", "x", "reason", "0x7f"],
     "0x7f is not a reason code"),
    ("reason of clients only", ["client", "kick", "x", "reason", "0x04"],
     "a server does not"),
    ("reason of CONNACK only", ["client", "kick", "x", "reason", "banned"],
     r"0x8a \(banned\)"),
    ("reason ambiguous", ["client", "kick", "x", "reason", "server"],
     "more than one"),
    ("clear without filter", ["retained", "clear"], "filter"),
    ("drop of nothing", ["session", "drop"], "identifier is missing"),
    ("pattern missing", ["client", "show", "like"], "pattern is missing"),
    ("two identifiers", ["client", "show", "a", "b"], "b is one argument"),
    ("set of nothing", ["config", "set"], "name is missing"),
    ("set without value", ["config", "set", "retry_max"], "value is missing"),
    ("value that is no number", ["config", "set", "retry_max", "five"],
     "retry_max must be a number, not five"),
    ("value beyond 64 bits",
     ["config", "set", "memory_max", "18446744073709551616"],
     "must be from 0"),
    ("value beyond 64 bits by unit",
     ["config", "set", "memory_max", "17179869184G"], "must be from 0"),
    ("value with junk", ["config", "set", "memory_max", "1Mi"], "number"),
    ("stop unconfirmed", ["stop"], "kmqttctl stop --yes"),
    ("stop confirmed wrongly", ["stop", "yes"], "should be --yes"),
    ("event unknown", ["monitor", "connect", "x"], "x is unknown"),
    ("event ambiguous", ["monitor", "listener"],
     "can be each of: listener-added, listener-removed"),
    ("acl argument", ["acl", "show", "x"], "too many"),
    ("controls in an argument", ["client", "\x1b[31m\x07"],
     r"\\x1b\[31m\\x07 is unknown"),
]


@ktap.table("usage", USAGE)
def usage(name, args, message):
    """A mistake is told in one sentence and asks the kernel nothing."""
    run = Run(*args, played=["open 2 the fake was asked"])
    expect(run.status, 2)
    assert re.search(message, run.err), run.err
    assert "\x1b" not in run.err
    expect(run.raw, b"")
    assert "the fake was asked" not in run.err


LONGEST = "x" * 65530

REQUESTS = [
    ("listener add", ["listener", "add", "127.0.0.1:1883", "auth", "open"],
     "LISTENER_NEW", [("ADDRESS", LOOPBACK), ("PORT", 1883),
                      ("AUTH_MODE", N["AUTH_OPEN"])]),
    ("listener add, IPv6, shortened",
     ["l", "a", "[::1]:65535", "m", "7", "a", "auth"],
     "LISTENER_NEW", [("ADDRESS", V6), ("PORT", 65535),
                      ("AUTH_MODE", N["AUTH_AUTHORITY"]),
                      ("MAX_CONNECTIONS", 7)]),
    ("listener del by number", ["listener", "del", "3"], "LISTENER_DEL",
     [("LISTENER_ID", 3)]),
    ("listener delete by address", ["listener", "delete", "[::]:1"],
     "LISTENER_DEL", [("ADDRESS", bytes(16)), ("PORT", 1)]),
    ("listener add, path", ["listener", "add", "/no/such/s", "auth", "open"],
     "LISTENER_NEW", [("PATH", "/no/such/s"),
                      ("AUTH_MODE", N["AUTH_OPEN"])]),
    ("listener del by path", ["listener", "del", "/no/such/s"],
     "LISTENER_DEL", [("PATH", "/no/such/s")]),
    ("listener del by path as it is shown",
     ["listener", "del", "unix:/" + "p" * 106],
     "LISTENER_DEL", [("PATH", "/" + "p" * 106)]),
    ("listener set", ["listener", "set", "2", "auth", "refuse"],
     "LISTENER_SET", [("LISTENER_ID", 2), ("AUTH_MODE", N["AUTH_REFUSE"])]),
    ("kick", ["client", "kick", "plc-1"], "CLIENT_DEL",
     [("CLIENT_ID", "plc-1")]),
    ("kick with a code", ["client", "kick", "a", "reason", "0x89"],
     "CLIENT_DEL", [("CLIENT_ID", "a"), ("REASON", 0x89)]),
    ("kick with a name", ["cl", "k", "a", "r", "quota-exceeded"],
     "CLIENT_DEL", [("CLIENT_ID", "a"), ("REASON", 0x97)]),
    ("kick of odd bytes", ["client", "kick", "a\n\u00e9\\"], "CLIENT_DEL",
     [("CLIENT_ID", "a\n\u00e9\\")]),
    ("kick of the longest name", ["client", "kick", LONGEST], "CLIENT_DEL",
     [("CLIENT_ID", LONGEST)]),
    ("session drop", ["session", "drop", "show"], "SESSION_DEL",
     [("CLIENT_ID", "show")]),
    ("subscriptions of one", ["subscription", "show", "id", "id"],
     "SUBSCRIPTION_GET", [("CLIENT_ID", "id")]),
    ("retained by filter", ["retained", "show", "plant/#"], "RETAINED_GET",
     [("FILTER", "plant/#")]),
    ("retained clear", ["retained", "clear", "#"], "RETAINED_DEL",
     [("FILTER", "#")]),
    ("config set", ["config", "set", "max_inflight", "50", "memory_max=2G"],
     "CONFIG_SET", [("ITEM", [("NAME", "max_inflight"), ("VALUE", 50)]),
                    ("ITEM", [("NAME", "memory_max"), ("VALUE", 2 << 30)])]),
    ("config set, words and bases",
     ["config", "set", "a=off", "b=yes", "c=0x10", "d=010", "e=3k"],
     "CONFIG_SET", [("ITEM", [("NAME", n), ("VALUE", v)])
                    for n, v in zip("abcde", (0, 1, 16, 10, 3072))]),
    ("config set, most", ["config", "set", "a", "18446744073709551615"],
     "CONFIG_SET", [("ITEM", [("NAME", "a"), ("VALUE", 2 ** 64 - 1)])]),
    ("stop", ["stop", "--yes"], "BROKER_STOP", []),
]


@ktap.table("request", REQUESTS)
def request(name, args, command, attrs):
    run = Run(*args, env={"ASAN_OPTIONS": "exitcode=99"})
    expect(run.status, 0)
    expect(run.requests, [(N["CMD_" + command], attrs)])


@ktap.test
def identifier_that_no_message_can_hold():
    run = Run("client", "kick", "x" * 65535)
    expect(run.status, 2)
    assert "CLIENT_ID of 65535 bytes is too long" in run.err, run.err
    expect(run.requests, [])


@ktap.table("show is the default of", [
    ("listener", "LISTENER_GET"), ("client", "CLIENT_GET"),
    ("session", "SESSION_GET"), ("subscription", "SUBSCRIPTION_GET"),
    ("retained", "RETAINED_GET"), ("config", "CONFIG_GET"),
    ("acl", "ACL_GET"), ("stats", "STATS_GET")])
def default_verb(name, command):
    for verb in [], ["show"], ["list"] if name != "stats" else ["s*", "x"]:
        run = Run("-j", name, *verb)
        expect(run.requests, [(N["CMD_" + command], [])])
    expect(Run("-j", name).json(), {} if name == "stats" else [])
    expect(Run(name).raw, b"")


CLIENTS = objects(
    "CLIENT_GET",
    dict(CLIENT_ID="plc-1", USERNAME="hall 2", VERSION=5, ADDRESS=LOOPBACK,
         PORT=40000, LISTENER_ID=1, KEEP_ALIVE=60, AGE=61000, PACKETS_IN=1,
         PACKETS_OUT=2, BYTES_IN=3, BYTES_OUT=2 ** 64 - 1, DROPPED=0),
    dict(CLIENT_ID="", VERSION=3, ADDRESS=V6, PORT=1, LISTENER_ID=12,
         KEEP_ALIVE=0, AGE=999))


@ktap.test
def client_show_text():
    expect(Run("client", played=CLIENTS).out,
           'CLIENT  USER      MQTT  PEER             LISTENER  KEEPALIVE  SINCE\n'
           'plc-1   "hall 2"  5.0   127.0.0.1:40000         1         60  1m01s\n'
           '""      -         3.1   [::1]:1                12          0   0.9s\n')


@ktap.test
def client_show_statistics():
    lines = Run("-s", "client", played=CLIENTS).out.splitlines()
    assert lines[0].endswith("BYTES-OUT  DROPPED"), lines
    assert lines[1].endswith(" 1            2         3  18446744073709551615"
                             "        0"), lines


@ktap.test
def client_show_json():
    run = Run("-j", "client", played=CLIENTS,
              env={"ASAN_OPTIONS": "exitcode=99"})
    expect(run.status, 0)
    expect(run.json(), [
        dict(client_id="plc-1", username="hall 2", version="5.0",
             address="127.0.0.1", port=40000, listener_id=1, keep_alive=60,
             age_ms=61000, packets_in=1, packets_out=2, bytes_in=3,
             bytes_out=2 ** 64 - 1, dropped=0),
        dict(client_id="", version="3.1", address="::1", port=1,
             listener_id=12, keep_alive=0, age_ms=999)])
    assert run.out.count("\n") == 1 and run.out.endswith("]\n")
    pretty = Run("-jp", "client", played=CLIENTS)
    expect(pretty.json(), run.json())
    assert "\n\t\t\"client_id\": \"plc-1\",\n" in pretty.out, pretty.out


@ktap.test
def client_show_selection():
    expect([c["client_id"] for c in
            Run("-j", "client", "show", "plc-1", played=CLIENTS).json()],
           ["plc-1"])
    expect([c["client_id"] for c in
            Run("-j", "client", "show", "like", "p*", played=CLIENTS).json()],
           ["plc-1"])
    expect(len(Run("-j", "client", "show", "like", "*",
                   played=CLIENTS).json()), 2)
    run = Run("-j", "client", "show", "id", "nobody", played=CLIENTS)
    expect((run.status, run.json()), (1, []))
    assert "no client is connected as nobody" in run.err, run.err


@ktap.test
def many_rows_are_aligned_and_all_there():
    rows = [dict(CLIENT_ID="c" * (n % 30 + 1), CONNECTED=n % 2,
                 EXPIRY=[0, 30, 2 ** 32 - 1][n % 3], SUBSCRIPTIONS=n,
                 INFLIGHT=0, QUEUED=n) for n in range(1000)]
    lines = Run("session", played=objects("SESSION_GET", *rows)).out\
        .splitlines()
    expect(len(lines), 1001)
    expect({len(line) for line in lines}, {len(lines[0])})
    expect([line.split() for line in lines[1:]],
           [["c" * (n % 30 + 1), "-", "yes" if n % 2 else "no",
             ["0.0s", "30.0s", "never"][n % 3], str(n), "0", str(n)]
            for n in range(1000)])


@ktap.test
def one_long_name_does_not_move_the_columns():
    rows = objects("SESSION_GET", dict(CLIENT_ID="x" * 4096, CONNECTED=1),
                   dict(CLIENT_ID="a", CONNECTED=1))
    lines = Run("session", played=rows).out.splitlines()
    assert len(lines[0]) < 150 and len(lines[2]) < 150, lines
    assert lines[1].startswith("x" * 4096 + "  -"), lines


@ktap.test
def wide_characters_are_aligned():
    rows = objects("SESSION_GET", dict(CLIENT_ID="\u6e29\u5ea6", CONNECTED=1),
                   dict(CLIENT_ID="\u00e9\u00e9\u00e9\u00e9", CONNECTED=1))
    lines = Run("session", played=rows).out.splitlines()
    expect([line[:12] for line in lines[1:]],
           ["\u6e29\u5ea6    -     ", "\u00e9\u00e9\u00e9\u00e9    -   "])


@ktap.test
def subscription_show():
    rows = objects(
        "SUBSCRIPTION_GET",
        dict(CLIENT_ID="a", FILTER="$share/g/x/+", QOS=1, OPTIONS=0x01),
        dict(CLIENT_ID="b", FILTER="#", QOS=2, OPTIONS=0x2e,
             SUBSCRIPTION_ID=268435455))
    expect(Run("sub", played=rows).out,
           "CLIENT  QOS  OPTIONS                                   ID  FILTER\n"
           "a         1  -                                          -  $share/g/x/+\n"
           "b         2  no-local,as-published,no-retained  268435455  #\n")
    expect(Run("-j", "sub", played=rows).json(), [
        dict(client_id="a", qos=1, no_local=False, retain_as_published=False,
             retain_handling=0, filter="$share/g/x/+"),
        dict(client_id="b", qos=2, no_local=True, retain_as_published=True,
             retain_handling=2, subscription_id=268435455, filter="#")])


@ktap.test
def listener_show():
    rows = objects(
        "LISTENER_GET",
        dict(LISTENER_ID=1, ADDRESS=LOOPBACK, PORT=1883, AUTH_MODE=1,
             MAX_CONNECTIONS=0, CONNECTIONS=5),
        dict(LISTENER_ID=20, ADDRESS=V6, PORT=1884, AUTH_MODE=2,
             MAX_CONNECTIONS=10, CONNECTIONS=0))
    expect(Run("l", played=rows).out,
           "ID  ADDRESS         AUTH       CONNECTIONS  MAX\n"
           " 1  127.0.0.1:1883  open                 5    -\n"
           "20  [::1]:1884      authority            0   10\n")
    expect(Run("-j", "l", "sh", "20", played=rows).json(), [
        dict(listener_id=20, address="::1", port=1884, auth="authority",
             connections=0, max_connections=10)])
    run = Run("l", "show", "7", played=rows)
    expect((run.status, run.raw), (1, b""))
    assert "there is no listener 7" in run.err, run.err


@ktap.test
def listener_add_tells_the_number():
    rows = objects("LISTENER_NEW", dict(LISTENER_ID=9))
    run = Run("listener", "add", "127.0.0.1:1883", "auth", "open", played=rows)
    expect((run.status, run.out, run.err),
           (0, "listener 9 on 127.0.0.1:1883\n", ""))
    run = Run("-j", "listener", "add", "127.0.0.1:1883", played=rows)
    expect(run.json(), {"listener_id": 9})
    assert "kmqttctl listener set 9 auth open" in run.err, run.err


RETAINED = [
    dict(TOPIC="plant/temp", QOS=1, SIZE=4, AGE=3600000 * 25, EXPIRY=10,
         PAYLOAD=b"21.5"),
    dict(TOPIC="a", QOS=0, SIZE=2, AGE=0, PAYLOAD=b"\xff\x00"),
    dict(TOPIC="b", QOS=0, SIZE=2000, AGE=0,
         PAYLOAD=("\u00e9" * 513).encode()[1:1025]),
    dict(TOPIC="c", QOS=0, SIZE=2000, AGE=0,
         PAYLOAD=("x" * 1023 + "\u00e9").encode()[:1024]),
    dict(TOPIC="d", QOS=0, SIZE=0, AGE=0, PAYLOAD=b""),
]


@ktap.test
def retained_show_text():
    lines = Run("ret", played=objects("RETAINED_GET", *RETAINED)).out\
        .splitlines()
    expect(lines[:3], [
        "TOPIC       QOS  SIZE    AGE  EXPIRY  PAYLOAD",
        "plant/temp    1     4  1d01h   10.0s  21.5",
        "a             0     2   0.0s       -  \\xff\\x00"])
    expect(lines[4][-48:], "x" * 45 + "...")
    assert lines[5].endswith('  ""'), lines


@ktap.test
def retained_show_json():
    rows = Run("-j", "ret", played=objects("RETAINED_GET", *RETAINED)).json()
    expect(rows[0], dict(topic="plant/temp", qos=1, size=4, age_ms=90000000,
                         expiry=10, payload="21.5", payload_truncated=False))
    expect((rows[1]["payload_base64"], "payload" in rows[1]), ("/wA=", False))
    assert "payload_base64" in rows[2]
    expect((rows[3]["payload"], rows[3]["payload_truncated"]),
           ("x" * 1023, True))
    expect(rows[4]["payload"], "")


@ktap.test
def retained_clear_counts():
    rows = objects("RETAINED_DEL", dict(COUNT=12))
    expect(Run("retained", "clear", "a/#", played=rows).out, "12 cleared\n")
    expect(Run("-j", "retained", "clear", "a/#", played=rows).json(),
           {"cleared": 12})


STATS = objects("STATS_GET", dict(NAME="packets_sent", VALUE=2 ** 64 - 1,
                                  HELP="control packets to clients"),
                dict(NAME="memory_bytes", VALUE=7, HELP="in use"))


@ktap.test
def stats():
    expect(Run("stats", played=STATS).out,
           "NAME                         VALUE\n"
           "packets_sent  18446744073709551615\n"
           "memory_bytes                     7\n")
    expect(Run("-j", "stats", played=STATS).json(),
           {"packets_sent": 2 ** 64 - 1, "memory_bytes": 7})
    assert "control packets to clients" in Run("-s", "stats",
                                               played=STATS).out
    expect(Run("-j", "stats", "mem*", played=STATS).json(),
           {"memory_bytes": 7})
    run = Run("stats", "nothing", played=STATS)
    expect(run.status, 1)
    assert "no counter has a name like nothing" in run.err, run.err


CONFIG = objects("CONFIG_GET",
                 dict(NAME="max_inflight", VALUE=50, DEFAULT=20, MIN=1,
                      MAX=65535, HELP="messages a client may owe"),
                 dict(NAME="retry_max", VALUE=5, DEFAULT=5, MIN=0, MAX=100,
                      HELP="repetitions"))


@ktap.test
def config_show():
    expect(Run("config", "show", "max_inflight", played=CONFIG).out,
           "NAME          VALUE  DEFAULT  RANGE     MEANING\n"
           "max_inflight     50       20  1..65535  messages a client may owe\n")
    expect(Run("-j", "config", "show", "retry_max", played=CONFIG).json(),
           [dict(name="retry_max", value=5, default=5, min=0, max=100,
                 help="repetitions")])
    run = Run("config", "show", "max_inflihgt", played=CONFIG)
    expect(run.status, 1)
    assert "did you mean max_inflight?" in run.err, run.err
    run = Run("config", "show", "entirely_else", played=CONFIG)
    assert "kmqttctl config show" in run.err, run.err


@ktap.test
def config_set_refused():
    played = CONFIG + refuse("CONFIG_SET", 34, "out of range")
    run = Run("config", "set", "max_inflight", "0", played=played)
    expect(run.status, 1)
    assert "out of range" in run.err, run.err
    assert "max_inflight may be from 1 to 65535, not 0" in run.err, run.err
    assert "nothing was changed" in run.err, run.err
    played = CONFIG + refuse("CONFIG_SET", 2, "no such setting")
    run = Run("config", "set", "max_inflght", "1", played=played)
    expect(run.status, 1)
    assert "did you mean max_inflight?" in run.err, run.err


@ktap.test
def config_set_default():
    run = Run("config", "set", "max_inflight", "default", played=CONFIG)
    expect(run.status, 0)
    expect(run.requests[1], (N["CMD_CONFIG_SET"], [
        ("ITEM", [("NAME", "max_inflight"), ("VALUE", 20)])]))
    run = Run("config", "set", "unheard_of", "default", played=CONFIG)
    expect((run.status, len(run.requests)), (1, 1))


@ktap.test
def acl_show():
    rows = objects(
        "ACL_GET",
        dict(ITEM=dict(ACCESS=3, FILTER="a/#", USERNAME="bob", RULE_FLAGS=0)),
        dict(ITEM=dict(ACCESS=1, FILTER="c/%c", RULE_FLAGS=6)),
        dict(ITEM=dict(ACCESS=2, FILTER="x", RULE_FLAGS=1)))
    expect(Run("acl", played=rows).out,
           "WHO        USER  TYPE   ACCESS     PATTERN  FILTER\n"
           "user       bob   allow  readwrite  no       a/#\n"
           "everyone   -     allow  read       yes      c/%c\n"
           "anonymous  -     deny   write      no       x\n")
    expect(Run("-j", "acl", played=rows).json()[0],
           dict(who="user", username="bob", type="allow", access="readwrite",
                pattern=False, filter="a/#"))


EVENTS = [
    dict(EVENT_TYPE=N["EVENT_CONNECTED"], CLIENT_ID="a b", USERNAME="u",
         ADDRESS=LOOPBACK, PORT=5, LISTENER_ID=1),
    dict(EVENT_TYPE=N["EVENT_DISCONNECTED"], CLIENT_ID="x", REASON=0x8d),
    dict(EVENT_TYPE=N["EVENT_SUBSCRIBED"], CLIENT_ID="x", FILTER="a/#",
         QOS=1),
    dict(EVENT_TYPE=N["EVENT_DROPPED"], CLIENT_ID="x", DROPPED=3),
]


def events(*rows):
    return ["event " + (row if isinstance(row, str) else hexed(row))
            for row in rows]


def until_lines(count, then=signal.SIGTERM):
    """Read so many lines, then end the program by a signal."""
    def act(process):
        lines = b"".join(process.stdout.readline() for _ in range(count))
        process.send_signal(then)
        return lines
    return act


@ktap.test
def monitor_text():
    run = Run("monitor", played=events(*EVENTS), act=until_lines(4))
    expect((run.status, run.err), (0, ""))
    lines = run.out.splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 "
    assert all(re.match(stamp, line) for line in lines), lines
    expect([re.sub(stamp, "", line) for line in lines], [
        'connected client "a b" user u from 127.0.0.1:5 listener 1',
        "disconnected client x reason 0x8d (keep-alive-timeout)",
        "subscribed client x qos 1 filter a/#",
        "dropped client x dropped 3"])


@ktap.test
def monitor_json():
    run = Run("-jp", "monitor", played=events(*EVENTS),
              act=until_lines(4, signal.SIGINT),
              env={"ASAN_OPTIONS": "exitcode=99"})
    expect(run.status, 0)
    rows = [json.loads(line) for line in run.out.splitlines()]
    for row in rows:
        row.pop("time")
    expect(rows, [
        dict(event="connected", client_id="a b", username="u",
             address="127.0.0.1", port=5, listener_id=1),
        dict(event="disconnected", client_id="x", reason=0x8d,
             reason_name="keep-alive-timeout"),
        dict(event="subscribed", client_id="x", filter="a/#", qos=1),
        dict(event="dropped", client_id="x", dropped=3)])


@ktap.test
def monitor_selection():
    run = Run("monitor", "sub", "disc", played=events(*EVENTS),
              act=until_lines(2))
    expect([line.split()[1] for line in run.out.splitlines()],
           ["disconnected", "subscribed"])


@ktap.test
def monitor_tells_of_losses_and_goes_on():
    run = Run("-j", "monitor", played=events(EVENTS[3], "lost", EVENTS[3]),
              act=until_lines(3))
    expect([json.loads(line)["event"] for line in run.out.splitlines()],
           ["dropped", "lost", "dropped"])


@ktap.test
def monitor_of_an_unknown_event():
    row = dict(EVENT_TYPE=250, CLIENT_ID="x")
    run = Run("monitor", played=events(row), act=until_lines(1))
    assert run.out.endswith(" unknown client x\n"), run.out


@ktap.test
def monitor_ends_when_its_reader_does():
    def close_output(process):
        process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        return b""

    run = Run("monitor", played=events(EVENTS[1]), act=close_output)
    expect((run.status, run.err), (0, ""))


@ktap.test
def module_that_is_not_there():
    run = Run("client", played=["open 2 load the module"])
    expect((run.status, run.raw), (3, b""))
    expect(run.err, "kmqttctl: client show: load the module\n")


@ktap.table("refusal", [
    ("in use", "LISTENER_NEW", ["listener", "add", "127.0.0.1:1883"], 98, 1),
    ("no permission", "CLIENT_DEL", ["client", "kick", "x"], 1, 3),
    ("unknown client", "CLIENT_DEL", ["client", "kick", "x"], 2, 1),
    ("no answer", "BROKER_STOP", ["stop", "--yes"], 110, 3),
    ("bad filter", "RETAINED_GET", ["retained", "show", "a#"], 22, 1)])
def refusal(name, command, args, number, status):
    run = Run(*args, played=refuse(command, number, "the kernel's own words"))
    expect((run.status, run.raw), (status, b""))
    assert run.err.endswith(": the kernel's own words\n"), run.err


@ktap.test
def refused_table_is_still_json():
    run = Run("-j", "retained", "show", "a#",
              played=refuse("RETAINED_GET", 22, "no"))
    expect((run.status, run.json()), (1, []))


@ktap.test
def table_that_changed_is_told():
    run = Run("client", env={"KMQTT_FAKE_CHANGED": "1"})
    expect(run.status, 0)
    assert "changed while it was read" in run.err, run.err


@ktap.test
def output_that_cannot_be_written():
    with open("/dev/full", "wb") as full:
        run = Run("client", played=CLIENTS, stdout=full)
    expect(run.status, 3)
    assert "No space left" in run.err, run.err


@ktap.test
def reader_that_has_seen_enough():
    rows = objects("CLIENT_GET",
                   *[dict(CLIENT_ID=f"{n:050}") for n in range(5000)])

    def read_one(process):
        line = process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        return line

    run = Run("client", played=rows, act=read_one)
    expect((run.status, run.err), (0, ""))


def obeyed(text):
    """Code points that a terminal would obey."""
    return [c for c in text if c != "\n" and
            (ord(c) < 32 or 127 <= ord(c) < 160 or
             c in "\u061c\u200e\u200f\u2028\u2029\ufeff" or
             "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069")]


def any_string(rng):
    pools = ["abc /+#", "\x01\x1b\x7f\n\t\r\"\\", "\x80\x9b\u00e9\u0416",
             "\u202e\u2066\u200e\ufeff\u2028", "\U0001f600\U000e0041\u6e29"]
    return "".join(rng.choice(rng.choice(pools))
                   for _ in range(rng.randrange(40)))


@ktap.test
def nothing_reaches_the_terminal_raw():
    rng = random.Random(2)
    rows = [dict(CLIENT_ID=any_string(rng), USERNAME=any_string(rng),
                 VERSION=4) for _ in range(3000)]
    played = objects("CLIENT_GET", *rows)
    run = Run("client", played=played, env={"ASAN_OPTIONS": "exitcode=99"})
    expect(run.status, 0)
    expect(obeyed(run.out), [])
    expect(len(run.out.splitlines()), 3001)
    run = Run("-j", "client", played=played)
    expect(obeyed(run.out), [])
    expect([(c["client_id"], c["username"]) for c in run.json()],
           [(r["CLIENT_ID"], r["USERNAME"]) for r in rows])


@ktap.test
def bytes_that_are_no_text_are_shown():
    rng = random.Random(3)
    rows = [dict(TOPIC="t", SIZE=2000, PAYLOAD=rng.randbytes(rng.randrange(9)))
            for _ in range(3000)]
    played = objects("RETAINED_GET", *rows)
    run = Run("retained", played=played, env={"ASAN_OPTIONS": "exitcode=99"})
    expect((run.status, obeyed(run.out)), (0, []))
    expect(len(run.out.splitlines()), 3001)
    expect(len(Run("-j", "retained", played=played).json()), 3000)


NOT_UTF8 = [
    ("overlong of 2", b"\xc0\xaf"), ("overlong of 3", b"\xe0\x80\xaf"),
    ("overlong of 4", b"\xf0\x80\x80\xaf"), ("surrogate", b"\xed\xa0\x80"),
    ("beyond U+10FFFF", b"\xf4\x90\x80\x80"), ("cut short", b"\xe6\xb8"),
    ("continuation alone", b"\x80"), ("C1 control as a byte", b"\x9b"),
    ("first byte too large", b"\xf8\x88\x80\x80\x80")]


@ktap.table("no UTF-8", NOT_UTF8)
def not_utf8(name, data):
    played = objects("RETAINED_GET",
                     dict(TOPIC="t", SIZE=len(data), PAYLOAD=data))
    shown = "".join(f"\\x{byte:02x}" for byte in data)
    expect(Run("retained", played=played).out.splitlines()[1].split()[-1],
           shown)
    row, = Run("-j", "retained", played=played).json()
    expect(base64.b64decode(row["payload_base64"]), data)
    assert "payload" not in row, row


@ktap.test
def shown_names_can_be_pasted_into_a_shell():
    name = "a\\b\x1b[0m\n\u202e"
    played = objects("CLIENT_GET", dict(CLIENT_ID=name))
    shown = Run("client", played=played).out.splitlines()[1].split()[0]
    back = subprocess.run(["bash", "-c", f"printf %s $'{shown}'"],
                          stdout=subprocess.PIPE, check=True,
                          env=dict(os.environ, LC_ALL="C.UTF-8")).stdout
    expect(back.decode(), name)


def offered_words():
    """Objects and commands, from the program's own help."""
    words = {}
    for line in Run("help").out.splitlines():
        match = re.match(r"  ([a-z]+)  ", line)
        if match:
            words[match[1]] = re.findall(
                rf"^  kmqttctl {match[1]} ([a-z]+)",
                Run(match[1], "help").out, flags=re.M)
    assert len(words) == 10 and "kick" in words["client"], words
    return words


def source(name):
    """A file of the source tree, which is not there once installed."""
    if INSTALLED.exists():
        raise ktap.Skip("this is not the source tree")
    return TOP / name


@ktap.test
def manual_has_every_command():
    text = source("user/man/kmqttctl.8").read_text()
    text = re.sub(r"\\f.|\\", "", text)
    for name, verbs in offered_words().items():
        for verb in verbs or [""]:
            assert f"{name} {verb}".strip() in re.sub(r'"? "', " ", text), \
                (name, verb)


@ktap.test
def completion_has_every_command():
    script = source("user/completion/kmqttctl")

    def complete(*words):
        return subprocess.run(
            ["bash", "-c", 'source "$1"; shift; COMP_WORDS=("$@"); '
             'COMP_CWORD=$(($# - 1)); _kmqttctl; '
             'printf "%s\\n" "${COMPREPLY[@]}"', "bash", str(script), *words],
            stdout=subprocess.PIPE, text=True, check=True,
            env=dict(os.environ, PATH="/bin:/usr/bin")).stdout.split()

    words = offered_words()
    expect(set(complete("kmqttctl", "")) - {"help"}, set(words))
    for name, verbs in words.items():
        if verbs and name != "stats":
            expect(set(complete("kmqttctl", "-j", name, "")) - {"help"},
                   set(verbs))
    expect(complete("kmqttctl", "listener", "add", "1.2.3.4:1", "auth", "o"),
           ["open"])
    expect(complete("kmqttctl", "monitor", "listener-a"), ["listener-added"])


if __name__ == "__main__":
    ktap.main(None if os.access(PROGRAM, os.X_OK) else
              f'{PROGRAM} is not built; say "make" in selftests/ctl')
