"""The hub's refs: each moves by compare-and-swap, and one service writes at a time.

The lock is a file whose descriptor git's children inherit. Whoever holds it knows that no orphan of
a killed service still writes, and only then removes the lock files that such a one left behind.
"""

import fcntl
import os
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pygit2

from activities.adapters.fault_points import Effect, around
from activities.adapters.git import Git
from activities.adapters.objects import Objects, open_repository

OURS = "refs/whimbrel/"
INCOMING = f"{OURS}incoming/"
"""Written by a fetch, under its own lock."""
ONCE = f"{OURS}once/"
"""Runs over everything; of other hosts, under their own refs."""
PUSHED = f"{OURS}host/"
"""Written by pushes of other hosts, which take no lock of ours."""
ABSENT = "0" * 40
ORPHANED_AFTER = 60.0
"""Seconds: a lock on packed-refs, or on what is pushed, may be a push's."""


class RefMoved(Exception):
    """A kept ref is not what the caller expected."""

    def __init__(self, ref: str, current: str | None) -> None:
        self.current = current
        super().__init__(f"{ref} is at {current or 'nothing'}")


class RefMissing(Exception):
    """A branch or ref that is not in the hub."""


class BranchMoved(Exception):
    """The green branch is not where the landing started from."""

    def __init__(self, branch: str, tip: str) -> None:
        self.tip = tip
        super().__init__(f"the branch {branch} is at {tip}")


class References(Objects):
    """The refs of one bare directory, beside its objects."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.lock = path.with_suffix(".flock")
        self.fetch_lock = path.with_suffix(".fetch.flock")
        """Held by the one fetch, for hours perhaps, which takes the other only to move its refs."""

    def ref(self, name: str) -> str | None:
        """What a ref points at, if it exists."""
        found = open_repository(self.path).references.get(name)
        return str(found.target) if isinstance(found, pygit2.Reference) else None

    def refs(self, prefix: str) -> dict[str, str]:
        """Every ref under a prefix such as `refs/whimbrel/checkpoint/bare-asserts/`."""
        listed = self.git.text("for-each-ref", "--format=%(refname) %(objectname)", prefix)
        return dict(line.split(" ") for line in listed.splitlines())

    def attempts(self, migration: str) -> dict[str, list[tuple[str, str]]]:
        """Task → (ref, commit) of what its attempts left, the newest first."""
        found: dict[str, list[tuple[str, str]]] = {}
        for ref, commit in self.refs(PUSHED).items():
            scope, task, _ = ref.rsplit("/", 2)
            if scope.removeprefix(PUSHED).partition("/")[2] == migration:
                found.setdefault(task, []).append((ref, commit))
        for kept in found.values():
            kept.sort(key=lambda entry: _age(entry[0]), reverse=True)
        return found

    def keep(self, ref: str, new: str, old: str | None = None) -> str:
        """Points a ref under `refs/whimbrel/` at `new` if it is at `old` (None: does not exist).

        Harmless when it is at `new` already; raises RefMoved otherwise.
        """
        if not ref.startswith(OURS):
            raise ValueError(f"{ref} is not under {OURS}")
        with self.writing([ref]) as git:
            current = self.ref(ref)
            if current not in (old, new):
                raise RefMoved(ref, current)
            if current != new:
                update(git, ref, new, current or ABSENT, Effect.REF_KEEP)
        return new

    def drop(self, refs: Sequence[str]) -> None:
        """Deletes refs under `refs/whimbrel/` in one transaction; those that are gone stay gone."""
        strangers = [ref for ref in refs if not ref.startswith(OURS)]
        if strangers:
            raise ValueError(f"{strangers[0]} is not under {OURS}")
        with self.writing(refs) as git:
            lines = [f"delete {ref}\0\0".encode() for ref in dict.fromkeys(refs)]
            with around(Effect.REF_DROP):
                git.run("update-ref", "--stdin", "-z", stdin=b"".join(lines))

    @contextmanager
    def writing(self, refs: Iterable[str]) -> Generator[Git]:
        """Alone among the services: leftover locks of these refs are gone, and stay gone."""
        refs = tuple(refs)
        for ref in refs:
            if not pygit2.reference_is_valid_name(ref):
                raise ValueError(f"{ref!r} is no name for a ref")
        with self.holding(self.lock) as held:
            self._remove_locks(refs)
            yield Git(self.path, inherit=(held,))

    def sweep_locks(self, *, quiet: bool) -> list[Path]:
        """Removes the locks that killed services left on refs which nobody has written since;
        returns them. `quiet`: no fetch runs, and the caller sees to it that none begins."""
        left = [self.path / "HEAD.lock", self.path / "packed-refs.lock"]
        left += (self.path / "refs").rglob("*.lock")
        left = [lock for lock in left if lock.exists()]
        names = [lock.relative_to(self.path).as_posix().removesuffix(".lock") for lock in left]
        with self.writing(name for name in names if self._is_ours(name, quiet)):
            return [lock for lock in left if not lock.exists()]

    def _is_ours(self, name: str, quiet: bool) -> bool:
        """Whether only holders of our lock write this ref now, so that a lock on it is dead."""
        if name.startswith(PUSHED):
            return _is_orphaned(self.path / f"{name}.lock")
        known = name.startswith("refs/") and pygit2.reference_is_valid_name(name)
        return known and (quiet or not name.startswith(INCOMING))

    @contextmanager
    def holding(self, lock: Path) -> Generator[int]:
        """Waits for a lock, which is free when the last holder of its descriptor is gone."""
        held = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield held
        finally:
            os.close(held)

    def _remove_locks(self, refs: Iterable[str]) -> None:
        for ref in (*refs, "HEAD"):
            (self.path / f"{ref}.lock").unlink(missing_ok=True)
        for name in ("packed-refs.lock", "packed-refs.new"):
            left = self.path / name
            if _is_orphaned(left):
                left.unlink(missing_ok=True)


def attempt_ref(host: str, migration: str, task: str, attempt: str) -> str:
    """Keeps what an attempt on a host left, for as long as the hub is there."""
    return f"{PUSHED}{host}/{migration}/{task}/{attempt}"


def ref_word(migration: str) -> str:
    """One level of a ref: beside the ref of `x` there can be none called `x/app`."""
    return migration.replace("/", "+")


def _age(ref: str) -> list[int]:
    """An attempt is called `START-NUMBER-OPENING`."""
    return [int(number) for number in ref.rpartition("/")[2].split("-")]


def _is_orphaned(lock: Path) -> bool:
    with suppress(FileNotFoundError):
        return time.time() - lock.stat().st_mtime > ORPHANED_AFTER
    return False


def update(git: Git, ref: str, new: str, old: str, effect: Effect) -> None:
    """One compare-and-swap; git refuses it when the ref is not at `old`."""
    with around(effect):
        git.run("update-ref", "--stdin", "-z", stdin=f"update {ref}\0{new}\0{old}\0".encode())
