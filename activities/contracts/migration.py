"""A migration: what starts it, its whole state, what people see of it and how it ends."""

from enum import StrEnum
from hashlib import sha256

from activities.contracts.base import BlobRef, CommitId, Contract
from activities.contracts.children import AreaSteering, TaskCounts
from activities.contracts.commands import ChangedLimits, Guidance, Hold, HumanDecision
from activities.contracts.contention import HotFile
from activities.contracts.money import Spend, Usd
from activities.contracts.moving_base import Followed
from activities.contracts.news import DeepNews
from activities.contracts.opinion import Opinion
from activities.contracts.pilot import Pilot
from activities.contracts.plan import PhaseOutlook, PlanSummary
from activities.contracts.pushes import PushSeen, PushWord
from activities.contracts.repository import Base, Repository
from activities.contracts.survey import Survey, Unsearched


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


class Verdict(Contract):
    """What the judge found on the green tip after a cycle: countable evidence."""

    open_sites: int = 0
    """Sites another cycle may take on."""
    leftover_sites: int = 0
    """Sites that are `cannot` or need a person."""
    leftover_files: tuple[str, ...] = ()
    """At most 100."""
    left_beside: int = 0
    """Files without a site of their own that a task was granted, and that need a person."""
    unplaced: int = 0
    """Sites that no task can take: a person's to place."""
    follow_ups: int = 0
    """Files beside them that another cycle may follow up."""


class Steerable(Contract):
    """The state of a workflow that people pause, resume and cancel."""

    stage: Stage = Stage.WORK
    holds: tuple[Hold, ...] = ()
    cancelled: str = ""
    """Why; empty: it is not."""
    decisions: tuple[HumanDecision, ...] = ()
    """The last 200."""

    @property
    def paused(self) -> bool:
        """All of it, that is; one that is being cancelled is not."""
        return not self.cancelled and any(not hold.target for hold in self.holds)


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
    unsearched: dict[str, Unsearched] = {}
    """phase → what its last survey did not look into."""
    unverified: tuple[str, ...] = ()
    """Checks that were red as a whole on the base: no change can make them worse."""
    hot: tuple[HotFile, ...] = ()
    """Files that tasks of earlier cycles contended for; `counts` have this cycle's."""
    flaky: dict[str, int] = {}
    """Check → how often it was red at a landing and green when asked once more."""
    deep: DeepNews | None = None
    """What the deep checks last said."""
    mended: dict[str, str] = {}
    """Reds for which a fix task was planned in this life: id → the task; empty: none could be made.
    No red has two."""
    plan: PlanSummary | None = None
    area_open: bool = False
    queue_open: bool = False
    queue_paused: bool = False
    """What the queue was last told."""
    deep_open: bool = False
    approved: bool = False
    """The plan is, where it has to be."""
    rejected: str = ""
    pilots: tuple[Pilot, ...] = ()
    """What they taught, oldest first."""
    released: bool = False
    """The phase's pilot is over and the others may start."""
    steered: AreaSteering = AreaSteering()
    """What the area was last told."""
    limits: ChangedLimits = ChangedLimits()
    area_caps: dict[str, Usd] = {}
    """Area → what its tasks may cost in a cycle, as people said."""
    guidance: tuple[Guidance, ...] = ()
    skipped: dict[str, str] = {}
    """Tasks of this cycle that are not done, with who and why."""
    counts: TaskCounts = TaskCounts()
    spend: Spend = Spend()
    """Of all that is over: earlier cycles, plans, verdicts. `counts` have this cycle's tasks."""
    reserved: Usd | None = None
    """Of its tenant's cap; None: not yet."""
    opinions: tuple[Opinion, ...] = ()
    """What judges said of the cycles, oldest first."""
    notes: BlobRef | None = None
    """The FieldNotes, as the last planner rewrote them."""
    files_before: int = 0
    """That landed in this life's earlier cycles."""
    landed_before: int = 0
    """Tasks that landed in this life's earlier cycles: `counts` are of one cycle."""
    sites_at_start: int = 0
    sites_left: int = 0
    idle_cycles: int = 0
    """Cycles in a row that landed nothing."""
    verdict: Verdict | None = None
    """Of the last judged cycle."""
    followed: Followed = Followed()
    pushes: tuple[PushSeen, ...] = ()
    """What others pushed to the green branch, oldest first; the last 20."""
    push_word: PushWord | None = None
    """What a person said about the last one."""
    handoffs: tuple[BlobRef, ...] = ()
    """One blob of handoffs per finished cycle."""
    earlier_handoffs: int = 0
    """How many of them are of earlier phases: those say nothing about this one's sites."""
    started_at: str = ""
    worked: float = 0.0
    """Seconds in which tasks might run: pauses and waits for an approval are not among them."""

    @property
    def push(self) -> PushSeen | None:
        """The last one."""
        return self.pushes[-1] if self.pushes else None

    @property
    def stands_on(self) -> CommitId:
        """The head of the base that the green tip has in it, as far as is known."""
        assert self.base
        return self.followed.stands_on or self.base.commit

    @property
    def pilot(self) -> Pilot | None:
        """This cycle's, once it is over."""
        last = self.pilots[-1] if self.pilots else None
        return last if last and last.cycle == self.cycle else None


