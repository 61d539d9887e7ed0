"""What each activity is asked: the verb as a noun phrase, one argument each."""

from activities.contracts.agent import Allowance
from activities.contracts.base import BlobRef, CommitId, Contract, TaskId
from activities.contracts.children import AreaRow
from activities.contracts.commands import HumanDecision
from activities.contracts.contention import HotFile
from activities.contracts.evidence import Moment
from activities.contracts.file_requests import Grant
from activities.contracts.migration import Stage
from activities.contracts.money import Spend, Usd
from activities.contracts.moving_base import Followed
from activities.contracts.news import DeepNews
from activities.contracts.opinion import Opinion
from activities.contracts.pilot import Pilot
from activities.contracts.plan import PlanSummary, Task
from activities.contracts.pushes import PushSeen
from activities.contracts.reds import OpenRed
from activities.contracts.repository import GreenBranch, Repository
from activities.contracts.survey import Survey
from activities.contracts.work import Handoff


class TakeBase(Contract):
    name: str
    repository: Repository


class DescribeMigration(Contract):
    spec: BlobRef


class MigrationOrder(Contract):
    """What a migration workflow needs of its spec to decide."""

    objective: str
    branch: str
    phases: tuple[str, ...]
    concurrency: int
    cycles: int
    days: int = 0
    """At work; 0: as long as it takes."""
    usd: Usd | None = None
    """What model turns may cost in all; None: no cap."""
    task_usd: Usd | None = None
    """What one start of a task may cost; None: a share."""
    thinks: tuple[bool, ...] = ()
    """Of each phase: whether its tasks may take turns of a model."""
    asks_models: bool = False
    """Whether anything of it takes turns of a model, which cost money."""
    approve_plan: bool
    approve_pilot: bool = False
    pilots: tuple[int, ...] = ()
    """Of each phase: how many tasks are its pilot."""
    planners: tuple[bool, ...] = ()
    """Of each phase: whether a model plans it."""
    judges: tuple[bool, ...] = ()
    """Of each phase: whether a model says what it thinks of a cycle."""
    by_results: tuple[bool, ...] = ()
    """Of each phase: whether red results are its sites, so that it depends on all that lands."""
    moments: tuple[Moment, ...] = ()
    """When any check runs at all."""
    follow: int = 0
    """Seconds from one look at the base to the next; 0: it is not followed."""
    deep: tuple[bool, ...] = ()
    """Of each phase: whether there are checks behind its landings."""
    each: tuple[bool, ...] = ()
    """Of each phase: whether they are deep checks, which look at whatever landed."""
    mcp: tuple[str, ...] = ()
    """MCP servers that it names."""
    told: tuple[bool, ...] = ()
    """Of each phase: whether a rung of its ladder reads what a task's instructions say."""
    reds: int | None = None
    age: int | None = None
    """The error budget of what is behind the landings; see DeepInput."""

    def thinks_in(self, phase: int) -> bool:
        """Whether tasks of a phase, by its number, may take turns of a model."""
        return any(self.thinks[phase : phase + 1])


class TakeSurvey(Contract):
    name: str
    repository: Repository
    spec: BlobRef
    phase: str
    commit: CommitId
    handoffs: tuple[BlobRef, ...] = ()
    """Handoffs so far: without a finder, a file is a site until its task has landed."""
    base: CommitId | None = None
    """Where the green branch began: what of the base was merged since is on its chain above."""
    before: BlobRef | None = None
    """The SurveyData of the phase's survey before: what came with the base since is counted."""


class CountLeft(Contract):
    name: str
    repository: Repository
    spec: BlobRef
    phase: str
    commit: CommitId
    """An attempt's checkpoint."""
    claims: tuple[str, ...]
    changed: tuple[str, ...]
    """Claimed files that it changed."""
    survey: BlobRef | None = None
    """The SurveyData that the task was planned by."""


