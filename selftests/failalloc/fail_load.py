# SPDX-License-Identifier: GPL-2.0
"""The module and namespaces do not come to be, and leave nothing, when
something of theirs cannot be had."""

import ctypes
import errno
import os

import faults
import sites
from world import LOADED, MODULE, fails, run, unload

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def new_namespace():
    """Errno of a child that makes itself a network namespace, and ends."""
    child = os.fork()
    if not child:
        os._exit(ctypes.get_errno() if LIBC.unshare(CLONE_NEWNET) else 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@fails("mqtt_tree_init", "alloc")
@fails("kmqtt_authority_init")
def no_namespace_without_memory(w):
    with w.failing():
        assert new_namespace() == errno.ENOMEM
    assert new_namespace() == 0


@fails("mqtt_tree_init", "alloc")
def no_namespace_without_a_tree_of_topics(w):
    """The tree of filters was made before."""
    with w.failing(sparing="kmqtt_subscribe_init"):
        assert new_namespace() == errno.ENOMEM
    assert new_namespace() == 0


@fails("mqtt_tree_init", "rhashtable_init")
@fails("kmqtt_session_table_init")
@fails("kmqtt_subscribe_init")
def a_table_is_made_smaller(w):
    """The kernel has the smallest size in any case."""
    with w.failing():
        assert new_namespace() == 0


def insert_failing(site):
    """insmod while this call fails. Where the module will be is guessed: by
    turns, in the places where it was before."""
    places = []
    for _ in range(10):
        place = places[-2] if len(places) > 1 else (places or [0])[-1]
        at = place + site.returns
        with faults.failing(at, at + 1) as injected:
            done = run("insmod", MODULE)
        if injected.count:
            return injected.count, done
        assert not done.returncode, f"insmod: {done.stderr}"
        places.append(sites.base(site.section))
        unload()
    raise AssertionError(f"it is somewhere else each time: {places}")


def insert_without(site):
    """The module does without what this call gives. Return: how often it has
    failed."""
    count, done = insert_failing(site)
    assert not done.returncode, f"insmod: {done.stderr}"
    unload()
    return count


def insert(site):
    """The module is not loaded without what this call gives, and afterwards
    it is. Return: how often it has failed."""
    count, done = insert_failing(site)
    assert done.returncode and "Cannot allocate memory" in done.stderr, \
        f"insmod {done.returncode}: {done.stderr}"
    assert not LOADED.exists()
    done = run("insmod", MODULE)
    assert not done.returncode, f"insmod: {done.stderr}"
    unload()
    return count
