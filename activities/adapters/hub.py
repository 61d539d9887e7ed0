"""The hub: one bare directory per repository, where a migration's commits live until delivery.

Upstream is only ever read. Truth of what landed is the green branch's first-parent chain with the
trailers that only the queue writes; refs under `refs/whimbrel/` are claims, pins and keepsakes.
"""

import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from activities.adapters import green_branch
from activities.adapters.base_merges import MovingBase
from activities.adapters.composing import (
    PATH_LIMIT,
    REASON_LIMIT,
    carry,
    compose_batch,
)
from activities.adapters.deep_branch import advance_deep, find_deep, steps_of
from activities.adapters.fault_points import Effect, around
from activities.adapters.gate import GateRules
from activities.adapters.git import Git
from activities.adapters.landed_since import landed_since, on_paths
from activities.adapters.merging import Merge
from activities.adapters.refs import ABSENT, OURS, ref_word, update
from activities.contracts.conflict import Conflict
from activities.contracts.landing import Batch, Candidate
from activities.contracts.landing_requests import FoundDeep
from activities.contracts.moving_base import BothSides
from activities.contracts.pushes import Push
from activities.contracts.reds import FIX
from activities.contracts.repository import Base, GreenBranch
from activities.contracts.spec import MigrationSpec, Phase

CONFIGURATION = {
    "core.logAllRefUpdates": "true",
    "core.fsync": "committed",
    "gc.auto": "0",
    "gc.pruneExpire": "never",
    "maintenance.auto": "false",
    "receive.autogc": "false",
    "receive.fsckObjects": "true",
}
_ID = re.compile(r"[a-z0-9-]{3,60}")


class BranchOwned(Exception):
    """Another migration owns the green branch."""

    def __init__(self, branch: str, owner: str) -> None:
        self.owner = owner
        super().__init__(f"the branch {branch} belongs to the migration {owner}")


