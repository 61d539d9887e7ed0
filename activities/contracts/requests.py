"""What each activity is asked: the verb as a noun phrase, one argument each."""

from activities.contracts.agent import Allowance
from activities.contracts.base import BlobRef, CommitId, Contract, TaskId
from activities.contracts.children import AreaRow
from activities.contracts.commands import HumanDecision
from activities.contracts.conflict import Conflict
from activities.contracts.contention import HotFile
from activities.contracts.evidence import Evidence, Moment
from activities.contracts.file_requests import Grant
from activities.contracts.landing import Candidate
from activities.contracts.migration import Stage
from activities.contracts.money import Spend, Usd
from activities.contracts.moving_base import BothSides, Followed
from activities.contracts.news import DeepNews
from activities.contracts.opinion import Opinion
from activities.contracts.pilot import Pilot
from activities.contracts.plan import PlanSummary, Task
from activities.contracts.repository import GreenBranch, Repository
from activities.contracts.survey import Survey
from activities.contracts.work import Handoff, Workspace


class TakeBase(Contract):
    name: str
    repository: Repository


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


class FoundDeep(Contract):
    """Where a green branch is, and the one beside it."""

    tip: CommitId
    green: CommitId | None
    behind: int
    """Commits of the branch that the other does not have."""
    both: BothSides | None = None
    """The base that was merged between the two: what is red there is not the landings'."""


class ClaimedBranch(Contract):
    tip: CommitId
    cycle: int = 0
    """The highest cycle whose tasks have landed: a restarted migration counts on from it."""
    stands_on: CommitId | None = None
    """The head of the base that the tip has in it."""


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
    reds: int | None = None
    age: int | None = None
    """The error budget of what is behind the landings; see DeepInput."""


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
    base_told: str = ""
    deep: DeepNews | None = None


class WrittenReport(Contract):
    report: BlobRef
    markdown: BlobRef
    unverified: tuple[str, ...] = ()
    """Checks that could not have told good changes from bad ones."""
