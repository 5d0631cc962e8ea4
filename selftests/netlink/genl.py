# SPDX-License-Identifier: GPL-2.0
"""Generic netlink by hand: requests that a library would not let through, and
all that the kernel says about them."""

import errno
import os
import pathlib
import select
import socket
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
for folder in ("ctl", "functional"):
    sys.path.insert(0, str(HERE.parent / folder))

import uapi  # noqa: E402
from ktap import LIMIT, eventually  # noqa: E402,F401
from uapi import N, pack, unpack  # noqa: E402,F401

uapi.SIZES.update(REQUEST_ID=8, STAGE=1)
uapi.BINARY.update({"PASSWORD", "AUTH_DATA"})

MODULE = os.environ.get("KMQTT_MODULE", "")

REQUEST, MULTI, ACK, DUMP_INTR, DUMP = 1, 2, 4, 0x10, 0x300
ACK_TLVS = 0x200
ERROR, DONE = 2, 3
GENERIC = 16
CTRL = 16
HEAD = struct.Struct("=HH")
SOL_NETLINK, CAP_ACK, EXT_ACK = 270, 10, 11


class Refused(Exception):
    """The kernel's answer to a request: .errno, .text, .attr (the name of the
    attribute that is wrong) and .missing (of the one that is missing)."""

    def __init__(self, number, text="", attr=None, missing=None):
        name = errno.errorcode.get(number, number)
        super().__init__(f"{name} {text!r} attr={attr} missing={missing}")
        self.errno, self.text = number, text
        self.attr, self.missing = attr, missing


def kernel_error(number, data, sent):
    """The error of an NLMSG_ERROR or NLMSG_DONE with these attributes."""
    text, attr, missing = "", None, None
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        value = data[4:size]
        if kind & 0x3fff == 1:
            text = value.rstrip(b"\0").decode()
        elif kind & 0x3fff == 2:
            offset, = struct.unpack("=I", value)
            wrong, = struct.unpack_from("=H", sent, offset + 2)
            attr = uapi.ATTR_NAMES.get(wrong & 0x3fff, wrong & 0x3fff)
        elif kind & 0x3fff == 5:
            missing = uapi.ATTR_NAMES.get(struct.unpack("=I", value)[0])
        data = data[(size + 3) & ~3:]
    return Refused(number, text, attr, missing)


class Genl:
    """A netlink socket."""

    def __init__(self, rcvbuf=None):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                  GENERIC)
        self.sock.setsockopt(SOL_NETLINK, EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, CAP_ACK, 1)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.bind((0, 0))
        self.sock.settimeout(LIMIT)
        self.seq = 0
        self.stash = []		# the kernel's own messages, unread
        self.interrupted = False
        self.family, self.groups = self.resolve()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self.sock.close()

    def resolve(self):
        name = b"kmqtt\0"
        attrs = struct.pack("=HH", 4 + len(name), 2) + name + b"\0\0"
        reply, = self.exchange(CTRL, 3, attrs)
        family, groups = None, {}
        for kind, value in raw_attrs(reply[20:]):
            if kind == 1:
                family, = struct.unpack("=H", value)
            elif kind == 7:
                for _, entry in raw_attrs(value):
                    found = dict(raw_attrs(entry))
                    groups[found[1].rstrip(b"\0").decode()] = \
                        struct.unpack("=I", found[2])[0]
        return family, groups

    def send(self, kind, cmd, attrs=b"", flags=REQUEST | ACK, version=1,
             reserved=0, tail=b""):
        """Send a request; return its bytes."""
        self.seq += 1
        body = struct.pack("=BBH", cmd, version, reserved) + attrs + tail
        data = struct.pack("=IHHII", 16 + len(body), kind, flags, self.seq,
                           0) + body
        self.transmit(data)
        return data

    def transmit(self, data):
        self.sock.sendto(data, (0, 0))

    def messages(self):
        """The messages of one datagram, each with its header."""
        data = self.sock.recv(1 << 20)
        while data:
            size, = struct.unpack_from("=I", data)
            yield data[:size]
            data = data[(size + 3) & ~3:]

    def exchange(self, kind, cmd, attrs=b"", flags=REQUEST | ACK, **more):
        """Send; return what comes up to the acknowledgement."""
        sent = self.send(kind, cmd, attrs, flags, **more)
        found = []
        self.interrupted = False
        while True:
            for msg in self.messages():
                _, what, bits, seq = struct.unpack_from("=IHHI", msg)
                if seq == 0:
                    self.stash.append(msg)
                if seq != self.seq:
                    continue
                self.interrupted |= bool(bits & DUMP_INTR)
                if what not in (ERROR, DONE):
                    found.append(msg)
                    continue
                number, = struct.unpack_from("=i", msg, 16)
                if number:
                    skip = 20 if what == DONE else 36
                    raise kernel_error(-number, msg[skip:], sent)
                return found

    def do(self, command, attrs=b"", **fields):
        """A command; return its answer's attributes."""
        found = self.exchange(self.family, N["CMD_" + command],
                              attrs + pack(**fields))
        return dict(unpack(found[0][20:])) if found else {}

    def dump(self, command, attrs=b"", **fields):
        """Return a dictionary for each object."""
        found = self.exchange(self.family, N["CMD_" + command],
                              attrs + pack(**fields), REQUEST | DUMP)
        return [dict(unpack(msg[20:])) for msg in found]

    def count(self, command, attrs=b"", **fields):
        """Read a dump without looking at it; return how many objects."""
        return len(self.exchange(self.family, N["CMD_" + command],
                                 attrs + pack(**fields), REQUEST | DUMP))

    def names(self, command, attr, **fields):
        """A dump's values of one string attribute, and no more: fast."""
        found, wanted = [], N["A_" + attr]
        for msg in self.exchange(self.family, N["CMD_" + command],
                                 pack(**fields), REQUEST | DUMP):
            at = 20
            while True:
                size, kind = HEAD.unpack_from(msg, at)
                if kind == wanted:
                    found.append(msg[at + 4:at + size - 1].decode())
                    break
                at += (size + 3) & ~3
        return found

    def join(self, group="events"):
        self.sock.setsockopt(SOL_NETLINK, 1, self.groups[group])

    def next(self, command):
        """Wait for a message of the kernel's own."""
        while True:
            while self.stash:
                msg = self.stash.pop(0)
                kind, = struct.unpack_from("=H", msg, 4)
                if kind == self.family and msg[16] == N["CMD_" + command]:
                    return dict(unpack(msg[20:]))
            self.stash += [msg for msg in self.messages()
                           if not struct.unpack_from("=I", msg, 8)[0]]

    def quiet(self):
        """Is there nothing to read?"""
        return not self.stash and not select.select([self.sock], [], [], 0)[0]


