"""The hub: one bare directory per repository, where a migration's commits live until delivery.

Upstream is only ever read. Every ref moves by compare-and-swap under one lock file whose descriptor
git's children inherit: whoever holds it knows that no orphan of a killed service still writes, and
only then removes the lock files such a one left. Truth of what landed is the green branch's
first-parent chain; refs under `refs/whimbrel/` are claims, pins and keepsakes.
"""

import fcntl
import os
import re
import shutil
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

import pygit2

from activities.adapters.composing import TRAILER, compose_batch, one_line
from activities.adapters.gate import GateRules
from activities.adapters.git import Git
from activities.adapters.objects import Objects, open_repository
from activities.adapters.upstream import fetch_branch
from activities.contracts.landing import Batch, Candidate
from activities.contracts.repository import Base, GreenBranch

CONFIGURATION = {
    "core.logAllRefUpdates": "true",
    "core.fsync": "committed",
    "gc.auto": "0",
    "gc.pruneExpire": "never",
    "maintenance.auto": "false",
    "receive.autogc": "false",
    "receive.fsckObjects": "true",
}
OURS = "refs/whimbrel/"
ABSENT = "0" * 40
ORPHANED_AFTER = 60.0
"""Seconds: a lock on packed-refs may be that of a push, which does not take our lock."""
_ID = re.compile(r"[a-z0-9-]{3,60}")


class BranchOwned(Exception):
    """Another migration owns the green branch."""

    def __init__(self, branch: str, owner: str) -> None:
        self.owner = owner
        super().__init__(f"the branch {branch} belongs to the migration {owner}")


class BranchMoved(Exception):
    """The green branch is not where the landing started from."""

    def __init__(self, branch: str, tip: str) -> None:
        self.tip = tip
        super().__init__(f"the branch {branch} is at {tip}")


class RefMoved(Exception):
    """A kept ref is not what the caller expected."""

    def __init__(self, ref: str, current: str | None) -> None:
        self.current = current
        super().__init__(f"{ref} is at {current or 'nothing'}")


class RefMissing(Exception):
    """A branch or ref that is not in the hub."""


