"""Packs together what landings and checkpoints add to a hub one by one.

A landing leaves a pack, a checkpoint some loose objects, and every git process looks into every
pack: with 2,000 of them each takes a third of a second longer. Large packs are kept as they are, so
it costs what is new; what no ref reaches is packed too, nothing is ever dropped.
"""

import os

from activities.adapters.check_trees import try_lock
from activities.adapters.git import Git, GitFailed
from activities.adapters.hub import Hub

PACKS = 50
"""A hub is left alone until it has more packs than this."""
TIDY_SECONDS = 3600


class NotTidied(OSError):
    """git could not; the next time it may."""


def tidy(hub: Hub) -> int:
    """How many packs were made few; 0: it was tidy, or another process is at it.

    Harmless beside readers and writers, who find what moved in its new place, and again. Raises
    NotTidied.
    """
    packs = len(list((hub.path / "objects/pack").glob("*.pack")))
    if packs <= PACKS:
        return 0
    lock = try_lock(hub.path.with_suffix(".tidy.flock"))
    if lock is None:
        return 0
    try:
        # One thread: it runs beside what everybody waits for.
        how = ("-d", "-n", "-q", "--geometric=2")
        Git(hub.path, inherit=(lock,)).run(
            "repack", *how, timeout=TIDY_SECONDS, settings=("pack.threads=1",)
        )
    except GitFailed as failed:
        raise NotTidied(str(failed)) from failed
    finally:
        os.close(lock)
    return packs
