"""What a step is at that takes minutes, in words for people: whoever beats for it passes them on.

A step has a slate of its own; whatever runs within it, in other threads too, writes on that one.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar

_SLATE: ContextVar[list[str] | None] = ContextVar("slate", default=None)


def fresh_slate() -> list[str]:
    """This step's; the last of its words are what it does now, none: nothing worth telling."""
    words: list[str] = []
    _SLATE.set(words)
    return words


@contextmanager
def doing(what: str) -> Generator[Callable[[str], None]]:
    """Says so while it lasts, or what is said to it since; outside of a step to nobody."""
    words = _SLATE.get()
    if words is None:
        yield lambda _: None
        return
    said = what
    words.append(what)

    def say(now: str) -> None:
        nonlocal said
        words[words.index(said)] = said = now

    try:
        yield say
    finally:
        words.remove(said)
