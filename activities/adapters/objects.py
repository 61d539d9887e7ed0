"""What a git directory holds: commits, trees, files, differences; and new objects for it.

Objects never change and adding one twice is harmless, so every method may run twice and from any
thread: each opens what it needs and keeps nothing. pygit2 is used for the object database only.
"""

import subprocess
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from stat import S_IFMT

import pygit2
from pygit2.enums import ConfigLevel, FileMode, ObjectType, Option, RepositoryOpenFlag

from activities.adapters.git import Git
from activities.adapters.tree_reading import Difference, File, TreeReader
from activities.adapters.trees import Entry, Folder

AUTHOR = "Whimbrel <whimbrel@localhost>"
GITLINK = "160000"
ABSENT = "000000"


@dataclass(frozen=True)
class TreeFile:
    """One file of a tree; names that are not UTF-8 carry surrogate escapes."""

    path: str
    mode: str
    """Six octal digits, such as `100644`."""
    blob: str
    size: int
    """Bytes; 0 for submodules."""


@dataclass(frozen=True)
class DiffEntry:
    """One path that differs; renames are a deletion and an addition."""

    status: str
    """A, M, D or T (another kind of entry)."""
    path: str
    old_mode: str
    """`000000` when added."""
    new_mode: str
    """`000000` when deleted."""
    old_blob: str
    new_blob: str


@dataclass(frozen=True)
class FileStat:
    """How much of a file differs; None for binary files."""

    path: str
    added: int | None
    deleted: int | None


class ObjectMissing(Exception):
    """An object that the caller named is not there."""


