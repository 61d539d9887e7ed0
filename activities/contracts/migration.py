"""A migration's messages: what starts it, what its children report, what people see and say."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from activities.contracts.base import BlobRef, CommitId, Contract, TaskId
from activities.contracts.landing import Candidate
from activities.contracts.plan import PlanSummary, TaskRow
from activities.contracts.repository import Base, GreenBranch, Repository
from activities.contracts.survey import Survey
from activities.contracts.work import Handoff, TaskStatus

# Signals that travel upwards go by name, so that task.py and merge_queue.py need not import
# each other; the constants below are the only place where the names are written.
REPORT = "report"
"""child → parent, with a Report."""
LANDED = "landed"
"""queue → task, with a Landing."""
ENQUEUE = "enqueue"
"""task → queue, with a Candidate."""
WITHDRAW = "withdraw"
"""task → queue, with a Candidate."""
PAUSE = "pause"
"""migration → queue, with a bool."""
CLOSE = "close"
"""migration → queue: answer what is waiting, then end."""
STEER_AREA = "steer_area"
"""migration → area, with an AreaSteering."""


class Stage(StrEnum):
    """Where a migration is."""

    SURVEY = "survey"
    PLAN = "plan"
    APPROVAL = "approval"
    BASELINE = "baseline"
    WORK = "work"
    JUDGE = "judge"
    DONE = "done"
    DONE_WITH_LEFTOVERS = "done with leftovers"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Command(Contract):
    """What a person asked, with who, why and a client-chosen id: a resent one is applied once."""

    id: str
    actor: str
    reason: str = ""


class HumanDecision(Contract):
    """A command that was applied, for the report and the audit."""

    id: str
    verb: str
    actor: str
    reason: str = ""
    at: str
    """ISO 8601, UTC."""


class TaskCounts(Contract):
    """How many tasks of the current cycle stand where."""

    waiting: int = 0
    running: int = 0
    landed: int = 0
    """Partial ones included."""
    needs_person: int = 0
    """needs_person and cannot."""
    other: int = 0
    """skipped, cancelled, lost, nothing to do."""

    @property
    def total(self) -> int:
        return self.waiting + self.running + self.landed + self.needs_person + self.other


class Verdict(Contract):
    """What the judge found on the green tip after a cycle: countable evidence."""

    open_sites: int = 0
    """Sites another cycle may take on."""
    leftover_sites: int = 0
    """Sites that are `cannot` or need a person."""
    leftover_files: tuple[str, ...] = ()
    """At most 100."""
    unplaced: int = 0
    """Red results that are sites and name no file in scope: a person's to place."""


class AreaSteering(Contract):
    """What a migration tells its area."""

    paused: bool = False
    cancelled: bool = False


class Steerable(Contract):
    """The state of a workflow that people pause, resume and cancel."""

    stage: Stage = Stage.WORK
    paused: bool = False
    cancelled: str = ""
    """Why; empty: it is not."""
    decisions: tuple[HumanDecision, ...] = ()
    """The last 200."""


class MigrationState(Steerable):
    """Everything a migration carries over continue-as-new; under 512 KiB."""

    epoch: str = ""
    """The first execution's run id: reports of another epoch are ignored."""
    stage: Stage = Stage.SURVEY
    phase: int = 0
    cycle: int = 0
    first_cycle: int = 0
    """Of this life: a restarted migration counts on from what has landed."""
    base: Base | None = None
    tip: CommitId | None = None
    """The green tip as last read."""
    seen: CommitId | None = None
    """The green tip as the area last reported it."""
    survey: Survey | None = None
    plan: PlanSummary | None = None
    area_open: bool = False
    queue_open: bool = False
    queue_paused: bool = False
    """What the queue was last told."""
    approved: bool = False
    rejected: str = ""
    steered: AreaSteering = AreaSteering()
    """What the area was last told."""
    counts: TaskCounts = TaskCounts()
    sites_at_start: int = 0
    sites_left: int = 0
    idle_cycles: int = 0
    """Cycles in a row that landed nothing."""
    verdict: Verdict | None = None
    """Of the last judged cycle."""
    handoffs: tuple[BlobRef, ...] = ()
    """One blob of handoffs per finished cycle."""
    earlier_handoffs: int = 0
    """How many of them are of earlier phases: those say nothing about this one's sites."""
    started_at: str = ""


class MigrationInput(Contract):
    """Starts or continues a migration."""

    name: str
    repository: Repository
    spec: BlobRef
    """The MigrationSpec as JSON."""
    spec_digest: str
    until: str = ""
    """`plan`: stop after the plan."""
    plan: BlobRef | None = None
    """Run exactly this plan; refused when base or spec moved."""
    state: MigrationState | None = None


class MigrationResult(Contract):
    """How a migration ended."""

    stage: Stage
    branch: str = ""
    tip: CommitId | None = None
    landed: int = 0
    leftovers: int = 0
    sites_left: int = 0
    plan: PlanSummary | None = None
    report: BlobRef | None = None
    reason: str = ""


