"""Workspaces: one private working tree per attempt, with its git directory outside the tree.

A workspace is built under a `.tmp` name and renamed when it is complete, so what has its final name
is whole; the builder holds a lock on the `.tmp`, so the sweeper knows a dead one's leftovers. The
git directory borrows the hub's objects and is the service's own; the tree belongs to the tool uid.
Up to `full_checkout` files everything is checked out, above that the directories of the claim.
"""

import contextlib
import fcntl
import json
import os
import re
import secrets
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from activities.adapters.check_trees import (
    CHECKOUT_SECONDS,
    DIRECTORY,
    NoRoom,
    lay_out_git_dir,
    path_component,
    remove_tree,
    settle,
    try_lock,
)
from activities.adapters.fault_points import Effect, around
from activities.adapters.git import Git
from activities.adapters.objects import Objects
from activities.adapters.path_names import path_of
from activities.adapters.room import check_room
from activities.adapters.tree_files import vetted, write_file
from activities.contracts.base import CommitId

FULL_CHECKOUT = 10_000
"""Files up to which the whole tree is checked out."""
TMP = ".tmp"
RECORD = "workspace.json"


class WorkspaceGone(OSError):
    """It was deleted under its attempt, by no part of the service."""


@dataclass(frozen=True)
class WorkspacePaths:
    """Where a workspace is."""

    root: Path
    tree: Path
    git_dir: Path


class LiveWorkspace(NamedTuple):
    """Whose workspace it is."""

    migration: str
    task: str
    attempt: str


@dataclass(frozen=True)
class Record:
    """What a complete workspace says of itself."""

    token: str
    hub: str
    base: CommitId
    start: CommitId
    mark: int
    """Whatever changed in the tree since it was handed over has a ctime of at least this."""
    claims: Sequence[str] = ()
    creates: Sequence[str] = ()


