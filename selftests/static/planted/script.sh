#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A fault for shellcheck.
rm $1
