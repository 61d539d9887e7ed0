"""One result as a test runner wrote it, before ids are made stable and paths are looked up."""

from dataclasses import dataclass
from typing import Literal

EXIT = "exit"
"""The id of the command itself."""
PLAN = "plan"
"""The id of a run that did not do what it announced, or did not finish."""
UNNAMED = "unnamed results"
"""The id of results that were only counted."""
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
    times: int = 1


class Detail:
    """The text of one failure while it is read: what is too long is not kept."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._chars = 0

    def add(self, text: str) -> None:
        if self._chars < DETAIL_CHARS:
            self._parts.append(text)
            self._chars += len(text)

    def text(self, between: str = "\n") -> str:
        return between.join(self._parts)[:DETAIL_CHARS]


def did_not_finish(what: str) -> RawResult:
    """The result of a run that was cut short: red, whatever came before."""
    return RawResult(PLAN, "failed", message=what, synthetic=True)
