"""Where blobs can be: what a folder and a bucket have in common."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol


class Kept(NamedTuple):
    """One object of a store."""

    key: str
    size: int
    """Bytes."""
    written: float
    """Seconds since the epoch."""


class Place(Protocol):
    """Where bytes are kept by key: a folder or a bucket. Any thread may use it at any time.

    Every method may raise OSError: the place is away, full, or forbidden.
    """

    def read(self, key: str) -> bytes | None: ...

    def write(self, key: str, data: bytes) -> None:
        """Appears whole or not at all; the key says what it holds, so a second one is the same."""
        ...

    def create(self, key: str, data: bytes) -> bool:
        """As `write`, unless the key is there; whether it was not."""
        ...

    def below(self, folder: str) -> Iterable[Kept]:
        """Everything below a folder."""
        ...

    def folders(self, folder: str) -> Sequence[str]:
        """The names of the folders in a folder."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Those that are gone stay gone."""
        ...

    def address(self, key: str) -> str:
        """Where a person finds it."""
        ...

    def sweep(self) -> list[Path]:
        """Deletes what killed writers left without its name; returns it. Again: none is left."""
        ...
