"""What Temporal's histories say of a migration: the other witness, beside git.

Every run of every workflow that the migration's own history leads to is read, event by event;
nothing is asked of a worker.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from temporalio.api.common.v1 import Payloads
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.contracts.evidence import Evidence, Moment
from activities.contracts.landing_requests import Landed
from activities.contracts.work import RungRun
from activities.contracts.work_requests import Restored, Reworked
from workflows.options import migration_id

T = TypeVar("T")
TASK = re.compile(r"/task/([^/]+)/\d+$")
CLOSED = ("completed", "failed", "timed_out", "canceled")


@dataclass
class Step:
    """One activity that a worker did, its last attempt; times in seconds since the epoch."""

    workflow: str
    name: str
    scheduled: float
    started: float = 0.0
    ended: float = 0.0
    attempt: int = 0
    worker: str = ""
    """The pid of its process."""
    how: str = ""
    """One of CLOSED."""
    cut_off: bool = False
    """The attempt before was: no heartbeat came any more."""


@dataclass
class Thought:
    """One workflow task, from when there was something to decide until that was decided."""

    workflow: str
    asked: float
    decided: float
    again: bool
    """A worker that had taken it never answered."""


@dataclass
class Told:
    """All of it."""

    green: dict[str, list[Evidence]] = field(default_factory=dict[str, list[Evidence]])
    """Tree → passed landing checks."""
    made: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Task → commits that hold work of it."""
    landed: list[str] = field(default_factory=list[str])
    """Tips, in the order in which the queue heard of them."""
    ended: set[str] = field(default_factory=set[str])
    """Tasks whose workflow ended with a report."""
    steps: list[Step] = field(default_factory=list[Step])
    thoughts: list[Thought] = field(default_factory=list[Thought])
    largest: tuple[int, str] = (0, "")
    """The largest event: its bytes, and which one it is."""


async def read(client: Client, migration: str) -> Told:
    """Everything that the histories of a migration's present life tell."""
    top = migration_id(migration)
    described = await client.get_workflow_handle(top).describe()
    told = Told()
    runs = [(top, described.raw_description.workflow_execution_info.first_run_id)]
    while runs:
        id, run = runs.pop(0)
        history = await client.get_workflow_handle(id, run_id=run).fetch_history()
        runs += _read_run(id, list(history.events), told)
    return told


def _read_run(id: str, events: list[HistoryEvent], told: Told) -> Iterator[tuple[str, str]]:
    """Yields the runs that this one started or went on as."""
    steps: dict[int, Step] = {}
    asked, again = 0.0, False
    for event in events:
        kind = event.WhichOneof("attributes") or ""
        said: Any = getattr(event, kind)
        told.largest = max(told.largest, (event.ByteSize(), f"{kind} {event.event_id} of {id}"))
        at = event.event_time.ToMicroseconds() / 1e6
        what = kind.removesuffix("_event_attributes")
        if what == "activity_task_scheduled":
            steps[event.event_id] = Step(id, said.activity_type.name, at)
        elif what == "activity_task_started":
            step = steps[said.scheduled_event_id]
            step.started, step.attempt = at, said.attempt
            step.worker = said.identity.partition("@")[0]
            step.cut_off = said.last_failure.HasField("timeout_failure_info")
        elif what.startswith("activity_task_") and what.removeprefix("activity_task_") in CLOSED:
            step = steps[said.scheduled_event_id]
            step.ended, step.how = at, what.removeprefix("activity_task_")
            if step.how == "completed":
                _take_result(step, said.result, told)
        elif what == "workflow_task_scheduled":
            asked = asked or at
        elif what == "workflow_task_timed_out":
            again = True
        elif what == "workflow_task_completed":
            told.thoughts.append(Thought(id, asked, at, again))
            asked, again = 0.0, False
        elif what == "child_workflow_execution_started":
            yield said.workflow_execution.workflow_id, said.workflow_execution.run_id
        elif what == "workflow_execution_continued_as_new":
            yield id, said.new_execution_run_id
        elif what == "workflow_execution_completed" and (task := TASK.search(id)):
            told.ended.add(task[1])
    told.steps += steps.values()


def _take_result(step: Step, result: Payloads, told: Told) -> None:
    task = TASK.search(step.workflow)
    if task:
        told.made.setdefault(task[1], set()).update(_commits(step.name, result))
    elif step.name == "land":
        told.landed.append(_decoded(result, Landed).tip)
    elif step.name == "run_checks":
        evidence = _decoded(result, Evidence)
        if evidence.moment is Moment.LANDING and evidence.passed:
            told.green.setdefault(evidence.tree, []).append(evidence)


def _commits(name: str, result: Payloads) -> set[str]:
    """The commits of a step that are somebody's work."""
    if name == "run_rung":
        checkpoint = _decoded(result, RungRun).checkpoint
        return {checkpoint.commit} if checkpoint.moved and checkpoint.changed else set()
    if name == "put_back":
        return {_decoded(result, Restored).commit}
    reworked = _decoded(result, Reworked).commit if name == "rework" else None
    return {reworked} if reworked else set()


def _decoded(result: Payloads, kind: type[T]) -> T:
    return pydantic_data_converter.payload_converter.from_payloads(result.payloads, [kind])[0]
