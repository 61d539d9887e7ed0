"""What a migration leaves when it is over, and how it goes: its refs, its records, its blobs.

Nothing here asks whether it is over: the caller knows. Killed anywhere, the next one goes on with
what is left. The green branch and what says whose it is are not among it: they are the outcome.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from activities.adapters.blob_place import Kept
from activities.adapters.blobs import BlobStore
from activities.adapters.hub import Hub
from activities.adapters.refs import OURS


class BegunAgain(Exception):
    """Somebody writes for the migration: it is not over."""


class Remains(NamedTuple):
    """How much there is, or was, of a migration."""

    blobs: int = 0
    """Records too."""
    size: int = 0
    """Bytes of them."""
    refs: int = 0


def remains(store: BlobStore, hubs: Sequence[Hub], migration: str) -> Remains:
    """What `remove` would delete."""
    kept = store.kept(migration)
    refs = sum(len(refs_of(hub, migration)) for hub in hubs)
    return Remains(len(kept), sum(one.size for one in kept), refs)


def remove(
    store: BlobStore, hubs: Sequence[Hub], migration: str, since: float, last: str = ""
) -> Remains:
    """Deletes all of it, the blob with the digest `last` after everything else; says how much.

    Raises BegunAgain, and deletes no more, when something of it was written after `since` (seconds
    since the epoch). Again: nothing is left to delete.
    """
    gone = Remains()
    check_quiet(store.kept(migration), since)
    for hub in hubs:
        if refs := refs_of(hub, migration):
            hub.drop(refs)
            gone = gone._replace(refs=gone.refs + len(refs))
    for stage in _stages(last):
        kept = store.kept(migration)
        check_quiet(kept, since)
        if going := [one for one in kept if stage(one)]:
            store.delete(going)
            size = gone.size + sum(one.size for one in going)
            gone = gone._replace(blobs=gone.blobs + len(going), size=size)
    return gone


def check_quiet(kept: Iterable[Kept], since: float) -> None:
    """Raises BegunAgain for what was written after `since`."""
    if young := next((one for one in kept if one.written > since), None):
        raise BegunAgain(f"{young.key} was written just now")


def refs_of(hub: Hub, migration: str) -> list[str]:
    """The refs that only its own tasks read. Exactly as deep as they are written: the migration
    `fleet` has none of those of `fleet/app`."""
    name = re.escape(migration)
    deep = rf"checkpoint/{name}/[^/]+|host/[^/]+/{name}/[^/]+|(host/[^/]+/\+)?once/{name}"
    ours = re.compile(rf"{OURS}({deep})/[^/]+")
    return [ref for ref in hub.refs(OURS) if ours.fullmatch(ref)]


def _stages(last: str) -> Sequence[Callable[[Kept], bool]]:
    """What goes before what: a baseline before the run that it was read from, records before the
    blobs that they name."""
    return (
        lambda one: "/keys/baseline" in one.key,
        lambda one: "/keys/" in one.key,
        lambda one: not last or last not in one.key,
        lambda _: True,
    )
