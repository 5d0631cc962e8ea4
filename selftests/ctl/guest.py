#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""kmqttctl against the module, without the daemon.

Run as root, in a machine of its own: all that the broker holds is dropped.
KMQTTCTL names the program (user/build/kmqttctl), KMQTT_MODULE kmqtt.ko, which
is loaded for the tests and unloaded after them."""
# broker: none

import atexit
import json
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import ktap
from ktap import LIMIT, eventually

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("KMQTTCTL") or str(TOP / "user/build/kmqttctl")
PORT = 18830


def expect(value, wanted):
    assert value == wanted, f"\nis     {value!r}\nwanted {wanted!r}"


def ctl(*args, status=0, **options):
    """Run the program; its status must be as told. Return (out, err)."""
    program = ktap.for_anybody(PROGRAM) if "user" in options else PROGRAM
    done = subprocess.run([program, *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=LIMIT, check=False, **options)
    assert done.returncode == status, \
        f"kmqttctl {' '.join(args)}: {done.returncode}, not {status}: " + \
        done.stderr
    return done.stdout, done.stderr


def ask(*args):
    return json.loads(ctl("-j", *args)[0])


def text(s):
    s = s.encode()
    return struct.pack("!H", len(s)) + s


class Client:
    """Just enough of MQTT 3.1.1 and 5.0 to be seen by the broker."""

    def __init__(self, name, version=4, clean=True, expiry=0, port=PORT,
                 host="127.0.0.1", user=None):
        self.sock = socket.create_connection((host, port), timeout=LIMIT)
        self.version, self.buffer = version, b""
        flags = (2 if clean else 0) | (0x80 if user is not None else 0)
        body = text("MQTT") + bytes([version, flags]) + b"\0\x3c"
        if version == 5:
            body += b"\x05\x11" + struct.pack("!I", expiry)
        body += text(name) + (text(user) if user is not None else b"")
        self.send(0x10, body)
        kind, body = self.receive()
        expect(kind, 0x20)
        self.reason = body[1]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.sock.close()

    def send(self, kind, body):
        size, rest = b"", len(body)
        while True:
            rest, digit = rest >> 7, rest & 0x7f
            size += bytes([digit | (0x80 if rest else 0)])
            if not rest:
                break
        self.sock.sendall(bytes([kind]) + size + body)

    def bytes(self, count):
        while len(self.buffer) < count:
            more = self.sock.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def receive(self):
        kind, size, shift = self.bytes(1)[0], 0, 0
        while True:
            digit = self.bytes(1)[0]
            size |= (digit & 0x7f) << shift
            shift += 7
            if not digit & 0x80:
                return kind, self.bytes(size)

    def subscribe(self, pattern, options=0, identifier=None):
        properties = b""
        if self.version == 5:
            properties = b"\0" if identifier is None else \
                bytes([2, 0x0b, identifier])
        self.send(0x82, b"\0\1" + properties + text(pattern) +
                  bytes([options]))
        kind, body = self.receive()
        expect((kind, body[:2]), (0x90, b"\0\1"))
        return body[-1]

    def publish(self, topic, payload, retain=False):
        """At QoS 1, so that the broker has it when this returns."""
        self.send(0x33 if retain else 0x32, text(topic) + b"\0\1" +
                  (b"\0" if self.version == 5 else b"") + payload)
        kind, body = self.receive()
        expect((kind, body[:2]), (0x40, b"\0\1"))

    def leave(self):
        self.send(0xe0, b"")
        self.sock.close()

    def ended(self):
        """Return the reason of the broker's DISCONNECT, None if it closed
        without one."""
        reason = None
        try:
            while True:
                kind, body = self.receive()
                if kind == 0xe0:
                    reason = body[0] if body else 0
        except (EOFError, ConnectionResetError):
            return reason


class Broker:
    """A listener for one test; everything is dropped after it."""

    def __init__(self, *options):
        self.options = options or ("auth", "open")

    def __enter__(self):
        ctl("stop", "--yes")
        self.listener = ask("listener", "add", f"127.0.0.1:{PORT}",
                            *self.options)["listener_id"]
        return self

    def __exit__(self, *error):
        ctl("stop", "--yes")


def client_ids():
    return {client["client_id"] for client in ask("client")}


@ktap.test
def listeners_come_and_go():
    with Broker() as broker:
        before = ask("listener")
        expect([(l["address"], l["port"], l["auth"], l["connections"],
                 l["max_connections"]) for l in before],
               [("127.0.0.1", PORT, "open", 0, 0)])
        out, _ = ctl("listener", "add", f"[::1]:{PORT}", "auth", "authority",
                     "max-connections", "3")
        number = int(out.split()[1])
        assert number != broker.listener
        expect([(l["address"], l["auth"], l["max_connections"])
                for l in ask("listener", "show", str(number))],
               [("::1", "authority", 3)])
        ctl("listener", "set", str(number), "max-connections", "0")
        expect([(l["auth"], l["max_connections"])
                for l in ask("listener", "show", str(number))],
               [("authority", 0)])
        ctl("listener", "del", f"[::1]:{PORT}")
        expect(ask("listener"), before)
        _, err = ctl("listener", "del", str(number), status=1)
        assert len(err) > 30, err
        ctl("listener", "show", str(number), status=1)


@ktap.table("listener that cannot be", [
    ("there already", f"127.0.0.1:{PORT}"),
    ("address of another machine", "192.0.2.1:1883"),
    ("address of another machine, IPv6", "[2001:db8::1]:1883")])
def impossible_listener(name, address):
    with Broker():
        before = ask("listener")
        _, err = ctl("listener", "add", address, "auth", "open", status=1)
        assert err.startswith("kmqttctl: listener add: "), err
        expect(err.count("\n"), 1)
        expect(ask("listener"), before)


@ktap.test
def listener_of_a_port_that_is_taken():
    with Broker(), socket.create_server(("127.0.0.1", PORT + 1)):
        ctl("listener", "add", f"127.0.0.1:{PORT + 1}", status=1)
        expect(len(ask("listener")), 1)


@ktap.test
def listener_of_a_path():
    """A file that nobody serves makes room for it, any other stays; and as
    long as the kernel says no, each does."""
    with Broker(), tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "socket")
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(str(path))
        dead.close()
        file = path.stat().st_ino
        os.chmod(folder, 0o777)
        ctl("listener", "add", str(path), status=3, user=65534, group=65534,
            extra_groups=[])
        expect(path.stat().st_ino, file)
        ctl("listener", "add", str(path), "auth", "open")
        assert path.is_socket()
        before = ask("listener")
        _, err = ctl("listener", "add", str(path), status=1)
        expect(err.count("\n"), 1)
        expect(ask("listener"), before)
        ctl("listener", "del", str(path))
        assert not path.exists()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            other.listen()
            ctl("listener", "add", str(path), status=1)
            assert path.exists()
        path.unlink()
        path.write_text("mine")
        _, err = ctl("listener", "add", str(path), status=1)
        assert "there is a file of this name" in err, err
        expect(path.read_text(), "mine")


@ktap.test
def listener_refuses_until_it_is_opened():
    with Broker("max-connections", "5") as broker:
        with Client("a") as client:
            expect(client.reason, 5)
        with Client("a", 5) as client:
            expect(client.reason, 0x87)
        ctl("listener", "set", str(broker.listener), "auth", "open")
        with Client("a", 5) as client:
            expect(client.reason, 0)
            expect(ask("listener")[0]["connections"], 1)


@ktap.test
def listener_del_ends_its_connections():
    with Broker() as broker, Client("a", 5) as client:
        ctl("listener", "del", str(broker.listener))
        expect(client.ended(), 0x8b)
        expect(ask("client"), [])


@ktap.test
def clients_are_shown():
    with Broker() as broker, Client("four") as four, \
            Client("five", 5, user="bob") as five:
        expect((four.reason, five.reason), (0, 0))
        five.subscribe("a", 1)
        rows = {row["client_id"]: row for row in ask("client")}
        expect(set(rows), {"four", "five"})
        expect((rows["four"]["version"], rows["five"]["version"]),
               ("3.1.1", "5.0"))
        row = rows["five"]
        expect((row["username"], row["address"], row["port"]),
               ("bob", *five.sock.getsockname()))
        assert "username" not in rows["four"], rows["four"]
        expect((row["listener_id"], row["keep_alive"]), (broker.listener, 60))
        expect((row["packets_in"], row["packets_out"], row["dropped"]),
               (2, 2, 0))
        assert row["bytes_in"] > 20 and row["bytes_out"] > 8, row
        assert row["age_ms"] < LIMIT * 1000, row
        expect([c["client_id"] for c in ask("client", "show", "four")],
               ["four"])
        expect([c["client_id"] for c in ask("client", "show", "like", "f?v*")],
               ["five"])
        ctl("client", "show", "nobody", status=1)


@ktap.test
def many_clients_are_all_shown():
    names = {f"client-{n}-" + "x" * (n % 60) for n in range(300)}
    with Broker():
        clients = [Client(name) for name in names]
        try:
            expect(client_ids(), names)
            expect(len(ctl("client")[0].splitlines()), 301)
            expect({row["client_id"] for row in ask("session")}, names)
        finally:
            for client in clients:
                client.sock.close()


@ktap.test
def odd_names_are_escaped():
    name = "a b\"\\\u00e9\u202e"
    with Broker(), Client(name) as client:
        expect(client.reason, 0)
        expect(client_ids(), {name})
        line = ctl("client")[0].splitlines()[1]
        assert line.startswith('"a b\\"\\\\\u00e9\\u202e"  '), line
        ctl("client", "kick", name)
        expect(client.ended(), None)


@ktap.table("kick", [
    ("plain", [], 0x98), ("by code", ["reason", "0x89"], 0x89),
    ("by name", ["reason", "use-another-server"], 0x9c)])
def kick(name, args, reason):
    with Broker(), Client("victim", 5, expiry=1000) as victim, \
            Client("other") as other:
        ctl("client", "kick", "victim", *args)
        expect(victim.ended(), reason)
        expect(client_ids(), {"other"})
        expect({row["client_id"]: row["connected"] for row in ask("session")},
               {"victim": False, "other": True})
        other.publish("still", b"here")
        _, err = ctl("client", "kick", "victim", status=1)
        expect(err.count("\n"), 1)


@ktap.test
def sessions_are_shown_and_dropped():
    with Broker():
        with Client("sleeper", 5, clean=False, expiry=500) as sleeper:
            sleeper.subscribe("s/#", 1)
            sleeper.leave()
        with Client("awake") as awake:
            eventually(lambda: client_ids() == {"awake"})
            awake.publish("s/1", b"one")
            awake.publish("s/2", b"two")
            row, = ask("session", "show", "sleeper")
            expect((row["connected"], row["subscriptions"], row["queued"]),
                   (False, 1, 2))
            assert 0 < row["expiry"] <= 500, row
            assert row["queued_bytes"] > 0, row
            ctl("session", "drop", "sleeper")
            expect({row["client_id"] for row in ask("session")}, {"awake"})
            expect(ask("subscription"), [])
            ctl("session", "drop", "sleeper", status=1)
            ctl("session", "drop", "awake")
            awake.ended()
            expect(ask("session"), [])
            expect(ask("client"), [])


@ktap.test
def subscriptions_are_shown():
    with Broker(), Client("a", 5) as a, Client("b") as b:
        a.subscribe("x/+", 0x2e, identifier=7)
        b.subscribe("#", 1)
        b.subscribe("$share/group/y", 2)
        rows = sorted(ask("subscription"), key=lambda row: row["filter"])
        expect(rows, [
            dict(client_id="b", qos=1, no_local=False,
                 retain_as_published=False, retain_handling=0, filter="#"),
            dict(client_id="b", qos=2, no_local=False,
                 retain_as_published=False, retain_handling=0,
                 filter="$share/group/y"),
            dict(client_id="a", qos=2, no_local=True,
                 retain_as_published=True, retain_handling=2,
                 subscription_id=7, filter="x/+")])
        expect(len(ask("subscription", "show", "b")), 2)
        expect(ask("subscription", "show", "like", "a*"), [rows[2]])


@ktap.test
def retained_messages_are_shown_and_cleared():
    with Broker(), Client("a") as a:
        a.publish("plant/1", b"21.5", retain=True)
        a.publish("plant/2", b"\xff" * 2000, retain=True)
        a.publish("other", b"x", retain=True)
        a.publish("not", b"x")
        rows = {row["topic"]: row for row in ask("retained")}
        expect(set(rows), {"plant/1", "plant/2", "other"})
        expect((rows["plant/1"]["payload"], rows["plant/1"]["size"],
                rows["plant/1"]["qos"]), ("21.5", 4, 1))
        expect((rows["plant/2"]["size"], rows["plant/2"]["payload_truncated"]),
               (2000, True))
        expect({row["topic"] for row in ask("retained", "show", "plant/+")},
               {"plant/1", "plant/2"})
        ctl("retained", "show", "plant/#/x", status=1)
        ctl("retained", "clear", "plant#", status=1)
        expect(ask("retained", "clear", "plant/#"), {"cleared": 2})
        expect([row["topic"] for row in ask("retained")], ["other"])
        expect(ask("retained", "clear", "#"), {"cleared": 1})
        expect(ask("retained", "clear", "#"), {"cleared": 0})


def value(name):
    row, = ask("config", "show", name)
    return row["value"]


@ktap.test
def settings_are_shown_and_changed():
    with Broker():
        rows = {row["name"]: row for row in ask("config")}
        for name in "max_connections", "max_inflight", "max_packet_size", \
                "auth_timeout", "memory_max":
            assert name in rows, name
        for row in rows.values():
            assert row["min"] <= row["default"] <= row["max"], row
            expect(row["value"], row["default"])
            assert len(row["help"]) > 5, row
        ctl("config", "set", "max_inflight", "50", "retry_max=7")
        expect((value("max_inflight"), value("retry_max")), (50, 7))
        ctl("config", "set", "max_inflight", "default")
        expect(value("max_inflight"), rows["max_inflight"]["default"])
        expect(value("retry_max"), 7)


@ktap.test
def settings_change_all_or_none():
    with Broker():
        before = ask("config")
        _, err = ctl("config", "set", "max_inflight", "50", "retry_max", "9",
                     "max_topic_levels", "0", status=1)
        assert "max_topic_levels may be from 1 to 65535, not 0" in err, err
        expect(ask("config"), before)
        _, err = ctl("config", "set", "max_inflight", "50", "retry_mx", "1",
                     status=1)
        assert "did you mean retry_max?" in err, err
        expect(ask("config"), before)


@ktap.test
def counters_count():
    with Broker(), Client("a") as a:
        before = ask("stats")
        assert len(before) > 20, before
        for _ in range(5):
            a.publish("x", b"x")
        after = ask("stats")
        expect(set(after), set(before))
        expect(after["publish_received"] - before["publish_received"], 5)
        expect((after["connections"], after["sessions"], after["listeners"]),
               (1, 1, 1))
        lines = ctl("stats", "publish_*")[0].splitlines()
        assert len(lines) > 2 and lines[0].split() == ["NAME", "VALUE"], lines
        assert "messages from clients" in ctl("-s", "stats")[0]


@ktap.test
def no_rules_at_the_start():
    with Broker():
        expect(ask("acl"), [])


class Monitor:
    """kmqttctl -j monitor, running."""

    def __init__(self, *args):
        self.process = subprocess.Popen(
            [PROGRAM, "-j", "monitor", *args], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.buffer, self.seen = b"", []

    def __enter__(self):
        # a listener's coming is seen once the program listens
        probe = f"127.0.0.1:{PORT + 9}"
        end = time.monotonic() + LIMIT
        while not self.read(0.2):
            assert time.monotonic() < end, "no event arrives"
            ctl("listener", "add", probe)
            ctl("listener", "del", probe)
        while self.read(0.2):
            pass
        self.seen.clear()
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()

    def read(self, seconds):
        """Take an event, or None if none comes."""
        while b"\n" not in self.buffer:
            if not select.select([self.process.stdout], [], [], seconds)[0]:
                return None
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                return None
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        self.seen.append(json.loads(line))
        return self.seen[-1]

    def wait(self, **wanted):
        """Take events until one has these values."""
        while True:
            event = self.read(LIMIT)
            assert event, f"no event {wanted}; there were {self.seen}"
            if all(event.get(key) == wanted[key] for key in wanted):
                return event

    def end(self, how):
        self.process.send_signal(how)
        return self.process.wait(LIMIT)


@ktap.test
def monitor_sees_clients():
    with Broker() as broker, Monitor() as monitor:
        with Client("seen", 5, user="bob") as client:
            event = monitor.wait(event="connected", client_id="seen")
            expect((event["username"], event["port"], event["listener_id"]),
                   ("bob", client.sock.getsockname()[1], broker.listener))
            client.subscribe("a/#", 1)
            monitor.wait(event="subscribed", client_id="seen", filter="a/#",
                         qos=1)
            client.leave()
        monitor.wait(event="disconnected", client_id="seen", reason=0)
        with Client("twice", 5) as one, Client("twice", 5):
            monitor.wait(event="taken-over", client_id="twice")
            expect(one.ended(), 0x8e)
            ctl("client", "kick", "twice")
            monitor.wait(event="disconnected", client_id="twice", reason=0x98,
                         reason_name="administrative-action")
        ctl("listener", "set", str(broker.listener), "auth", "refuse")
        with Client("unwanted"):
            monitor.wait(event="refused", client_id="unwanted", reason=0x87)
        ctl("listener", "del", str(broker.listener))
        monitor.wait(event="listener-removed", listener_id=broker.listener)
        expect(monitor.end(signal.SIGTERM), 0)


@ktap.test
def monitor_ends_by_interrupt():
    with Broker(), Monitor() as monitor:
        expect(monitor.end(signal.SIGINT), 0)


@ktap.test
def unprivileged_user_is_refused():
    with Broker():
        for args in (["client"], ["stats"], ["client", "kick", "x"],
                     ["config", "set", "retry_max", "1"], ["stop", "--yes"],
                     ["listener", "add", "127.0.0.1:1"]):
            _, err = ctl(*args, status=3, user=65534, group=65534,
                         extra_groups=[])
            assert "root" in err or "CAP_NET_ADMIN" in err, err
        expect(len(ask("listener")), 1)


@ktap.test
def namespaces_are_separate():
    with Broker(), Client("here"):
        with subprocess.Popen(["unshare", "-n", "sleep", "1000"]) as other:
            try:
                ours = os.readlink("/proc/self/ns/net")
                path = f"/proc/{other.pid}/ns/net"
                eventually(lambda: os.readlink(path) != ours)
                expect(ask("-n", path, "client"), [])
                expect(ask("-n", path, "listener"), [])
                ctl("-n", path, "listener", "add", f"0.0.0.0:{PORT}")
                ctl("-n", path, "client", "kick", "here", status=1)
                ctl("-n", path, "stop", "--yes")
                expect(client_ids(), {"here"})
                expect(len(ask("listener")), 1)
            finally:
                other.kill()


@ktap.test
def stop_leaves_nothing():
    with Broker(), Client("a", 5, expiry=100) as a:
        a.subscribe("x", 1)
        a.publish("r", b"x", retain=True)
        ctl("config", "set", "max_inflight", "50")
        ctl("stop", status=2)
        expect(client_ids(), {"a"})
        expect(ctl("stop", "--yes")[0], "stopped\n")
        expect(a.ended(), 0x8b)
        for what in "listener", "client", "session", "subscription", \
                "retained", "acl":
            expect((what, ask(what)), (what, []))
        assert all(row["value"] == row["default"] for row in ask("config"))


@ktap.test
def unloading_is_noticed():
    module = os.environ.get("KMQTT_MODULE")
    if not module:
        raise ktap.Skip("KMQTT_MODULE does not name kmqtt.ko")
    with Broker(), Monitor() as monitor:
        ctl("stop", "--yes")
        subprocess.run(["rmmod", "kmqtt"], check=True)
        try:
            _, err = ctl("client", status=3)
            assert "insmod" in err or "modprobe" in err, err
            expect(monitor.process.wait(LIMIT), 3)
            assert b"unloaded" in monitor.process.stderr.read()
        finally:
            subprocess.run(["insmod", module], check=True)


def why_not():
    if not os.access(PROGRAM, os.X_OK):
        return f"{PROGRAM} is not built"
    if os.geteuid():
        return "not root"
    if not os.path.exists("/sys/module/kmqtt"):
        if not os.environ.get("KMQTT_MODULE"):
            return "kmqtt is not loaded and KMQTT_MODULE does not name it"
        subprocess.run(["insmod", os.environ["KMQTT_MODULE"]], check=True)
        atexit.register(subprocess.run, ["rmmod", "kmqtt"], check=True)
    return None


if __name__ == "__main__":
    ktap.main(why_not())
