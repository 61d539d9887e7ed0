"""What is made on the way to a batch stays apart until it is known to matter.

A git directory, in memory where the host has room there, that borrows the hub's objects. Nothing in
it outlives its owner and nothing need, so it is not fsynced. What matters reaches the hub in one
pack, fsynced whole before anybody hears of it: a batch costs a few fsyncs instead of some per
object, and neither synthetic commits nor the leftovers of conflicts are ever in the hub.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

import pygit2

from activities.adapters.objects import Objects, commit_bytes, open_repository
from activities.adapters.tree_reading import TreeReader, is_folder

MEMORY = Path("/dev/shm")
ROOM = 256 << 20
"""Free bytes in memory below which a disk is better."""
UNSAVED = ("core.fsync=none", "core.looseCompression=0")
"""Settings of a git process that writes here."""
PREFIX = "whimbrel-quarantine-"
ORPHANED_AFTER = 60.0
"""Seconds after which one that nobody has locked was left behind by a killed service."""


class Quarantine(Objects):
    """Objects for one thread, until it is closed."""

    def __init__(self, home: Path) -> None:
        self._home = home
        root = _root()
        _sweep(root)
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        self._lock = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        super().__init__(self._folder / "git")
        self._lay_out()
        self._handle = open_repository(self.path)
        self._reader = TreeReader(self._handle)
        self._commits: dict[str, bytes] = {}
        """Those made here, with their trees."""
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
        shutil.rmtree(self._folder, ignore_errors=True)
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    def write_commit(self, treeish: str, parents: Iterable[str], message: str, when: int) -> str:
        """The id it has in the hub; `treeish` is a tree, and nobody asks whether parents exist."""
        body = commit_bytes(treeish, parents, message, when)
        data = b"commit %d\0%s" % (len(body), body)
        name = hashlib.sha1(data).hexdigest()
        folder = self.path / "objects" / name[:2]
        folder.mkdir(exist_ok=True)
        (folder / name[2:]).write_bytes(zlib.compress(data, 0))
        self._commits[name] = bytes.fromhex(treeish)
        return name

    def has_commit(self, commit: str) -> bool:
        """Whether this id is a commit here or in the hub."""
        return commit in self._commits or super().has_commit(commit)

    def keep(self, commits: Sequence[str]) -> None:
        """Puts these commits, with what they reach and the hub lacks, into the hub: durable.

        Harmless when they are there already.
        """
        home = open_repository(self._home)
        made = self._made()
        pack = pygit2.PackBuilder(self._handle)
        pack.set_threads(os.cpu_count() or 1)
        for commit in commits:
            if commit not in home:
                pack.add(pygit2.Oid(hex=commit))
                self._add_tree(pack, self._commits[commit], made)
        if len(pack):
            pack.write(self._home / "objects/pack")

    def _add_tree(self, pack: pygit2.PackBuilder, tree: bytes, made: set[bytes]) -> None:
        """Adds what was made here; what is borrowed holds nothing that was made here."""
        if tree not in made:
            return
        made.discard(tree)
        pack.add(pygit2.Oid(raw=tree))
        for mode, id in self._reader.entries(tree).values():
            if is_folder(mode):
                self._add_tree(pack, id, made)
            elif id in made:
                made.discard(id)
                pack.add(pygit2.Oid(raw=id))

    def _made(self) -> set[bytes]:
        """Every object that is here and not borrowed."""
        objects = self.path / "objects"
        folders = [folder.name for folder in os.scandir(objects) if len(folder.name) == 2]
        return {
            bytes.fromhex(two + file.name) for two in folders for file in os.scandir(objects / two)
        }

    def _repository(self) -> pygit2.Repository:
        return self._handle

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


def _sweep(root: Path) -> None:
    """Memory is dear: what a killed service left there goes as soon as the next one composes."""
    for left in root.glob(f"{PREFIX}*"):
        try:
            lock = os.open(left, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            if time.time() - os.fstat(lock).st_mtime > ORPHANED_AFTER:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(lock)
