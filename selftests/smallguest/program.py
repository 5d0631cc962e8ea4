#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The part of ../abuse that fills memory, for a machine that has little."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent /
                       "abuse"))

import gauge  # noqa: E402
import exhaustion  # noqa: E402, F401

if __name__ == "__main__":
    gauge.main()
