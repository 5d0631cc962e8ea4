#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Exhaustion and abuse: each way a client may try to take more than its share
has a test that measures what it gets, against the bound SECURITY.md states,
while a witness is served. Figures are printed as comments."""

import sys

sys.dont_write_bytecode = True

import gauge
import network  # noqa: F401
import contents  # noqa: F401
import exhaustion  # noqa: F401

if __name__ == "__main__":
    gauge.main()
