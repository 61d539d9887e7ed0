"""Where the hubs of all repositories are, and what is swept there.

Locks and a half-created hub are dead when their own lock, which every child of a writer inherits,
is free. Temporary objects have no lock: they go by age, those of a fetch also not before it ended.
"""

import errno
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from activities.adapters.check_trees import try_lock
from activities.adapters.fault_points import Effect, around
from activities.adapters.hub import Hub
from activities.adapters.leftovers import remove_abandoned
from activities.adapters.tidying import tidy, without_index

TEMPORARY = ("objects/tmp_*", "objects/??/tmp_*")
"""libgit2's objects and git's incoming folders; git's objects."""
PACKS = ("objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/pack/pack_git2_*")
"""git's and ours; those of a repacking git; libgit2's."""
OTHER_LOCKS = ("*.lock", "objects/info/**/*.lock")
"""On the configuration and other single files."""


class HubUnreachable(Exception):
    """A hub that somebody works with is not there."""


class HubBusy(Exception):
    """A hub that is to go is being fetched into."""


class Hubs:
    """Opens hubs under one folder."""

    def __init__(self, root: Path, *, begins: bool = True) -> None:
        """`begins` is false where only a base that is taken creates a hub: who lands on one that is
        away must wait for it, not go on with an empty one in its place."""
        self._root = root
        self._begins = begins

    def of(self, repository_id: str, *needed: str) -> Hub:
        """The hub, with these commits in it where it is a mirror.

        Raises HubUnreachable where nobody has begun it, or its file system is away, and
        PermissionError where it may not be entered: git would call it no repository."""
        path = self._root / f"{repository_id}.git"
        if not self._begins and not path.is_dir():
            raise HubUnreachable(f"there is no hub at {path}")
        if path.is_dir() and not os.access(path, os.R_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        hub = self.begin(repository_id)
        hub.need(needed)
        return hub

    def begin(self, repository_id: str) -> Hub:
        """Creates it if need be."""
        return Hub.open(self._root, repository_id)

    def all(self) -> list[Hub]:
        """Those that are here, by name."""
        return [Hub(path) for path in sorted(self._root.glob("*.git")) if path.is_dir()]

    def remove(self, hub: Hub) -> None:
        """Deletes a hub with all its branches; what a killed one leaves of it is swept.

        Raises HubBusy. Harmless again: nothing is there.
        """
        with _no_fetch(hub) as quiet:
            if not quiet:
                raise HubBusy(f"a fetch into {hub.path} runs")
            with hub.holding(hub.lock):
                shutil.rmtree(hub.half_made, ignore_errors=True)
                if hub.path.is_dir():
                    with around(Effect.HUB_GONE):
                        hub.path.rename(hub.half_made)
                    shutil.rmtree(hub.half_made)

    def tidy(self) -> list[Path]:
        """Packs what adds up in a hub; the hubs where there was much. Harmless again."""
        return [hub.path for hub in self.all() if tidy(hub)]

    def sweep(self) -> list[Path]:
        """Deletes what killed processes left in every hub; returns it.

        Harmless beside live writers, and again: nothing is left to delete.
        """
        names = {path.name.removesuffix(".tmp") for path in self._root.glob("*.git*")}
        return [path for name in sorted(names) for path in _sweep(Hub(self._root / name))]


def _sweep(hub: Hub) -> list[Path]:
    swept: list[Path] = []
    with _no_fetch(hub) as quiet:
        with hub.holding(hub.lock):
            if hub.half_made.exists():
                shutil.rmtree(hub.half_made, ignore_errors=True)
                swept.append(hub.half_made)
        if not hub.path.is_dir():
            return swept
        swept += hub.sweep_locks(quiet=quiet)
        patterns = (*TEMPORARY, *OTHER_LOCKS, *(PACKS if quiet else ()))
        found = {path for pattern in patterns for path in hub.path.glob(pattern)}
        if quiet:
            found.update(without_index(hub))
        return swept + remove_abandoned(sorted(found))


@contextmanager
def _no_fetch(hub: Hub) -> Generator[bool]:
    """Whether no fetch runs; then none begins meanwhile."""
    lock = try_lock(hub.fetch_lock)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)