def raw_attrs(data):
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        yield kind & 0x3fff, data[4:size]
        data = data[(size + 3) & ~3:]


def raw_attr(kind, data):
    """An attribute as it must not be."""
    return struct.pack("=HH", 4 + len(data), kind) + data + \
        bytes(-len(data) % 4)


def expect(value, wanted, what=""):
    assert value == wanted, f"{what}\nis     {value!r}\nwanted {wanted!r}"


def refused(function, number, text=None, attr=None):
    """It must fail like that."""
    try:
        function()
    except Refused as error:
        assert error.errno == number and (text is None or text in error.text) \
            and (attr is None or attr == error.attr), \
            f"{error}, wanted {errno.errorcode[number]} {text!r} {attr}"
        return error
    raise AssertionError(f"it went through, wanted {errno.errorcode[number]}")


LOCALHOST = socket.inet_aton("127.0.0.1")
PORT = 18840


def listen(nl, port=PORT, mode="AUTH_OPEN", **more):
    return nl.do("LISTENER_NEW", ADDRESS=LOCALHOST, PORT=port,
                 AUTH_MODE=N[mode], **more)["LISTENER_ID"]


def settings(nl):
    return {s["NAME"]: s for s in nl.dump("CONFIG_GET")}


def set_config(nl, **values):
    nl.do("CONFIG_SET", b"".join(pack(ITEM=dict(NAME=name, VALUE=value))
                                 for name, value in values.items()))


def stats(nl):
    return {s["NAME"]: s["VALUE"] for s in nl.dump("STATS_GET")}


def counted(nl, name):
    """What a counter has grown by since the test began."""
    return stats(nl)[name] - nl.before[name]


class Broker:
    """A netlink socket and a broker as after insmod, also afterwards; but
    counters go on."""

    def __enter__(self):
        self.nl = Genl()
        self.nl.do("BROKER_STOP")
        self.nl.before = stats(self.nl)
        return self.nl

    def __exit__(self, *error):
        self.nl.do("BROKER_STOP")
        self.nl.close()


def load_module():
    """Why the tests cannot be run here, or None."""
    if os.geteuid():
        return "needs root"
    if os.path.isdir("/sys/module/kmqtt"):
        return None
    if not MODULE:
        return "KMQTT_MODULE does not name kmqtt.ko, and it is not loaded"
    done = subprocess.run(["insmod", MODULE], check=False)
    return None if not done.returncode else f"insmod {MODULE} failed"
