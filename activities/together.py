"""Which files stay together, whatever the split: patterns with named groups.

`src/{m}.py` and `tests/test_{m}.py` hold together what has the same `m`. A group stands for any
text, folders included, and the first ones take the most. A file may match several patterns: all
that it holds together becomes one. Pure.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

_GROUP = re.compile(r"\{([A-Za-z_]\w*)\}")


class Pattern(NamedTuple):
    """One pattern: its literal ends, for haste, and all of it."""

    lead: str
    trail: str
    whole: re.Pattern[str]

    def key(self, path: str) -> tuple[str, ...] | None:
        """What the groups stand for in a path, by the groups' names; None: no match."""
        if not (path.startswith(self.lead) and path.endswith(self.trail)):
            return None
        found = self.whole.fullmatch(path)
        if found is None:
            return None
        named = found.groupdict()
        return tuple(named[name] for name in sorted(named))


def group_names(pattern: str) -> frozenset[str]:
    """The names that stand in braces."""
    return frozenset(_GROUP.findall(pattern))


def compiled(text: str) -> Pattern:
    """The pattern behind the text; a group that stands there twice is the same twice."""
    parts = _GROUP.split(text.removeprefix("/"))
    seen: set[str] = set()
    expression = re.escape(parts[0])
    for name, literal in zip(parts[1::2], parts[2::2], strict=True):
        expression += f"(?P={name})" if name in seen else f"(?P<{name}>.+)"
        expression += re.escape(literal)
        seen.add(name)
    return Pattern(parts[0], parts[-1], re.compile(expression, re.DOTALL))


def units(
    bearing: Sequence[str],
    patterns: Sequence[str],
    others: Iterable[str],
    may_join: Callable[[str], bool],
) -> list[tuple[str, ...]]:
    """The bearing files in their order, each with what it must not be parted from.

    `others` are the tree's paths: those that belong to a bearing file, and may, come with it.
    """
    if not patterns:
        return [(path,) for path in bearing]
    ours = set(bearing)
    known = [compiled(text) for text in patterns]
    sets = Sets()
    partners: set[str] = set()
    keyed: dict[tuple[str, ...], str] = {}
    for path in bearing:
        for key in _keys(known, path):
            sets.join(path, keyed.setdefault(key, path))
    for path in (p for p in others if p not in ours):
        # a partner holds together what has sites, and never draws in further partners
        held = [keyed[key] for key in _keys(known, path) if key in keyed]
        if held and may_join(path):
            partners.add(path)
            for other in held:
                sets.join(path, other)
    members: dict[str, list[str]] = {}
    for path in (*bearing, *sorted(partners)):
        members.setdefault(sets.top(path), []).append(path)
    return [tuple(paths) for paths in members.values()]


def _keys(known: Sequence[Pattern], path: str) -> list[tuple[str, ...]]:
    return [key for pattern in known if (key := pattern.key(path)) is not None]


class Sets:
    """Disjoint sets of names; a name that was never joined is a set of its own."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}

    def top(self, name: str) -> str:
        """The name that stands for the set."""
        top = name
        while (above := self._above.get(top, top)) != top:
            top = above
        while (above := self._above.get(name, name)) != top:
            self._above[name] = top
            name = above
        return top

    def join(self, one: str, other: str) -> None:
        """Makes one set of two; the smaller name stands for it."""
        first, second = sorted((self.top(one), self.top(other)))
        if first != second:
            self._above[second] = first
