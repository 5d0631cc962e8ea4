# SPDX-License-Identifier: GPL-2.0
"""The numbers of the netlink header, and attributes to bytes and back."""

import pathlib
import re
import struct

TOP = pathlib.Path(__file__).resolve().parents[2]
INSTALLED = pathlib.Path(__file__).resolve().parent / "kmqtt.h"
HEADER = INSTALLED if INSTALLED.exists() else \
    TOP / "kmod/include/uapi/linux/kmqtt.h"
NESTED = 0x8000


def load():
    """Return {name: number} of all enumerators, without their KMQTT_."""
    numbers = {}
    text = re.sub(r"/\*.*?\*/", "", pathlib.Path(HEADER).read_text(),
                  flags=re.S)
    for body in re.findall(r"enum\s+\w+\s*\{(.*?)\}", text, flags=re.S):
        number = 0
        for entry in filter(None, map(str.strip, body.split(","))):
            name, _, value = map(str.strip, entry.partition("="))
            if value:
                if not value[0].isdigit():
                    continue
                number = int(value, 0)
            numbers[name.removeprefix("KMQTT_")] = number
            number += 1
    return numbers


N = load()
ATTR_NAMES = {number: name.removeprefix("A_")
              for name, number in N.items() if name.startswith("A_")}
SIZES = {"LISTENER_ID": 4, "PORT": 2, "AUTH_MODE": 1, "MAX_CONNECTIONS": 4,
         "CONNECTIONS": 4, "VERSION": 1, "KEEP_ALIVE": 2, "AGE": 8,
         "PACKETS_IN": 8, "PACKETS_OUT": 8, "BYTES_IN": 8, "BYTES_OUT": 8,
         "DROPPED": 8, "REASON": 1, "CONNECTED": 1, "EXPIRY": 4,
         "SUBSCRIPTIONS": 4, "INFLIGHT": 4, "QUEUED": 4, "QUEUED_BYTES": 8,
         "AWAITING_REL": 4, "QOS": 1, "OPTIONS": 1, "SUBSCRIPTION_ID": 4,
         "SIZE": 4, "COUNT": 4, "VALUE": 8, "DEFAULT": 8, "MIN": 8, "MAX": 8,
         "ACL_FLAGS": 4, "ACCESS": 1, "RULE_FLAGS": 4, "EVENT_TYPE": 1}
BINARY = {"ADDRESS", "PAYLOAD"}
ORDER = {1: "B", 2: "H", 4: "I", 8: "Q"}


def pack(**attrs):
    """Attributes to bytes; a dict is nested."""
    out = b""
    for name, value in attrs.items():
        kind = N["A_" + name]
        if isinstance(value, dict):
            data, kind = pack(**value), kind | NESTED
        elif name in SIZES:
            data = struct.pack("=" + ORDER[SIZES[name]], value)
        elif name in BINARY:
            data = value
        else:
            data = (value.encode() if isinstance(value, str) else value) + \
                b"\0"
        out += struct.pack("=HH", len(data) + 4, kind) + data
        out += bytes(-len(data) % 4)
    return out


def unpack(data):
    """Bytes to [(name, value)]; a nested one's value is such a list."""
    attrs = []
    while data:
        size, kind = struct.unpack_from("=HH", data)
        name, value = ATTR_NAMES[kind & 0x3fff], data[4:size]
        if kind & NESTED:
            value = unpack(value)
        elif name in SIZES:
            value, = struct.unpack("=" + ORDER[SIZES[name]], value)
        elif name not in BINARY:
            assert value.endswith(b"\0"), name
            value = value[:-1].decode(errors="surrogateescape")
        attrs.append((name, value))
        data = data[(size + 3) & ~3:]
    return attrs
