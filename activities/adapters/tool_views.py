"""What an agent's tools see of a repository: a commit in the hub, or a workspace over one.

Paths are bytes, vetted before they come here. Nothing is ever followed: a link is a thing of its
own. A workspace that has only some folders on disk shows the rest from the commit it began with;
what it claims is always on disk, so that a claimed file that is absent there was deleted.
"""

import os
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import pygit2
from pygit2.enums import FileMode

from activities.adapters.allowed_paths import AllowedPaths
from activities.adapters.check_trees import walk
from activities.adapters.hub import Hub
from activities.adapters.objects import open_repository
from activities.adapters.tool_text import Refused
from activities.adapters.tree_files import UnsafePath, names_in, read_file, stat_of, vetted
from activities.adapters.trees import Entry, Folder

LARGEST = 16 << 20
"""Bytes of the largest file that is shown or edited."""
SRC = "/src/"
"""Where commands see the tree: models repeat the paths that they print."""


def path_in(name: str) -> bytes:
    """The path that a model names. Raises Refused."""
    plain = name.removeprefix(SRC).removeprefix("./")
    try:
        return vetted(plain)
    except UnsafePath as unsafe:
        raise Refused(
            f"{unsafe}: name it from the repository's root, such as lib/a.py, without `..`, "
            "`.git` or a leading slash"
        ) from None


def folder_in(name: str) -> bytes:
    """The same for a folder; b"" is the top."""
    plain = f"{name}/".removeprefix(SRC).removeprefix("./")
    return path_in(plain.removesuffix("/")) if plain not in ("", "/", "./") else b""


@dataclass(frozen=True)
class Found:
    """What is at a path."""

    kind: str
    """file, link, folder, submodule, or other: what no repository can hold."""
    size: int = 0
    executable: bool = False


class View(Protocol):
    """A repository as tools see it."""

    def look(self, path: bytes) -> Found | None:
        """What is there; None: nothing. Raises UnsafePath."""
        ...

    def read(self, path: bytes) -> bytes:
        """A file's bytes, or a link's target."""
        ...

    def folder(self, path: bytes) -> dict[bytes, Found]:
        """What is directly in a folder (b"": the top), by name."""
        ...

    def paths(self) -> list[bytes]:
        """Every tracked file, and those that the task added; sorted."""
        ...


@dataclass(frozen=True)
class CommitView:
    """A commit in the hub; nothing is checked out."""

    hub: Hub
    commit: str
    _folders: dict[str, Folder] = field(default_factory=dict[str, Folder])

    def entry(self, path: bytes) -> Entry | None:
        """What git has there, folders too."""
        return self._root.find(path.split(b"/"))

    def look(self, path: bytes) -> Found | None:
        entry = self.entry(path)
        return self._found(entry) if entry else None

    def read(self, path: bytes) -> bytes:
        entry = self.entry(path)
        assert entry
        return self.hub.read_blob(str(entry.id))

    def folder(self, path: bytes) -> dict[bytes, Found]:
        at: Folder | None = self._root
        for part in path.split(b"/") if path else ():
            at = at.folder(part) if at else None
        return {name: self._found(entry) for name, entry in at.entries.items()} if at else {}

    def paths(self) -> list[bytes]:
        return [os.fsencode(path) for path in self.hub.paths(self.commit)]

    @property
    def _root(self) -> Folder:
        # one repository for the batch: a folder once read is not read again
        if "" not in self._folders:
            repository = open_repository(self.hub.path)
            tree = repository[self.commit].peel(pygit2.Tree)
            self._folders[""] = Folder.of(repository, tree)
        return self._folders[""]

    def _found(self, entry: Entry) -> Found:
        if entry.mode == FileMode.TREE:
            return Found("folder")
        if entry.mode == FileMode.COMMIT:
            return Found("submodule")
        size = self._root.repository.odb.read_header(entry.id)[1]
        if entry.mode == FileMode.LINK:
            return Found("link", size)
        return Found("file", size, executable=bool(entry.mode & 0o100))


class TreeView:
    """A workspace's tree, over the commit that it was filled from."""

    def __init__(self, tree: Path, below: CommitView, allowed: AllowedPaths, *, sparse: bool):
        self.tree = tree
        self.below = below
        self.sparse = sparse
        self._allowed = allowed

    def look(self, path: bytes) -> Found | None:
        there = stat_of(self.tree, path)
        if there is not None:
            return _found(there)
        return self.below.look(path) if self._is_elsewhere(path) else None

    def read(self, path: bytes) -> bytes:
        if self._is_elsewhere(path) and stat_of(self.tree, path) is None:
            return self.below.read(path)
        return read_file(self.tree, path)

    def folder(self, path: bytes) -> dict[bytes, Found]:
        here = {name: _found(there) for name, there in names_in(self.tree, path).items()}
        below = self.below.folder(path)
        here |= {n: f for n, f in below.items() if f.kind == "submodule" and n in here}
        lead = path + b"/" if path else b""
        return {n: f for n, f in below.items() if self._is_elsewhere(lead + n)} | here

    def paths(self) -> list[bytes]:
        on_disk = self.on_disk()
        if not self.sparse:
            tracked = self._tracked & on_disk
        else:
            tracked = self._tracked - (self._allowed.claims - on_disk)
        mine = {p for p in on_disk - self._tracked if self._allowed.covers(p, None)}
        return sorted(tracked | mine)

    def on_disk(self) -> set[bytes]:
        """What is no folder in the tree."""
        return {path for path, found in walk(self.tree) if not stat.S_ISDIR(found.st_mode)}

    @cached_property
    def _tracked(self) -> set[bytes]:
        return set(self.below.paths())

    def _is_elsewhere(self, path: bytes) -> bool:
        """Whether what is not on disk may be in the commit: a task's own files are on disk."""
        return self.sparse and path not in self._allowed.claims


def _found(there: os.stat_result) -> Found:
    if stat.S_ISDIR(there.st_mode):
        return Found("folder")
    if stat.S_ISLNK(there.st_mode):
        return Found("link", there.st_size)
    if stat.S_ISREG(there.st_mode):
        return Found("file", there.st_size, executable=bool(there.st_mode & 0o100))
    return Found("other")
