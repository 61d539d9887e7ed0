"""What is made on the way to a batch stays apart until it is known to matter.

A git directory, in memory where the host has room there, that borrows the hub's objects. Nothing in
it outlives its owner and nothing need, so it is not fsynced. What matters reaches the hub in one
pack, fsynced whole before anybody hears of it: a batch costs a few fsyncs instead of some per
object, and neither synthetic commits nor the leftovers of conflicts are ever in the hub. Trees that
are made without git stay in memory altogether, unless git has to go on from them.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

import pygit2

from activities.adapters.objects import DiffEntry, Objects, commit_bytes, open_repository
from activities.adapters.pack_writing import PackWriter, deflated
from activities.adapters.passing import PassingFolder
from activities.adapters.splicing import splice
from activities.adapters.tree_reading import TreeReader, is_folder

MEMORY = Path("/dev/shm")
ROOM = 256 << 20
"""Free bytes in memory below which a disk is better."""
UNSAVED = ("core.fsync=none", "core.looseCompression=0")
"""Settings of a git process that writes here."""
PREFIX = "whimbrel-quarantine-"


class Quarantine(Objects):
    """Objects for one thread, until it is closed."""

    def __init__(self, home: Path, root: Path | None = None) -> None:
        self._home = home
        self._folder = PassingFolder(PREFIX, root or _root())
        super().__init__(self._folder.path / "git")
        self._lay_out()
        self._handle = open_repository(self.path)
        self._odb = self._handle.odb
        self._reader = TreeReader(self._handle)
        self._commits: set[str] = set()
        """Those made here."""
        self._shown: set[bytes] = set()
        """Held trees that are files by now."""
        self._drafts: dict[bytes, bytes] = {}
        self._known: dict[str, bytes] = {}

    def __enter__(self) -> "Quarantine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Everything in it is gone; a second call does nothing."""
        self._handle.free()
        self._folder.close()

    def write_commit(self, treeish: str, parents: Iterable[str], message: str, when: int) -> str:
        """A commit for git to work with here; `treeish` is a tree, parents are not looked up."""
        held = self._reader.held
        for tree in held.keys() - self._shown:
            self._show("tree", tree.hex(), held[tree])
            self._shown.add(tree)
        name, body = self._commit(treeish, parents, message, when)
        self._show("commit", name, body)
        return name

    def splice(self, base: str, onto: str, commit: str, changes: Sequence[DiffEntry]) -> str | None:
        """The tree of `onto` with a commit's changes to its base, where that needs no git."""
        before, ours, theirs = map(self._tree_id, (base, onto, commit))
        tree = splice(self._reader, before, ours, theirs, changes)
        if tree is None:
            return None
        self._known[tree.hex()] = tree
        return tree.hex()

    def draft_commit(self, treeish: str, parents: Iterable[str], message: str, when: int) -> str:
        """A commit that is only held until `keep_drafts`; it has the id it will have in the hub."""
        name, body = self._commit(treeish, parents, message, when)
        self._drafts[bytes.fromhex(name)] = body
        return name

    def keep_drafts(self) -> None:
        """Puts the drafts, with what they reach and the hub lacks, into the hub: durable.

        Harmless when they are there already.
        """
        home = open_repository(self._home)
        pack, made = PackWriter(), self._made()
        for id, body in self._drafts.items():
            if pygit2.Oid(raw=id) not in home:
                pack.add(id, "commit", body)
                self._add_tree(pack, bytes.fromhex(body[5:45].decode()), made)
        pack.write(self._home / "objects/pack")

    def has_commit(self, commit: str) -> bool:
        """Whether this id is a commit here or in the hub."""
        return commit in self._commits or super().has_commit(commit)

    def _commit(
        self, tree: str, parents: Iterable[str], message: str, when: int
    ) -> tuple[str, bytes]:
        body = commit_bytes(tree, parents, message, when)
        name = hashlib.sha1(b"commit %d\0" % len(body) + body).hexdigest()
        self._commits.add(name)
        return name, body

    def _add_tree(self, pack: PackWriter, tree: bytes, made: set[bytes]) -> None:
        """Adds what was made here; what is borrowed holds nothing that was made here."""
        if tree not in made or tree in pack:
            return
        pack.add(tree, "tree", self._reader.raw(tree))
        for mode, id in self._reader.entries(tree).values():
            if id not in made:
                continue
            if is_folder(mode):
                self._add_tree(pack, id, made)
            else:
                pack.add(id, "blob", self.read_blob(id.hex()))

    def _made(self) -> set[bytes]:
        """Every object that is here and not borrowed."""
        objects = self.path / "objects"
        folders = [folder.name for folder in os.scandir(objects) if len(folder.name) == 2]
        files = (two + file.name for two in folders for file in os.scandir(objects / two))
        return {*self._reader.held, *map(bytes.fromhex, files)}

    def _show(self, kind: str, name: str, data: bytes) -> None:
        """Lays an object out as a file, where git finds it."""
        folder = self.path / "objects" / name[:2]
        folder.mkdir(exist_ok=True)
        whole = b"%s %d\0%s" % (kind.encode(), len(data), data)
        (folder / name[2:]).write_bytes(deflated(whole, 0))

    def _repository(self) -> pygit2.Repository:
        return self._handle

    def _database(self) -> pygit2.Odb:
        return self._odb

    def _trees(self) -> TreeReader:
        return self._reader

    def _tree_id(self, treeish: str) -> bytes:
        if treeish not in self._known:
            self._known[treeish] = super()._tree_id(treeish)
        return self._known[treeish]

    def _lay_out(self) -> None:
        for part in ("objects/info", "objects/pack", "refs/heads"):
            (self.path / part).mkdir(parents=True)
        (self.path / "HEAD").write_text("ref: refs/heads/none\n")
        (self.path / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        objects = (self._home / "objects").absolute()
        (self.path / "objects/info/alternates").write_text(f"{objects}\n")


def _root() -> Path:
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        return MEMORY
    return Path(tempfile.gettempdir())