class AreaRow(Contract):
    """One task as its area knows it."""

    task: TaskRow
    state: str = "waiting"
    """waiting, running, or a TaskStatus."""
    start: int = 0
    from_earlier_run: bool = False
    """Started before the last continue-as-new: no child handle to watch."""
    handoff: BlobRef | None = None


class AreaInput(Contract):
    """Starts or continues an area."""

    name: str
    """The migration's name."""
    area: str
    parent: str
    """The workflow id to report to."""
    epoch: str
    cycle: int
    repository: Repository
    branch: GreenBranch
    queue: str
    """The merge queue's workflow id."""
    spec: BlobRef
    plan: BlobRef
    phase: str
    concurrency: int
    rows: tuple[AreaRow, ...] | None = None
    """None at the first start: read from the plan."""
    base: CommitId
    """The migration's base: what landed is looked for behind it."""
    tip: CommitId
    """The green tip as last read: the base of the tasks it starts."""
    survey: BlobRef | None = None
    """The SurveyData that the plan was made of."""
    paused: bool = False
    cancelled: bool = False


class TaskInput(Contract):
    """Starts or continues one task."""

    name: str
    task: TaskId
    start: int
    parent: str
    epoch: str
    """The parent area's first execution run id."""
    repository: Repository
    branch: GreenBranch
    queue: str
    spec: BlobRef
    plan: BlobRef
    phase: str
    tip: CommitId
    """The green tip when it was started: the first attempt's base."""
    title: str = ""
    survey: BlobRef | None = None
    """The SurveyData that the plan was made of: prompts name its lines."""


class Report(Contract):
    """What a child tells its parent when it stops."""

    child: str
    """Task id or area id."""
    start: int
    epoch: str
    """The parent's epoch as the child was given it; another one is ignored."""
    status: TaskStatus | None = None
    """A task's status; None for an area."""
    handoff: BlobRef | None = None
    """A task's Handoff, or an area's list of handoff blobs."""
    landed: CommitId | None = None
    """Where a task landed; the latest such commit that an area knows."""
    counts: TaskCounts = TaskCounts()
    final: bool = True
    """False: an area's progress on the way."""


class QueueState(Contract):
    """What the queue carries over continue-as-new."""

    waiting: tuple[Candidate, ...] = ()
    failure_rate: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Decayed; decides the batch size."""
    landed: int = 0
    bounced: int = 0
    batches: int = 0
    closing: bool = False
    paused: bool = False


class QueueInput(Contract):
    """Starts or continues the merge queue of one green branch."""

    repository: Repository
    branch: GreenBranch
    spec: BlobRef
    phase: str
    base: CommitId
    """The migration's base."""
    state: QueueState = QueueState()


class Progress(Contract):
    """What `status` and `watch` show; the answer of the query `progress`."""

    schema_version: int = 1
    name: str
    objective: str = ""
    stage: Stage
    phase: str = ""
    cycle: int = 0
    counts: TaskCounts = TaskCounts()
    sites_at_start: int = 0
    sites_left: int = 0
    branch: str = ""
    repository: str = ""
    """The repository id; its hub holds the branch."""
    base: CommitId | None = None
    tip: CommitId | None = None
    waiting_for: str = ""
    """Why nothing moves, in one sentence; empty while work goes on."""
    command: str = ""
    """The exact command that answers what is waited for."""
    plan: PlanSummary | None = None
    report: BlobRef | None = None
    decisions: tuple[HumanDecision, ...] = ()
    survey: Survey | None = None
    """The last one: what the ledger is computed from."""


class LandedCommit(Contract):
    """One commit of the green chain that carries tasks of the migration."""

    commit: CommitId
    at: str
    """When it was composed, as the commit says: ISO 8601, UTC."""
    tasks: tuple[TaskId, ...]
    files: int
    """Paths that it changed."""


class MigrationReport(Contract):
    """The whole outcome, as data; Markdown and HTML are rendered from it."""

    schema_version: int = 1
    name: str
    objective: str
    repository: str
    base: CommitId
    branch: str
    tip: CommitId
    outcome: Stage
    reason: str = ""
    started_at: str
    finished_at: str
    sites_at_start: int
    sites_left: int
    cycles: int
    handoffs: tuple[Handoff, ...]
    landed_files: int = 0
    baseline_failures: dict[str, tuple[str, ...]] = {}
    """check → ids that were red on the base already."""
    flaky: dict[str, tuple[str, ...]] = {}
    """check → ids that were red in one of the two baseline runs and not in the other."""
    blind_checks: tuple[str, ...] = ()
    """Checks whose whole run was red on the base, so that no change could make them worse."""
    decisions: tuple[HumanDecision, ...] = ()
    sandbox: str = ""
    """The level commands ran at."""
    survey: Survey | None = None
    """The last one."""
    plan: PlanSummary | None = None
    """Of the last cycle."""
    unplaced: tuple[str, ...] = ()
    """Red results of the last survey that are sites and name no file in scope."""
    outside: tuple[str, ...] = ()
    """Tracked files that codemods with `apply: once` changed and no task claims: in no commit."""
    dropped: tuple[str, ...] = ()
    """New files that they left and nothing lets them create."""
    landings: tuple[LandedCommit, ...] = ()
    """Oldest first, those of earlier lives included; read from the green chain in the hub."""
