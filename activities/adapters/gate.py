"""What no candidate may do, whatever its checks say; decided on the diff against its parent alone.

Pure: it sees diff entries and the blobs it asks for. Every violation names its rule and its path,
because that is what the bounced task and the person reading it go by.
"""

import posixpath
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pathspec import GitIgnoreSpec

from activities.adapters.bounded_regex import SECONDS, BoundedRegex, PatternTooSlow
from activities.adapters.gate_content import line_ends, mode_flip, moved_modes, pointers
from activities.adapters.git import printable
from activities.adapters.integrity import Integrity
from activities.adapters.integrity_around import Tree
from activities.adapters.objects import GITLINK, DiffEntry
from activities.adapters.violation import Violation
from activities.contracts.integrity import Waiver

OUTSIDE_CLAIM = "outside-claim"
PROTECTED_PATH = "protected-path"
KEEP_PATTERN = "keep-pattern"
SYMLINK_ESCAPE = "symlink-escape"
DANGEROUS_PATH = "dangerous-path"
FILE_SIZE = "file-size"
CASE_COLLISION = "case-collision"

SIZE_LIMIT = 50 * 1000 * 1000
"""Bytes: what code hosts begin to refuse."""
SYMLINK = "120000"
_IGNORABLE = dict.fromkeys(
    (*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF)
)
"""What HFS+ leaves out when it compares names: `.g\\u200cit` is `.git` there."""

NO_TREE = Tree()
Keep = Sequence[tuple[str, BoundedRegex]]
ReadBlob = Callable[[str], bytes]
"""A blob's bytes by id; anything longer than SIZE_LIMIT may stand for a bigger one."""


@dataclass(frozen=True)
class GateRules:
    """What a migration forbids everywhere."""

    protect: tuple[str, ...] = ()
    """gitignore patterns nobody may change."""
    keep: tuple[str, ...] = ()
    """Regular expressions: a file that matched before matches after; a deleted one is let go."""
    lifted: tuple[str, ...] = ()
    """gitignore patterns of the phase's own claims, which lift the protection."""
    waivers: tuple[Waiver, ...] = ()
    """What the rules about tests let pass, and where."""
    seconds: float = SECONDS
    """How long one keep pattern may look at one diff."""


def violations(
    entries: Iterable[DiffEntry],
    claims: Sequence[str],
    creates: Sequence[str],
    rules: GateRules,
    read_blob: ReadBlob,
    base: Tree = NO_TREE,
) -> list[Violation]:
    """Every rule that this diff breaks, those about tests last; empty means it may go on.
    `base` is what the diff starts from.

    A keep pattern has one limit of time for the whole diff: what it could not look at is refused.
    """
    claimed = frozenset(claim.removeprefix("/") for claim in claims)
    literal = frozenset(path.removeprefix("/") for path in creates)
    protected, lifted = _spec(rules.protect), _spec(rules.lifted)
    read = lru_cache(maxsize=2)(read_blob)
    integrity = Integrity(rules.waivers, read, base)
    keep = [(p, BoundedRegex(p, rules.seconds, multiline=True)) for p in rules.keep]
    found: list[Violation] = []
    entries = list(entries)
    gone: dict[str, set[str]] = {}
    for entry in entries:
        if entry.status == "D":
            gone.setdefault(entry.old_blob, set()).add(entry.old_mode)
    for entry in entries:
        path = entry.path
        may_add = entry.status == "A" and (
            path in literal or _spec(tuple(creates)).match_file(path)
        )
        if path not in claimed and not may_add:
            found.append(Violation(OUTSIDE_CLAIM, path, None, f"{_deed(entry)} but not claimed"))
        if protected.match_file(path) and not lifted.match_file(path):
            found.append(Violation(PROTECTED_PATH, path, None, f"{_deed(entry)} but protected"))
        if entry.status != "D":
            found += _of_the_entry(entry, gone.get(entry.new_blob, set()))
            if not (entry.status == "A" and entry.new_blob in gone and entry.new_mode != SYMLINK):
                found += _of_the_content(entry, keep, read)
        integrity.look(entry)
    found += moved_modes(entries, read)
    return [*(one for one in found if not integrity.waives(one)), *integrity.violations()]