class Hub(Objects):
    """One repository's hub. It keeps no state of its own: any thread may use it at any time."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._lock = path.with_suffix(".flock")

    @classmethod
    def open(cls, root: Path, repository_id: str) -> "Hub":
        """The hub of this repository, created if need be: built aside, then renamed."""
        if not _ID.fullmatch(repository_id):
            raise ValueError(f"{repository_id!r} is no repository id")
        hub = cls(root / f"{repository_id}.git")
        if not hub.path.is_dir():
            root.mkdir(parents=True, exist_ok=True)
            with hub._holding(hub._lock):
                hub._create()
        return hub

    def fetch_base(self, url: str, branch: str, migration: str, *, repin: bool = False) -> Base:
        """Reads upstream's branch and pins its head for the migration.

        Pinned once: a second call answers what is pinned without asking upstream, unless `repin`.
        Raises BaseVanished, UpstreamUnreachable, UnsupportedRepository.
        """
        with self._holding(self.path.with_suffix(".fetch.flock")) as held:
            pinned = self.pinned_base(migration)
            if pinned is not None and not repin:
                return pinned
            incoming = f"{OURS}incoming/{migration}"
            self.drop([incoming])
            commit = fetch_branch(Git(self.path, inherit=(held,)), url, branch, incoming)
            self._pin(migration, commit, branch)
        return Base(commit=commit, tree=self.tree(commit), branch=branch)

    def pinned_base(self, migration: str) -> Base | None:
        """The base that was pinned for the migration."""
        commit, branch = self.ref(_base(migration)), self.ref(_base_branch(migration))
        if commit is None or branch is None:
            return None
        return Base(commit=commit, tree=self.tree(commit), branch=self.read_blob(branch).decode())

    def claim_branch(self, branch: GreenBranch, at: str) -> str:
        """Makes the migration the branch's owner, starts it at `at` if it is new; returns its tip.

        Raises BranchOwned when another migration owns it.
        The same one may claim again.
        """
        owner, head = f"{OURS}owner/{branch.name}", f"refs/heads/{branch.name}"
        with self._writing([owner, head]) as git:
            owned = self.ref(owner)
            if owned is None:
                _update(git, owner, self.write_blob(branch.migration.encode()), ABSENT)
            elif (name := self.read_blob(owned).decode()) != branch.migration:
                raise BranchOwned(branch.name, name)
            if self.ref(head) is None:
                self.parents(at)
                _update(git, head, at, ABSENT)
        return self.tip(branch.name)

    def tip(self, branch: str) -> str:
        """The branch's commit; raises RefMissing."""
        commit = self.ref(f"refs/heads/{branch}")
        if commit is None:
            raise RefMissing(f"there is no branch {branch} in {self.path.name}")
        return commit

    def ref(self, name: str) -> str | None:
        """What a ref points at, if it exists."""
        found = open_repository(self.path).references.get(name)
        return str(found.target) if isinstance(found, pygit2.Reference) else None

    def refs(self, prefix: str) -> dict[str, str]:
        """Every ref under a prefix such as `refs/whimbrel/candidate/bare-asserts/`."""
        listed = self.git.text("for-each-ref", "--format=%(refname) %(objectname)", prefix)
        return dict(line.split(" ") for line in listed.splitlines())

    def keep(self, ref: str, new: str, old: str | None = None) -> str:
        """Points a ref under `refs/whimbrel/` at `new` if it is at `old` (None: does not exist).

        Harmless when it is at `new` already; raises RefMoved otherwise.
        """
        if not ref.startswith(OURS):
            raise ValueError(f"{ref} is not under {OURS}")
        with self._writing([ref]) as git:
            current = self.ref(ref)
            if current not in (old, new):
                raise RefMoved(ref, current)
            if current != new:
                _update(git, ref, new, current or ABSENT)
        return new

    def drop(self, refs: Sequence[str]) -> None:
        """Deletes refs under `refs/whimbrel/` in one transaction; those that are gone stay gone."""
        strangers = [ref for ref in refs if not ref.startswith(OURS)]
        if strangers:
            raise ValueError(f"{strangers[0]} is not under {OURS}")
        with self._writing(refs) as git:
            lines = [f"delete {ref}\0\0".encode() for ref in dict.fromkeys(refs)]
            git.run("update-ref", "--stdin", "-z", stdin=b"".join(lines))

    def make_candidate(
        self, base: str, checkpoint_tree: str, title: str, migration: str, task: str, when: int
    ) -> str:
        """The task's work as one commit on its base, kept; made of its arguments, so it repeats."""
        message = f"{one_line(title) or f'Task {task}'}\n"
        commit = self.write_commit(checkpoint_tree, [base], message, when)
        ref = f"{OURS}candidate/{migration}/{task}"
        with self._writing([ref]) as git:
            _update(git, ref, commit, self.ref(ref) or ABSENT)
        return commit

    def compose_batch(
        self,
        tip: str,
        candidates: Sequence[Candidate],
        rules: GateRules,
        migration: str,
        when: int,
    ) -> Batch:
        """The candidates as commits on `tip`, one per prefix; see composing.py."""
        return compose_batch(self, tip, candidates, rules, migration, when)

    def land(self, branch: str, old: str, new: str) -> str:
        """Moves the green branch from `old` to `new`, whose first parent is `old`; returns its tip.

        Harmless when `new` is on the first-parent chain already; else raises BranchMoved when the
        branch is not at `old`.
        """
        if self.parents(new)[:1] != (old,):
            raise ValueError(f"{new} does not continue {old}")
        head = f"refs/heads/{branch}"
        with self._writing([head]) as git:
            tip = self.tip(branch)
            if self.on_chain(tip, {new}, until=old):
                return tip
            if tip != old:
                raise BranchMoved(branch, tip)
            _update(git, head, new, old)
        return new

    def landed(self, branch: str, base: str, migration: str) -> dict[str, str]:
        """Task id → the commit that carries it, from the trailers of the chain since `base`.

        `base` is where the branch began: with a later one, what upstream took over would be missed.
        """
        form = f"--format=%H %(trailers:key={TRAILER},valueonly,separator=%x20)"
        told = self.git.text(
            "log", "--first-parent", "--reverse", form, self.tip(branch), f"^{base}"
        )
        mine = f"{migration}/"
        return {
            name.removeprefix(mine): commit
            for commit, *names in map(str.split, told.splitlines())
            for name in names
            if name.startswith(mine)
        }

    def _create(self) -> None:
        if self.path.is_dir():
            return
        aside = self.path.with_suffix(".git.tmp")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        git = Git(aside)
        git.run("init", "-q", "--bare", "--template=", "--initial-branch=main", str(aside))
        for name, value in CONFIGURATION.items():
            git.run("config", name, value)
        aside.rename(self.path)

    def _pin(self, migration: str, commit: str, branch: str) -> None:
        """The branch's name first: a base is pinned once its own ref is there."""
        named, pinned = _base_branch(migration), _base(migration)
        with self._writing([named, pinned]) as git:
            _update(git, named, self.write_blob(branch.encode()), self.ref(named) or ABSENT)
            _update(git, pinned, commit, self.ref(pinned) or ABSENT)

    @contextmanager
    def _writing(self, refs: Iterable[str]) -> Generator[Git]:
        """Alone among the services: leftover locks of these refs are gone, and stay gone."""
        refs = tuple(refs)
        for ref in refs:
            if not pygit2.reference_is_valid_name(ref):
                raise ValueError(f"{ref!r} is no name for a ref")
        with self._holding(self._lock) as held:
            self._remove_locks(refs)
            yield Git(self.path, inherit=(held,))

    @contextmanager
    def _holding(self, lock: Path) -> Generator[int]:
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
            if left.exists() and time.time() - left.stat().st_mtime > ORPHANED_AFTER:
                left.unlink(missing_ok=True)


def _base(migration: str) -> str:
    return f"{OURS}base/{migration}"


def _base_branch(migration: str) -> str:
    return f"{OURS}base-branch/{migration}"


def _update(git: Git, ref: str, new: str, old: str) -> None:
    """One compare-and-swap; git refuses it when the ref is not at `old`."""
    git.run("update-ref", "--stdin", "-z", stdin=f"update {ref}\0{new}\0{old}\0".encode())
