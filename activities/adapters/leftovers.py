"""What killed processes leave behind where no lock tells it from what live ones are writing: files
that were written under a name of their own and never got the one they were for.

Any process of the host may be writing one, for seconds or minutes. So only one that nobody has
touched for an hour is dead. Should its writer only have slept, its last step fails, and is tried
again like everything that it does.
"""

import contextlib
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

ABANDONED_AFTER = 3600.0
"""Seconds."""


def remove_abandoned(half_written: Iterable[Path]) -> list[Path]:
    """Deletes those of them that nobody has touched for long; returns them. Again: none is left."""
    dead = [path for path in half_written if is_abandoned(path)]
    for path in dead:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return dead


def is_abandoned(path: Path) -> bool:
    """A folder is as young as the youngest below it; what has its final name by now is not dead."""
    with contextlib.suppress(FileNotFoundError):
        touched = max(found.lstat().st_mtime for found in (path, *path.rglob("*")))
        return time.time() - touched > ABANDONED_AFTER
    return False
