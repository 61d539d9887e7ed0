"""Blobs in a directory. A file appears whole or not at all: written aside, synced, then renamed or
linked, and its folder synced, so that what history refers to is there after a loss of power too.
"""

import contextlib
import errno
import os
import tempfile
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from activities.adapters.blob_place import Kept
from activities.adapters.leftovers import remove_abandoned
from activities.adapters.syncing import sync_folder

ASIDE = ".tmp-"
"""How a file is called until it is whole."""
OWN = 2
"""Parts of a key that are one migration's own folder."""


class BlobFolder:
    """A directory; keys are paths in it."""

    def __init__(self, root: Path, begins: bool) -> None:
        self._root = root
        self._begins = begins

    def read(self, key: str) -> bytes | None:
        """None: it is not there."""
        try:
            return (self._root / key).read_bytes()
        except FileNotFoundError:
            self._check_here(key)
            return None

    def write(self, key: str, data: bytes) -> None:
        """A file of this size is this file, else it is written anew; a repeated one is young."""
        path = self._root / key
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size == len(data):
                os.utime(path)
                return
        with self._written_aside(key, data) as aside:
            aside.rename(path)

    def create(self, key: str, data: bytes) -> bool:
        path = self._root / key
        if path.exists():
            return False
        with self._written_aside(key, data) as aside, contextlib.suppress(FileExistsError):
            os.link(aside, path)
            return True
        return False

    def below(self, folder: str) -> Iterator[Kept]:
        for path in sorted((self._root / folder).rglob("*")):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    about = path.stat()
                    key = path.relative_to(self._root).as_posix()
                    yield Kept(key, about.st_size, about.st_mtime)

    def folders(self, folder: str) -> Sequence[str]:
        here = self._root / folder
        return [path.name for path in here.iterdir() if path.is_dir()] if here.is_dir() else []

    def delete(self, keys: Sequence[str]) -> None:
        """The files, and the folders that they leave empty."""
        for key in keys:
            path = self._root / key
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                for folder in path.parents:
                    if folder in (self._root, self._root.parent):
                        break
                    folder.rmdir()

    def address(self, key: str) -> str:
        return str(self._root / key)

    def sweep(self) -> list[Path]:
        migrations = self._root / "migration"
        left = [*migrations.glob(f"*/sha256/*/{ASIDE}*"), *migrations.glob(f"*/keys/{ASIDE}*")]
        left += self._root.glob(f"provider/*/{ASIDE}*")
        return remove_abandoned(left)

    def _check_here(self, key: str) -> None:
        """Who begins no migration finds a folder of each that it works for, unless all is away."""
        parts = key.split("/")
        own = self._root.joinpath(*parts[:OWN])
        if not self._begins and len(parts) > OWN and not own.is_dir():
            raise FileNotFoundError(errno.ENOENT, "no blobs of this migration", str(own))

    @contextlib.contextmanager
    def _written_aside(self, key: str, data: bytes) -> Generator[Path]:
        """A synced file beside `key`, gone afterwards unless it was renamed."""
        folder = (self._root / key).parent
        self._check_here(key)
        _make(folder)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=ASIDE)
        aside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield aside
            sync_folder(folder)
        except OSError as trouble:
            # A full disk names no file, and a person has to know which disk it is.
            raise OSError(trouble.errno, trouble.strerror, str(self._root / key)) from trouble
        finally:
            aside.unlink(missing_ok=True)


def _make(folder: Path) -> None:
    """With its parents, each known to the one above it when the power goes."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)
