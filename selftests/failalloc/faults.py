# SPDX-License-Identifier: GPL-2.0
"""Allocations made to fail: those that one call in the module's code leads
to, and no others (failslab and fail_page_alloc, filtered by stack trace)."""

import contextlib
import pathlib

DEBUGFS = pathlib.Path("/sys/kernel/debug")
SLAB, PAGES = DEBUGFS / "failslab", DEBUGFS / "fail_page_alloc"


def why_not():
    """Why nothing can be made to fail here, or None."""
    for folder in (SLAB, PAGES):
        if not (folder / "require-start").exists():
            return "this kernel has no fault injection by stack trace"
    return None


def write(folder, **values):
    for name, value in values.items():
        (folder / name.replace("_", "-")).write_text(str(value))


def prepare():
    """Everything that is the same for all: silent, whatever may wait."""
    for folder in (SLAB, PAGES):
        write(folder, times=0, verbose=0, stacktrace_depth=32, space=0,
              interval=1, probability=100, ignore_gfp_wait="N")
    write(SLAB, cache_filter="N")
    write(PAGES, ignore_gfp_highmem="N", min_order=0)


def failed(folder, times):
    """How many of @times have failed by now."""
    return times - int((folder / "times").read_text())


class Injected:
    """What has failed, to be read when it is over."""

    def __init__(self):
        self.count = 0


@contextlib.contextmanager
def failing(start, end, times=1, pages=0, sparing=None):
    """Below a return address in this range, @times allocations of objects and
    @pages of pages fail; not below one in the range @sparing."""
    injected = Injected()
    reject_start, reject_end = sparing or (0, 0)
    for folder, nr in ((SLAB, times), (PAGES, pages)):
        write(folder, require_start=start, require_end=end,
              reject_start=reject_start, reject_end=reject_end)
        write(folder, times=nr)
    try:
        yield injected
    finally:
        for folder, nr in ((SLAB, times), (PAGES, pages)):
            injected.count += failed(folder, nr)
            write(folder, times=0)
