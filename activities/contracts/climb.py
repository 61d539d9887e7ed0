"""Where a task stands between two of its steps: all that another run of it needs to go on.

A task that is paused, that grew long or that goes over to new code continues as new with it. What a
step did is in it when the step is over, so nothing is done twice but what was cut short.
"""

from activities.contracts.agent import AgentProgress
from activities.contracts.base import CommitId, Contract
from activities.contracts.conflict import Conflict
from activities.contracts.evidence import Evidence
from activities.contracts.file_requests import FilesRequested
from activities.contracts.landing import Landing
from activities.contracts.work import Attempt, RungRun


class Work(Contract):
    """A checkpoint that changed something, with what its checks said."""

    commit: CommitId
    base: CommitId
    files: tuple[str, ...]
    left: tuple[str, ...] = ()
    sites_left: int = 0
    evidence: Evidence

    @property
    def green(self) -> bool:
        return self.evidence.passed

    @property
    def complete(self) -> bool:
        return self.green and not self.left


class Climb(Contract):
    """A task's place on its ladder."""

    base: CommitId
    """What the candidate will be based on."""
    start: CommitId
    """What the first attempt goes on from: the base, or work that was carried onto it."""
    rung: int = 0
    """0-based; as many as there are: it has reached the end."""
    tried: int = 0
    """Attempts that this rung has had."""
    openings: int = 0
    """Workspaces that the attempt under way has had."""
    agent: AgentProgress | None = None
    """The conversation of the attempt under way, between two turns."""
    ran: RungRun | None = None
    """What the attempt under way left, where that is still to be counted and checked."""
    onto: Work | None = None
    """What this rung's next attempt goes on from; None: the start."""
    latest: Work | None = None
    """What the last attempt that left anything left, red or green."""
    best: Work | None = None
    """The last green work."""
    otherwise: Work | None = None
    """Work from before the climb, red or in conflict: what is good of it is saved when no rung does
    better."""
    conflict: Conflict | None = None
    """What the resolver, as the only rung, is to settle; None: the ladder is climbed."""

    anew: Conflict | None = None
    """Why the ladder is climbed anew, for people."""
    unjudged: bool = False
    """The start holds work that no check has seen, of an attempt that asked for files."""

    @property
    def begins_at(self) -> CommitId:
        """What the next attempt's tree is filled from."""
        return self.onto.commit if self.onto else self.start


class TaskState(Contract):
    """What one start of a task has done so far, and what comes next: a climb, or to land."""

    began: float
    """Seconds since the epoch."""
    climb: Climb
    work: Work | None = None
    """What asks to land; None: it climbs."""
    attempts: tuple[Attempt, ...] = ()
    put_back: dict[str, str] = {}
    """path → why it was put back to the base."""
    bounces: tuple[Landing, ...] = ()
    """Answers that sent work back and are dealt with."""
    answers: tuple[Landing, ...] = ()
    """All that the queue has said."""
    cancelled: bool = False
    files: FilesRequested = FilesRequested()
