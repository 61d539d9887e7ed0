"""Scratch folders of command runs: each is locked while its run lasts, so the sweeper knows a dead
run's from a live one's, in whatever process that is. The kernel frees the lock with its process.
"""

import asyncio
import contextlib
import fcntl
import os
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

from activities.adapters.check_trees import remove_tree, try_lock

PREFIX = "run-"


class Scratch:
    """The scratch folders below one root."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextlib.contextmanager
    def folder(self) -> Generator[Path]:
        """A fresh folder that others may enter but not change; gone afterwards. Blocking."""
        folder, lock = self._made()
        try:
            yield folder
        finally:
            _remove(folder, lock)

    @contextlib.asynccontextmanager
    async def run_folder(self) -> AsyncGenerator[Path]:
        """The same for a coroutine: what a build wrote takes seconds to delete, and the heartbeats
        come from the event loop."""
        folder, lock = self._made()
        try:
            yield folder
        finally:
            await asyncio.to_thread(_remove, folder, lock)

    def _made(self) -> tuple[Path, int | None]:
        with self._guarded():
            folder = Path(tempfile.mkdtemp(dir=self._root, prefix=PREFIX))
            folder.chmod(0o755)
            return folder, try_lock(folder)

    def lock_file(self, name: str) -> Path:
        """A file to lock, for work that one run does for others on this host."""
        self._root.mkdir(parents=True, exist_ok=True)
        return self._root / f"{name}.lock"

    def sweep(self) -> list[Path]:
        """Deletes what dead runs left; returns it. Again: nothing is left to delete."""
        return self.delete(self.dead())

    def dead(self) -> list[Path]:
        """The folders whose process is gone."""
        if not self._root.is_dir():
            return []
        with self._guarded():
            return [path for path in self._root.glob(f"{PREFIX}*") if _is_dead(path)]

    def delete(self, dead: list[Path]) -> list[Path]:
        """Deletes dead folders; returns them."""
        for path in dead:
            remove_tree(path)
        return dead

    @contextlib.contextmanager
    def _guarded(self) -> Generator[None]:
        """No folder is between its making and its lock while this is held."""
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _remove(folder: Path, lock: int | None) -> None:
    remove_tree(folder)
    if lock is not None:
        os.close(lock)


def _is_dead(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        lock = try_lock(folder)
        if lock is None:
            return False
        os.close(lock)
        return True
    return False
