#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""kmqttd with the module: what it does to the kernel, to clients, and when
something is wrong.

Run as root, in a machine of its own. KMQTTD and KMQTTCTL name the programs
(user/build/...), KMQTT_MODULE kmqtt.ko, which is loaded for the tests and
unloaded after them."""
# broker: none

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading

sys.dont_write_bytecode = True

from serving import (CONF, DIR, KMQTTD, LIMIT, MODULE, PASSWORDS, REFUSED,
                     RELOADED, SERVES, Client, Daemon, alive, ask, client, ctl,
                     eventually, fails, main, module_in, no_listener,
                     nothing_left, question_waits, refused, setting, test,
                     users_conf)
from ktap import for_anybody
from mqttlib import Closed
import wire

# Starting

@test
def default_is_loopback():
    with Daemon():
        client().disconnect()
        client(host="::1").disconnect()
        assert no_listener(1883, "127.0.0.2")


@test
def option_p():
    with Daemon("", "-p", "2001", "-p", "2002"):
        client(2001).disconnect()
        client(2002, host="::1").disconnect()
        assert no_listener(1883)


@test
def option_p_beside_listener():
    with Daemon("listener 1883\n", "-p", "2001"):
        client(2001).disconnect()
        refused(0x87)


@test
def option_p_obeys_the_file():
    with Daemon("allow_anonymous false\n", "-p", "2001"):
        refused(0x87, 2001)


@test
def all_addresses():
    with Daemon("listener 1883\nallow_anonymous true\n"):
        client(host="127.0.0.2").disconnect()
        client(host="::1").disconnect()


@test
def limit_of_connections():
    with Daemon("listener 1883\nmax_connections 1\nallow_anonymous true\n"):
        one = client()
        try:
            Client().open(reason=0x97)
        except (Closed, ConnectionError):
            pass
        alive(one)
        one.disconnect()


@test
def without_ipv6():
    switch = pathlib.Path("/proc/sys/net/ipv6/conf/all/disable_ipv6")
    switch.write_text("1")
    try:
        with Daemon() as d:
            assert "not listening on ::1 port 1883" in d.log()
            client().disconnect()
        fails("\nlistener 1883 ::1\n",
              f"{CONF}:2: cannot listen on ::1 port 1883: ")
        nothing_left()
    finally:
        switch.write_text("0")


@test
def settings_arrive():
    with Daemon("max_inflight_messages 7\nmax_queued_bytes 12345\n"
                "persistent_client_expiration 2h\nretain_available false\n"
                "max_packet_size 0\nmax_topic_alias 3\n"):
        assert setting("max_inflight") == 7
        assert setting("receive_maximum") == 7
        assert setting("max_queued_bytes") == 12345
        assert setting("session_expiry_max") == 7200
        assert setting("max_packet_size") == 268435460
        assert setting("topic_alias_out_max") == 3


@test
def setting_out_of_range():
    fails("\nmax_packet_size 20\n", f"{CONF}:2: max_packet_size comes to 20",
          "128 to 268435460")
    nothing_left()


@test
def address_of_another_machine():
    fails("allow_anonymous true\nlistener 2000\nlistener 1883 192.0.2.1\n",
          f"{CONF}:3: cannot listen on 192.0.2.1 port 1883: ")
    nothing_left()


@test
def port_in_use():
    with socket.create_server(("127.0.0.1", 2000)):
        fails("max_keepalive 77\nlistener 1883\nlistener 2000 127.0.0.1\n",
              f"{CONF}:3: cannot listen on 127.0.0.1 port 2000: ")
    nothing_left()
    assert setting("max_keepalive") == 65535


@test
def mistakes_are_all_named():
    fails("listner 1\nlog_type x\ncafile /c\n", f"{CONF}:1: ",
          'did you mean "listener"', f"{CONF}:2: ", f"{CONF}:3: cafile")
    nothing_left()


@test
def missing_files():
    fails("\npassword_file /nowhere\nacl_file /there\n",
          f"{CONF}:2: cannot read /nowhere", f"{CONF}:3: cannot read /there")


@test
def only_one_daemon():
    with Daemon("pid_file /tmp/kmqttd.pid\n"):
        fails("listener 2000\npid_file /tmp/kmqttd.pid\n",
              "another kmqttd is running")
        client().disconnect()
        assert no_listener(2000)
        assert os.path.exists("/tmp/kmqttd.pid")


@test
def not_root():
    os.chmod(DIR, 0o755)
    fails("", "CAP_NET_ADMIN", program=for_anybody(KMQTTD),
          preexec_fn=lambda: (os.setgid(65534), os.setuid(65534)))


@test
def pid_file():
    with Daemon("pid_file /tmp/kmqttd.pid\n") as d:
        assert int(open("/tmp/kmqttd.pid").read()) == d.proc.pid
    assert not os.path.exists("/tmp/kmqttd.pid")


@test
def pid_file_impossible():
    fails("\npid_file /nowhere/pid\n", f"{CONF}:2: cannot write /nowhere/pid")
    nothing_left()


@test
def notifies_service_manager():
    path = str(DIR / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(LIMIT)
        with Daemon("", env={**os.environ, "NOTIFY_SOCKET": path}) as d:
            assert s.recv(100) == b"READY=1"
            d.reload()
            assert s.recv(100) == b"RELOADING=1"
            assert s.recv(100) == b"READY=1"
        assert s.recv(100) == b"STOPPING=1"


@test
def user_changes():
    os.chmod(DIR, 0o755)
    with Daemon("user nobody\n") as d:
        status = open(f"/proc/{d.proc.pid}/status").read()
        assert "Uid:\t65534\t65534\t65534\t65534\n" in status
        # CAP_NET_BIND_SERVICE (10) and CAP_NET_ADMIN (12)
        assert "CapEff:\t0000000000001400\n" in status, status
        assert "CapPrm:\t0000000000001400\n" in status
        d.reload("user nobody\nlistener 883\nallow_anonymous true\n")
        client(883).disconnect()


@test
def user_unknown():
    fails("user nosuchuser\n", f'{CONF}:1: there is no user "nosuchuser"')


@test
def loads_the_module():
    folder = f"/lib/modules/{os.uname().release}/updates"
    subprocess.run(["rmmod", "kmqtt"], check=True)
    try:
        fails("", "module kmqtt is not loaded")
        os.makedirs(folder, exist_ok=True)
        shutil.copy(MODULE, f"{folder}/kmqtt.ko")
        with Daemon() as d:
            assert "module kmqtt loaded from" in d.log()
            client().disconnect()
    finally:
        if os.path.exists(f"{folder}/kmqtt.ko"):
            os.unlink(f"{folder}/kmqtt.ko")
        module_in()


# Who may connect

@test
def anonymous_refused():
    with Daemon("listener 1883\n") as d:
        refused(0x87)
        refused(5, ver=4)
        refused(5, ver=3, client_id="a")
        refused(0x87, username="alice", password="wonderland")
        d.await_line("gave no user name")
        d.await_line("no password_file")


@test
def passwords():
    with Daemon(users_conf()) as d:
        for ver, bad in ((5, 0x86), (4, 4), (3, 4)):
            for name, word in (("alice", "wonderland"), ("bob", "builder")):
                client(ver=ver, client_id="c", username=name,
                       password=word).disconnect()
                refused(bad, ver=ver, client_id="c", username=name,
                        password=word + "x")
            refused(bad, ver=ver, client_id="c", username="eve",
                    password="builder")
            refused(bad, ver=ver, client_id="c", username="alice")
        refused(0x87)
        refused(0x86, username="alice", password=b"x" * 60000)
        refused(0x86, username="x" * 60000, password="builder")
        refused(0x86, username="", password="builder")
        d.await_line("refused: bad user name or password")


@test
def anonymous_beside_users():
    with Daemon(users_conf("allow_anonymous true")):
        client().disconnect()
        client(username="bob", password="builder").disconnect()
        refused(0x86, username="bob", password="x")


@test
def names_unchecked_without_a_file():
    with Daemon("listener 1883\nallow_anonymous true\n"):
        client(username="who", password="ever").disconnect()


@test
def method_refused():
    with Daemon(users_conf()):
        refused(0x8c, username="bob", password="builder",
                properties=[(wire.AUTH_METHOD, "SCRAM-SHA-1")])


@test
def many_at_once():
    with Daemon(users_conf()):
        # a slow machine shall not be what is tested
        ctl("config", "set", "auth_timeout", "300")
        ctl("config", "set", "connect_timeout", "300")
        clients = [Client() for _ in range(200)]
        for i, c in enumerate(clients):
            c.send(wire.connect(5, client_id=f"m{i}", username="alice",
                                password="wonderland" if i % 2 else "no"))
        for i, c in enumerate(clients):
            c.open(reason=0 if i % 2 else 0x86, send=False)


@test
def listener_of_another():
    """One that kmqttctl adds is served as the configuration says."""
    with Daemon(users_conf()):
        ctl("listener", "add", "127.0.0.1:2000", "auth", "authority")
        refused(0x87, 2000)
        client(2000, username="bob", password="builder").disconnect()


@test
def log_is_safe():
    with Daemon(users_conf()) as d:
        refused(0x86, client_id="a\u009bb", username="eve", password="x")
        d.await_line("refused: bad user name")
        assert "client a??b (user eve) from 127.0.0.1" in d.log(), d.log()


# Access rules

def rules(text):
    path = DIR / "acl"
    path.write_text(text)
    return f"acl_file {path}"


RULES = """\
topic read news/#
user alice
topic readwrite plant/#
topic deny plant/secret
user bob
topic read plant/#
pattern write dev/%c/%u
"""


@test
def access_rules():
    with Daemon(users_conf("allow_anonymous true", rules(RULES))):
        alice = client(username="alice", password="wonderland",
                       client_id="al")
        bob = client(username="bob", password="builder", client_id="bo")
        nobody = client(client_id="no")
        bob.sub([("plant/a", 1), ("dev/bo/bob", 1), ("#", 1), ("x", 1)],
                reasons=[1, 0x87, 1, 0x87])
        nobody.sub([("news/+", 0), ("plant/a", 0)], reasons=[0, 0x87])
        assert alice.pub("plant/a", b"1", qos=1) in (0, 0x10)
        bob.message(topic="plant/a", payload="1")
        assert alice.pub("plant/secret", b"2", qos=1) == 0x87
        assert alice.pub("news/a", b"3", qos=1) == 0x87
        assert bob.pub("plant/a", b"4", qos=2) == 0x87
        assert bob.pub("dev/bo/bob", b"5", qos=1) in (0, 0x10)
        assert bob.pub("dev/al/bob", b"6", qos=1) == 0x87
        bob.expect_nothing()
        nobody.expect_nothing()
        old = client(ver=4, client_id="old")
        old.sub([("news/a", 1), ("plant/a", 1)], reasons=[1, 0x80])


@test
def access_rules_wrong():
    fails(users_conf(rules("topic a\nuser\ntopic a/#/b\n")),
          f"{DIR}/acl:2: user needs a name", f"{DIR}/acl:3: the filter")
    nothing_left()


@test
def many_access_rules():
    text = "".join(f"user u{n}\ntopic readwrite area/{n}/#\n"
                   for n in range(20000))
    with Daemon(users_conf(rules(text + "user bob\ntopic read a\n"))):
        bob = client(username="bob", password="builder")
        bob.sub([("a", 0), ("area/1/x", 0)], reasons=[0, 0x87])


# Reload

@test
def reload_keeps_clients():
    conf = "listener 1883\nallow_anonymous true\n"
    with Daemon(conf + "listener 2000\n") as d:
        stays, goes = client(), client(2000)
        stays.sub("a", 1)
        first = ask("listener", "show")
        d.reload(conf + "listener 2001\nmax_keepalive 99\n")
        goes.expect_disconnect(0x8b)
        alive(stays)
        client(2001).pub("a", b"x", qos=1)
        stays.message(topic="a", payload="x")
        assert no_listener(2000)
        assert setting("max_keepalive") == 99
        ids = {e["listener_id"] for e in first if e["port"] == 1883}
        assert ids <= {e["listener_id"] for e in ask("listener", "show")}
        d.reload(conf)
        assert setting("max_keepalive") == 65535
        alive(stays)


@test
def reload_changes_users():
    with Daemon(users_conf()) as d:
        bob = client(username="bob", password="builder")
        (DIR / "pw").write_text(PASSWORDS.splitlines()[0] + "\n")
        d.reload()
        refused(0x86, username="bob", password="builder")
        client(username="alice", password="wonderland").disconnect()
        alive(bob)


@test
def reload_changes_mode():
    conf = "listener 1883\n"
    with Daemon(conf + "allow_anonymous true\n") as d:
        stays = client()
        d.reload(conf)
        refused(0x87)
        d.reload(conf + "allow_anonymous true\n")
        client().disconnect()
        alive(stays)


@test
def reload_changes_rules():
    conf = "listener 1883\nallow_anonymous true\n"
    with Daemon(conf + rules("topic a\n")) as d:
        c = client()
        c.sub([("a", 0), ("b", 0)], reasons=[0, 0x87])
        rules("topic b\n")
        d.reload()
        c.sub([("b", 0)], reasons=[0])
        other = client()
        assert other.pub("a", b"x", qos=1) == 0x87
        assert other.pub("b", b"y", qos=1) == 0
        c.message(topic="b")
        d.reload(conf)
        assert other.pub("a", b"z", qos=1) == 0
        c.message(topic="a", payload="z")


@test
def reload_with_mistakes():
    good = "listener 1883\nallow_anonymous true\nmax_keepalive 50\n"
    with Daemon(good) as d:
        c = client()
        d.reload("listener 2000\nmax_keepalive 60\nlistner x\n", REFUSED)
        assert f"{CONF}:3: " in d.log()
        d.reload("listener 2000\nmax_packet_size 5\n", REFUSED)
        assert f"{CONF}:2: max_packet_size comes to 5" in d.log()
        with socket.create_server(("127.0.0.1", 2001)):
            d.reload("listener 2000\nmax_keepalive 60\n"
                     "listener 2001 127.0.0.1\n", REFUSED)
        assert f"{CONF}:3: cannot listen on 127.0.0.1 port 2001" in d.log()
        alive(c)
        client().disconnect()
        assert setting("max_keepalive") == 50
        assert no_listener(2000)
        CONF.unlink()
        d.reload(wait=REFUSED)
        alive(c)


@test
def reload_all_to_one_address():
    with Daemon("listener 1883\nallow_anonymous true\n") as d:
        c = client()
        d.reload("listener 1883 127.0.0.1\nallow_anonymous true\n")
        c.expect_disconnect(0x8b)
        client().disconnect()
        assert no_listener(1883, "127.0.0.2")
        with socket.create_server(("127.0.0.1", 2001)):
            d.reload("listener 1883\nlistener 2001 127.0.0.1\n", REFUSED)
        client().disconnect()
        assert no_listener(1883, "127.0.0.2")


@test
def reload_opens_the_log_anew():
    log = DIR / "file"
    conf = f"log_dest file {log}\n"
    with Daemon(conf, wait=None) as d:
        eventually(lambda: log.exists() and SERVES in log.read_text())
        log.rename(DIR / "file.1")
        d.proc.send_signal(signal.SIGHUP)
        eventually(lambda: log.exists() and RELOADED in log.read_text())
        assert RELOADED not in (DIR / "file.1").read_text()


@test
def reload_often():
    conf = users_conf("allow_anonymous true")
    stop = threading.Event()
    wrong = []

    def come_and_go():
        while not stop.is_set():
            try:
                client(username="bob", password="builder").disconnect()
            except Exception as e:
                wrong.append(repr(e))
                return

    with Daemon(conf) as d:
        stays = client()
        thread = threading.Thread(target=come_and_go)
        thread.start()
        for n in range(20):
            d.reload(conf + f"listener {3000 + n % 3}\n" + rules("topic #\n"
                     "user bob\ntopic #\n" if n % 2 else "topic a\n"))
        stop.set()
        thread.join()
        assert not wrong, wrong
        alive(stays)


# Ending

@test
def sigterm():
    d = Daemon(users_conf("allow_anonymous true", "max_keepalive 55",
                          rules("topic a\n")))
    c = client(client_id="c", clean=False,
               properties=[(wire.SESSION_EXPIRY, 1000)])
    c.sub("a", 1)
    old = client(ver=4)
    client().pub("a", b"kept", qos=1, retain=True)
    assert d.end() == 0
    assert c.rest()[-1].reason == 0x8b
    old.expect_close(allow=(wire.PUBLISH,))
    assert no_listener(1883)
    nothing_left()
    assert setting("max_keepalive") == 65535


@test
def sigint():
    d = Daemon()
    assert d.end(signal.SIGINT) == 0
    nothing_left()


@test
def killed_and_started_again():
    conf = users_conf()
    d = Daemon(conf)
    bob = client(username="bob", password="builder")
    alice = client(username="alice", password="wonderland")
    bob.sub("a", 1)
    before = ask("listener", "show")
    d.end(signal.SIGKILL)
    for n in range(20):
        assert alice.pub("a", str(n), qos=1) == 0
        bob.message(payload=str(n))
    refused(0x88, username="bob", password="builder")
    with Daemon(conf):
        after = ask("listener", "show")
        assert [e["listener_id"] for e in before] == [e["listener_id"] for e in after]
        client(username="bob", password="builder").disconnect()
        alive(bob)
        assert alice.pub("a", b"more", qos=1) == 0
        bob.message(payload="more")


@test
def killed_with_a_question_open():
    d = Daemon(users_conf())
    ctl("config", "set", "auth_timeout", "300")
    ctl("config", "set", "connect_timeout", "300")
    d.proc.send_signal(signal.SIGSTOP)
    waiting = Client()
    waiting.send(wire.connect(5, username="bob", password="builder"))
    eventually(question_waits, "no question was put")
    d.end(signal.SIGKILL)
    with Daemon(users_conf()):
        waiting.open(send=False)


@test
def killed_under_traffic():
    """A daemon killed ten times while messages of QoS 1 and 2 flow."""
    conf = users_conf("max_queued_messages 0", "max_queued_bytes 0")
    d = Daemon(conf)
    bob = client(username="bob", password="builder")
    alice = client(username="alice", password="wonderland")
    bob.sub([("q/1", 1), ("q/2", 2)])
    sent = []
    stop = threading.Event()

    def publish():
        n = 0
        while not stop.is_set():
            qos = 1 + n % 2
            assert alice.pub(f"q/{qos}", str(n), qos=qos) == 0
            sent.append(n)
            n += 1

    thread = threading.Thread(target=publish)
    thread.start()
    got = []
    for _ in range(10):
        d.end(signal.SIGKILL)
        got += [int(m.payload) for m in bob.messages(20)]
        d = Daemon(conf)
        got += [int(m.payload) for m in bob.messages(20)]
    stop.set()
    thread.join()
    while len(got) < len(sent):
        got.append(int(bob.message().payload))
    bob.expect_nothing()
    d.end()
    assert got == sent, "messages were lost, or came twice"


@test
def killed_and_other_configuration():
    d = Daemon("listener 1883\nlistener 2000\nallow_anonymous true\n"
               "max_keepalive 70\n")
    stays, goes = client(), client(2000)
    d.end(signal.SIGKILL)
    with Daemon("listener 1883\nallow_anonymous true\n"):
        goes.expect_disconnect(0x8b)
        alive(stays)
        assert setting("max_keepalive") == 65535
    stays.expect_disconnect(0x8b)


@test
def module_unloaded():
    d = Daemon()
    c = client()
    subprocess.run(["rmmod", "kmqtt"], check=True)
    assert d.proc.wait(LIMIT) == 0, d.log()
    assert "the module was unloaded" in d.log()
    c.rest()
    module_in()
    with Daemon():
        client().disconnect()


if __name__ == "__main__":
    main()
