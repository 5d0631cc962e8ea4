# SPDX-License-Identifier: GPL-2.0
"""A fault for pyflakes and one for Python."""

import os

PATTERN = "\d"
