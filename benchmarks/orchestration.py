"""What a task costs the engine, over a child workflow with five activities that do nothing.

A real area, real tasks and a real merge queue whose activities do nothing, against a bare parent
and bare children: same server, same worker process, window 20, alternating. The figure is CPU time
of the server and of the worker process; their children are not counted, nor is this driver.

The bare child's activities are on the queues of the roles, as every activity that has an effect
is. On the queue of the workflow itself the engine hands them over eagerly, past the matching that
roles in processes of their own need: that figure stands beside it, without a bound.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.adapters.children import Child
from activities.adapters.embedded import Embedded
from activities.contracts.base import BlobRef
from activities.contracts.children import CLOSE, AreaInput, QueueInput
from activities.contracts.repository import GreenBranch, Repository
from benchmarks.bare import BareParent, Listener
from benchmarks.measuring import Comparison
from benchmarks.no_op_worker import COMMIT, HOST_QUEUE
from workflows.area import AreaWorkflow
from workflows.merge_queue import MergeQueueWorkflow
from workflows.options import CONTROL, SEARCH_ATTRIBUTES

Arm = Callable[[Client, str, int], Awaitable[None]]
WINDOW = 20
WARM_UP = 20
TASKS = 150
ROOT = Path(__file__).parent.parent
REPOSITORY = Repository(url="/bench", id="bench-00000000")
GREEN = GreenBranch(repository=REPOSITORY.id, name="whimbrel/bench", migration="bench")


ROLES = ["workspace", HOST_QUEUE, HOST_QUEUE, "checks", "integration"]
"""Where a task's effects are done: never in the process that decides."""


def compare(scratch: Path, rounds: int) -> list[Comparison]:
    """What a task costs in CPU, of server and worker."""
    return asyncio.run(_compare(scratch, rounds))


async def _compare(scratch: Path, rounds: int) -> list[Comparison]:
    arms: dict[str, Arm] = {
        "ours": migrate,
        "bare": partial(_bare, queues=ROLES),
        "eager": partial(_bare, queues=[CONTROL] * 5),
    }
    taken: dict[str, list[float]] = {name: [] for name in arms}
    async with service(scratch / "temporal") as (client, pids):
        for name, arm in arms.items():
            await arm(client, f"{name}-warm", WARM_UP)
        for number in range(rounds):
            for name in list(arms) if number % 2 == 0 else list(reversed(arms)):
                before = sum(map(cpu_seconds, pids))
                await arms[name](client, f"{name}-{number}", TASKS)
                used = sum(map(cpu_seconds, pids)) - before
                taken[name].append(used / TASKS * 1000)
    ours, notes = taken["ours"], {"window": WINDOW, "tasks": TASKS}
    figure, bare = "a no-op task (CPU of server and worker)", "a bare child with five activities"
    by_role, eager = f"{bare} on the roles' queues", f"{bare}, all eager"
    return [
        Comparison(figure, "ms", ours, taken["bare"], by_role, at_most=2, notes=notes),
        Comparison(figure, "ms", ours, taken["eager"], eager, notes=notes),
    ]


def cpu_seconds(pid: int) -> float:
    """User and system time of one process; its children are not counted."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def service(home: Path) -> AsyncIterator[tuple[Client, tuple[int, int]]]:
    """The embedded server on a file, and one worker process."""
    embedded = Embedded(home, SEARCH_ATTRIBUTES)
    server = await embedded.start()
    command = (sys.executable, "-m", "benchmarks.no_op_worker", server.address)
    worker = Child("worker", command, log=home / "worker.log", env={"PYTHONPATH": str(ROOT)})
    try:
        await worker.start()
        client = await Client.connect(server.address, data_converter=pydantic_data_converter)
        assert embedded.pid
        assert worker.pid
        yield client, (embedded.pid, worker.pid)
    finally:
        await worker.stop(grace=5)
        await embedded.stop()


async def _bare(client: Client, name: str, tasks: int, queues: list[str]) -> None:
    await client.execute_workflow(
        BareParent.run, args=[tasks, WINDOW, queues], id=f"bare/{name}", task_queue=CONTROL
    )


async def migrate(client: Client, name: str, tasks: int, phase: str = "main") -> None:
    """An area with so many tasks, and a queue that lands them."""
    spec = BlobRef(migration="bench", sha256="4" * 64, size=1)
    queue = await client.start_workflow(
        MergeQueueWorkflow.run,
        QueueInput(repository=REPOSITORY, branch=GREEN, spec=spec, phase=phase, base=COMMIT),
        id=f"merge-queue/{name}",
        task_queue=CONTROL,
    )
    listener = await client.start_workflow(Listener.run, id=f"migration/{name}", task_queue=CONTROL)
    area = AreaInput(
        name=name,
        area="root",
        parent=listener.id,
        epoch="",
        cycle=1,
        repository=REPOSITORY,
        branch=GREEN,
        queue=queue.id,
        spec=spec,
        plan=spec.model_copy(update={"size": tasks}),
        phase=phase,
        concurrency=WINDOW,
        base=COMMIT,
        tip=COMMIT,
    )
    report = await client.execute_workflow(
        AreaWorkflow.run,
        area,
        id=f"migration/{name}/area/root",
        task_queue=CONTROL,
    )
    await queue.signal(CLOSE)
    await queue.result()
    if report.counts.landed != tasks:
        raise AssertionError(f"not every task landed: {report.counts}")
