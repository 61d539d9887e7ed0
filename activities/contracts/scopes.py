"""What one planner decides about: a part of a cycle's files. Its path is its identity."""

from collections.abc import Iterable, Mapping

from activities.contracts.base import BlobRef, CommitId, Contract, TaskId
from activities.contracts.money import Usd
from activities.contracts.plan import Task
from activities.contracts.reds import OpenRed
from activities.contracts.repository import Repository
from activities.contracts.survey import Survey

ROOT = "root"


def is_within(area: str, outer: str) -> bool:
    """Whether an area is another one or lies in it; the root has them all in it."""
    return outer in (ROOT, area) or area.startswith(f"{outer}/")


def with_tasks(caps: Mapping[str, Usd], tasks: Iterable[Task]) -> dict[str, Usd]:
    """The caps of areas that still have a task."""
    areas = {task.area for task in tasks}
    return {area: usd for area, usd in caps.items() if any(is_within(one, area) for one in areas)}


class PlanScope(Contract):
    """A part of a cycle's files, and what was decided above it."""

    cycle: int
    path: str = ROOT
    """`root`, `a1`, `a1-a2`: two live planners never have the same."""
    area: str = ROOT
    """Its name, for people."""
    files: BlobRef
    """A ScopeFiles."""
    decisions: tuple[str, ...] = ()
    depth: int = 0
    """Of the root; areas are one deeper than who opened them."""
    usd: Usd | None = None
    """What the models of its tasks may cost, by the area that has said so."""


class ScopeFiles(Contract):
    """The files with sites that a planner divides, sorted."""

    paths: tuple[str, ...]


class PartArea(Contract):
    """An area that a planner opened, as far as the order of the work goes."""

    path: str
    needs: tuple[str, ...] = ()
    """Tasks by id, areas by path."""


class PlanPart(Contract):
    """What one planner decided; a need may be the path of an area until that is joined."""

    tasks: tuple[Task, ...] = ()
    areas: tuple[PartArea, ...] = ()
    pilot: tuple[TaskId, ...] = ()
    caps: dict[str, Usd] = {}
    """Area → what the models of its tasks may cost."""
    notes: str = ""


class OpenPlannerTalk(Contract):
    """What a planner's conversation begins with."""

    name: str
    repository: Repository
    spec: BlobRef
    phase: str
    survey: Survey
    cycle: int
    attempt: str
    scope: PlanScope | None = None
    """None: the root's, which is made here."""
    handoffs: tuple[BlobRef, ...] = ()
    notes: BlobRef | None = None
    reds: tuple[OpenRed, ...] = ()
    """What is red behind the landings: it gets tasks of its own."""


class OpenedPlannerTalk(Contract):
    talk: BlobRef
    """A Conversation."""
    scope: PlanScope
    files: int


class DrawPlan(Contract):
    """A planner's form as tasks and areas; without one, the scope's files as the split has them."""

    talk: BlobRef
    form: BlobRef | None = None


class DrawnPlan(Contract):
    part: BlobRef
    """A PlanPart."""
    areas: tuple[PlanScope, ...] = ()
    summary: str = ""


class JoinPlan(Contract):
    """A planner's part with those of its areas."""

    talk: BlobRef
    spec_digest: str
    part: BlobRef
    areas: tuple[BlobRef, ...] = ()
    """PlanParts, in the order in which the areas were opened."""


class JoinedPlan(Contract):
    part: BlobRef
    plan: BlobRef | None = None
    """The root's: a Plan."""
    notes: BlobRef | None = None
    """The FieldNotes, where they were rewritten."""


class FieldNotes(Contract):
    """What was learnt, for every later worker; rewritten, not appended."""

    text: str
    cycle: int
    commit: CommitId
    """What the planner read when it wrote them."""
