"""Harvest: what an attempt's tree holds becomes a commit in the hub, claimed paths only.

An agent had the tree, so nothing in it is obeyed: no link is followed, a nested `.git` is refused
before any git command, no attribute converts a byte. What git's index calls modified is looked at,
and so is all that changed since the tree was handed over (ctime: git alone believes a restored
mtime) or is not in the index; then bytes are compared. The tree is built in the object database on
the base's; the same files, message and time give the same commit, so a second harvest is harmless.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, Option

from activities.adapters.allowed_paths import AllowedPaths
from activities.adapters.check_trees import is_git_name, parent_beneath, walk
from activities.adapters.damage import damage_of
from activities.adapters.fault_points import Effect, around
from activities.adapters.git import Git
from activities.adapters.path_names import name_of
from activities.adapters.room import is_trouble
from activities.adapters.trees import Entry, Folder
from activities.adapters.waived import NOTHING_WAIVED, Waived
from activities.adapters.workspaces import WorkspacePaths, opened_with
from activities.contracts.base import CommitId
from activities.contracts.integrity import IntegrityRule as Rule
from activities.contracts.work import Change, ChangedPath, Checkpoint

REPORTED = 200
"""Dropped and outside paths that a checkpoint names at most."""
LARGEST = 256 << 20
"""Bytes of the largest file that is committed."""


class HostileTree(Exception):
    """The tree holds something no git command may meet, or that cannot be read."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path


Mend = Callable[[bytes, bytes, int], None]
"""Given a path, with the content and the mode that it had."""
Edits = dict[bytes, Entry | None]
"""What becomes of a path; None: it is gone."""


def harvest(
    paths: WorkspacePaths,
    *,
    hub: Path,
    base: CommitId,
    start: CommitId,
    claims: Sequence[str],
    creates: Sequence[str],
    message: str,
    when: int,
    ref: str,
    mend: Mend | None = None,
    waived: Waived = NOTHING_WAIVED,
) -> Checkpoint:
    """Commits claimed and created paths onto `base` and keeps the commit under `ref`; the rest is
    only reported. Raises HostileTree, WorkspaceGone, and OSError where the storage fails. The tree
    itself is left as it is, but for what `mend` does to each tracked file outside."""
    mark = opened_with(paths).mark
    present = _present(paths.tree)
    pygit2.option(Option.ENABLE_FSYNC_GITDIR, True)
    repository = pygit2.Repository(str(hub))
    work = _Harvest(paths.tree, present, repository, base, start, claims, creates, mend, waived)
    for path in sorted(_touched(paths, present, mark)):
        work.look_at(path)
    work.keep_what_start_had()
    tree = work.write()
    who = pygit2.Signature("Whimbrel", "whimbrel@localhost", when, 0)
    commit = str(repository.create_commit(None, who, who, message, tree, [base]))
    opened_with(paths)  # deleted meanwhile: what was missing is nobody's edit
    with around(Effect.REF_CHECKPOINT):
        Git(hub).run("update-ref", ref, commit)
    return Checkpoint(
        commit=commit,
        tree=str(tree),
        base=base,
        changed=tuple(work.changed),
        dropped=tuple(sorted(work.dropped)[:REPORTED]),
        outside=tuple(work.outside[:REPORTED]),
        damage=tuple(sorted(work.damage)),
    )


def _present(tree: Path) -> dict[bytes, os.stat_result]:
    """All that is not a directory. The mount point the sandbox left for `.git` is removed."""
    mount_point = tree / ".git"
    with suppress(OSError):  # fails unless it is an empty directory: then the walk meets it
        mount_point.rmdir()
    present: dict[bytes, os.stat_result] = {}
    try:
        for path, found in walk(tree):
            if is_git_name(path):
                raise HostileTree(name_of(path), "a git directory of the tree's own")
            if not stat.S_ISDIR(found.st_mode):
                present[path] = found
    except OSError as error:
        if is_trouble(error):
            raise
        raise HostileTree(str(error.filename)[:200], error.strerror or "unreadable") from error
    return present


def _touched(paths: WorkspacePaths, present: dict[bytes, os.stat_result], mark: int) -> set[bytes]:
    git = Git(paths.git_dir, work_tree=paths.tree)
    tracked: set[bytes] = set()
    touched: set[bytes] = set()
    for line in git.run("ls-files", "-z", "-t", "-c", "-m", "--sparse").split(b"\0")[:-1]:
        tag, path = line[:1], line[2:]
        if tag == b"H":
            tracked.add(path)
        elif tag == b"C":
            touched.add(path)
    touched.update(p for p, s in present.items() if s.st_ctime_ns >= mark or p not in tracked)
    return touched | (tracked - present.keys())


