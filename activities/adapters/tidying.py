"""Packs together what adds up in a hub, or in a mirror of one, and writes down its history.

Each landing leaves a pack, and every git process looks into every pack: with 2,000 of them it takes
a third of a second longer. A pack twice as large as all smaller ones together stays as it is, so it
costs what is new. All that a pack holds goes along, reached by a ref or not, and is durable in its
new place before it leaves the old one. So do loose objects, of which each costs a file; git itself
would take the folder away that somebody is about to write one into. Refs are files until they are
packed: with 10,000 of them, listing takes five times as long. The commit graph spares whoever asks
what a branch has from reading commits. Nothing is ever pruned: workspaces and check trees borrow it
all. Where nothing adds up no git is started: a look costs the listing of some folders.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from activities.adapters.check_trees import try_lock
from activities.adapters.git import Git, GitFailed
from activities.adapters.hub import Hub
from activities.adapters.syncing import sync_folder

PACKS = 50
"""A hub is left alone until it has more packs than this."""
LOOSE = 2000
"""Loose objects that a hub may have."""
LOOSE_AT_ONCE = 20_000
"""Of them in one pack: what is left is the next one's."""
REFS = 200
"""Loose ones; more are packed."""
GRAPH_SECONDS = 3600.0
"""Between two writings of the commit graph, where anything came."""
TIDY_SECONDS = 3600
NAME = "?" * 38
"""A loose object's; two more characters are its folder's."""
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
        loose, packs = _pack_loose(hub, lock), _pack_packs(hub, lock)
        refs = _pack_refs(hub)
        graph = _write_graph(hub, lock)
    except GitFailed as failed:
        raise NotTidied(str(failed)) from failed
    finally:
        os.close(lock)
    done = (
        (loose, f"{loose} objects"),
        (packs, f"{packs} packs"),
        (refs, "refs"),
        (graph, "the commit graph"),
    )
    return [what for was, what in done if was]


def _pack_packs(hub: Hub, lock: int) -> int:
    """How many became one."""
    folder = hub.path / "objects/pack"
    small = _small(folder)
    if len(small) <= PACKS:
        return 0
    made = _packed(hub, lock, ["--stdin-packs"], (pack.name for pack in small))
    for pack in small:
        if pack.stem != made:
            for part in PARTS:
                pack.with_suffix(part).unlink(missing_ok=True)
    return len(small)


def _pack_loose(hub: Hub, lock: int) -> int:
    """How many became a pack. Who looks for one that is gone looks into the packs again."""
    found = list(islice(_loose(hub), LOOSE_AT_ONCE))
    if len(found) <= LOOSE:
        return 0
    _packed(hub, lock, [], (f"{path.parent.name}{path.name}" for path in found))
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def _loose(hub: Hub) -> Iterator[Path]:
    """Whole ones: while it is written, an object has another name."""
    objects = hub.path / "objects"
    return (path for n in range(256) for path in (objects / f"{n:02x}").glob(NAME))


def _packed(hub: Hub, lock: int, words: Sequence[str], listed: Iterable[str]) -> str:
    """The name of a new pack with what is listed, which is durable."""
    folder = hub.path / "objects/pack"
    # One thread: it runs beside what everybody waits for.
    made = Git(hub.path, inherit=(lock,)).run(
        *("pack-objects", "-q", *words, str(folder / "pack")),
        stdin="".join(f"{name}\n" for name in listed).encode(),
        timeout=TIDY_SECONDS,
        settings=("pack.threads=1",),
    )
    sync_folder(folder)
    return f"pack-{made.decode().strip()}"


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
