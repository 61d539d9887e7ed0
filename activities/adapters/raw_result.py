"""One result as a test runner wrote it, before ids are made stable and paths are looked up."""

from dataclasses import dataclass
from typing import Literal

DETAIL_CHARS = 64 * 1024
"""How much of one failure's text is looked at; the rest is never kept in memory."""

State = Literal["passed", "failed", "skipped"]


class UnreadableResultsError(Exception):
    """Results were promised and cannot be read; the text says why, in a few words."""


@dataclass(frozen=True)
class RawResult:
    """A name and what became of it."""

    name: str
    state: State
    message: str = ""
    detail: str = ""
    """The failure's own text, bounded: tracebacks and locations are read from it."""
    places: tuple[str, ...] = ()
    """A file or a dotted class name that the runner gave, most certain first."""
    synthetic: bool = False
    """Made by the reader, such as `plan`: not a test of that name."""
