"""The gate's rules about modes, line ends and pointers: what a change does without meaning to.

A migration that means to says so in its spec's `integrity` section.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from activities.adapters.integrity_tests import LONGEST
from activities.adapters.objects import DiffEntry
from activities.adapters.violation import Violation
from activities.contracts.integrity import IntegrityRule as Rule

_CRLF, _LF = re.compile(rb"\r\n"), re.compile(rb"(?<!\r)\n")
_POINTER = b"version https://git-lfs"
_ALIKE = 0.5
"""Of the lines of the longer file, those that both have: such a file has moved, as git has it."""
_SHIFT = 0.25
"""Of a file with both line ends, how much may change them."""
_COMPARED = 200
"""Pairs of a deleted and an added file of another mode that are compared."""


def mode_flip(entry: DiffEntry, old_mode: str) -> Violation:
    return Violation(Rule.MODE_FLIP, entry.path, None, f"{old_mode} became {entry.new_mode}")


def moved_modes(entries: Sequence[DiffEntry], read: Callable[[str], bytes]) -> Iterator[Violation]:
    """Files that moved, were edited on the way and have another mode there."""
    gone = [e for e in entries if e.status == "D" and e.old_mode.startswith("100")]
    moved = {e.new_blob for e in entries if e.status == "A"} & {e.old_blob for e in gone}
    there = [e for e in entries if e.status == "A" and e.new_blob not in moved]
    pairs = (
        (old, new)
        for new in there
        for old in gone
        if old.old_blob not in moved
        and new.new_mode.startswith("100")
        and new.new_mode != old.old_mode
    )
    told: set[str] = set()
    for old, new in islice(pairs, _COMPARED):
        if new.path not in told and _alike(read(old.old_blob), read(new.new_blob)):
            told.add(new.path)
            yield mode_flip(new, old.old_mode)


def line_ends(path: str, old: bytes, new: bytes) -> Iterator[Violation]:
    """A file of one kind of line end has no other one after; of one with both, those that are most
    stay the most, and lose no more than a quarter of the lines."""
    before, after = _crlf(old), _crlf(new)
    if before is None or after is None:
        return
    grew = after > before
    lost = after - before if before <= 0.5 else before - after
    if lost <= (0 if before in (0.0, 1.0) else _SHIFT) and (after > 0.5) == (before > 0.5):
        return
    first = (_CRLF if grew else _LF).search(new)
    line = new.count(b"\n", 0, first.start()) + 1 if first else None
    yield Violation(
        Rule.EOL_FLIP, path, line, f"line ends were {_named(before)}, are {_named(after)}"
    )


def pointers(path: str, old: bytes, new: bytes) -> Iterator[Violation]:
    """A pointer stays one: in workspaces there are only pointers, and what became of one is what
    the code host would hand out."""
    was, is_one = old.startswith(_POINTER), new.startswith(_POINTER)
    if was and not is_one:
        what = f"a Git LFS pointer became a file of {len(new):,} bytes: it would be kept in git"
        yield Violation(Rule.LFS_POINTER, path, 1, what)
    elif is_one and not was:
        what = "a file became a Git LFS pointer, whose content nobody has put into LFS"
        yield Violation(Rule.LFS_POINTER, path, 1, what)


def _alike(old: bytes, new: bytes) -> bool:
    if max(len(old), len(new)) > LONGEST:
        return False
    before, after = old.split(b"\n"), new.split(b"\n")
    both = (Counter(before) & Counter(after)).total()
    return both >= _ALIKE * max(len(before), len(after))


def _crlf(data: bytes) -> float | None:
    """The share of CRLF among a text's line ends; None for binary files and for a single line."""
    if b"\0" in data[:8000] or not (both := data.count(b"\n")):
        return None
    return data.count(b"\r\n") / both


def _named(crlf: float) -> str:
    if crlf in (0.0, 1.0):
        return "CRLF" if crlf else "LF"
    return f"mixed ({crlf:.0%} CRLF)"
