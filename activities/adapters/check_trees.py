"""Clean full checkouts for checks: a pool of slots per repository, each at a fixed path.

A slot belongs to whoever holds the lock on its file; the kernel frees it when that process dies.
A tree is used again only when its last lease was released as reusable, and only after everything
that changed since the last reset was taken away: git alone would believe a restored mtime. The git
directory lies outside the tree and its attributes switch every conversion off, so bytes stay bytes.
No link in a tree is ever followed: what lies behind one is none of ours.
"""

import contextlib
import fcntl
import itertools
import json
import os
import secrets
import stat
import subprocess
import threading
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from activities.adapters.git import Git, GitFailed
from activities.adapters.room import check_room
from activities.contracts.base import CommitId

CHECKOUT_SECONDS = 1800
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
BYTE_FAITHFUL = "* -text -eol -crlf -filter -ident -working-tree-encoding\n"
"""In info/attributes, which goes before every .gitattributes of the tree."""
CONFIGURATION = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"
SPARSE = "\tsparseCheckout = true\n\tsparseCheckoutCone = true\n[index]\n\tsparse = true\n"


class NoRoom(Exception):
    """Every place is taken; ask again later."""


class Found(NamedTuple):
    """One entry of a tree; the path is relative to it."""

    path: bytes
    stat: os.stat_result


@dataclass(frozen=True)
class CheckTree:
    """A leased checkout of one commit."""

    path: Path
    git_dir: Path
    commit: CommitId
    slot: int
    lease: str
    """Of this lease alone: a release that comes late touches nobody else's."""


@dataclass(frozen=True)
class _State:
    hub: str
    mark: int
    reusable: bool
    """False while leased: a dead owner says nothing about what it left behind."""


class CheckTrees:
    """The check trees of one host; safe for threads, and for several processes on one root."""

    def __init__(self, root: Path, tool_ids: tuple[int, int] | None, per_repository: int) -> None:
        self._root = root
        self._tool_ids = tool_ids
        self._per_repository = per_repository
        self._held: dict[str, int] = {}
        self._guard = threading.Lock()

    def lease(self, hub: Path, repository: str, commit: CommitId) -> CheckTree:
        """A clean tree of the commit in the first free slot; raises NoRoom when none is free, and
        OSError when the disk is full."""
        Git(hub).run("cat-file", "-e", f"{commit}^{{commit}}")
        home = self._root / path_component(repository)
        home.mkdir(parents=True, exist_ok=True)
        check_room(home)
        for slot in range(self._per_repository):
            lock = try_lock(home / f"{slot}.lock")
            if lock is None:
                continue
            place, lease = home / str(slot), secrets.token_hex(8)
            try:
                self._make_ready(place, hub, commit, lock)
            except BaseException:
                os.close(lock)
                raise
            with self._guard:
                self._held[lease] = lock
            return CheckTree(place / "tree", place / "git", commit, slot, lease)
        raise NoRoom(f"all {self._per_repository} check trees of {repository} are in use")

    def release(self, tree: CheckTree, *, reusable: bool) -> None:
        """Frees the slot; not reusable (its check was killed or timed out): the tree is deleted.
        A second call finds no such lease and does nothing."""
        with self._guard:
            lock = self._held.pop(tree.lease, None)
        if lock is None:
            return
        place = tree.path.parent
        try:
            state = _read_state(place)
            if reusable and state is not None:
                _write_state(place, replace(state, reusable=True))
            else:
                _discard(place)
        finally:
            os.close(lock)

    def _make_ready(self, place: Path, hub: Path, commit: CommitId, lock: int) -> None:
        for left in place.parent.glob(f"{place.name}.*.gone"):
            remove_tree(left)
        tree = place / "tree"
        # git inherits the lock: while one that outlived its service works here, the slot is taken
        git = Git(place / "git", work_tree=tree, inherit=(lock,))
        state = _read_state(place)
        if state is None or not state.reusable or not _reset(git, place, hub, commit, state):
            _discard(place)
            tree.mkdir(parents=True)
            lay_out_git_dir(place / "git", hub, commit)
            git.run("read-tree", "--reset", "-u", commit, timeout=CHECKOUT_SECONDS)
        mark = settle(git, place / "git", tree, self._tool_ids)
        _write_state(place, _State(hub=str(hub), mark=mark, reusable=False))