class GivenPlan(Contract):
    """A plan of the user's own, to be run instead of making one."""

    plan: BlobRef
    bound: bool = True
    """To the base that it names. Else the tree has gone on since, and the survey says what of it
    is still to do."""


class MakePlan(Contract):
    name: str
    repository: Repository
    spec: BlobRef
    spec_digest: str
    survey: Survey
    cycle: int
    given: GivenPlan | None = None
    handoffs: tuple[BlobRef, ...] = ()
    """Paths that need a person are left out."""
    pilot: int = 0
    """How many tasks are the pilot, where the plan does not say itself which."""
    notes: BlobRef | None = None
    """The FieldNotes so far: every worker is told."""
    note: str = ""
    """What people read beside the forecast."""
    reds: tuple[OpenRed, ...] = ()
    """What is red behind the landings, and is to have a task now."""


class LoadRows(Contract):
    plan: BlobRef
    spec: BlobRef | None = None
    phase: str = ""


class Rows(Contract):
    rows: tuple[AreaRow, ...]


class LoadTask(Contract):
    spec: BlobRef
    plan: BlobRef
    phase: str
    task: TaskId
    survey: BlobRef | None = None
    """The SurveyData that the plan was made of."""
    granted_files: tuple[Grant, ...] = ()
    """Files beyond its claims that it may change by now."""


RESOLVER = -1
"""Where what settles conflicts stands among the rungs of an order."""


class TaskOrder(Contract):
    """What a task workflow needs to decide; the effects read the spec themselves."""

    task: Task
    rungs: tuple[str, ...]
    """The ladder's kinds, in order."""
    attempts: int
    """Per rung."""
    empty_fails: tuple[bool, ...] = ()
    """Per rung: whether changing nothing is a failure."""
    bearing: tuple[str, ...] = ()
    """The claimed files that have sites."""
    recount: bool = False
    """Whether something has to run to tell what an attempt left."""
    chain: int = 0
    """How long the longest chain of tasks is that need it, one after the other."""
    resolver: str = ""
    """The kind of the rung that settles conflicts; empty: the ladder is climbed anew on the tip."""
    allowances: dict[int, Allowance] = {}
    """Rungs with a model: what one attempt may use."""


class JoinHandoffs(Contract):
    name: str
    rows: tuple[AreaRow, ...]
    """Final ones; where a task left no handoff the system writes it."""


class Handoffs(Contract):
    """The blob behind an area's report."""

    handoffs: tuple[Handoff, ...]


class JudgeCycle(Contract):
    survey: Survey
    """Of the green tip, after the cycle."""
    handoffs: tuple[BlobRef, ...]


class JudgePilot(Contract):
    plan: BlobRef
    survey: BlobRef
    """The SurveyData that the plan was made of."""
    handoffs: BlobRef
    """Of the pilot alone."""
    window: int
    """How many tasks run at once."""


class WriteReport(Contract):
    name: str
    spec: BlobRef
    repository: Repository
    branch: GreenBranch
    base: CommitId
    tip: CommitId
    outcome: Stage
    reason: str = ""
    started_at: str
    finished_at: str
    sites_at_start: int
    sites_left: int
    cycles: int
    handoffs: tuple[BlobRef, ...]
    decisions: tuple[HumanDecision, ...] = ()
    survey: Survey | None = None
    unsearched: str = ""
    plan: PlanSummary | None = None
    pilots: tuple[Pilot, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    notes: BlobRef | None = None
    """The FieldNotes."""
    unbegun: tuple[str, ...] = ()
    spend: Spend = Spend()
    cap: Usd | None = None
    flaky: dict[str, int] = {}
    hot: tuple[HotFile, ...] = ()
    """Check → how often it was red at a landing and green when asked once more."""
    followed: Followed = Followed()
    pushes: tuple[PushSeen, ...] = ()
    base_told: str = ""
    deep: DeepNews | None = None


class WrittenReport(Contract):
    report: BlobRef
    markdown: BlobRef
    unverified: tuple[str, ...] = ()
    """Checks that could not have told good changes from bad ones."""
