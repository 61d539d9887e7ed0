"""What a step is at that takes minutes, in words for people: whoever beats for it passes them on.

A step has a slate of its own; whatever runs within it, in other threads too, writes on that one.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_SLATE: ContextVar[list[str] | None] = ContextVar("slate", default=None)


def fresh_slate() -> list[str]:
    """This step's; the last of its words are what it does now, none: nothing worth telling."""
    words: list[str] = []
    _SLATE.set(words)
    return words


@contextmanager
def doing(what: str) -> Generator[None]:
    """Says so while it lasts; outside of a step to nobody."""
    words = _SLATE.get()
    if words is None:
        yield
        return
    words.append(what)
    try:
        yield
    finally:
        words.remove(what)
