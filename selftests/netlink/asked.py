# SPDX-License-Identifier: GPL-2.0
"""What can be asked of the family, and processes with less than root's rights
to ask it."""

import ctypes
import errno
import os
import struct

from genl import PORT

# loopback is down in a new namespace
ANY = bytes(4)
ID = dict(CLIENT_ID="nobody")
RULE = dict(ACCESS=3, FILTER="a", RULE_FLAGS=4)
# command: a request that is right, and with what a new broker refuses it
CHANGES = [
    ("LISTENER_NEW", dict(ADDRESS=ANY, PORT=PORT), None),
    ("LISTENER_DEL", dict(LISTENER_ID=1), errno.ENOENT),
    ("LISTENER_SET", dict(LISTENER_ID=1), errno.ENOENT),
    ("CLIENT_DEL", ID, errno.ENOENT),
    ("SESSION_DEL", ID, errno.ENOENT),
    ("RETAINED_DEL", dict(FILTER="a"), None),
    ("ACL_SET", dict(ACL_FLAGS=1, ITEM=RULE), None),
    ("CONFIG_SET", dict(ITEM=dict(NAME="max_inflight", VALUE=7)), None),
    ("AUTHORITY_SET", {}, None),
    ("AUTH_REPLY", dict(REQUEST_ID=1, REASON=0), errno.EPERM),
    ("BROKER_STOP", {}, None),
]
DUMPS = ["LISTENER_GET", "CLIENT_GET", "SESSION_GET", "SUBSCRIPTION_GET",
         "RETAINED_GET", "ACL_GET", "CONFIG_GET", "STATS_GET"]

NOBODY = 65534
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_DUMPABLE, PR_SET_KEEPCAPS = 4, 8
CAPABILITY_VERSION_3, CAP_NET_ADMIN = 0x20080522, 12
libc = ctypes.CDLL(None, use_errno=True)


def call(function, *args):
    if function(*args):
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")


def as_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def with_net_admin():
    """Another user who has kept one capability."""
    call(libc.prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0)
    as_nobody()
    bit = 1 << CAP_NET_ADMIN
    call(libc.capset, struct.pack("=Ii", CAPABILITY_VERSION_3, 0),
         struct.pack("=6I", bit, bit, 0, 0, 0, 0))


def as_root_of_new(flags):
    """Root of a new user namespace, made by another user."""
    as_nobody()
    # setuid() made us undumpable, which keeps user namespaces away
    call(libc.prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)
    call(libc.unshare, flags)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {NOBODY} 1"),
                       ("gid_map", f"0 {NOBODY} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as f:
            f.write(text)
    os.setuid(0)


def in_child(function):
    """Run it in a process of its own; its exception is ours."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        text = b""
        try:
            function()
        except BaseException as error:
            text = repr(error).encode() or b"?"
        os.write(writer, text)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    assert not text, text.decode()
