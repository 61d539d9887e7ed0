"""The base as it moves on upstream while a migration works, and what the green branch takes of it.

A green commit stands on the head of the base that was merged last: the one that its chain names, or
the one that the branch began with.
"""

from enum import StrEnum

from activities.contracts.base import CommitId, Contract
from activities.contracts.evidence import Evidence
from activities.contracts.repository import GreenBranch, Repository

MERGE_BASE = "merge_base"
"""migration → queue, with a MergeBase."""
BASE_MERGED = "base_merged"
"""queue → migration, with a BaseAnswer."""
MAX_NAMED = 100
"""Paths that a merge names to people."""


class BaseSeen(StrEnum):
    """What a look at upstream's branch found."""

    SAME = "same"
    """All of it is in the green branch."""
    MOVED = "moved"
    REWRITTEN = "rewritten"
    """It does not continue what the green branch stands on: somebody pushed it by force."""
    GONE = "gone"
    """Upstream has no such branch any more."""
    UNREACHABLE = "unreachable"
    """Upstream could not be read, or not be taken in."""


class LookAtBase(Contract):
    repository: Repository
    branch: GreenBranch
    base: CommitId
    """The migration's base: where the green branch began."""
    accepted: CommitId | None = None
    """A rewritten head that a person accepted: it, and what continues it, may be merged."""


class BaseLook(Contract):
    """What upstream's branch is now."""

    seen: BaseSeen
    stands_on: CommitId
    """What the green tip stands on."""
    head: CommitId | None = None
    commits: int = 0
    """Of upstream, which the green branch lacks."""
    text: str = ""
    """Why it could not be read."""
    pushed: bool = False
    """Somebody else pushed to the green branch."""


class ComposeBaseMerge(Contract):
    repository: Repository
    branch: GreenBranch
    base: CommitId
    """The migration's base: where the green branch began."""
    head: CommitId
    when: int


class ComposedBase(Contract):
    """A head of the base, merged onto the green tip; nothing has landed yet."""

    tip: CommitId
    head: CommitId
    stands_on: CommitId
    """What the tip stands on: the merge's base."""
    commit: CommitId | None
    """None: the tip has all of the head already."""
    taken_anew: tuple[str, ...] = ()
    """Conflicting paths, at most 100: they are as in the head, and to be migrated anew."""
    conflicts: int = 0
    """How many paths conflicted."""


class BothSides(Contract):
    """What a merge of the base is held against beside the green tip."""

    head: CommitId
    stands_on: CommitId
    """The commit that both sides began with."""


class BaseMerge(Contract):
    """A head of the base on the green chain: a commit whose parents are the tip and the head."""

    commit: CommitId
    head: CommitId
    at: str
    """When it was composed, as the commit says: ISO 8601, UTC."""
    commits: int
    """Of upstream, which came with it."""
    taken_anew: tuple[str, ...] = ()


class MergeBase(Contract):
    """A head of the base that asks to be merged."""

    head: CommitId
    asking: int
    """Grows with every time that one asks: an answer to an earlier one changes nothing."""


class BaseAnswer(Contract):
    """What the queue did with it."""

    head: CommitId
    asking: int
    merged: bool = False
    commit: CommitId | None = None
    """The merge; None: nothing landed, or the branch had all of the head already."""
    conflicts: int = 0
    """Paths that are as in the head, to be migrated anew."""
    reasons: tuple[str, ...] = ()
    """Why it did not land."""
    evidence: Evidence | None = None
    """The red checks."""


class Followed(Contract):
    """How a migration's green branch follows the base."""

    seen: BaseSeen = BaseSeen.SAME
    """As last looked."""
    head: CommitId | None = None
    """Upstream's, as last seen."""
    commits: int = 0
    """Of upstream, which the green branch lacked then."""
    text: str = ""
    """Why it could not be read."""
    looked: float = 0.0
    """Seconds since the epoch."""
    patience: float = 0.0
    """Seconds from one look to the next."""
    asked: MergeBase | None = None
    """What the queue is merging."""
    asking: int = 0
    """How often it was asked."""
    refused: BaseAnswer | None = None
    """Why the last head that asked was not merged; None: it was."""
    accepted: CommitId | None = None
    """A rewritten head that a person accepted."""
    kept: bool = False
    """A person said to keep the old base: nobody looks any more."""
    stands_on: CommitId | None = None
    """What the green tip stands on, as last read."""
    merges: int = 0
    """Heads that were merged in this life."""
    conflicts: int = 0
    """Paths that were taken anew with them."""
    sites: int = 0
    """Sites that came with them."""

    @property
    def needs_person(self) -> bool:
        return self.undecided or self.refused is not None

    @property
    def undecided(self) -> bool:
        """Whether a rewritten base waits for a person's word."""
        decided = self.kept or self.accepted == self.head
        return self.seen is BaseSeen.REWRITTEN and not decided
