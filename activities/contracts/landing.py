"""The merge queue's nouns: candidate, batch, landing."""

from enum import StrEnum

from activities.contracts.base import CommitId, Contract, TaskId
from activities.contracts.evidence import Evidence
from activities.contracts.pushes import Push
from activities.contracts.reds import Mend


class Candidate(Contract):
    """A commit asking to land: one commit with one parent, its base, on the green chain."""

    migration: str
    task: TaskId
    commit: CommitId
    base: CommitId
    title: str
    claims: tuple[str, ...]
    creates: tuple[str, ...] = ()
    needs: tuple[TaskId, ...] = ()
    priority: int = 3
    chain: int = 0
    """How long the longest chain of tasks is that cannot start before this one has landed."""
    reply_to: str
    """The workflow id that waits for the Landing."""
    mends: Mend | None = None
    """What it is to turn green: that check runs on it too before it lands."""
    asking: int = 0
    """How often its task was bounced before: the same commit may ask again, for a new answer."""

    @property
    def id(self) -> str:
        """The same candidate has the same id however often it is enqueued."""
        return f"{self.task}@{self.commit}" + (f"#{self.asking}" if self.asking else "")


class Outcome(StrEnum):
    """What the queue did with a candidate."""

    LANDED = "landed"
    CONFLICT = "conflict"
    VIOLATION = "violation"
    """It breaks a claim, a protected path, a keep pattern: `reasons` names rule and path."""
    RED = "red"
    WITHDRAWN = "withdrawn"


class GreenTip(Contract):
    """Where the green branch was, and when: what is told last need not be the newest."""

    commit: CommitId
    at: float
    """Seconds since the epoch, by the server's clock."""


class Landing(Contract):
    """The queue's answer for one candidate."""

    task: TaskId
    candidate: str
    outcome: Outcome
    commit: CommitId | None = None
    """The batch commit that carries it, when landed."""
    tip: CommitId | None = None
    """The green tip when it was answered: a bounced task goes on from here."""
    at: float = 0.0
    """When it was answered, as a GreenTip says it."""
    reasons: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """The paths that the reasons name, where they name any."""
    evidence: Evidence | None = None

    @property
    def green(self) -> GreenTip | None:
        return GreenTip(commit=self.tip, at=self.at) if self.tip else None


class Refusal(Contract):
    """A candidate that cannot be in a batch, found before any check ran."""

    candidate: str
    outcome: Outcome
    reasons: tuple[str, ...]
    paths: tuple[str, ...] = ()
    """The paths that the reasons name."""


class Batch(Contract):
    """Composed commits: prefix i carries members 0..i, its first parent is the tip."""

    tip: CommitId
    members: tuple[str, ...] = ()
    """Candidate ids in order; refused ones are left out."""
    prefixes: tuple[CommitId, ...] = ()
    refused: tuple[Refusal, ...] = ()
    landed: dict[str, CommitId] = {}
    """Candidates found on the green chain already: task id → commit. They are not members."""
    empty: tuple[str, ...] = ()
    """Members whose content is on the tip already; they land for the trailer's sake."""
    push: Push | None = None
    """Somebody else pushed to the branch: nothing is composed before that is settled."""
