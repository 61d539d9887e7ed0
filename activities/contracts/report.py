"""How a migration ended: the whole outcome as data."""

from activities.contracts.base import CommitId, Contract, TaskId
from activities.contracts.commands import HumanDecision
from activities.contracts.contention import HotFile
from activities.contracts.evidence import Evidence
from activities.contracts.migration import Stage
from activities.contracts.money import Spend, Usd
from activities.contracts.moving_base import BaseMerge
from activities.contracts.news import DeepNews
from activities.contracts.opinion import Opinion
from activities.contracts.pilot import Pilot
from activities.contracts.plan import PlanSummary
from activities.contracts.pushes import PushSeen
from activities.contracts.survey import Survey
from activities.contracts.work import Handoff


class LandedCommit(Contract):
    """One commit of the green chain that carries tasks of the migration."""

    commit: CommitId
    at: str
    """When it was composed, as the commit says: ISO 8601, UTC."""
    tasks: tuple[TaskId, ...]
    files: int
    """Paths that it changed."""


class KeptWork(Contract):
    """What an attempt of a task left that did not land whole: a commit on its base, in the hub."""

    task: TaskId
    ref: str
    """It keeps the commit; `git fetch HUB REF` brings it into a repository."""
    commit: CommitId
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
    spend: Spend = Spend()
    """What turns of models cost in all: plans, verdicts, tasks that did not land."""
    cap: Usd | None = None
    """What they might cost; None: no cap."""
    prompts: dict[str, str] = {}
    """Prompt file → sha256, of every conversation that there was."""
    prices: tuple[str, ...] = ()
    """Where the prices are from that turns were reckoned by: more than one where workers differ."""
    baseline_failures: dict[str, tuple[str, ...]] = {}
    """check → ids that were red on the base already."""
    flaky: dict[str, tuple[str, ...]] = {}
    """check → ids that were red in one of the two baseline runs and not in the other."""
    hot: tuple[HotFile, ...] = ()
    """Files that tasks contended for most."""
    flaky_landings: dict[str, int] = {}
    """check → how often it was red at a landing and green when asked once more."""
    deep: DeepNews | None = None
    """What the deep checks last said, where there were any."""
    blind_checks: tuple[str, ...] = ()
    """Checks whose whole run was red on the base, so that no change could make them worse."""
    decisions: tuple[HumanDecision, ...] = ()
    sandbox: str = ""
    """The level commands ran at."""
    survey: Survey | None = None
    """The last one."""
    unsearched: str = ""
    """What of the files in scope the last surveys of its phases did not look into."""
    plan: PlanSummary | None = None
    """Of the last cycle."""
    unplaced: tuple[str, ...] = ()
    """Sites of the last survey that no task can take."""
    outside: tuple[str, ...] = ()
    """Tracked files that codemods with `apply: once` changed and no task claims: in no commit."""
    dropped: tuple[str, ...] = ()
    """New files that they left and nothing lets them create."""
    pilots: tuple[Pilot, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    """What judges said of the cycles, oldest first."""
    notes: str = ""
    """The field notes, as the last planner rewrote them."""
    unbegun: tuple[str, ...] = ()
    """Phases that never started, in order: their sites are neither counted nor migrated."""
    landings: tuple[LandedCommit, ...] = ()
    """Oldest first, those of earlier lives included; read from the green chain in the hub."""
    kept: tuple[KeptWork, ...] = ()
    """The newest work of each task that did not land whole, by task; one whose attempts changed
    nothing has none."""
    stands_on: CommitId | None = None
    """The head of the base that the branch has in it; None: the base that it began with."""
    base_merges: tuple[BaseMerge, ...] = ()
    """Oldest first, those of earlier lives included; read from the green chain in the hub."""
    base_sites: int = 0
    """Sites that came with them in this life."""
    base_told: str = ""
    """Why the branch has not all of the base; empty: it has, as far as anybody saw."""
    base_evidence: Evidence | None = None
    """Of a merge that was red."""
    pushes: tuple[PushSeen, ...] = ()
    """What others pushed to the green branch in this life, oldest first; the last 20."""
    interruptions: dict[str, int] = {}
    """`worker` or `server` → how often it died while the migration ran and was started again. Known
    where a starter runs them; a service's supervisor keeps its own records."""