class Objects:
    """The object database of one bare git directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git = Git(path)

    def _repository(self) -> pygit2.Repository:
        """A handle for one call; a subclass that one thread owns may keep its own."""
        return open_repository(self.path)

    def _database(self) -> pygit2.Odb:
        return self._repository().odb

    def _trees(self) -> TreeReader:
        return TreeReader(self._repository())

    def _tree_id(self, treeish: str) -> bytes:
        return _tree(self._repository(), treeish).id.raw

    def has_commit(self, commit: str) -> bool:
        """Whether this id is a commit here."""
        found = self._repository().get(commit)
        return found is not None and found.type == ObjectType.COMMIT

    def parents(self, commit: str) -> tuple[str, ...]:
        """The ids of a commit's parents."""
        return tuple(str(p) for p in _commit(self._repository(), commit).parent_ids)

    def tree(self, treeish: str) -> str:
        """The tree id of a commit or tree."""
        return self._tree_id(treeish).hex()

    def on_chain(self, tip: str, wanted: Collection[str], until: str = "") -> set[str]:
        """Those of `wanted` that lie on the first-parent chain of `tip`; stops behind `until`."""
        repository = self._repository()
        left, found, at = set(wanted), set[str](), tip
        while left:
            if at in left:
                left.discard(at)
                found.add(at)
            above = _commit(repository, at).parent_ids
            if at == until or not above:
                break
            at = str(above[0])
        return found

    def read_file(self, commit: str, path: str) -> bytes | None:
        """The file's bytes at a commit (a symbolic link's target); None when there is no file."""
        repository = self._repository()
        entry = Folder.of(repository, _tree(repository, commit)).find(_parts(path))
        if entry is None:
            return None
        found = repository.get(entry.id)
        return found.data if isinstance(found, pygit2.Blob) else None

    def present(self, treeish: str, paths: Iterable[str]) -> list[str]:
        """Those of `paths` that `files` would list, as given; only their folders are read."""
        return [file.path for file in self.among(treeish, paths)]

    def among(self, treeish: str, paths: Iterable[str]) -> list[TreeFile]:
        """Those of `paths` that are files, as `files` would list them; only their folders are
        read."""
        repository = self._repository()
        root = Folder.of(repository, _tree(repository, treeish))
        found = ((path, root.find(_parts(path))) for path in paths)
        return [
            TreeFile(path, f"{entry.mode:06o}", str(entry.id), _size(repository, entry))
            for path, entry in found
            if entry and entry.mode != FileMode.TREE
        ]

    def names(self, treeish: str, folder: str) -> list[str]:
        """The names directly in a folder (`""` is the root); empty when there is no such folder."""
        parts = _parts(folder) if folder else []
        names = self._trees().names(self._tree_id(treeish), parts)
        return _text(b"/".join(names)).split("/") if names else []

    def files(self, treeish: str) -> list[TreeFile]:
        """Every file of a commit or tree, in git's order."""
        listed = self.git.run("ls-tree", "-r", "-l", "-z", "--full-tree", treeish)
        return [_tree_file(line) for line in listed.split(b"\0") if line]

    def paths(self, treeish: str) -> list[str]:
        """The paths of `files`, for a fraction of its time: no object is looked up."""
        listed = self.git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", treeish)
        return _text(listed).split("\0")[:-1]

    def has_more_files_than(self, limit: int, treeish: str) -> bool:
        """Whether a tree is big; reads no more of it than it takes to tell."""
        repository, seen = self._repository(), 0
        pending = [_tree(repository, treeish)]
        while pending and seen <= limit:
            for entry in pending.pop():
                if isinstance(entry, pygit2.Tree):
                    pending.append(entry)
                else:
                    seen += 1
        return seen > limit

    def named(self, treeish: str, name: str) -> list[tuple[str, str]]:
        """Path and blob of every regular file of this name, in whatever folder."""
        found = self._trees().files_named(self._tree_id(treeish), name.encode())
        return [(_text(path), blob.hex()) for path, blob in found]

    def read_blob(self, blob: str, limit: int | None = None) -> bytes:
        """A blob's bytes; with a limit, a bigger one is not loaded: limit + 1 NULs stand for it."""
        database = self._database()
        try:
            kind, size = database.read_header(blob)
            if kind != ObjectType.BLOB:
                raise ObjectMissing(f"{blob} is no blob")
            return (
                bytes(limit + 1) if limit is not None and size > limit else database.read(blob)[1]
            )
        except KeyError:
            raise ObjectMissing(f"blob {blob} is not in {self.path.name}") from None

    def read_blobs(self, blobs: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of many blobs, in order, by one process; raises ObjectMissing."""
        with tempfile.TemporaryFile() as asked:
            asked.write("".join(f"{blob}\n" for blob in blobs).encode())
            asked.seek(0)
            process = self.git.start("cat-file", "--batch", stdin=asked.fileno())
        try:
            yield from _answers(process)
        finally:
            process.kill()
            if process.stdout is not None:
                process.stdout.close()
            process.wait()

    def diff(self, old: str, new: str) -> list[DiffEntry]:
        """The paths that differ between two commits or trees, without rename detection."""
        before, after = self._tree_id(old), self._tree_id(new)
        return [_diff_entry(found) for found in sorted(self._trees().differences(before, after))]

    def patch(self, old: str, new: str, paths: Iterable[str] = ()) -> bytes:
        """The difference as a patch that `git apply` takes; `paths` are literal, none means all."""
        words = ("--literal-pathspecs", "diff-tree", "-p", "-r", "--binary", "--full-index")
        plain = ("--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none")
        return self.git.run(*words, *plain, old, new, "--", *paths)

    def stat(self, old: str, new: str) -> list[FileStat]:
        """Lines added and deleted per path."""
        words = ("diff-tree", "-r", "-z", "--numstat", "--no-renames", "--no-ext-diff")
        listed = self.git.run(*words, "--no-textconv", "--ignore-submodules=none", old, new)
        return [_file_stat(line) for line in listed.split(b"\0") if line]

    def write_commit(self, treeish: str, parents: Iterable[str], message: str, when: int) -> str:
        """A commit made of nothing but its arguments: the same ones give the same id."""
        repository = self._repository()
        tree = str(_tree(repository, treeish).id)
        above = [str(_commit(repository, parent).id) for parent in parents]
        return str(repository.write(ObjectType.COMMIT, commit_bytes(tree, above, message, when)))

    def message(self, commit: str) -> str:
        """A commit's message."""
        return _commit(self._repository(), commit).message

    def write_blob(self, data: bytes) -> str:
        """The id of a blob with these bytes."""
        return str(self._repository().create_blob(data))

    def put_back(self, commit: str, base: str, paths: Iterable[str]) -> str:
        """The commit's tree with these paths as they are at the base (added ones removed)."""
        repository = self._repository()
        root = Folder.of(repository, _tree(repository, commit))
        original = Folder.of(repository, _tree(repository, base))
        for path in paths:
            root.put(_parts(path), original.find(_parts(path)))
        return str(root.write())


def commit_bytes(tree: str, parents: Iterable[str], message: str, when: int) -> bytes:
    """A commit as git stores it."""
    who = f"{AUTHOR} {when} +0000"
    above = "".join(f"parent {parent}\n" for parent in parents)
    head = f"tree {tree}\n{above}author {who}\ncommitter {who}\n\n"
    return (head + message).encode("utf-8", "replace")


def open_repository(path: Path) -> pygit2.Repository:
    """The repository at exactly this git directory, read with no configuration but its own."""
    _isolate()
    return pygit2.Repository(str(path), RepositoryOpenFlag.NO_SEARCH | RepositoryOpenFlag.BARE)


@cache
def _isolate() -> None:
    """libgit2 is told once: no system or user configuration, fsync what is written."""
    for level in (
        ConfigLevel.SYSTEM,
        ConfigLevel.XDG,
        ConfigLevel.GLOBAL,
        ConfigLevel.PROGRAMDATA,
    ):
        pygit2.option(Option.SET_SEARCH_PATH, level, "")
    pygit2.option(Option.SET_OWNER_VALIDATION, False)
    pygit2.option(Option.ENABLE_FSYNC_GITDIR, True)


def _commit(repository: pygit2.Repository, commit: str) -> pygit2.Commit:
    found = repository.get(commit)
    if found is None or found.type != ObjectType.COMMIT:
        raise ObjectMissing(f"commit {commit} is not in {Path(repository.path).name}")
    return found.peel(pygit2.Commit)


def _tree(repository: pygit2.Repository, treeish: str) -> pygit2.Tree:
    found = repository.get(treeish)
    if found is None or found.type not in (ObjectType.COMMIT, ObjectType.TREE):
        raise ObjectMissing(f"tree {treeish} is not in {Path(repository.path).name}")
    return found.peel(pygit2.Tree)


def _size(repository: pygit2.Repository, entry: Entry) -> int:
    return 0 if entry.mode == FileMode.COMMIT else repository.odb.read_header(entry.id)[1]


def _parts(path: str) -> list[bytes]:
    return path.encode("utf-8", "surrogateescape").split(b"/")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _tree_file(line: bytes) -> TreeFile:
    head, _, path = line.partition(b"\t")
    mode, _, blob, size = head.decode().split()
    return TreeFile(_text(path), mode, blob, 0 if size == "-" else int(size))


def _diff_entry(difference: Difference) -> DiffEntry:
    path, old, new = difference
    if old is None or new is None:
        status = "A" if old is None else "D"
    else:
        status = "M" if S_IFMT(old.mode) == S_IFMT(new.mode) else "T"
    old_mode, old_blob = _mode_and_id(old)
    new_mode, new_blob = _mode_and_id(new)
    return DiffEntry(status, _text(path), old_mode, new_mode, old_blob, new_blob)


def _mode_and_id(file: File | None) -> tuple[str, str]:
    return (f"{file.mode:06o}", file.id.hex()) if file is not None else (ABSENT, "0" * 40)


def _file_stat(line: bytes) -> FileStat:
    added, deleted, path = line.split(b"\t", 2)
    binary = added == b"-"
    return FileStat(_text(path), None if binary else int(added), None if binary else int(deleted))


def _answers(process: "subprocess.Popen[bytes]") -> Iterator[tuple[str, bytes]]:
    assert process.stdout is not None
    while head := process.stdout.readline():
        words = head.decode().split()
        if len(words) != 3 or words[1] != "blob":
            raise ObjectMissing(f"not a blob here: {head.decode().strip()}")
        data = process.stdout.read(int(words[2]))
        if process.stdout.read(1) != b"\n":
            raise ObjectMissing(f"git cat-file ended within {words[0]}")
        yield words[0], data
