"""Reads git trees as they are stored: which paths differ, what is in a folder, where a name occurs.

Trees never change, so a reader remembers those it has read; equal folders are not read at all. New
ones are held in memory until their owner puts them where git finds them. Names are raw bytes,
because in git they need not be UTF-8.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import pygit2
from pygit2.enums import FileMode

REMEMBERED = 1024
"""Trees: a batch reads the same ones again and again."""
Stored = tuple[bytes, bytes]
"""Mode in octal and raw id, as a tree holds them."""
NAMED_LIMIT = 100_000
_NAMED: dict[tuple[bytes, bytes], tuple[tuple[bytes, bytes], ...]] = {}
NOTHING: dict[bytes, Stored] = {}
_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)


class File(NamedTuple):
    """What a tree says about a file, a link or a submodule."""

    mode: int
    id: bytes


class Difference(NamedTuple):
    """A path that differs; None stands for no file there."""

    path: bytes
    old: File | None
    new: File | None


class TreeReader:
    """Reads the trees of one repository, for one thread."""

    def __init__(self, repository: pygit2.Repository) -> None:
        self._database = repository.odb
        self.held: dict[bytes, bytes] = {}
        """New trees, as git stores them."""
        self._held_entries: dict[bytes, Mapping[bytes, Stored]] = {}
        self.raw = lru_cache(maxsize=REMEMBERED)(self._raw)
        """A tree as it is stored."""
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._entries)

    def entries(self, tree: bytes) -> Mapping[bytes, Stored]:
        """What is directly in a tree, by name."""
        return self._held_entries.get(tree) or self._remembered(tree)

    def hold(self, entries: Mapping[bytes, Stored]) -> bytes:
        """The id of a tree of these entries, which can be read here from now on."""
        data = b"".join(
            b"%s %s\0%s" % (mode, name, id)
            for name, (mode, id) in sorted(entries.items(), key=_git_order)
        )
        id = hashlib.sha1(b"tree %d\0" % len(data) + data).digest()
        self.held[id] = data
        self._held_entries[id] = entries
        return id

    def names(self, tree: bytes, folder: Sequence[bytes]) -> list[bytes]:
        """The names directly in a folder below the tree; empty when there is no such folder."""
        for name in folder:
            below = _folder(self.entries(tree).get(name))
            if below is None:
                return []
            tree = below
        return list(self.entries(tree))

    def differences(
        self, old: bytes | None, new: bytes | None, below: bytes = b""
    ) -> Iterator[Difference]:
        """Every file that differs between two trees; None is the empty tree."""
        before = self.entries(old) if old is not None else NOTHING
        after = self.entries(new) if new is not None else NOTHING
        changed = [name for name, now in after.items() if before.get(name) != now]
        for name in (*changed, *(name for name in before if name not in after)):
            was, now = before.get(name), after.get(name)
            folder_was, folder_now = _folder(was), _folder(now)
            if folder_was is not None or folder_now is not None:
                yield from self.differences(folder_was, folder_now, below + name + b"/")
            file_was, file_now = _file(was), _file(now)
            if file_was != file_now:
                yield Difference(below + name, file_was, file_now)

    def files_named(self, tree: bytes, name: bytes) -> tuple[tuple[bytes, bytes], ...]:
        """Path and blob of every regular file of this name below a tree.

        What a folder holds follows from its id, so the answer is remembered for the next reader:
        of a tree of 78,000 files only what changed is looked at again.
        """
        known = _NAMED.get((tree, name))
        if known is not None:
            return known
        found: list[tuple[bytes, bytes]] = []
        for part, stored in self._entries(tree).items():
            inside = _folder(stored)
            if inside is not None:
                below = self.files_named(inside, name)
                found += [(part + b"/" + path, blob) for path, blob in below]
            elif part == name and stored[0].startswith(b"100"):
                found.append((part, stored[1]))
        if len(_NAMED) > NAMED_LIMIT:
            _NAMED.clear()
        _NAMED[tree, name] = tuple(found)
        return _NAMED[tree, name]

    def _entries(self, tree: bytes) -> dict[bytes, Stored]:
        return {name: (mode, id) for mode, name, id in _ENTRY.findall(self.raw(tree))}

    def _raw(self, tree: bytes) -> bytes:
        if tree in self.held:
            return self.held[tree]
        return self._database.read(pygit2.Oid(raw=tree))[1]


def is_folder(mode: bytes) -> bool:
    """Whether an entry with this mode is a tree."""
    return mode == b"40000" or mode == b"040000"


def _git_order(item: tuple[bytes, Stored]) -> bytes:
    """git sorts folders as if their names ended with a slash."""
    name, (mode, _) = item
    return name + b"/" if is_folder(mode) else name


def _folder(stored: Stored | None) -> bytes | None:
    """The tree that an entry is."""
    return stored[1] if stored is not None and is_folder(stored[0]) else None


def _file(stored: Stored | None) -> File | None:
    """The entry with a mode that git knows today: old trees hold such as 100664."""
    if stored is None or _folder(stored) is not None:
        return None
    mode = int(stored[0], 8)
    if mode >> 12 == 0o10:
        mode = int(FileMode.BLOB_EXECUTABLE if mode & 0o100 else FileMode.BLOB)
    return File(mode, stored[1])
