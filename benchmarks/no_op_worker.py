"""One worker process for both arms: the product's workflows, whose activities do nothing.

`python -m benchmarks.no_op_worker ADDRESS`. Queues, slots, sandbox and interceptors are those of
`worker.py --role all`; every activity answers at once with the smallest valid contract. The
messages between workflows are the real ones.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.adapters.blobs import BlobStore
from activities.adapters.transcripts import Transcripts
from activities.contracts.agent import AgentEnd, Allowance
from activities.contracts.agent_word import AgentWord, HearAgent
from activities.contracts.base import BlobRef
from activities.contracts.children import AreaRow
from activities.contracts.conversation import TakeTurn, ToolsUsed, TurnTaken, UseTools
from activities.contracts.evidence import Evidence, Moment
from activities.contracts.landing import Batch
from activities.contracts.landing_requests import (
    ComposeBatch,
    FindLanded,
    Land,
    Landed,
    LandedTasks,
)
from activities.contracts.money import Spend
from activities.contracts.plan import Task, TaskRow
from activities.contracts.requests import JoinHandoffs, LoadRows, LoadTask, Rows, TaskOrder
from activities.contracts.work import (
    Change,
    ChangedPath,
    Checkpoint,
    CommandRun,
    RungRun,
    Workspace,
)
from activities.contracts.work_requests import (
    CloseWorkspace,
    ConcludeAttempt,
    OpenedTalk,
    OpenWorkerTalk,
    OpenWorkspace,
    RunChecks,
    RunRung,
)
from activities.heartbeat import HeartbeatInterceptor
from activities.messages import MessageActivities
from benchmarks.bare import BareChild, BareParent, Listener, nothing
from benchmarks.bare_loop import BareLoop, tools_used, turn_taken
from roles.control import STICKY, workflow_runner
from roles.queue import GRACE
from workflows.area import AreaWorkflow
from workflows.merge_queue import MergeQueueWorkflow
from workflows.task import TaskWorkflow

OURS = (AreaWorkflow, TaskWorkflow, MergeQueueWorkflow)
HOST_QUEUE = "host/bench"
THINKS = "thinks"
"""The phase whose ladder is a claude rung."""
LANDING_CHECKS = 1.0
"""Seconds."""
COMMIT, TREE = "1" * 40, "2" * 40
BLOB = BlobRef(migration="bench", sha256="3" * 64, size=1)


@activity.defn
async def load_rows(request: LoadRows) -> Rows:
    """As many tasks as the plan's blob claims to have bytes: there is no blob."""
    tasks = [_task(number) for number in range(request.plan.size)]
    rows = [TaskRow(id=t.id, title=t.title, claims=t.claims, sites=t.sites) for t in tasks]
    return Rows(rows=tuple(AreaRow(task=row) for row in rows))


@activity.defn
async def load_task(request: LoadTask) -> TaskOrder:
    task = _task(int(request.task.rpartition("-")[2]))
    if request.phase == THINKS:
        allowances = {0: Allowance(turns=200)}
        return TaskOrder(task=task, rungs=("claude",), attempts=1, allowances=allowances)
    return TaskOrder(task=task, rungs=("codemod",), attempts=1)


@activity.defn
async def join_handoffs(request: JoinHandoffs) -> BlobRef:
    return BLOB.model_copy(update={"size": len(request.rows)})


@activity.defn
async def find_landed(_: FindLanded) -> LandedTasks:
    return LandedTasks(tasks={})


@activity.defn
async def open_workspace(request: OpenWorkspace) -> Workspace:
    return Workspace(
        migration=request.name,
        repository=request.repository.id,
        task=request.task,
        attempt=request.attempt,
        host="bench",
        queue=HOST_QUEUE,
        base=request.base,
        start=request.start,
    )


