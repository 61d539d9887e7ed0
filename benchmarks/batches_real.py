"""Ways to land on real branches: the real merge queue, and beside it the alternatives.

`MergeQueueWorkflow` as it is, on a real server, a queue and a branch for each case; the others are
loops in this process, which no engine slows down, on branches just the same (`branches`). The cases
run together: nearly all of their time is checks, and those sleep. The queue has to need no more
checks than its simulation, and to turn down no more good ones; what time it takes more is what
engine and git cost.
"""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.adapters.embedded import Embedded
from activities.contracts.children import CLOSE, PAUSE, QueueInput, QueueState
from activities.contracts.evidence import Evidence
from activities.contracts.messages import AnswerTasks, CountWorkers, WorkerCount
from activities.contracts.work_requests import RunChecks
from benchmarks.bare import Listener
from benchmarks.branches import NAME, PHASE, REPOSITORY, Branch, Branches, RealGround
from benchmarks.policies import VERIFIERS, Policy, halving, serial, simulated, window
from benchmarks.simulated_queue import Came, Weather, ours
from roles.control import workflow_runner
from workflows.merge_queue import MergeQueueWorkflow
from workflows.options import CHECKS, CONTROL, INTEGRATION, SEARCH_ATTRIBUTES, migration_id

CHECK_SECONDS = 2.0
APART = 0.3
"""Seconds between the beginnings of two cases, those with the most failures first."""
CANDIDATES = 100
SEED = 4
"""With which about as many of a hundred are bad as the rate says: 0, 2, 6, 10, 23."""
OURS = {"ours": 1, f"ours, {VERIFIERS} at once": VERIFIERS}
"""Name → verifiers."""
OTHERS: dict[str, Policy] = {
    "serial": serial,
    "halving": halving,
    f"window of {VERIFIERS}": window,
}


class Case(NamedTuple):
    """One branch's circumstances."""

    rate: float
    """The share of bad candidates."""
    flaky: float
    """The share of checks that fail for no reason."""
    way: str
    """To land: one of OURS or OTHERS."""

    @property
    def id(self) -> str:
        return f"batches/{self.rate}/{self.flaky}/{self.way.replace(', ', '-').replace(' ', '-')}"

    def weather(self, seed: int) -> Weather:
        return Weather(self.rate, self.flaky, seed)


def simulate(case: Case, asking: int, seed: int) -> Came:
    """What comes of so many candidates where only checks take time."""
    weather = case.weather(seed)
    if case.way in OURS:
        return ours(weather, OURS[case.way], asking)
    return asyncio.run(simulated(OTHERS[case.way], weather, asking))


def run(scratch: Path, cases: Sequence[Case]) -> dict[Case, Came]:
    """What really comes of CANDIDATES of them."""
    return asyncio.run(_run(scratch / "batches", cases))


class Surroundings:
    """What the queues ask for beside git; whose check it is, its workflow says."""

    def __init__(self, branches: dict[Case, Branch]) -> None:
        self._branches = {case.id: branch for case, branch in branches.items()}
        self._verifiers = {case.id: OURS[case.way] for case in branches if case.way in OURS}

    @property
    def _case(self) -> str:
        return activity.info().workflow_id or ""

    @activity.defn
    async def run_checks(self, request: RunChecks) -> Evidence:
        return await self._branches[self._case].check(request.compare_with, request.commit)

    @activity.defn
    async def answer_tasks(self, _: AnswerTasks) -> None:
        return

    @activity.defn
    async def count_workers(self, _: CountWorkers) -> WorkerCount:
        return WorkerCount(workers=self._verifiers[self._case])


async def _run(home: Path, cases: Sequence[Case]) -> dict[Case, Came]:
    shared = Branches(home, CANDIDATES, CHECK_SECONDS)
    branches = {case: Branch(shared, case.id, case.weather(SEED)) for case in cases}
    around, embedded = Surroundings(branches), Embedded(home / "state", SEARCH_ATTRIBUTES)
    server = await embedded.start()
    try:
        client = await Client.connect(server.address, data_converter=pydantic_data_converter)
        with ThreadPoolExecutor(4) as threads:
            async with (
                Worker(
                    client,
                    task_queue=CONTROL,
                    workflows=[MergeQueueWorkflow, Listener],
                    activities=[around.answer_tasks, around.count_workers],
                    workflow_runner=workflow_runner(),
                ),
                Worker(
                    client,
                    task_queue=INTEGRATION,
                    activities=[shared.integration.compose_batch, shared.integration.land],
                    activity_executor=threads,
                    max_concurrent_activities=4,
                ),
                Worker(client, task_queue=CHECKS, activities=[around.run_checks]),
            ):
                await client.start_workflow(Listener.run, id=migration_id(NAME), task_queue=CONTROL)
                # Each is there before any begins: a workflow's first step is no check's cost.
                queues = {
                    case: await _opened(client, shared, case, branch)
                    for case, branch in branches.items()
                    if case.way in OURS
                }
                came = [
                    _settled(branch, queues[case])
                    if case in queues
                    else _landed(branch, OTHERS[case.way])
                    for case, branch in branches.items()
                ]
                later = [_later(number, each) for number, each in enumerate(reversed(came))]
                return dict(zip(reversed(cases), await asyncio.gather(*later), strict=True))
    finally:
        await embedded.stop()


async def _opened(
    client: Client, shared: Branches, case: Case, branch: Branch
) -> WorkflowHandle[MergeQueueWorkflow, QueueState]:
    """A queue that waits with all its candidates and has seen the rate of failures."""
    state = QueueState(waiting=tuple(shared.candidates), failure_rate=case.rate, paused=True)
    begun = QueueInput(
        repository=REPOSITORY,
        branch=branch.green,
        spec=shared.spec,
        phase=PHASE,
        base=shared.base,
        state=state,
    )
    queue = await client.start_workflow(
        MergeQueueWorkflow.run, begun, id=case.id, task_queue=CONTROL
    )
    await queue.query(MergeQueueWorkflow.state)
    return queue


async def _later(number: int, came: Awaitable[Came]) -> Came:
    """They begin one after the other: else the first and largest batches would be composed all at
    once, on two cores."""
    await asyncio.sleep(number * APART)
    return await came


async def _settled(branch: Branch, queue: WorkflowHandle[MergeQueueWorkflow, QueueState]) -> Came:
    """What the real queue makes of a case."""
    began = time.perf_counter()
    await queue.signal(PAUSE, False)
    await queue.signal(CLOSE)
    await queue.result()
    return branch.came((time.perf_counter() - began) / CHECK_SECONDS)


async def _landed(branch: Branch, policy: Policy) -> Came:
    """What another way makes of one."""
    began = time.perf_counter()
    await policy(RealGround(branch))
    return branch.came((time.perf_counter() - began) / CHECK_SECONDS)
