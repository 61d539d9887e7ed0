"""The plan as data: tasks, their claims and needs, validated before anything runs."""

from typing import Annotated

from pydantic import Field

from activities.contracts.base import BlobRef, CommitId, Contract, Form, TaskId
from activities.contracts.file_requests import Grant
from activities.contracts.money import Usd
from activities.contracts.reds import Mend


class Task(Form):
    """One unit of work for one worker agent."""

    id: TaskId
    title: str
    """One line for people: the timeline in the Web UI reads it."""
    area: str = "root"
    claims: Annotated[tuple[str, ...], Field(min_length=1)]
    """Files this task, and no other live task, may change; repository-relative, sorted."""
    creates: tuple[str, ...] = ()
    """Paths the task may add; literal paths or gitignore patterns of the phase."""
    needs: tuple[TaskId, ...] = ()
    """Tasks that must have LANDED first."""
    grants: tuple[Grant, ...] = ()
    """Files beyond its claims, of whoever they are: it never runs beside a task that claims one."""
    sites: int = 0
    priority: int = 3
    """1 lands first, 5 last."""
    instructions: str = ""
    mends: Mend | None = None
    """The red behind the landings that it is to turn green; the system's to say."""
    follows: bool = False
    """It follows up what tasks of earlier cycles said."""

    @property
    def may_change(self) -> tuple[str, ...]:
        """Its claims and what it is granted beyond them, sorted."""
        return tuple(sorted({*self.claims, *(grant.path for grant in self.grants)}))


class Plan(Form):
    """All tasks of one cycle of one phase, made for exactly one base and spec."""

    migration: str
    spec_digest: str
    base: CommitId
    phase: str
    cycle: int
    tasks: tuple[Task, ...]
    pilot: tuple[TaskId, ...] = ()
    """Tasks that run to their end before any other may start."""
    caps: dict[str, Usd] = {}
    """Area → what the models of its tasks, and of those of areas in it, may cost in the cycle."""
    notes: str = ""
    """What was learnt so far: every worker is told."""


class Forecast(Contract):
    """What running a plan will take, as far as countable facts tell."""

    waves: int
    """How many rounds of parallel tasks, by needs and claims."""
    task_count: int
    file_count: int
    site_count: int
    check_runs: int
    """Task checks plus expected landing checks."""
    note: str = ""


class PlanSummary(Contract):
    """What a plan says in one breath; the plan itself is the blob."""

    plan: BlobRef
    phase: str
    cycle: int
    base: CommitId
    forecast: Forecast
    pilot: tuple[TaskId, ...] = ()
    caps: dict[str, Usd] = {}
    """As in the plan."""
    said: str = ""
    """Why it is divided so, where a model planned it or should have."""
    fixes: tuple[TaskId, ...] = ()
    """Its tasks that are to mend what is red behind the landings."""
    unplanned: int = 0
    """Files with sites that no task of a plan of the user's own claims: the next cycle's."""


class PhaseOutlook(Contract):
    """What a plan run says of one phase, as of the base."""

    phase: str
    plan: PlanSummary | None = None
    """None: there is none yet, and `why` says why, unless red results will be its sites."""
    why: str = ""
    """What kept it from being planned on the base."""


class TaskRow(Contract):
    """What an area must know of a task to schedule it."""

    id: TaskId
    title: str
    claims: tuple[str, ...]
    needs: tuple[TaskId, ...] = ()
    sites: int = 0
    priority: int = 3
    area: str = "root"
    deep: tuple[str, ...] = ()
    """The checks behind the landings that cover any of its files."""
    mends: str = ""
    """The red that it is to turn green, by its id."""
    follows: bool = False
    """It follows up what tasks of earlier cycles said."""
