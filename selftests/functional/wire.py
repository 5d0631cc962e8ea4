# SPDX-License-Identifier: GPL-2.0
"""The bytes of MQTT 3.1, 3.1.1 and 5.0: build what a client sends, good or
bad, and take apart what a server sends, strictly.

The builders never refuse: a test that needs a wrong packet gets it.  The
decoder refuses everything a server must not send and raises Fault."""

import struct

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, \
    SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, \
    AUTH = range(1, 16)

NAMES = ("reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC",
         "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE",
         "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH")

# Property identifiers (5.0, section 2.2.2.2)
PAYLOAD_FORMAT = 0x01
MESSAGE_EXPIRY = 0x02
CONTENT_TYPE = 0x03
RESPONSE_TOPIC = 0x08
CORRELATION_DATA = 0x09
SUBSCRIPTION_ID = 0x0b
SESSION_EXPIRY = 0x11
ASSIGNED_CLIENT_ID = 0x12
SERVER_KEEP_ALIVE = 0x13
AUTH_METHOD = 0x15
AUTH_DATA = 0x16
REQUEST_PROBLEM_INFO = 0x17
WILL_DELAY = 0x18
REQUEST_RESPONSE_INFO = 0x19
RESPONSE_INFO = 0x1a
SERVER_REFERENCE = 0x1c
REASON_STRING = 0x1f
RECEIVE_MAXIMUM = 0x21
TOPIC_ALIAS_MAXIMUM = 0x22
TOPIC_ALIAS = 0x23
MAXIMUM_QOS = 0x24
RETAIN_AVAILABLE = 0x25
USER_PROPERTY = 0x26
MAXIMUM_PACKET_SIZE = 0x27
WILDCARD_AVAILABLE = 0x28
SUBSCRIPTION_ID_AVAILABLE = 0x29
SHARED_AVAILABLE = 0x2a

BYTE, U16, U32, VARINT, STRING, BINARY, PAIR = range(7)

PROPERTY_TYPES = {
    PAYLOAD_FORMAT: BYTE, MESSAGE_EXPIRY: U32, CONTENT_TYPE: STRING,
    RESPONSE_TOPIC: STRING, CORRELATION_DATA: BINARY,
    SUBSCRIPTION_ID: VARINT, SESSION_EXPIRY: U32,
    ASSIGNED_CLIENT_ID: STRING, SERVER_KEEP_ALIVE: U16, AUTH_METHOD: STRING,
    AUTH_DATA: BINARY, REQUEST_PROBLEM_INFO: BYTE, WILL_DELAY: U32,
    REQUEST_RESPONSE_INFO: BYTE, RESPONSE_INFO: STRING,
    SERVER_REFERENCE: STRING, REASON_STRING: STRING, RECEIVE_MAXIMUM: U16,
    TOPIC_ALIAS_MAXIMUM: U16, TOPIC_ALIAS: U16, MAXIMUM_QOS: BYTE,
    RETAIN_AVAILABLE: BYTE, USER_PROPERTY: PAIR, MAXIMUM_PACKET_SIZE: U32,
    WILDCARD_AVAILABLE: BYTE, SUBSCRIPTION_ID_AVAILABLE: BYTE,
    SHARED_AVAILABLE: BYTE,
}

ACK_PROPERTIES = {REASON_STRING, USER_PROPERTY}
# What a server may put where
SERVER_PROPERTIES = {
    CONNACK: {SESSION_EXPIRY, RECEIVE_MAXIMUM, MAXIMUM_QOS, RETAIN_AVAILABLE,
              MAXIMUM_PACKET_SIZE, ASSIGNED_CLIENT_ID, TOPIC_ALIAS_MAXIMUM,
              REASON_STRING, USER_PROPERTY, WILDCARD_AVAILABLE,
              SUBSCRIPTION_ID_AVAILABLE, SHARED_AVAILABLE, SERVER_KEEP_ALIVE,
              RESPONSE_INFO, SERVER_REFERENCE, AUTH_METHOD, AUTH_DATA},
    PUBLISH: {PAYLOAD_FORMAT, MESSAGE_EXPIRY, TOPIC_ALIAS, RESPONSE_TOPIC,
              CORRELATION_DATA, USER_PROPERTY, SUBSCRIPTION_ID, CONTENT_TYPE},
    PUBACK: ACK_PROPERTIES, PUBREC: ACK_PROPERTIES, PUBREL: ACK_PROPERTIES,
    PUBCOMP: ACK_PROPERTIES, SUBACK: ACK_PROPERTIES,
    UNSUBACK: ACK_PROPERTIES,
    DISCONNECT: ACK_PROPERTIES | {SERVER_REFERENCE},
    AUTH: ACK_PROPERTIES | {AUTH_METHOD, AUTH_DATA},
}
REPEATABLE = {PUBLISH: {USER_PROPERTY, SUBSCRIPTION_ID}}

