"""What a merge queue's own history says: who asked and landed when, and what it did meanwhile.

Times are the server's, in seconds since the epoch.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from temporalio.api.common.v1 import Payloads
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.contracts.children import ENQUEUE
from activities.contracts.landing import Batch, Candidate, Outcome
from activities.contracts.landing_requests import Land

T = TypeVar("T")
TROUBLE = ("workflow_task_timed_out", "workflow_task_failed", "activity_task_timed_out")


class Step(NamedTuple):
    """One activity, from when the queue asked for it until it had the result."""

    name: str
    asked: float
    ended: float
    attempt: int


@dataclass
class Told:
    """What the history says."""

    asked: dict[str, float] = field(default_factory=dict[str, float])
    """Task → when it first asked."""
    landed: dict[str, float] = field(default_factory=dict[str, float])
    bounced: dict[str, set[Outcome]] = field(default_factory=dict[str, set[Outcome]])
    batches: list[float] = field(default_factory=list[float])
    """When each landed."""
    steps: list[Step] = field(default_factory=list[Step])
    trouble: Counter[str] = field(default_factory=Counter[str])
    """Kinds of events that cost everybody time."""

    def wait(self, task: str) -> float:
        """From asking to landing."""
        return self.landed[task] - self.asked[task]

    def passed_over(self, task: str) -> int:
        """Batches that landed meanwhile without it; one of them was there before it asked."""
        return sum(self.asked[task] < at < self.landed[task] for at in self.batches)

    def meanwhile(self, task: str) -> dict[str, float]:
        """What the queue did while the task waited, in seconds: its activities by name, the tries
        that were not the first by themselves, and `between` them."""
        begun, over = self.asked[task], self.landed[task]
        spent = defaultdict[str, float](float)
        for step in self.steps:
            name = step.name if step.attempt == 1 else f"{step.name}, try {step.attempt}"
            spent[name] += max(0.0, min(over, step.ended) - max(begun, step.asked))
        spent["between"] = over - begun - sum(spent.values())
        return {name: took for name, took in spent.items() if took > 0}


async def read(client: Client, queue: str, base: str) -> Told:
    """What every run of the queue says, oldest first; `base`: where its branch began."""
    told, batch = Told(), Batch(tip=base)
    asked: dict[int, tuple[str, float, Land | None]] = {}
    attempts: dict[int, int] = {}
    async for event in _events(client, queue):
        kind = (event.WhichOneof("attributes") or "").removesuffix("_event_attributes")
        said: Any = getattr(event, event.WhichOneof("attributes") or "")
        at = event.event_time.ToMicroseconds() / 1e6
        told.trouble.update([kind] if kind in TROUBLE else [])
        if kind == "workflow_execution_signaled" and said.signal_name == ENQUEUE:
            told.asked.setdefault(_decoded(said.input, Candidate).task, at)
        elif kind == "activity_task_scheduled":
            name = said.activity_type.name
            land = _decoded(said.input, Land) if name == "land" else None
            asked[event.event_id] = name, at, land
        elif kind == "activity_task_started":
            attempts[said.scheduled_event_id] = said.attempt
        elif kind == "activity_task_completed":
            name, began, land = asked.pop(said.scheduled_event_id)
            told.steps.append(Step(name, began, at, attempts.pop(said.scheduled_event_id)))
            if name == "compose_batch":
                batch = _decoded(said.result, Batch)
                for refusal in batch.refused:
                    task = refusal.candidate.partition("@")[0]
                    told.bounced.setdefault(task, set()).add(refusal.outcome)
            elif land and land.new in batch.prefixes:
                members = batch.members[: batch.prefixes.index(land.new) + 1]
                told.landed |= {member.partition("@")[0]: at for member in members}
                told.batches.append(at)
    return told


async def _events(client: Client, queue: str) -> AsyncIterator[HistoryEvent]:
    described = await client.get_workflow_handle(queue).describe()
    run = described.raw_description.workflow_execution_info.first_run_id
    while run:
        history = await client.get_workflow_handle(queue, run_id=run).fetch_history()
        for event in history.events:
            yield event
        run = history.events[
            -1
        ].workflow_execution_continued_as_new_event_attributes.new_execution_run_id


def _decoded(payloads: Payloads, kind: type[T]) -> T:
    return pydantic_data_converter.payload_converter.from_payloads(payloads.payloads, [kind])[0]
