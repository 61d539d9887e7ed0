"""A git tree being edited, folder by folder, in the object database.

Entries are keyed by raw bytes, because names in git need not be UTF-8, and trees are written as git
stores them. Only folders that a path leads into are loaded; only changed ones are written. Names
come from existing trees only: nothing new can be smuggled in here.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import pygit2
from pygit2.enums import FileMode, ObjectType


class Entry(NamedTuple):
    """What a tree says about one name."""

    mode: int
    id: pygit2.Oid


@dataclass
class Folder:
    """A tree in memory; a sub-folder stands among `opened` once something in it was asked for."""

    repository: pygit2.Repository
    entries: dict[bytes, Entry] = field(default_factory=dict[bytes, Entry])
    opened: dict[bytes, "Folder"] = field(default_factory=dict[bytes, "Folder"])

    @classmethod
    def of(cls, repository: pygit2.Repository, tree: pygit2.Tree) -> "Folder":
        """The folder as the tree holds it."""
        entries = {e.raw_name: Entry(int(e.filemode), e.id) for e in tree if e.raw_name}
        return cls(repository, entries)

    def folder(self, name: bytes) -> "Folder | None":
        """The sub-folder of that name; None when there is none or it is a file."""
        if name in self.opened:
            return self.opened[name]
        entry = self.entries.get(name)
        if entry is None or entry.mode != FileMode.TREE:
            return None
        tree = self.repository[entry.id]
        assert isinstance(tree, pygit2.Tree)
        self.opened[name] = Folder.of(self.repository, tree)
        return self.opened[name]

    def find(self, parts: list[bytes]) -> Entry | None:
        """The entry at a path, as it was before any `put`."""
        first, *rest = parts
        if not rest:
            return self.entries.get(first)
        below = self.folder(first)
        return below.find(rest) if below is not None else None

    def put(self, parts: list[bytes], entry: Entry | None) -> None:
        """Sets the entry at a path, or removes it; a file in the way of a folder gives way."""
        first, *rest = parts
        if not rest:
            self.opened.pop(first, None)
            self.entries.pop(first, None)
            if entry is not None:
                self.entries[first] = entry
            return
        below = self.folder(first)
        if below is None:
            if entry is None:
                return
            below = self.opened[first] = Folder(self.repository)
        below.put(rest, entry)

    def write(self) -> pygit2.Oid:
        """The id of the tree as it is now; folders that became empty are gone."""
        for name, below in self.opened.items():
            self.entries[name] = Entry(int(FileMode.TREE), below.write())
            if not below.entries:
                del self.entries[name]
        self.opened.clear()
        lines = [
            b"%o %s\0" % (entry.mode, name) + entry.id.raw
            for name, entry in sorted(self.entries.items(), key=_git_order)
        ]
        return self.repository.write(ObjectType.TREE, b"".join(lines))


def _git_order(item: tuple[bytes, Entry]) -> bytes:
    """git sorts folders as if their names ended with a slash."""
    name, entry = item
    return name + b"/" if entry.mode == FileMode.TREE else name
