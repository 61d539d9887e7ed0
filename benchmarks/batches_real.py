"""The real merge queue, on a real server, with the candidates and the checks of the simulation.

`MergeQueueWorkflow` as it is, a queue for each case, all at once; composing and landing only keep
count (`landing` measures them), and a check takes a fixed time and says what the simulation's
would. It has to need no more checks than the simulation needs, and to turn down no more good ones;
the time it takes more is what the engine costs.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.adapters.embedded import Embedded
from activities.contracts.base import BlobRef
from activities.contracts.children import CLOSE, PAUSE, QueueInput, QueueState
from activities.contracts.evidence import Evidence
from activities.contracts.landing import Batch, Candidate
from activities.contracts.landing_requests import ComposeBatch, Land, Landed
from activities.contracts.messages import AnswerTasks, CountWorkers, WorkerCount
from activities.contracts.repository import GreenBranch, Repository
from activities.contracts.work_requests import RunChecks
from benchmarks.bare import Listener
from benchmarks.measuring import Comparison
from benchmarks.simulated_queue import Asking, Ours, Weather, evidence_of
from roles.control import workflow_runner
from workflows.merge_queue import MergeQueueWorkflow
from workflows.options import CHECKS, CONTROL, INTEGRATION, SEARCH_ATTRIBUTES, migration_id

CHECK_SECONDS = 1.0
CANDIDATES = 100
BASE = "0" * 40
REPOSITORY = Repository(url="/bench", id="batches-00000000")
GREEN = GreenBranch(repository=REPOSITORY.id, name="whimbrel/bench", migration="bench")
SPEC = BlobRef(migration="bench", sha256="4" * 64, size=1)


class Case(NamedTuple):
    """One queue's circumstances."""

    rate: float
    """The share of bad candidates."""
    flaky: float
    workers: int
    """That check."""

    @property
    def id(self) -> str:
        return f"batches/{self.rate}/{self.flaky}/{self.workers}"

    @property
    def weather(self) -> Weather:
        return Weather(self.rate, self.flaky, seed=self.workers)


class Came(NamedTuple):
    """What came of a case."""

    checks: int
    times: float
    """In checks."""
    landed: int
    innocent: int


class Stand:
    """A queue's surroundings: a hub that only counts, checks that take their time."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.weather = case.weather
        self.landed = 0
        self._members = {f"c1-{a.number:04}": a for a in self.weather.candidates(CANDIDATES)}
        self._prefixes: dict[str, list[Asking]] = {BASE: []}

    def candidates(self) -> list[Candidate]:
        return [
            Candidate(
                migration="bench",
                task=task,
                commit=f"{asking.number + 1:040x}",
                base=BASE,
                title=task,
                claims=(f"{task}.py",),
                reply_to="nobody",
            )
            for task, asking in self._members.items()
        ]

    def compose(self, request: ComposeBatch) -> Batch:
        prefixes: list[str] = []
        members = [self._members[c.task] for c in request.candidates]
        for length in range(1, len(members) + 1):
            prefixes.append(f"{len(self._prefixes):040x}")
            self._prefixes[prefixes[-1]] = members[:length]
        ids = tuple(candidate.id for candidate in request.candidates)
        return Batch(tip=BASE, members=ids, prefixes=tuple(prefixes))

    def check(self, commit: str) -> Evidence:
        return evidence_of(self.weather.failures(self._prefixes[commit]))

    def land(self, commit: str) -> Landed:
        self.landed += len(self._prefixes[commit])
        return Landed(tip=commit)

    @property
    def innocent(self) -> int:
        """Good ones that did not land, when all are answered."""
        return sum(not asking.bad for asking in self._members.values()) - self.landed


class Stands:
    """The activities of all queues; whose one is, its workflow says."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.of = {case.id: Stand(case) for case in cases}

    @property
    def _mine(self) -> Stand:
        return self.of[activity.info().workflow_id or ""]

    @activity.defn
    async def compose_batch(self, request: ComposeBatch) -> Batch:
        return self._mine.compose(request)

    @activity.defn
    async def run_checks(self, request: RunChecks) -> Evidence:
        await asyncio.sleep(CHECK_SECONDS)
        return self._mine.check(request.commit)

    @activity.defn
    async def land(self, request: Land) -> Landed:
        return self._mine.land(request.new)

    @activity.defn
    async def answer_tasks(self, _: AnswerTasks) -> None:
        return

    @activity.defn
    async def count_workers(self, _: CountWorkers) -> WorkerCount:
        return WorkerCount(workers=self._mine.case.workers)


