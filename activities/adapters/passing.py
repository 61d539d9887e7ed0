"""Folders that nobody needs once their owner is gone.

Each is locked by its owner for as long as it lives; the kernel frees the lock with the process. So
whoever makes the next one knows those that a killed process left, and deletes them.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

ORPHANED_AFTER = 60.0
"""Seconds after which a folder that nobody has locked was left behind: one is made, then locked."""


class PassingFolder:
    """A fresh folder called `<prefix>…`, until it is closed."""

    def __init__(self, prefix: str, root: Path | None = None) -> None:
        root = root or Path(tempfile.gettempdir())
        _sweep(root, prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
        self._lock = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Everything in it is gone; a second call does nothing."""
        shutil.rmtree(self.path, ignore_errors=True)
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def _sweep(root: Path, prefix: str) -> None:
    for left in root.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            _remove_if_orphaned(left)


def _remove_if_orphaned(left: Path) -> None:
    """Raises OSError when somebody has it locked, or when it is gone."""
    lock = os.open(left, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if time.time() - os.fstat(lock).st_mtime > ORPHANED_AFTER:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    finally:
        os.close(lock)
