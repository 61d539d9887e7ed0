"""What is asked of the hub: who owns a branch, what is on it, a batch, a landing."""

from activities.contracts.base import BlobRef, CommitId, Contract, TaskId
from activities.contracts.landing import Candidate
from activities.contracts.moving_base import BothSides
from activities.contracts.pushes import Push
from activities.contracts.repository import GreenBranch, Repository


class ClaimBranch(Contract):
    repository: Repository
    branch: GreenBranch
    at: CommitId
    deep: bool = False
    """The one beside it too, which follows the deep checks."""


class FindDeep(Contract):
    repository: Repository
    branch: GreenBranch
    base: CommitId
    """The migration's base."""
    to: CommitId | None = None
    """A commit of the branch on which the deep checks held: the branch beside it goes there."""
    after: CommitId | None = None
    """One on which they held: what has landed since is asked too."""
    upto: CommitId | None = None
    """The last commit of which that is asked."""


class LandingStep(Contract):
    """A commit of a green branch, or a few in a row."""

    commit: CommitId
    """The last of them."""
    tasks: tuple[TaskId, ...] = ()
    """What landed with them; at most 20."""


class FoundDeep(Contract):
    """Where a green branch is, and the one beside it."""

    tip: CommitId
    green: CommitId | None
    behind: int
    """Commits of the branch that the other does not have."""
    both: BothSides | None = None
    """The base that was merged between the two: what is red there is not the landings'."""
    steps: tuple[LandingStep, ...] = ()
    """What landed between the commits that were asked about, oldest first; at most 64."""
    fixes: tuple[TaskId, ...] = ()
    """The fix tasks that did."""


class ClaimedBranch(Contract):
    tip: CommitId
    cycle: int = 0
    """The highest cycle whose tasks have landed: a restarted migration counts on from it."""
    stands_on: CommitId | None = None
    """The head of the base that the tip has in it."""
    push: Push | None = None
    """What somebody else made of the branch since; `tip` is the last commit of ours."""


class ComposeBatch(Contract):
    repository: Repository
    branch: GreenBranch
    spec: BlobRef
    phase: str
    base: CommitId
    """The migration's base: where the green branch began."""
    candidates: tuple[Candidate, ...]
    when: int


class Land(Contract):
    repository: Repository
    branch: GreenBranch
    old: CommitId
    new: CommitId


class Landed(Contract):
    tip: CommitId


class FindLanded(Contract):
    repository: Repository
    branch: GreenBranch
    base: CommitId


class LandedTasks(Contract):
    tasks: dict[str, CommitId]
    tip: CommitId | None = None
    """Of the branch, read after them."""
