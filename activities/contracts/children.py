"""What a planner starts: areas, tasks and the merge queue; what they are told and report."""

from typing import Annotated

from pydantic import Field

from activities.contracts.base import BlobRef, CommitId, Contract, TaskId
from activities.contracts.climb import TaskState
from activities.contracts.commands import Guidance, Hold
from activities.contracts.contention import HotFile
from activities.contracts.file_requests import FilesNeeded, Grant
from activities.contracts.landing import Candidate, GreenTip
from activities.contracts.money import AreaMoney, Spend, Usd
from activities.contracts.moving_base import MergeBase
from activities.contracts.plan import TaskRow
from activities.contracts.pushes import PushState
from activities.contracts.repository import GreenBranch, Repository
from activities.contracts.work import TaskStatus

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
STEER_TASK = "steer_task"
"""area → task, with a TaskSteering."""
FILES = "request_files"
"""Update, task → area, with a FilesAsked; answered by a FilesAnswered."""
WISH = "wish"
"""Update, migration → area, with a Wish; answered by a Granted."""
HELD = "held"
"""The state of a row that never began, for an error budget was spent: its cycle ended for it."""


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
    held: int = 0
    """Never begun, for an error budget was spent: the next cycle's."""
    sites_gone: int = 0
    """Those of the tasks that landed whole, until the sites are counted anew."""
    files: int = 0
    """That landed."""
    spend: Spend = Spend()
    """Of all tasks that are over; of those that run it is not known yet."""
    unpaid: int = 0
    """Tasks that could start, if there were money left to grant."""
    areas: tuple[AreaMoney, ...] = ()
    """Those that have money of their own."""
    hot: tuple[HotFile, ...] = ()
    """The files they contended for most."""

    @property
    def total(self) -> int:
        over = self.landed + self.needs_person + self.other + self.held
        return self.waiting + self.running + over


class AreaSteering(Contract):
    """What a migration wants of its area, whole each time: the same twice changes nothing."""

    paused: bool = False
    cancelled: bool = False
    released: bool = False
    """The pilot is over: the other tasks may start."""
    concurrency: int | None = None
    """None: as it was started with."""
    attempts: int | None = None
    """Per rung; None: as the spec says."""
    usd: Usd | None = None
    """What the area's tasks may cost in all; None: no cap."""
    each: Usd | None = None
    """What one start of a task may cost; None: no cap, or there are no models."""
    caps: dict[str, Usd] = {}
    """Area → what its tasks may cost of that."""
    held: tuple[TaskId, ...] = ()
    """Tasks that are paused one by one."""
    spent: tuple[str, ...] = ()
    """Checks behind the landings whose error budget is: no task that they cover may start."""
    reds: dict[str, str] = {}
    """The reds that spent it: check → id."""
    holds: tuple[Hold, ...] = ()
    """Who paused what, and why: for people."""
    guidance: tuple[Guidance, ...] = ()
    """For all, for this area and for its tasks."""


class TaskSteering(Contract):
    """What an area wants of a task, whole each time."""

    number: int = 0
    """Grows with every change: a letter that was overtaken on its way changes nothing."""
    paused: bool = False
    paused_by: str = ""
    """Who, since when, and why: for people."""
    draining: bool = False
    """The migration is being cancelled: what asked to land already may."""
    attempts: int | None = None
    guidance: tuple[str, ...] = ()


class Wish(Contract):
    """What a person wants done to tasks; the area knows whether it can be."""

    id: str
    verb: str
    task: str = ""
    area: str = ""
    all_failed: bool = False
    with_dependants: bool = False
    why: str = ""
    """Who and why, for the handoff."""


class Granted(Contract):
    """What became of a wish."""

    id: str
    text: str = ""
    tasks: tuple[TaskId, ...] = ()
    """Those it was about."""
    refused: str = ""
    """Why not, and what to do instead."""