class MigrationInput(Contract):
    """Starts or continues a migration."""

    name: str
    repository: Repository
    spec: BlobRef
    """The MigrationSpec as JSON."""
    spec_digest: str
    """What plans are bound to."""
    until: str = ""
    """`plan`: stop after the plan."""
    plans: dict[str, BlobRef] = {}
    """phase → the plan of the user's own for its first cycle; refused when base or spec moved."""
    state: MigrationState | None = None

    @property
    def identity(self) -> str:
        """Whoever starts the same spec with the same plans joins the run that is open."""
        plans = "".join(f" {phase} {self.plans[phase].sha256}" for phase in sorted(self.plans))
        return sha256(f"{self.spec_digest}{plans}".encode()).hexdigest()


class MigrationResult(Contract):
    """How a migration ended."""

    stage: Stage
    branch: str = ""
    tip: CommitId | None = None
    landed: int = 0
    """Tasks, of all cycles."""
    leftovers: int = 0
    sites_left: int = 0
    plan: PlanSummary | None = None
    report: BlobRef | None = None
    reason: str = ""
    unbegun: tuple[str, ...] = ()
    """Phases that never started, in order."""
    unverified: tuple[str, ...] = ()
    """Checks that were red as a whole on the base: they verified nothing of what landed."""
    unsearched: str = ""
    """What of the files in scope the last surveys of its phases did not look into."""
    spend: Spend = Spend()
    """What model turns cost in all."""
    outlook: tuple[PhaseOutlook, ...] = ()
    """Of a plan run: every phase, in order."""


class Progress(Contract):
    """What `status` and `watch` show; the answer of the query `progress`."""

    schema_version: int = 1
    name: str
    objective: str = ""
    stage: Stage
    phase: str = ""
    later_phases: tuple[str, ...] = ()
    """Not begun yet, in order."""
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
    holds: tuple[Hold, ...] = ()
    guidance: tuple[Guidance, ...] = ()
    limits: ChangedLimits = ChangedLimits()
    survey: Survey | None = None
    """The last one: what the ledger is computed from."""
    spend: Spend = Spend()
    """What model turns cost, as far as tasks that are over have told."""
    cap: Usd | None = None
    """What they may cost in all; None: no cap."""
    files: int = 0
    """That landed in this life."""
    unverified: tuple[str, ...] = ()
    """Checks that were red as a whole on the base: they verify nothing of what lands."""
    unsearched: str = ""
    """What of the files in scope the last surveys of its phases did not look into."""
    opinion: Opinion | None = None
    """The last judge's."""
    notes: BlobRef | None = None
    """The FieldNotes, where a planner wrote some."""
    pilot: Pilot | None = None
    """What this cycle's pilot taught, once it is over."""
    stands_on: CommitId | None = None
    """The head of the base that the green branch has in it, as far as is known."""
    base_merged: str = ""
    """What came with the base since, in one sentence; empty: nothing."""
    base_told: str = ""
    """Why the green branch has not all of the base; empty: it has, as far as anybody saw."""
    base_command: str = ""
    """The exact command that answers what is to be decided about the base."""
    push_told: str = ""
    """The last push of somebody else to the green branch; empty: there was none."""
    push_command: str = ""
    """The exact command that answers what is to be decided about it."""
    hot: tuple[HotFile, ...] = ()
    """Files that tasks contended for most."""
    flaky: dict[str, int] = {}
    """Check → how often it was red at a landing and green when asked once more."""
    deep: DeepNews | None = None
    """What the deep checks last said, where there are any."""