def compare(scratch: Path, cases: Sequence[Case]) -> list[Comparison]:
    """Every case beside its simulation; held is the worst of them."""
    real = asyncio.run(_real(scratch / "batches", cases))
    simulated = {case: _simulated(case) for case in cases}
    print(f"the real queue, {CANDIDATES} candidates, beside its simulation")
    print(f"{'bad':>6} {'flaky':>6} {'at once':>8}{'checks':>16}{'per V':>16}{'innocent':>12}")
    for case in cases:
        ours, sim = real[case], simulated[case]
        print(
            f"{case.rate:>6.1%} {case.flaky:>6.0%} {case.workers:>8}"
            f"{ours.checks:>9}{sim.checks:>7}"
            f"{ours.landed / ours.times:>9.2f}{sim.landed / sim.times:>7.2f}"
            f"{ours.innocent:>8}{sim.innocent:>4}"
        )
    of = f"the worst of {len(cases)} cases"
    return [
        Comparison(
            f"checks of the real queue, {of}",
            "simulated",
            [max(real[case].checks / simulated[case].checks for case in cases)],
            [1.0],
            "as many",
            at_most=1,
        ),
        Comparison(
            f"good ones that it turned down, {of}",
            "more than simulated",
            [1.0 + max(real[case].innocent - simulated[case].innocent for case in cases)],
            [1.0],
            "as many",
            at_most=1,
        ),
        Comparison(
            "its time, all cases",
            "checks",
            [sum(real[case].times for case in cases)],
            [sum(simulated[case].times for case in cases)],
            "simulated",
            at_most=1.5,
        ),
    ]


def _simulated(case: Case) -> Came:
    """The same candidates, without a server."""
    weather = case.weather
    queue = Ours(weather, case.workers, case.rate)
    queue.waiting = weather.candidates(CANDIDATES)
    while queue.waiting:
        queue.settle_one()
    return Came(weather.checks, queue.times, queue.landed, weather.innocent)


async def _real(home: Path, cases: Sequence[Case]) -> dict[Case, Came]:
    embedded, stands = Embedded(home, SEARCH_ATTRIBUTES), Stands(cases)
    server = await embedded.start()
    try:
        client = await Client.connect(server.address, data_converter=pydantic_data_converter)
        async with (
            Worker(
                client,
                task_queue=CONTROL,
                workflows=[MergeQueueWorkflow, Listener],
                activities=[stands.answer_tasks, stands.count_workers],
                workflow_runner=workflow_runner(),
            ),
            Worker(client, task_queue=INTEGRATION, activities=[stands.compose_batch, stands.land]),
            Worker(client, task_queue=CHECKS, activities=[stands.run_checks]),
        ):
            await client.start_workflow(
                Listener.run, id=migration_id(GREEN.migration), task_queue=CONTROL
            )
            # Each is there before any begins: what a workflow's first step costs is not a check's.
            queues = [await _opened(client, stand) for stand in stands.of.values()]
            settled = map(_settled, stands.of.values(), queues)
            return dict(zip(cases, await asyncio.gather(*settled), strict=True))
    finally:
        await embedded.stop()


async def _opened(client: Client, stand: Stand) -> WorkflowHandle[MergeQueueWorkflow, QueueState]:
    """A queue that waits with all its candidates."""
    waiting = tuple(stand.candidates())
    state = QueueState(waiting=waiting, failure_rate=stand.case.rate, paused=True)
    begun = QueueInput(
        repository=REPOSITORY, branch=GREEN, spec=SPEC, phase="main", base=BASE, state=state
    )
    queue = await client.start_workflow(
        MergeQueueWorkflow.run, begun, id=stand.case.id, task_queue=CONTROL
    )
    await queue.query(MergeQueueWorkflow.state)
    return queue


async def _settled(stand: Stand, queue: WorkflowHandle[MergeQueueWorkflow, QueueState]) -> Came:
    """What the real queue makes of a case."""
    began = time.perf_counter()
    await queue.signal(PAUSE, False)
    await queue.signal(CLOSE)
    await queue.result()
    times = (time.perf_counter() - began) / CHECK_SECONDS
    return Came(stand.weather.checks, times, stand.landed, stand.innocent)