class AreaRow(Contract):
    """One task as its area knows it."""

    task: TaskRow
    state: str = "waiting"
    """waiting, running, held, or a TaskStatus."""
    start: int = 0
    from_earlier_run: bool = False
    """Started before the last continue-as-new: no child handle to watch."""
    handoff: BlobRef | None = None
    landed: CommitId | None = None
    """The commit that carries it, as far as its area knows."""
    grant: Usd | None = None
    """Reserved for the start that runs, or that was lost and is not summed yet."""
    files: int = 0
    """That landed."""
    spend: Spend = Spend()
    """Of all its starts that are over."""
    unsummed: bool = False
    """Its last start was lost, and nobody has summed yet what that cost."""
    deaths: int = 0
    """How often its workflow died since a person last wanted it tried."""
    skipped: str = ""
    """By whom and why; it may still run, and may have landed all the same."""
    granted_files: tuple[Grant, ...] = ()
    """Files beyond its claims: planned, asked for, or waited for."""
    resumes: FilesNeeded | None = None
    """Where its next start goes on."""
    queued_again: int = 0
    """How often it waited for files that others held."""

    @property
    def may_change(self) -> frozenset[str]:
        """What it holds while it runs."""
        return frozenset((*self.task.claims, *(grant.path for grant in self.granted_files)))


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
    tip_at: float = 0.0
    """When a task was told of it; of what reports say later, only what is newer counts."""
    survey: BlobRef | None = None
    """The SurveyData that the plan was made of."""
    pilot: tuple[TaskId, ...] = ()
    """Only these may start, until the planner says that the pilot is over."""
    steering: AreaSteering = AreaSteering()
    skipped: dict[str, str] = {}
    """Tasks that are not done, with who and why."""
    thinks: bool = False
    """Whether its tasks may take turns of a model, which cost money."""
    hot: tuple[HotFile, ...] = ()
    """Files that its tasks contended for so far."""
    granted: tuple[Granted, ...] = ()
    """The last wishes: one that is sent again is answered, not done again."""
    steering_number: int = 0
    """Of the last letter to its tasks."""


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
    base: CommitId | None = None
    """The migration's base: where the green branch began."""
    title: str = ""
    survey: BlobRef | None = None
    """The SurveyData that the plan was made of: prompts name its lines."""
    steering: TaskSteering = TaskSteering()
    thinks: bool = False
    """Whether its ladder has a rung that takes turns of a model."""
    has_model: bool = False
    """There was a worker for them when its area began: one that is away now is waited for."""
    grant: Usd | None = None
    """What its model turns may cost in all, reserved for it; None: no cap."""
    state: TaskState | None = None
    """What earlier runs of this start have done; None: it starts."""
    granted_files: tuple[Grant, ...] = ()
    """Files beyond its claims that it may change."""
    notes: tuple[str, ...] = ()
    """What other tasks were granted of its claims."""
    resumes: FilesNeeded | None = None
    """What an earlier start did, where this one goes on."""


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
    """Where a task landed; the green tip that an area knows."""
    green: GreenTip | None = None
    """The last that a task was told of."""
    files: int = 0
    """That a task landed."""
    spend: Spend = Spend()
    """What this start of a task cost."""
    counts: TaskCounts = TaskCounts()
    final: bool = True
    """False: an area's progress on the way."""
    pilot: BlobRef | None = None
    """The pilot's handoffs: it has ended and the area holds the other tasks back."""
    needs: FilesNeeded | None = None
    """With status needs_files."""
    hot: tuple[HotFile, ...] = ()
    """What a task's bounces were for."""


class QueueState(Contract):
    """What the queue carries over continue-as-new."""

    waiting: tuple[Candidate, ...] = ()
    """In the order in which they asked; who is in a batch keeps the place until it is settled."""
    returned: tuple[str, ...] = ()
    """The ids of those whom the last batch did not get to."""
    failure_rate: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Decayed; decides the batch size."""
    landed: int = 0
    bounced: int = 0
    batches: int = 0
    flaky: dict[str, int] = {}
    """Check → how often it was red at a landing and green when asked once more."""
    closing: bool = False
    paused: bool = False
    base: MergeBase | None = None
    """A head of the base that goes before the next batch."""
    pushes: PushState = PushState()


class QueueInput(Contract):
    """Starts or continues the merge queue of one green branch."""

    repository: Repository
    branch: GreenBranch
    spec: BlobRef
    phase: str
    base: CommitId
    """The migration's base."""
    deep: str = ""
    """The workflow id of the deep checks, which are told of each landing; empty: there are none."""
    state: QueueState = QueueState()