class _Harvest:
    """One harvest on its way from looked-at paths to a tree."""

    def __init__(
        self,
        root: Path,
        present: dict[bytes, os.stat_result],
        repository: pygit2.Repository,
        base: CommitId,
        start: CommitId,
        claims: Sequence[str],
        creates: Sequence[str],
        mend: Mend | None,
        waived: Waived,
    ) -> None:
        self._root = root
        self._present = present
        self._repository = repository
        self._base_tree = repository[base].peel(pygit2.Tree)
        self._start_tree = repository[start].peel(pygit2.Tree)
        self._base = Folder.of(repository, self._base_tree)
        self._start = Folder.of(repository, self._start_tree)
        self._allowed = AllowedPaths(claims, creates)
        self._mend = mend
        self._waived = waived
        self._edits: Edits = {}
        self.changed: list[ChangedPath] = []
        self.dropped: list[str] = []
        self.outside: list[str] = []
        self.damage: list[str] = []

    def look_at(self, path: bytes) -> None:
        """Sorts one path into: an edit, an edit outside, or untracked and dropped."""
        before = _find(self._start, path)
        if before is not None and before.mode == FileMode.COMMIT and path not in self._present:
            return
        if self._may_change(path):
            self._edits[path] = self._taken(path)
        elif before is None:
            self.dropped.append(name_of(path))
        elif (self._mend or len(self.outside) < REPORTED) and self._differs(path, before):
            self.outside.append(name_of(path))
            if self._mend and before.mode != FileMode.COMMIT:
                self._mend(path, self._repository[before.id].read_raw(), before.mode)

    def keep_what_start_had(self) -> None:
        """A checkpoint's changes that nobody touched since are changes against the base still."""
        deltas: Iterator[pygit2.DiffDelta] = self._base_tree.diff_to_tree(self._start_tree).deltas
        for delta in deltas:
            for path in (delta.old_file.raw_path, delta.new_file.raw_path):
                if path not in self._edits and self._may_change(path):
                    self._edits[path] = _find(self._start, path)

    def write(self) -> pygit2.Oid:
        """The new tree; fills `changed`."""
        for path in [p for p, entry in self._edits.items() if entry and not self._fits(p)]:
            del self._edits[path]
            self.dropped.append(name_of(path))
        tree = Folder.of(self._repository, self._base_tree)
        for path, entry in sorted(self._edits.items()):
            before = _find(self._base, path)
            if entry != before:
                gone = Change.DELETED if entry is None else Change.MODIFIED
                change = Change.ADDED if before is None else gone
                self.changed.append(ChangedPath(path=name_of(path), change=change))
                tree.put(path.split(b"/"), entry)
        return tree.write()

    def _may_change(self, path: bytes) -> bool:
        return self._allowed.covers(path, _find(self._base, path))

    def _differs(self, path: bytes, before: Entry) -> bool:
        found = self._present.get(path)
        if found is None or not _mode(found) or (_mode(found) != before.mode):
            return True
        content = self._read(path, found)
        return content is None or pygit2.hash(content) != before.id

    def _taken(self, path: bytes) -> Entry | None:
        """What the tree holds there, stored in the hub; damage is noted on the way."""
        found = self._present.get(path)
        if found is None:
            return None
        before = _find(self._base, path)
        mode, content = _mode(found), self._read(path, found)
        if content is None:
            self._damaged(path, "is no file that can be committed")
            return before
        if before is not None and (before.mode == FileMode.LINK) != (mode == FileMode.LINK):
            self._damaged(path, f"{_kind(before.mode)} became {_kind(mode)}")
        elif before is not None and mode != FileMode.LINK:
            if not self._waived.lets(Rule.MODE_FLIP, name_of(path)):
                mode = self._kept_mode(path, before.mode, mode)
            self._compare(path, before, content)
        return Entry(mode, self._repository.create_blob(content))

    def _kept_mode(self, path: bytes, before: int, mode: int) -> int:
        if (before & 0o100) != (mode & 0o100):
            self._damaged(path, "executable bit " + ("gained" if mode & 0o100 else "lost"))
        return before

    def _compare(self, path: bytes, before: Entry, content: bytes) -> None:
        if pygit2.hash(content) != before.id:
            may_flip = self._waived.lets(Rule.EOL_FLIP, name_of(path))
            for what in damage_of(self._repository[before.id].read_raw(), content, may_flip):
                self._damaged(path, what)

    def _damaged(self, path: bytes, what: str) -> None:
        self.damage.append(f"{name_of(path)}: {what}")

    def _read(self, path: bytes, found: os.stat_result) -> bytes | None:
        """The file's bytes, or the link's target; None for what is neither or is too large."""
        if not _mode(found) or found.st_size > LARGEST:
            return None
        try:
            with parent_beneath(self._root, path) as (parent, name):
                if stat.S_ISLNK(found.st_mode):
                    return os.readlink(name, dir_fd=parent)
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                with os.fdopen(os.open(name, flags, dir_fd=parent), "rb") as file:
                    return file.read()
        except OSError as error:
            if is_trouble(error):
                place = self._root / name_of(path)
                raise OSError(error.errno, error.strerror, str(place)) from error
            raise HostileTree(name_of(path), error.strerror or "unreadable") from error

    def _fits(self, path: bytes) -> bool:
        """Whether it can stand there: every file above it is gone, and all that was below it."""
        parts = path.split(b"/")
        for above in (b"/".join(parts[:n]) for n in range(1, len(parts))):
            if self._edits.get(above, _find(self._base, above)) is not None:
                return False
        below = self._base
        for part in parts:
            folder = below.folder(part)
            if folder is None:
                return True
            below = folder
        deleted = {p for p, entry in self._edits.items() if entry is None}
        return all(path + b"/" + p in deleted for p in _files(below))


def _mode(found: os.stat_result) -> int:
    """The mode git gives it; 0 for what git cannot hold."""
    if stat.S_ISLNK(found.st_mode):
        return FileMode.LINK
    if stat.S_ISREG(found.st_mode):
        return 0o100755 if found.st_mode & 0o100 else 0o100644
    return 0


def _kind(mode: int) -> str:
    return "symbolic link" if mode == FileMode.LINK else "file"


def _files(folder: Folder) -> Iterator[bytes]:
    for name in folder.entries:
        below = folder.folder(name)
        if below is None:
            yield name
        else:
            yield from (name + b"/" + path for path in _files(below))


def _find(folder: Folder, path: bytes) -> Entry | None:
    """The file, link or submodule at the path; None for a directory."""
    entry = folder.find(path.split(b"/"))
    return None if entry is None or entry.mode == FileMode.TREE else entry