@activity.defn
async def run_rung(request: RunRung) -> RungRun:
    changed = [ChangedPath(path=path, change=Change.MODIFIED) for path in request.task.claims]
    base = request.workspace.base
    return RungRun(
        run=CommandRun(exit=0, seconds=0.0, output=BLOB),
        allowed=True,
        checkpoint=Checkpoint(commit=COMMIT, tree=TREE, base=base, changed=tuple(changed)),
    )


@activity.defn
async def open_worker_talk(_: OpenWorkerTalk) -> OpenedTalk:
    return OpenedTalk(talk=BLOB)


@activity.defn
async def take_turn(request: TakeTurn) -> TurnTaken:
    return turn_taken(request.turn)


@activity.defn
async def use_tools(request: UseTools) -> ToolsUsed:
    return tools_used(request.turn)


@activity.defn
async def conclude_attempt(request: ConcludeAttempt) -> Checkpoint:
    changed = [ChangedPath(path=path, change=Change.MODIFIED) for path in request.task.claims]
    base = request.workspace.base
    return Checkpoint(commit=COMMIT, tree=TREE, base=base, changed=tuple(changed))


@activity.defn
async def close_workspace(_: CloseWorkspace) -> None:
    pass


@activity.defn
async def hear_agent(_: HearAgent) -> AgentWord:
    return AgentWord(end=AgentEnd.DONE)


@activity.defn
async def run_checks(request: RunChecks) -> Evidence:
    """Landing checks take a moment, as the quickest real ones do, or no batch would ever form."""
    if request.moment is Moment.LANDING:
        await asyncio.sleep(LANDING_CHECKS)
    return Evidence(tree=TREE, compared_with=request.compare_with, moment=request.moment)


@activity.defn
async def compose_batch(request: ComposeBatch) -> Batch:
    members = tuple(candidate.id for candidate in request.candidates)
    return Batch(tip=COMMIT, members=members, prefixes=(COMMIT,) * len(members))


@activity.defn
async def land(request: Land) -> Landed:
    return Landed(tip=request.new)


class NothingSpent(Transcripts):
    """Records that nobody asked for."""

    def spent(self, *_: object) -> Spend:
        return Spend()


class KeepsNothing(BlobStore):
    """A store that knows every name and writes no file."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"))

    def put_model(self, *_: object) -> BlobRef:
        return BLOB


def _task(number: int) -> Task:
    path = f"src/package{number:04}/module.py"
    return Task(id=f"c1-{number:04}", title=f"migrate {path}", claims=(path,), sites=1)


async def serve(address: str) -> None:
    """Polls every queue until it is killed."""
    client = await Client.connect(address, data_converter=pydantic_data_converter)

    def worker(queue: str, activities: list[Any], slots: int, **more: Any) -> Worker:
        return Worker(
            client,
            task_queue=queue,
            activities=activities,
            interceptors=[HeartbeatInterceptor()],
            max_concurrent_activities=slots,
            graceful_shutdown_timeout=GRACE,
            **more,
        )

    blobs = KeepsNothing()
    real = MessageActivities(blobs, client, NothingSpent(blobs))
    records = [load_rows, load_task, join_handoffs]
    records += [real.ask_to_land, real.answer_tasks, real.hand_off, real.tell_planner]
    records += [real.describe_runs, real.count_workers]
    tools = [run_rung, close_workspace, use_tools, conclude_attempt, nothing]
    workers = [
        worker(
            "control",
            [*records, nothing],
            50,
            workflows=[*OURS, BareParent, BareChild, BareLoop, Listener],
            workflow_runner=workflow_runner(),
            sticky_queue_schedule_to_start_timeout=STICKY,
        ),
        worker("workspace", [open_workspace, open_worker_talk, nothing], 32),
        worker("model", [take_turn], 32),
        worker(HOST_QUEUE, tools, 128),
        worker("checks", [run_checks, hear_agent, nothing], 32),
        worker("integration", [compose_batch, land, find_landed, nothing], 8),
    ]
    await asyncio.gather(*(each.run() for each in workers))


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
