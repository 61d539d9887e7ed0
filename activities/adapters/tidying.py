"""Packs together what adds up in a hub, or in a mirror of one, and writes down its history.

Each landing leaves a pack, and every git process looks into every pack: with 2,000 of them it takes
a third of a second longer. A pack twice as large as all smaller ones together stays as it is, so it
costs what is new. All that a pack holds goes along, reached by a ref or not, and is durable in its
new place before it leaves the old one. Loose objects stay: they slow nobody down, and git would
take the folder away that somebody is about to write one into. Refs are files until they are packed:
with 10,000 of them, listing takes five times as long. The commit graph spares whoever asks what a
branch has from reading commits. Nothing is ever pruned: workspaces and check trees borrow it all.
"""

import os
import time
from itertools import islice
from pathlib import Path

from activities.adapters.check_trees import try_lock
from activities.adapters.git import Git, GitFailed
from activities.adapters.hub import Hub
from activities.adapters.syncing import sync_folder

PACKS = 50
"""A hub is left alone until it has more packs than this."""
REFS = 200
"""Loose ones; more are packed."""
GRAPH_SECONDS = 3600.0
"""Between two writings of the commit graph, where anything came."""
TIDY_SECONDS = 3600
PARTS = (".idx", ".pack", ".rev")
"""The index first: without it nobody finds the pack."""
NOT_OURS = (".keep", ".promisor", ".mtimes")
"""A fetch holds its pack by the first until its refs have moved."""


class NotTidied(OSError):
    """git could not; the next time it may."""


def tidy(hub: Hub) -> list[str]:
    """What was done; nothing: there is little, or another process is at it.

    Harmless beside readers and writers, who find what moved in its new place, and again. Raises
    NotTidied.
    """
    lock = try_lock(hub.path.with_suffix(".tidy.flock"))
    if lock is None:
        return []
    try:
        packs, refs = _pack_packs(hub, lock), _pack_refs(hub)
        graph = _write_graph(hub, lock)
    except GitFailed as failed:
        raise NotTidied(str(failed)) from failed
    finally:
        os.close(lock)
    done = ((packs, f"{packs} packs"), (refs, "refs"), (graph, "the commit graph"))
    return [what for was, what in done if was]


def _pack_packs(hub: Hub, lock: int) -> int:
    """How many became one."""
    folder = hub.path / "objects/pack"
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
    return len(small)


def _pack_refs(hub: Hub) -> bool:
    """Whether there were many loose ones. git packs a ref before it takes its file away, and only
    if nobody moved it meanwhile."""
    files = (name for _, _, names in os.walk(hub.path / "refs") for name in names)
    if len(list(islice(files, REFS + 1))) <= REFS:
        return False
    with hub.writing(()) as git:
        git.run("pack-refs", "--all", timeout=TIDY_SECONDS)
    return True


def _write_graph(hub: Hub, lock: int) -> bool:
    """Whether there was anything to add. Only who holds the lock, or its child, writes there: what
    a killed one left is dead."""
    folder = hub.path / "objects/info/commit-graphs"
    chain = folder / "commit-graph-chain"
    written = chain.stat().st_mtime if chain.exists() else 0.0
    came = (hub.path / "objects/pack").stat().st_mtime
    if came <= written or time.time() - written < GRAPH_SECONDS:
        return False
    for left in (*folder.glob("*.lock"), *folder.glob("tmp_graph_*")):
        left.unlink(missing_ok=True)
    git = Git(hub.path, inherit=(lock,))
    words = ("commit-graph", "write", "--reachable", "--split", "--no-progress")
    git.run(*words, timeout=TIDY_SECONDS, settings=("core.fsync=all",))
    if not chain.exists():
        return False
    os.utime(chain)  # it is looked at, even where git found no commit that is new
    return True


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
