"""What a task's attempts ask of activities: a talk, a workspace, a rung, checks, another base."""

from activities.contracts.base import BlobRef, CommitId, Contract, TaskId
from activities.contracts.conflict import Conflict
from activities.contracts.evidence import Evidence, Moment
from activities.contracts.file_requests import Grant
from activities.contracts.moving_base import BothSides
from activities.contracts.plan import Task
from activities.contracts.reds import Mend
from activities.contracts.repository import Repository
from activities.contracts.work import Workspace


class OpenWorkerTalk(Contract):
    """What a worker's conversation begins with."""

    name: str
    repository: Repository
    spec: BlobRef
    plan: BlobRef
    phase: str
    task: TaskId
    rung: int
    attempt: str
    """Such as `1a2b3c4d-0-2`: start 0, attempt 2, in one life of its planner."""
    base: CommitId
    start: CommitId
    """What its tree will be filled from."""
    evidence: Evidence | None = None
    """What was found red in it."""
    survey: BlobRef | None = None
    conflict: Conflict | None = None
    """What it is to settle, where it is a resolver's."""
    granted_files: tuple[Grant, ...] = ()
    notes: tuple[str, ...] = ()


class OpenedTalk(Contract):
    talk: BlobRef
    """A Conversation."""
    model: str = ""
    """Who is asked."""


class OpenWorkspace(Contract):
    name: str
    repository: Repository
    task: TaskId
    attempt: str
    base: CommitId
    start: CommitId
    claims: tuple[str, ...]
    creates: tuple[str, ...] = ()
    spec: BlobRef | None = None
    wary: bool = False
    """The attempt's last opening met trouble with storage: all that a rung needs is tried first."""


class RunRung(Contract):
    workspace: Workspace
    spec: BlobRef
    phase: str
    rung: int
    task: Task
    when: int
    """Seconds since the epoch, from the workflow: a second harvest makes the same commit."""
    evidence: Evidence | None = None
    """What the checks said of the checkpoint it starts from."""
    plan: BlobRef | None = None
    """For codemods with `apply: once`: whose claims the run is over."""
    survey: BlobRef | None = None
    """The SurveyData whose sites a prompt names."""
    guidance: tuple[str, ...] = ()
    """What people said that a prompt passes on."""
    conflict: Conflict | None = None
    """It is the resolver that runs, to settle this one."""
    notes: tuple[str, ...] = ()
    """What else its worker should know: other tasks' grants, answers to what it asked for."""


class ConcludeAttempt(Contract):
    """An agent's attempt is over: its tree becomes a commit, its workspace is closed."""

    workspace: Workspace
    spec: BlobRef
    phase: str
    task: Task
    """With the claims that it holds now."""
    start: CommitId
    """What the attempt began from; a workspace that was opened anew began further on."""
    when: int
    conflict: Conflict | None = None
    """What it was to settle, where it was a resolver's."""


class CloseWorkspace(Contract):
    workspace: Workspace


class RunChecks(Contract):
    name: str
    repository: Repository
    spec: BlobRef
    phase: str
    commit: CommitId
    compare_with: CommitId
    moment: Moment
    paths: tuple[str, ...]
    """What the list placeholders stand for; at phase and end it is read from the commit: all of the
    phase, which is what differs from `compare_with` there."""
    fresh: int = 0
    """Greater than 0: do not reuse results of the commit taken with a smaller number."""
    base: CommitId | None = None
    """Where the green branch began: what `same_as` is held against stands on its chain above."""
    merges: BothSides | None = None
    """The commit merges a head of the base: the list placeholders stand for what that changed."""
    deep: bool = False
    """Not the checks that gate a landing, but those behind it; see chosen_checks.py."""
    only: tuple[str, ...] = ()
    """Of these, the ones named; empty: all."""
    mends: tuple[Mend, ...] = ()
    """What the commit is to turn green: once all else holds, these checks run behind it too."""


class TakeBaseline(Contract):
    name: str
    repository: Repository
    spec: BlobRef
    phase: str
    commit: CommitId
    tasks: int = 1
    """How many the plan has: what one alone does may turn a red check green."""


class TakenBaseline(Contract):
    """What the phase's baseline is worth."""

    blind: tuple[str, ...] = ()
    """Checks that were red as a whole, so that no change can make them worse."""


class PutBackFiles(Contract):
    """Restores paths of a commit to the base's state."""

    name: str
    repository: Repository
    task: TaskId
    commit: CommitId
    base: CommitId
    paths: tuple[str, ...]
    when: int


class Restored(Contract):
    commit: CommitId


class Rework(Contract):
    """A commit's change carried onto a new base."""

    name: str
    repository: Repository
    task: TaskId
    commit: CommitId
    old_base: CommitId
    new_base: CommitId
    when: int


class Reworked(Contract):
    commit: CommitId | None
    """None: it conflicts with the new base."""
    conflict: Conflict | None = None