class Workspaces:
    """The workspaces of one host; safe for threads, and for several processes on one root."""

    def __init__(
        self,
        root: Path,
        tool_ids: tuple[int, int] | None,
        capacity: int,
        *,
        full_checkout: int = FULL_CHECKOUT,
    ) -> None:
        self._root = root
        self.tool_ids = tool_ids
        self._capacity = capacity
        self._full_checkout = full_checkout

    def open(
        self,
        hub: Path,
        *,
        migration: str,
        task: str,
        attempt: str,
        base: CommitId,
        start: CommitId,
        claims: Sequence[str],
        token: str,
        creates: Sequence[str] = (),
        reset: bool = False,
    ) -> WorkspacePaths:
        """The attempt's tree, filled from `start`. Opened again with the same token and start it is
        returned as it is, edits included, unless `reset`; otherwise a fresh one takes its place.
        Raises NoRoom when the host has its fill, OSError when the disk has, ObjectMissing when the
        hub lacks `start`."""
        place = self._place(LiveWorkspace(migration, task, attempt))
        check_room(place.parent.parent, self._root, hub)
        with self._locked():
            if not reset and _is_open(place, token, start):
                return _paths(place)
            if self._count(place) >= self._capacity:
                raise NoRoom(f"{self._capacity} workspaces are live on this host")
            building = _temporary(place)
            building.mkdir(parents=True)
            lock = os.open(building, DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            mark = self._fill(building, lock, hub, start, claims)
            record = Record(token, str(hub), base, start, mark, claims, creates)
            (building / RECORD).write_text(json.dumps(asdict(record)))
            with self._locked():
                if reset or not _is_open(place, token, start):  # else a twin call was faster
                    self._set_aside(place)
                    with around(Effect.WORKSPACE):
                        building.rename(place)
        finally:
            # Its own by name: a child forked meanwhile may hold the lock for a moment yet.
            remove_tree(building)
            os.close(lock)
            self._remove_leftovers(place.parent)
        return _paths(place)

    def aside(self, root: Path) -> "Workspaces":
        """Room for one full checkout elsewhere, counted nowhere; gone with the folder."""
        return Workspaces(root, self.tool_ids, 1, full_checkout=sys.maxsize)

    def paths(self, migration: str, task: str, attempt: str) -> WorkspacePaths:
        """Where the attempt's workspace is, whether it is open or not."""
        return _paths(self._place(LiveWorkspace(migration, task, attempt)))

    def close(self, migration: str, task: str, attempt: str) -> None:
        """Deletes the workspace; one that is not there is closed already."""
        place = self._place(LiveWorkspace(migration, task, attempt))
        with self._locked():
            aside = self._set_aside(place)
        remove_tree(aside)
        self._remove_leftovers(place.parent)
        with self._locked(), contextlib.suppress(OSError):
            place.parent.rmdir()
            place.parent.parent.rmdir()

    def live(self) -> list[LiveWorkspace]:
        """The complete workspaces, sorted."""
        found = [p for p in self._root.glob("*/*/*") if not p.name.endswith(TMP) and p.is_dir()]
        return sorted(
            LiveWorkspace(*(unquote(part) for part in p.relative_to(self._root).parts))
            for p in found
        )

    def sweep(self, alive: Callable[[str, str, str], bool]) -> list[LiveWorkspace]:
        """Deletes what a dead process left half made, and every workspace that is not alive any
        more; returns the latter."""
        for parent in self._root.glob("*/*"):
            self._remove_leftovers(parent)
        dead = [workspace for workspace in self.live() if not alive(*workspace)]
        for workspace in dead:
            self.close(*workspace)
        return dead

    def write_files(self, paths: WorkspacePaths, files: Mapping[str, bytes]) -> None:
        """Writes whole files, directories made as needed; an existing file keeps its x bit. Raises
        UnsafePath where a link or anything else but a plain file is in the way. Again: the same."""
        for name, content in files.items():
            write_file(paths.tree, vetted(name), content, self.tool_ids)

    def widen(self, paths: WorkspacePaths, claims: Sequence[str]) -> None:
        """Brings the folders of claims that were granted later into a sparse tree; what is there
        stays as it is. A full tree has them. Again: nothing is left to do."""
        cone = paths.git_dir / "info/sparse-checkout"
        wanted = cone_patterns(claims)
        if not cone.exists() or cone.read_bytes() == wanted:
            return
        cone.write_bytes(wanted)
        git = Git(paths.git_dir, work_tree=paths.tree)
        git.run("sparse-checkout", "reapply", timeout=CHECKOUT_SECONDS)
        settle(git, paths.git_dir, paths.tree, self.tool_ids)

    def _fill(
        self, place: Path, lock: int, hub: Path, start: CommitId, claims: Sequence[str]
    ) -> int:
        tree, git_dir = place / "tree", place / "git"
        tree.mkdir()
        big = Objects(hub).has_more_files_than(self._full_checkout, start)
        cone = cone_patterns(claims) if big else b""
        lay_out_git_dir(git_dir, hub, start, cone=cone)
        # git inherits the lock: what outlives this process keeps its folder from the sweeper
        git = Git(git_dir, work_tree=tree, inherit=(lock,))
        git.run("read-tree", "--reset", "-u", start, timeout=CHECKOUT_SECONDS)
        return settle(git, git_dir, tree, self.tool_ids)

    def _place(self, workspace: LiveWorkspace) -> Path:
        if workspace.attempt.endswith(TMP):
            raise ValueError(f"an attempt cannot be called {workspace.attempt!r}")
        return self._root.joinpath(*(path_component(part) for part in workspace))

    def _count(self, besides: Path) -> int:
        """Complete workspaces and those being built, this one not counted."""
        others = [p for p in self._root.glob("*/*/*") if p != besides and p.is_dir()]
        return sum(not p.name.endswith(TMP) or not _is_left_over(p) for p in others)

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        """Held for decisions and renames only, never while a tree is filled or deleted."""
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @staticmethod
    def _set_aside(place: Path) -> Path:
        """Where it is now, if it was there: nobody opens it under that name."""
        aside = _temporary(place)
        with around(Effect.WORKSPACE_GONE), contextlib.suppress(FileNotFoundError):
            place.rename(aside)
        return aside

    def _remove_leftovers(self, parent: Path) -> None:
        with self._locked():
            left_over = [path for path in parent.glob(f"*{TMP}") if _is_left_over(path)]
        for path in left_over:
            remove_tree(path)


def opened_with(paths: WorkspacePaths) -> Record:
    """What the workspace was opened with. Raises WorkspaceGone when it has been deleted."""
    try:
        record = json.loads((paths.root / RECORD).read_bytes())
        paths.tree.lstat()
    except FileNotFoundError as gone:
        raise WorkspaceGone(f"somebody deleted {paths.root}") from gone
    return Record(**record)


def _paths(place: Path) -> WorkspacePaths:
    return WorkspacePaths(root=place, tree=place / "tree", git_dir=place / "git")


def _is_open(place: Path, token: str, start: CommitId) -> bool:
    with contextlib.suppress(OSError, ValueError, TypeError):
        record = opened_with(_paths(place))
        return record.token == token and record.start == start
    return False


def _temporary(place: Path) -> Path:
    return place.with_name(f"{place.name}.{secrets.token_hex(4)}{TMP}")


def _is_left_over(temporary: Path) -> bool:
    with contextlib.suppress(OSError):
        lock = try_lock(temporary)
        if lock is None:
            return False
        os.close(lock)
    return True


def cone_patterns(claims: Iterable[str]) -> bytes:
    """A cone sparse-checkout file: the directories of these paths with all that is below them, and
    the files of every directory above. A name with a line end cannot stand there: its parent does.
    """
    wanted = {_directory(path_of(claim)) for claim in claims} - {b""}
    parents = {above for path in wanted for above in _above(path)}
    whole = {path for path in wanted if not wanted.intersection(_above(path))}
    lines = [b"/*", b"!/*/"]
    for path in sorted(parents | whole):
        if any(above in whole for above in _above(path)):
            continue
        escaped = re.sub(rb"([*?\[\\])", rb"\\\1", path)
        lines.append(b"/%s/" % escaped)
        if path not in whole:
            lines.append(b"!/%s/*/" % escaped)
    return b"\n".join(lines) + b"\n"


def _directory(path: bytes) -> bytes:
    directory = path.rpartition(b"/")[0]
    while b"\n" in directory:
        directory = directory.rpartition(b"/")[0]
    return directory


def _above(path: bytes) -> list[bytes]:
    parts = path.split(b"/")
    return [b"/".join(parts[:n]) for n in range(1, len(parts))]
