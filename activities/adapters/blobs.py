"""Blobs: what is too big for history, under one migration's prefix, in a folder or a bucket.

`put` is harmless when repeated: equal bytes have one name. `put_once` is the write-once record: the
first writer wins and everybody is told what was recorded. Both carry their digest and are verified
when read, so that a damaged one is never taken for what was written.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote
from uuid import uuid4

from pydantic import BaseModel

from activities.adapters.blob_folder import BlobFolder
from activities.adapters.blob_place import Kept, Place
from activities.adapters.fault_points import Effect, around
from activities.contracts.base import BlobRef

Model = TypeVar("Model", bound=BaseModel)
MIGRATIONS = "migration"
DIGEST = 64
"""Characters of a sha256: a record begins with its own, and a line end."""


class BlobMissing(Exception):
    """The blob is not in the store."""


class BlobCorrupt(Exception):
    """The blob's bytes are not those it is named by."""


class NotExclusive(Exception):
    """The store overwrites what it was told to create only."""


class BlobStore:
    """`migration/<name>/sha256/ab/<digest>` and `migration/<name>/keys/<key>` in one place."""

    def __init__(self, where: Path | str, *, begins: bool = True) -> None:
        """A folder, or the URL of a bucket: s3://bucket/prefix, gs://…, az://….

        `begins` is false for those who never see a migration first: in a folder where nothing of it
        is, which may be a mount point without its file system, they write nothing.
        """
        self._place = place(where, begins)

    def put(self, migration: str, data: bytes) -> BlobRef:
        """Stores bytes under their digest."""
        digest = hashlib.sha256(data).hexdigest()
        with around(Effect.BLOB):
            self._place.write(_path(migration, digest), data)
        return BlobRef(migration=migration, sha256=digest, size=len(data))

    def get(self, ref: BlobRef) -> bytes:
        """The bytes behind a reference; raises BlobMissing or BlobCorrupt."""
        key = _path(ref.migration, ref.sha256)
        data = self._place.read(key)
        if data is None:
            raise BlobMissing(f"{self._place.address(key)} of {ref.migration} is missing")
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            raise BlobCorrupt(f"{self._place.address(key)} of {ref.migration} is damaged")
        return data

    def put_model(self, migration: str, model: BaseModel) -> BlobRef:
        """Stores a model as JSON."""
        return self.put(migration, model.model_dump_json(by_alias=True).encode())

    def get_model(self, ref: BlobRef, kind: type[Model]) -> Model:
        """The model behind a reference."""
        return kind.model_validate_json(self.get(ref))

    def put_once(self, migration: str, key: str, data: bytes) -> bytes:
        """Records `data` under `key` unless something is recorded; returns what is recorded."""
        digest = hashlib.sha256(data).hexdigest().encode()
        with around(Effect.RECORD):
            created = self._place.create(_key(migration, key), digest + b"\n" + data)
        if created:
            return data
        recorded = self.find(migration, key)
        if recorded is None:
            raise BlobMissing(f"the record {key} of {migration} went while it was read")
        return recorded

    def find(self, migration: str, key: str) -> bytes | None:
        """What `put_once` recorded under `key`; raises BlobCorrupt."""
        where = _key(migration, key)
        record = self._place.read(where)
        if record is None:
            return None
        data = record[DIGEST + 1 :]
        if hashlib.sha256(data).hexdigest().encode() + b"\n" != record[: DIGEST + 1]:
            raise BlobCorrupt(
                f"{self._place.address(where)}, a record of {migration}, is damaged; "
                "once it is deleted, what it recorded is measured again"
            )
        return data

    def records(self, migration: str, prefix: str) -> list[str]:
        """The keys of all records that begin so."""
        folder = f"{_folder(migration)}/keys/"
        keys = (unquote(kept.key.removeprefix(folder)) for kept in self._place.below(folder))
        return sorted(key for key in keys if key.startswith(prefix))

    def migrations(self) -> list[str]:
        """The names of all that have blobs here."""
        return sorted(unquote(name) for name in self._place.folders(MIGRATIONS))

    def kept(self, migration: str) -> list[Kept]:
        """All that is kept of a migration."""
        return list(self._place.below(_folder(migration)))

    def delete(self, objects: Iterable[Kept]) -> None:
        """Deletes objects that were listed; what is gone already stays gone."""
        with around(Effect.BLOBS_GONE):
            self._place.delete([kept.key for kept in objects])

    def probe(self) -> None:
        """Raises OSError when the store cannot be written, NotExclusive when it is no good."""
        key = f"probe/{uuid4().hex}"
        self._place.create(key, b"1")
        again = self._place.create(key, b"2")
        self._place.delete([key])
        if again:
            raise NotExclusive(
                f"{self._place.address(key)}: the store ignores If-None-Match, so two writers "
                "would overwrite each other's records; use one that honours it"
            )

    def sweep(self) -> list[Path]:
        """Deletes what killed writers left without its name; returns it. Again: none is left."""
        return self._place.sweep()


def place(where: Path | str, begins: bool = True) -> Place:
    """The folder or bucket; a bucket's library is loaded only where there is one."""
    if isinstance(where, str) and "://" in where:
        from activities.adapters.blob_bucket import BlobBucket

        return BlobBucket(where)
    return BlobFolder(Path(where), begins)


def _folder(migration: str) -> str:
    return f"{MIGRATIONS}/{quote(migration, safe='')}"


def _path(migration: str, digest: str) -> str:
    return f"{_folder(migration)}/sha256/{digest[:2]}/{digest}"


def _key(migration: str, key: str) -> str:
    return f"{_folder(migration)}/keys/{quote(key, safe='')}"
