#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run the tests of auth_exchange.py against the module alone: no daemon, the
authority is a part of the tests. Needs root and the module, or KMQTT_MODULE
to load it from."""
# broker: none

import os
import sys

sys.dont_write_bytecode = True

import auth_exchange
import mqttlib
import run

PORT = 18841


def main():
    import genl  # beside the netlink tests; harness has set the path
    reason = genl.load_module()
    if reason:
        print(f"KTAP version 1\n1..0 # SKIP {reason}")
        return 4
    pattern = os.environ.get("T")
    tests = run.select(run.load("auth_exchange.py"),
                       [pattern] if pattern else [])
    if not tests:
        print(f"KTAP version 1\n1..0 # SKIP no test matches {pattern}")
        return 4
    mqttlib.HOST, mqttlib.PORT = "127.0.0.1", PORT
    with genl.Broker() as netlink:
        authority = auth_exchange.Authority(genl)
        authority.start()
        genl.listen(netlink, PORT, "AUTH_AUTHORITY")
        return run.run(tests, False)


if __name__ == "__main__":
    sys.exit(main())