def case_collisions(
    added: Iterable[str],
    names_before: Callable[[str], Sequence[str]],
    names_after: Callable[[str], Sequence[str]],
) -> list[Violation]:
    """Added paths that are one with another path where case or Unicode form does not count.

    The callables give the names in a folder (`""` is the root). Only what is new is reported: a
    repository that lives with a collision may go on doing so.
    """
    found: list[Violation] = []
    for path in added:
        folder = ""
        for name in path.split("/"):
            if name in names_before(folder):
                folder = posixpath.join(folder, name)
                continue
            folded = _folded(name)
            same = [o for o in names_after(folder) if o != name and _folded(o) == folded]
            if same:
                what = f"only case tells it from {printable(posixpath.join(folder, same[0]))}"
                found.append(Violation(CASE_COLLISION, path, None, what))
                break
            folder = posixpath.join(folder, name)
    return found


def _of_the_entry(entry: DiffEntry, moved_from: set[str]) -> Iterator[Violation]:
    """The rules about names and modes; `moved_from`: those of deleted files with its content."""
    if entry.status == "A":
        dangers = [why for part in entry.path.split("/") if (why := _danger(part))]
        if dangers:
            yield Violation(DANGEROUS_PATH, entry.path, None, dangers[0])
    before = moved_from if entry.status == "A" else {entry.old_mode}
    if before and entry.new_mode not in before:
        yield mode_flip(entry, min(before))
    if entry.new_mode == GITLINK and entry.old_mode != GITLINK:
        yield Violation(DANGEROUS_PATH, entry.path, None, "a nested repository")
    if entry.new_mode == SYMLINK and entry.path.rsplit("/", 1)[-1].lower() == ".gitmodules":
        yield Violation(DANGEROUS_PATH, entry.path, None, ".gitmodules as a symbolic link")


def _of_the_content(entry: DiffEntry, keep: Keep, read: ReadBlob) -> Iterator[Violation]:
    """The rules about what is in the file."""
    same = (entry.new_mode, entry.new_blob) == (entry.old_mode, entry.old_blob)
    if entry.new_mode == GITLINK or same:
        return
    new = read(entry.new_blob)
    if entry.new_mode == SYMLINK:
        if _escapes(entry.path, new):
            what = f"points out of the tree, to {printable(_text(new))[:200]}"
            yield Violation(SYMLINK_ESCAPE, entry.path, None, what)
        return
    old = read(entry.old_blob) if entry.old_mode.startswith("100") else b""
    if len(new) > SIZE_LIMIT:
        if len(old) <= SIZE_LIMIT:  # one that was as big may stay so
            yield Violation(FILE_SIZE, entry.path, None, f"bigger than {SIZE_LIMIT:,} bytes")
        elif keep:
            yield Violation(KEEP_PATTERN, entry.path, None, "too big to be looked at")
        return
    if not old:
        return
    yield from _kept(entry.path, keep, old, new)
    yield from pointers(entry.path, old, new)
    yield from line_ends(entry.path, old, new)


def _kept(path: str, keep: Keep, old: bytes, new: bytes) -> Iterator[Violation]:
    if not keep:
        return
    before, after = _text(old), _text(new)
    for pattern, compiled in keep:
        try:
            there = compiled.search(before)
            gone = there is not None and compiled.search(after) is None
        except PatternTooSlow as slow:
            yield Violation(KEEP_PATTERN, path, None, str(slow))
            continue
        if there and gone:
            line = before.count("\n", 0, there.start()) + 1
            yield Violation(KEEP_PATTERN, path, line, f"no longer matches {pattern}")


def _escapes(path: str, target: bytes) -> bool:
    """Whether a link leaves the tree or leads into a git directory.

    `..` counts only at the front: behind a name it would start from wherever that name leads.
    """
    text = _text(target)
    parts = [part for part in text.split("/") if part not in ("", ".")]
    up = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    below = parts[up:]
    too_high = up > path.count("/")
    return text.startswith("/") or "\0" in text or too_high or any(map(_danger, below))


def _danger(part: str) -> str:
    """Why a name must not be in a tree: it is, or is on some file system, `.git` or a way out."""
    if part in ("", ".", ".."):
        return f"{part!r} as a name"
    if "\\" in part or any(ord(c) < 32 or ord(c) == 127 for c in part):
        return "a backslash or control character in a name"
    on_hfs = unicodedata.normalize("NFC", part.translate(_IGNORABLE)).lower()
    on_ntfs = part.split(":", 1)[0].rstrip(". ").lower()
    if ".git" in (on_hfs, on_ntfs) or on_ntfs == "git~1":
        return f"{printable(part)} means .git"
    return ""


def _deed(entry: DiffEntry) -> str:
    return {"A": "added", "D": "deleted", "T": "replaced"}.get(entry.status, "changed")


@lru_cache(maxsize=64)
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(patterns)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
