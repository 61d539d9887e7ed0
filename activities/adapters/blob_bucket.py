"""Blobs in an object store: S3 and what speaks like it, Google Cloud Storage, Azure.

Where it is and who we are, obstore reads from the environment variables of each provider
(AWS_ENDPOINT, AWS_REGION, AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS, …). Objects appear
whole by themselves; a record is created by a conditional put.
"""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Generator, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import from_url

from activities.adapters.blob_place import Kept

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig

ONCE_IN_A_WHILE: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}
"""A single 503 is everyday for an object store; more than that is Temporal's to be patient with."""
SAID = 160
"""Characters of what a store says that are told on."""
FORBIDDEN = (PermissionDeniedError, UnauthenticatedError)


class BlobBucket:
    """A bucket and a prefix in it; keys are object names below that."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        with self._told():
            self._store: ObjectStore = from_url(self._url, retry_config=ONCE_IN_A_WHILE)

    def read(self, key: str) -> bytes | None:
        with self._told():
            try:
                return bytes(obstore.get(self._store, key).bytes())
            except FileNotFoundError:
                return None

    def write(self, key: str, data: bytes) -> None:
        with self._told():
            obstore.put(self._store, key, data)

    def create(self, key: str, data: bytes) -> bool:
        with self._told(), contextlib.suppress(AlreadyExistsError):
            obstore.put(self._store, key, data, mode="create")
            return True
        return False

    def below(self, folder: str) -> Iterator[Kept]:
        with self._told():
            for page in obstore.list(self._store, prefix=folder):
                for found in page:
                    yield Kept(found["path"], found["size"], found["last_modified"].timestamp())

    def folders(self, folder: str) -> Sequence[str]:
        with self._told():
            listed = obstore.list_with_delimiter(self._store, prefix=folder)
        return [name.rpartition("/")[2] for name in listed["common_prefixes"]]

    def delete(self, keys: Sequence[str]) -> None:
        with self._told(), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, list(keys))

    def address(self, key: str) -> str:
        return f"{self._url}/{key}"

    def sweep(self) -> list[Path]:
        """An object store has no half-written objects; a bucket's own rules end uploads."""
        return []

    @contextlib.contextmanager
    def _told(self) -> Generator[None]:
        """The library's errors as the system's, with the bucket's name and nothing secret."""
        try:
            yield
        except (BaseError, ValueError) as trouble:
            number = errno.EACCES if isinstance(trouble, FORBIDDEN) else errno.EIO
            said = str(trouble).partition("Debug source")[0]
            said = re.sub(r"\?\S+", "?…", " ".join(said.split()))[:SAID]
            raise OSError(number, said, self._url) from None