# Reason codes a server may send, by packet type
SERVER_REASONS = {
    CONNACK: {0, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
              0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d,
              0x9f},
    PUBACK: {0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
    PUBREC: {0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99},
    PUBREL: {0, 0x92},
    PUBCOMP: {0, 0x92},
    SUBACK: {0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2},
    UNSUBACK: {0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91},
    DISCONNECT: {0, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e,
                 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a,
                 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2},
    AUTH: {0, 0x18},
}


class Fault(Exception):
    """The server sent what no server may send."""


# Builders


def varint(value, pad=0):
    """A variable byte integer; @pad adds that many superfluous bytes."""
    out = bytearray()
    while True:
        byte, value = value & 0x7f, value >> 7
        more = value or pad
        out.append(byte | (0x80 if more else 0))
        if not value:
            break
    for left in range(pad, 0, -1):
        out.append(0x80 if left > 1 else 0)
    return bytes(out)


def u16(value):
    return struct.pack("!H", value)


def u32(value):
    return struct.pack("!I", value)


def raw(text):
    return text.encode() if isinstance(text, str) else bytes(text)


def string(text):
    data = raw(text)
    return u16(len(data)) + data


def prop(ident, value):
    """One property; @value of type bytes for a number is taken as it is."""
    kind = PROPERTY_TYPES.get(ident, BINARY)
    head = varint(ident)
    if kind in (STRING, BINARY):
        return head + string(value)
    if kind == PAIR:
        return head + string(value[0]) + string(value[1])
    if isinstance(value, bytes):
        return head + value
    if kind == BYTE:
        return head + bytes([value])
    if kind == VARINT:
        return head + varint(value)
    return head + (u16(value) if kind == U16 else u32(value))


def props(items):
    """The properties of a packet: a list of (identifier, value), or bytes."""
    data = items if isinstance(items, bytes) else \
        b"".join(prop(*item) for item in items)
    return varint(len(data)) + data


def packet(kind, flags, body=b""):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


class Will:
    def __init__(self, topic, payload=b"", qos=0, retain=False, properties=()):
        self.topic, self.payload = topic, raw(payload)
        self.qos, self.retain = qos, retain
        self.properties = properties


def connect(ver=5, client_id="", clean=True, keep_alive=0, properties=(),
            will=None, username=None, password=None, name=None, level=None,
            flags=None, payload=None):
    """CONNECT; @name, @level, @flags and @payload override what is right."""
    bits = 2 if clean else 0
    body = string(client_id)
    if will:
        bits |= 4 | will.qos << 3 | (0x20 if will.retain else 0)
        if ver == 5:
            body += props(will.properties)
        body += string(will.topic) + string(will.payload)
    if username is not None:
        bits |= 0x80
        body += string(username)
    if password is not None:
        bits |= 0x40
        body += string(password)
    if name is None:
        name = "MQIsdp" if ver == 3 else "MQTT"
    head = string(name) + bytes([ver if level is None else level,
                                 bits if flags is None else flags])
    head += u16(keep_alive)
    if ver == 5:
        head += props(properties)
    return packet(CONNECT, 0, head + (body if payload is None else payload))


def publish(topic, payload=b"", qos=0, pid=None, retain=False, dup=False,
            ver=5, properties=(), flags=None):
    body = string(topic)
    if pid is not None:
        body += u16(pid)
    if ver == 5:
        body += props(properties)
    if flags is None:
        flags = (8 if dup else 0) | qos << 1 | (1 if retain else 0)
    return packet(PUBLISH, flags, body + raw(payload))


def ack(kind, pid, reason=None, properties=None, flags=None):
    """PUBACK, PUBREC, PUBREL, PUBCOMP"""
    body = u16(pid)
    if reason is not None or properties is not None:
        body += bytes([reason or 0])
    if properties is not None:
        body += props(properties)
    if flags is None:
        flags = 2 if kind == PUBREL else 0
    return packet(kind, flags, body)


def subscribe(pid, filters, ver=5, properties=(), flags=2):
    """@filters: a list of (filter, options byte)"""
    body = u16(pid) + (props(properties) if ver == 5 else b"")
    return packet(SUBSCRIBE, flags, body + b"".join(
        string(item) + bytes([options]) for item, options in filters))


def unsubscribe(pid, filters, ver=5, properties=(), flags=2):
    body = u16(pid) + (props(properties) if ver == 5 else b"")
    return packet(UNSUBSCRIBE, flags, body + b"".join(map(string, filters)))


def pingreq():
    return packet(PINGREQ, 0)


def disconnect(reason=None, properties=None):
    body = b""
    if reason is not None or properties is not None:
        body = bytes([reason or 0])
    if properties is not None:
        body += props(properties)
    return packet(DISCONNECT, 0, body)


def auth(reason=None, properties=None):
    body = b""
    if reason is not None or properties is not None:
        body = bytes([reason or 0])
    if properties is not None:
        body += props(properties)
    return packet(AUTH, 0, body)


# The decoder


class Packet:
    """A packet from the server; fields as attributes, by type."""

    def __init__(self, kind, flags, size):
        self.type, self.flags, self.size = kind, flags, size
        self.properties = []
        self.reason = 0

    def get(self, ident, default=None):
        """The value of a property, or @default."""
        for item, value in self.properties:
            if item == ident:
                return value
        return default

    def all(self, ident):
        return [value for item, value in self.properties if item == ident]

    def __repr__(self):
        fields = ", ".join(f"{key}={short(value)}"
                           for key, value in vars(self).items()
                           if key not in ("type", "size", "flags"))
        return f"{NAMES[self.type]}({fields})"


def short(value):
    text = f"{value:#x}" if isinstance(value, int) and value > 9 \
        else repr(value)
    return text if len(text) < 120 else text[:100] + f"...({len(text)})"


class Reader:
    """A cursor over one packet's body that never reads past its end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if count > self.left():
            raise Fault(f"packet ends {count - self.left()} bytes too early")
        self.at += count
        return self.data[self.at - count:self.at]

    def byte(self):
        return self.take(1)[0]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7f) << shift
            if not byte & 0x80:
                break
            shift += 7
            if shift > 21:
                raise Fault("variable byte integer of more than four bytes")
        if byte == 0 and shift:
            raise Fault("variable byte integer with a superfluous byte")
        return value

    def string(self):
        data = self.take(self.number(2))
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise Fault(f"string is not UTF-8: {data[:40]!r}") from None
        if "\0" in text:
            raise Fault("string holds U+0000")
        return text

    def property(self):
        ident = self.varint()
        kind = PROPERTY_TYPES.get(ident)
        if kind is None:
            raise Fault(f"unknown property {ident:#x}")
        if kind == BYTE:
            return ident, self.byte()
        if kind in (U16, U32):
            return ident, self.number(2 if kind == U16 else 4)
        if kind == VARINT:
            return ident, self.varint()
        if kind == STRING:
            return ident, self.string()
        if kind == BINARY:
            return ident, bytes(self.take(self.number(2)))
        return ident, (self.string(), self.string())

    def properties(self, where):
        inner = Reader(self.take(self.varint()))
        found = []
        while inner.left():
            ident, value = inner.property()
            if ident not in SERVER_PROPERTIES[where]:
                raise Fault(f"property {ident:#x} in {NAMES[where]}")
            once = ident not in REPEATABLE.get(where, {USER_PROPERTY})
            if once and any(ident == item for item, _ in found):
                raise Fault(f"property {ident:#x} twice in {NAMES[where]}")
            found.append((ident, value))
        return found


def decode_connack(reader, pkt, ver):
    flags = reader.byte()
    if flags & (0xfe if ver >= 4 else 0xff):
        raise Fault(f"CONNACK flags {flags:#x}")
    # 3.1 has no such flag
    pkt.session_present = bool(flags & 1) if ver >= 4 else None
    pkt.reason = reader.byte()
    if ver < 5 and pkt.reason > 5:
        # A client of another level is answered in the form of 5.0
        if not reader.left():
            raise Fault(f"CONNACK return code {pkt.reason:#x}")
    if reader.left():
        pkt.properties = reader.properties(CONNACK)
    elif ver == 5:
        raise Fault("CONNACK without properties")
    if pkt.reason and pkt.session_present:
        raise Fault("CONNACK refuses and says that there is a session")


def decode_publish(reader, pkt, ver):
    pkt.dup, pkt.retain = bool(pkt.flags & 8), bool(pkt.flags & 1)
    pkt.qos = pkt.flags >> 1 & 3
    if pkt.qos == 3 or (pkt.dup and not pkt.qos):
        raise Fault(f"PUBLISH flags {pkt.flags:#x}")
    pkt.topic = reader.string()
    if "+" in pkt.topic or "#" in pkt.topic:
        raise Fault(f"PUBLISH to {pkt.topic!r}")
    pkt.pid = reader.number(2) if pkt.qos else None
    if pkt.pid == 0:
        raise Fault("PUBLISH with packet identifier 0")
    if ver == 5:
        pkt.properties = reader.properties(PUBLISH)
    pkt.alias = pkt.get(TOPIC_ALIAS)
    pkt.payload = bytes(reader.take(reader.left()))


def decode_ack(reader, pkt, ver):
    pkt.pid = reader.number(2)
    if ver == 5 and reader.left():
        pkt.reason = reader.byte()
        if reader.left():
            pkt.properties = reader.properties(pkt.type)


def decode_suback(reader, pkt, ver):
    pkt.pid = reader.number(2)
    if ver == 5:
        pkt.properties = reader.properties(pkt.type)
    pkt.reasons = list(reader.take(reader.left()))
    if pkt.type == UNSUBACK and ver < 5:
        if pkt.reasons:
            raise Fault("UNSUBACK with a payload")
    elif not pkt.reasons:
        raise Fault(f"{NAMES[pkt.type]} without a reason code")
    allowed = SERVER_REASONS[pkt.type] if ver == 5 else {0, 1, 2, 0x80}
    for reason in pkt.reasons:
        if reason not in allowed:
            raise Fault(f"{NAMES[pkt.type]} with reason {reason:#x}")


def decode_disconnect(reader, pkt, ver):
    if ver < 5:
        raise Fault(f"{NAMES[pkt.type]} to a client of level {ver}")
    if reader.left():
        pkt.reason = reader.byte()
    if reader.left():
        pkt.properties = reader.properties(pkt.type)


def decode_empty(reader, pkt, ver):
    pass


DECODERS = {
    CONNACK: (decode_connack, 0), PUBLISH: (decode_publish, None),
    PUBACK: (decode_ack, 0), PUBREC: (decode_ack, 0), PUBREL: (decode_ack, 2),
    PUBCOMP: (decode_ack, 0), SUBACK: (decode_suback, 0),
    UNSUBACK: (decode_suback, 0), PINGRESP: (decode_empty, 0),
    DISCONNECT: (decode_disconnect, 0), AUTH: (decode_disconnect, 0),
}


def decode(first, body, size, ver):
    """Take one packet apart: @first byte, @body, @size in all."""
    pkt = Packet(first >> 4, first & 15, size)
    if pkt.type not in DECODERS:
        raise Fault(f"packet of type {NAMES[pkt.type]} from the server")
    decoder, flags = DECODERS[pkt.type]
    if flags is not None and pkt.flags != flags:
        raise Fault(f"{NAMES[pkt.type]} with flags {pkt.flags:#x}")
    reader = Reader(body)
    decoder(reader, pkt, ver)
    if reader.left():
        raise Fault(f"{reader.left()} bytes too many in {NAMES[pkt.type]}")
    if ver == 5 and pkt.type in SERVER_REASONS and \
            pkt.reason not in SERVER_REASONS[pkt.type]:
        raise Fault(f"{NAMES[pkt.type]} with reason {pkt.reason:#x}")
    return pkt