class Hub(MovingBase):
    """One repository's hub. It keeps no state of its own: any thread may use it at any time."""

    @classmethod
    def open(cls, root: Path, repository_id: str) -> "Hub":
        """The hub of this repository, created if need be: built aside, then renamed."""
        if not _ID.fullmatch(repository_id):
            raise ValueError(f"{repository_id!r} is no repository id")
        hub = cls(root / f"{repository_id}.git")
        if not hub.path.is_dir():
            root.mkdir(parents=True, exist_ok=True)
            with hub.holding(hub.lock) as held:
                hub._create(held)
        return hub

    def need(self, commits: Iterable[str]) -> None:
        """Sees to it that these are here, as far as anywhere: a mirror has only what was needed."""

    def publish(self, ref: str) -> None:
        """Returns once the merge queue can see what the ref is at: in a hub it can."""

    def probe(self) -> None:
        """Raises HubUnreachable when nothing could be published now."""

    def fetch_base(self, url: str, branch: str, migration: str, *, repin: bool = False) -> Base:
        """Reads upstream's branch and pins its head for the migration.

        Pinned once: a second call answers what is pinned without asking upstream, unless `repin`.
        Raises BaseVanished, UpstreamUnreachable, UnsupportedRepository.
        """
        with self.holding(self.fetch_lock) as held:
            pinned = self.pinned_base(migration)
            if pinned is not None and not repin:
                return pinned
            commit = self.fetch(url, branch, migration, held)
            self._pin(migration, commit, branch)
        return Base(commit=commit, tree=self.tree(commit), branch=branch)

    def pinned_base(self, migration: str) -> Base | None:
        """The base that was pinned for the migration."""
        commit, branch = self.ref(_base(migration)), self.ref(_base_branch(migration))
        if commit is None or branch is None:
            return None
        return Base(commit=commit, tree=self.tree(commit), branch=self.read_blob(branch).decode())

    def claim_branch(self, branch: GreenBranch, at: str, *, deep: bool = False) -> str:
        """Makes the migration the branch's owner, starts it at `at` if it is new; returns its tip.
        `deep`: it owns the name of the one beside it too, which begins when the deep checks held.

        Raises BranchOwned when another migration owns one; the same one may claim again.
        """
        owner = f"{OURS}owner/"
        claimed = (branch.name, branch.deep_name) if deep else (branch.name,)
        written = (*(owner + name for name in claimed), *green_branch.names(branch.name))
        with self.writing(written) as git:
            for name in claimed:
                owned = self.ref(owner + name)
                if owned is None:
                    mine = self.write_blob(branch.migration.encode())
                    update(git, owner + name, mine, ABSENT, Effect.REF_OWNER)
                elif (other := self.read_blob(owned).decode()) != branch.migration:
                    raise BranchOwned(name, other)
            self.parents(at)
            green_branch.begin(git, self, branch.name, at)
        return self.tip(branch.name)

    def carry_on(self, commit: str, tree: str, base: str, task: str, owner: str, when: int) -> str:
        """Another tree of the same work on `base`, kept under a ref of its own: one commit with
        one parent and the work's own message, so it may ask to land. The same again is the same.
        """
        made = self.write_commit(tree, [base], self.message(commit), when)
        self.keep(f"{OURS}checkpoint/{owner}/{task}/{made}", made)
        return made

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

    def rules(self, spec: MigrationSpec, phase: Phase) -> GateRules:
        """What the spec forbids to every candidate of a phase."""
        return GateRules(
            protect=spec.protect, keep=phase.keep, lifted=phase.claims, waivers=spec.integrity
        )

    def carry(self, commit: str, old_base: str, new_base: str) -> Merge:
        """The tree of a commit's change on another base, or what conflicts."""
        return carry(self, commit, old_base, new_base)

    def conflict(
        self, merge: Merge, work: str, base: str, tip: str, task: str, owner: str, when: int
    ) -> Conflict:
        """A merge that conflicts, kept under a ref of its own, with who landed there meanwhile.

        Its commit has both sides as parents: whoever fetches it has all there is to settle.
        """
        merged = self.write_commit(merge.marked, [tip, work], self.message(work), when)
        self.keep(f"{OURS}checkpoint/{owner}/{task}/{merged}", merged)
        return Conflict(
            merged=merged,
            base=base,
            work=work,
            tip=tip,
            paths=merge.paths[:PATH_LIMIT],
            reasons=merge.conflicts[:REASON_LIMIT],
            landed=landed_since(self, base, tip, owner, on_paths(merge.paths)),
        )

    def land(self, branch: str, old: str, new: str) -> str:
        """Moves the green branch from `old` to `new`; see green_branch.py. Raises BranchMoved."""
        return green_branch.land(self, branch, old, new)

    def find_push(self, branch: str) -> Push | None:
        """What somebody else made of the green branch; None: it is where we left it."""
        return green_branch.find_push(self, branch)

    def settle_push(self, branch: str, push: Push, back: bool) -> None:
        """The branch goes back to ours, or what was pushed stays. Raises BranchMoved."""
        green_branch.settle_push(self, branch, push, back)

    def find_deep(
        self,
        branch: GreenBranch,
        base: str,
        to: str | None = None,
        between: tuple[str, str] | None = None,
    ) -> FoundDeep:
        """Where the branch and the one beside it are, which first goes to `to`, if given; and what
        landed after the first and up to the second of two commits, if that is asked."""
        tip = self.tip(branch.name)
        if to:
            advance_deep(self, branch.deep_name, tip, to, base)
        found = find_deep(self, branch.deep_name, tip, base)
        had, has = self.stands_on(found.green or base, base), self.stands_on(tip, base)
        both = BothSides(head=has, stands_on=had) if had != has else None
        landed = [*self.landed_between(*between, branch.migration)] if between else []
        fixes = tuple(task for _, tasks in landed for task in tasks if FIX in task)
        return found.model_copy(update={"both": both, "steps": steps_of(landed), "fixes": fixes})

    @property
    def half_made(self) -> Path:
        """Where it is built, by whoever holds its lock."""
        return self.path.with_suffix(".git.tmp")

    def _create(self, held: int) -> None:
        if self.path.is_dir():
            return
        aside = self.half_made
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        git = Git(aside, inherit=(held,))
        git.run("init", "-q", "--bare", "--template=", "--initial-branch=main", str(aside))
        for name, value in CONFIGURATION.items():
            git.run("config", name, value)
        with around(Effect.HUB):
            aside.rename(self.path)

    def _pin(self, migration: str, commit: str, branch: str) -> None:
        """The branch's name first: a base is pinned once its own ref is there."""
        named, pinned = _base_branch(migration), _base(migration)
        with self.writing([named, pinned]) as git:
            name = self.write_blob(branch.encode())
            update(git, named, name, self.ref(named) or ABSENT, Effect.REF_BASE_BRANCH)
            update(git, pinned, commit, self.ref(pinned) or ABSENT, Effect.REF_BASE)


def _base(migration: str) -> str:
    return f"{OURS}base/{ref_word(migration)}"


def _base_branch(migration: str) -> str:
    return f"{OURS}base-branch/{ref_word(migration)}"