def _reset(git: Git, place: Path, hub: Path, commit: CommitId, state: _State) -> bool:
    """Whether the tree could be made the commit again; if not, it is to be thrown away."""
    _write_state(place, replace(state, reusable=False))
    if state.hub != str(hub):
        return False
    tree = place / "tree"
    try:
        _take_away_changed(tree, state.mark)
        _empty_submodules(git, tree)
        # before read-tree, which could take a file behind an untracked link for the tracked one
        git.run("clean", "-ffdxq", timeout=CHECKOUT_SECONDS)
        git.run("read-tree", "--reset", "-u", commit, timeout=CHECKOUT_SECONDS)
        (place / "git/HEAD").write_text(f"{commit}\n")
    except (OSError, GitFailed):
        return False
    return True


def _empty_submodules(git: Git, tree: Path) -> None:
    """Neither clean nor read-tree looks into the directory of a submodule entry."""
    for line in git.run("ls-files", "-s", "-z").split(b"\0"):
        if not line.startswith(b"160000 "):
            continue
        path = line.split(b"\t", 1)[1]
        with contextlib.suppress(FileNotFoundError), parent_beneath(tree, path + b"/"):
            for inside in _at(tree, path).iterdir():
                remove_tree(inside)


def _take_away_changed(tree: Path, mark: int) -> None:
    _straighten(tree)
    for path, found in walk(tree):
        if is_git_name(path):
            remove_tree(_at(tree, path))
        elif found.st_ctime_ns >= mark:
            with parent_beneath(tree, path) as (parent, name):
                if stat.S_ISDIR(found.st_mode):
                    _straighten(name, parent)
                else:
                    os.unlink(name, dir_fd=parent)


def _straighten(name: bytes | Path, parent: int | None = None) -> None:
    """Git knows no modes of directories: a check's chmod or ACL would stay for the next one."""
    os.chmod(name, 0o755, dir_fd=parent)
    directory = os.open(name, DIRECTORY, dir_fd=parent)
    try:
        for attribute in os.listxattr(directory):
            if attribute.startswith(("user.", "system.posix_acl")):
                os.removexattr(directory, attribute)
    finally:
        os.close(directory)


def _discard(place: Path) -> None:
    """Frees the path at once; a process left over from a killed check keeps only the moved tree."""
    if place.exists():
        gone = place.with_name(f"{place.name}.{secrets.token_hex(4)}.gone")
        place.rename(gone)
        remove_tree(gone)


