#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
Waits until a broker answers an MQTT CONNECT.

usage: answers.py HOST PORT [SECONDS]   (60)

Exit status: 0 it accepted, 1 it did not in that time (says what was seen).
"""

import socket
import sys
import time

# MQTT 3.1.1, clean session, no client identifier: leaves nothing behind.
CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x0a\x00\x00"
DISCONNECT = b"\xe0\x00"
PAUSE = 0.1


def attempt(host, port, limit):
    """One CONNECT; None when accepted, else what happened instead."""
    try:
        with socket.create_connection((host, port), timeout=limit) as s:
            s.settimeout(limit)
            s.sendall(CONNECT)
            answer = b""
            while len(answer) < 4:
                more = s.recv(4 - len(answer))
                if not more:
                    return "it closed the connection"
                answer += more
            s.sendall(DISCONNECT)
    except OSError as e:
        return str(e)
    if answer[:2] != b"\x20\x02":
        return "it answered %s, which is no CONNACK" % answer.hex()
    if answer[3]:
        return "it refused with return code %d" % answer[3]
    return None


def wait(host, port, seconds, going_on=lambda: True):
    """Tries until accepted or the time is over; None or the last reason."""
    end = time.monotonic() + seconds
    why = "no time to try"
    while time.monotonic() < end and going_on():
        why = attempt(host, port, max(0.1, min(5, end - time.monotonic())))
        if why is None:
            return None
        time.sleep(PAUSE)
    return why


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    failed = wait(sys.argv[1], int(sys.argv[2]),
                  float(sys.argv[3]) if len(sys.argv) > 3 else 60)
    if failed:
        sys.exit("no MQTT answer from %s port %s: %s" %
                 (sys.argv[1], sys.argv[2], failed))
