"""Packs together what landings add to a hub one by one.

Each leaves a pack, and every git process looks into every pack: with 2,000 of them it takes a third
of a second longer. A pack twice as large as all smaller ones together stays as it is, so it costs
what is new. All that a pack holds goes along, reached by a ref or not, and is durable in its new
place before it leaves the old one. Loose objects stay: they slow nobody down, and git would take
the folder away that somebody is about to write one into.
"""

import os
from pathlib import Path

from activities.adapters.check_trees import try_lock
from activities.adapters.git import Git, GitFailed
from activities.adapters.hub import Hub
from activities.adapters.syncing import sync_folder

PACKS = 50
"""A hub is left alone until it has more packs than this."""
TIDY_SECONDS = 3600
PARTS = (".idx", ".pack", ".rev")
"""The index first: without it nobody finds the pack."""
NOT_OURS = (".keep", ".promisor", ".mtimes")
"""A fetch holds its pack by the first until its refs have moved."""


class NotTidied(OSError):
    """git could not; the next time it may."""


def tidy(hub: Hub) -> int:
    """How many packs became one; 0: there are few, or another process is at it.

    Harmless beside readers and writers, who find what moved in its new place, and again. Raises
    NotTidied.
    """
    folder = hub.path / "objects/pack"
    lock = try_lock(hub.path.with_suffix(".tidy.flock"))
    if lock is None:
        return 0
    try:
        small = _small(folder)
        if len(small) <= PACKS:
            return 0
        # One thread: it runs beside what everybody waits for.
        made = Git(hub.path, inherit=(lock,)).run(
            *("pack-objects", "-q", "--stdin-packs", str(folder / "pack")),
            stdin="".join(f"{pack.name}\n" for pack in small).encode(),
            timeout=TIDY_SECONDS,
            settings=("pack.threads=1",),
        )
        sync_folder(folder)
        for pack in small:
            if pack.stem != f"pack-{made.decode().strip()}":
                for part in PARTS:
                    pack.with_suffix(part).unlink(missing_ok=True)
    except GitFailed as failed:
        raise NotTidied(str(failed)) from failed
    finally:
        os.close(lock)
    return len(small)


def without_index(hub: Hub) -> list[Path]:
    """What nobody can read: of packs that somebody was killed taking away, or writing."""
    packs = (hub.path / "objects/pack").glob("pack-*.*")
    left = (path for path in packs if path.suffix in PARTS)
    return [path for path in left if not path.with_suffix(".idx").exists()]


def _small(folder: Path) -> list[Path]:
    """The packs to make one of: all up to the first that outweighs what is smaller twice."""
    found = [pack for pack in folder.glob("*.pack") if _is_free(pack)]
    ordered = sorted(found, key=lambda pack: pack.stat().st_size)
    sizes = [pack.stat().st_size for pack in ordered]
    for place in range(PACKS, len(ordered)):
        if sizes[place] > 2 * sum(sizes[:place]):
            return ordered[:place]
    return ordered


def _is_free(pack: Path) -> bool:
    """It is whole, for its index comes last, and nobody holds it."""
    held = any(pack.with_suffix(sign).exists() for sign in NOT_OURS)
    return pack.with_suffix(".idx").exists() and not held
