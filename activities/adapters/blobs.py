"""Blobs: what is too big for history, content-addressed under one migration's prefix.

`put` is harmless when repeated: equal bytes have one name. `put_once` is the write-once record: the
first writer wins and everybody is told what was recorded. A file appears whole or not at all
(written aside, fsynced, renamed or linked), and is verified when read.
"""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from activities.adapters.fault_points import Effect, around
from activities.adapters.leftovers import remove_abandoned
from activities.contracts.base import BlobRef

Model = TypeVar("Model", bound=BaseModel)
ASIDE = ".tmp-"
"""How a file is called until it is whole."""


class BlobMissing(Exception):
    """The blob is not in the store."""


class BlobCorrupt(Exception):
    """The blob's bytes are not those it is named by."""


class BlobStore:
    """A directory: `migration/<name>/sha256/ab/<digest>` and `migration/<name>/keys/<key>`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, migration: str, data: bytes) -> BlobRef:
        """Stores bytes under their digest."""
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(migration, digest)
        if not path.exists():
            _publish(path, data, exclusive=False)
        return BlobRef(migration=migration, sha256=digest, size=len(data))

    def get(self, ref: BlobRef) -> bytes:
        """The bytes behind a reference; raises BlobMissing or BlobCorrupt."""
        try:
            data = self._path(ref.migration, ref.sha256).read_bytes()
        except FileNotFoundError:
            raise BlobMissing(f"blob {ref.sha256[:12]} of {ref.migration} is missing") from None
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            raise BlobCorrupt(f"blob {ref.sha256[:12]} of {ref.migration} is corrupt")
        return data

    def put_model(self, migration: str, model: BaseModel) -> BlobRef:
        """Stores a model as JSON."""
        return self.put(migration, model.model_dump_json(by_alias=True).encode())

    def get_model(self, ref: BlobRef, kind: type[Model]) -> Model:
        """The model behind a reference."""
        return kind.model_validate_json(self.get(ref))

    def put_once(self, migration: str, key: str, data: bytes) -> bytes:
        """Records `data` under `key` unless something is recorded; returns what is recorded."""
        path = self._key(migration, key)
        if not path.exists():
            _publish(path, data, exclusive=True)
        return path.read_bytes()

    def find(self, migration: str, key: str) -> bytes | None:
        """What `put_once` recorded under `key`."""
        path = self._key(migration, key)
        return path.read_bytes() if path.exists() else None

    def sweep(self) -> list[Path]:
        """Deletes what killed writers left without its name; returns it. Again: none is left."""
        migrations = self._root / "migration"
        left = [*migrations.glob(f"*/sha256/*/{ASIDE}*"), *migrations.glob(f"*/keys/{ASIDE}*")]
        return remove_abandoned(left)

    def _folder(self, migration: str) -> Path:
        return self._root / "migration" / quote(migration, safe="")

    def _path(self, migration: str, digest: str) -> Path:
        return self._folder(migration) / "sha256" / digest[:2] / digest

    def _key(self, migration: str, key: str) -> Path:
        return self._folder(migration) / "keys" / quote(key, safe="")


def _publish(path: Path, data: bytes, *, exclusive: bool) -> None:
    """Makes the file appear whole; `exclusive`: an existing one stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=ASIDE)
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if exclusive:
            with around(Effect.RECORD), contextlib.suppress(FileExistsError):
                os.link(aside, path)
        else:
            with around(Effect.BLOB):
                aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)