def _read_state(place: Path) -> _State | None:
    try:
        return _State(**json.loads((place / "state.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _write_state(place: Path, state: _State) -> None:
    fresh = place / "state.json.new"
    fresh.write_text(json.dumps(asdict(state)))
    fresh.replace(place / "state.json")


def lay_out_git_dir(git_dir: Path, hub: Path, commit: CommitId, *, cone: bytes = b"") -> None:
    """A private git directory that borrows the hub's objects; `cone` makes it a sparse one."""
    for part in ("objects/info", "objects/pack", "refs/heads", "info"):
        (git_dir / part).mkdir(parents=True)
    (git_dir / "HEAD").write_text(f"{commit}\n")
    (git_dir / "config").write_text(CONFIGURATION + (SPARSE if cone else ""))
    (git_dir / "objects/info/alternates").write_text(f"{(hub / 'objects').absolute()}\n")
    (git_dir / "info/attributes").write_text(BYTE_FAITHFUL)
    if cone:
        (git_dir / "info/sparse-checkout").write_bytes(cone)


def settle(git: Git, git_dir: Path, tree: Path, tool_ids: tuple[int, int] | None) -> int:
    """Gives the tree to the tool uid and returns the mark: what changes from now on has a ctime
    (nanoseconds, on the tree's file system) of at least this."""
    if tool_ids is not None and _give(tree, tool_ids):
        # chown moved the ctimes: without this each later comparison would read every file again
        git.run("update-index", "-q", "--refresh", timeout=CHECKOUT_SECONDS)
    probe = git_dir / "mark"
    probe.unlink(missing_ok=True)
    probe.touch()
    return probe.stat().st_ctime_ns


def _give(tree: Path, ids: tuple[int, int]) -> bool:
    """Whether anything but the top had another owner."""
    foreign = ["(", "!", "-uid", str(ids[0]), "-o", "!", "-gid", str(ids[1]), ")"]
    find = ["find", str(tree), "-mindepth", "1", *foreign, "-printf", "%P\\0"]
    paths = subprocess.run(find, check=True, stdout=subprocess.PIPE).stdout.split(b"\0")[:-1]
    split = sorted(((p.rpartition(b"/")[0], p) for p in paths), reverse=True)
    for _, siblings in itertools.groupby(split, key=lambda pair: pair[0]):  # the deepest first
        together = [path for _, path in siblings]
        with parent_beneath(tree, together[0]) as (parent, _):
            for path in together:
                os.chown(path.rpartition(b"/")[2], *ids, dir_fd=parent, follow_symlinks=False)
    os.chown(tree, *ids, follow_symlinks=False)
    return bool(paths)


def walk(tree: Path) -> Iterator[Found]:
    """Every entry below the tree, directories before what is in them; follows no link and does not
    look into `.git`. Raises OSError where a path is too long or may not be read."""
    todo = [b""]
    while todo:
        below = todo.pop()
        with os.scandir(os.fsencode(_at(tree, below))) as entries:
            listed = [Found(below + e.name, e.stat(follow_symlinks=False)) for e in entries]
        for found in listed:
            yield found
            if stat.S_ISDIR(found.stat.st_mode) and not is_git_name(found.path):
                todo.append(found.path + b"/")


def _at(tree: Path, path: bytes) -> Path:
    return tree / os.fsdecode(path)


def is_git_name(path: bytes) -> bool:
    """Whether the last name is one that git, here or on another file system, takes for `.git`."""
    return path.rpartition(b"/")[2].lower() in (b".git", b"git~1")


@contextlib.contextmanager
def parent_beneath(
    tree: Path, path: bytes, *, make: bool = False, ids: tuple[int, int] | None = None
) -> Generator[tuple[int, bytes]]:
    """The directory that holds `path`, as a descriptor reached through no link, and the last name.
    `make` creates what is missing, for the owner `ids`. Raises OSError at a link."""
    *parts, name = path.split(b"/")
    here = os.open(tree, DIRECTORY)
    try:
        for part in parts:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=here)
                    os.chown(part, *(ids or (-1, -1)), dir_fd=here, follow_symlinks=False)
            below = os.open(part, DIRECTORY, dir_fd=here)
            os.close(here)
            here = below
        yield here, name
    finally:
        os.close(here)


def remove_tree(path: Path) -> None:
    """Deletes what an agent or a check may have made hard to delete; what resists stays."""
    remove = ["rm", "-rf", "--one-file-system", "--", str(path)]
    open_up = ["chmod", "-R", "u+rwX", "--", str(path)]
    for command in (remove, open_up, remove):
        if subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0 and command is remove:
            return


def try_lock(path: Path) -> int | None:
    """A descriptor that holds the lock on this file or directory; None when another has it."""
    lock = os.open(path, DIRECTORY if path.is_dir() else os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def path_component(name: str) -> str:
    """The name as one part of a path, whatever is in it; `.` and hidden names are refused."""
    if not name or name.startswith("."):
        raise ValueError(f"{name!r} cannot name a directory")
    return quote(name, safe="@+")
