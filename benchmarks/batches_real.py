"""The real merge queue, on a real server, with the candidates and the checks of the simulation.

`MergeQueueWorkflow` as it is; composing and landing only keep count (`landing` measures them), and
a check takes a fixed time and says what the simulation's would. Without flaky checks it has to need
exactly the checks that the simulation needs; the time it takes more is what the engine costs.
"""

import asyncio
import time
from pathlib import Path

from temporalio import activity
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from activities.adapters.embedded import Embedded
from activities.contracts.base import BlobRef
from activities.contracts.children import CLOSE, QueueInput, QueueState
from activities.contracts.evidence import Evidence
from activities.contracts.landing import Batch, Candidate
from activities.contracts.messages import AnswerTasks, CountWorkers, WorkerCount
from activities.contracts.repository import GreenBranch, Repository
from activities.contracts.requests import ComposeBatch, Land, Landed, RunChecks
from benchmarks.measuring import Comparison
from benchmarks.simulated_queue import Asking, Ours, Weather, evidence_of
from worker import workflow_runner
from workflows.merge_queue import MergeQueueWorkflow
from workflows.options import CHECKS, CONTROL, INTEGRATION, SEARCH_ATTRIBUTES

CHECK_SECONDS = 1.0
CANDIDATES = 150
CASES = ((0.02, 1), (0.02, 4), (0.1, 4))
"""Share of bad candidates, workers that check."""
BASE = "0" * 40
REPOSITORY = Repository(url="/bench", id="batches-00000000")
GREEN = GreenBranch(repository=REPOSITORY.id, name="whimbrel/bench", migration="bench")
SPEC = BlobRef(migration="bench", sha256="4" * 64, size=1)


class Stand:
    """The queue's surroundings: a hub that only counts, checks that take their time."""

    def __init__(self, weather: Weather, check_workers: int) -> None:
        self.weather = weather
        self._workers = check_workers
        self._members = {f"c1-{a.number:04}": a for a in weather.candidates(CANDIDATES)}
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

    @activity.defn
    async def compose_batch(self, request: ComposeBatch) -> Batch:
        prefixes: list[str] = []
        members = [self._members[c.task] for c in request.candidates]
        for length in range(1, len(members) + 1):
            prefixes.append(f"{len(self._prefixes):040x}")
            self._prefixes[prefixes[-1]] = members[:length]
        ids = tuple(candidate.id for candidate in request.candidates)
        return Batch(tip=BASE, members=ids, prefixes=tuple(prefixes))

    @activity.defn
    async def run_checks(self, request: RunChecks) -> Evidence:
        await asyncio.sleep(CHECK_SECONDS)
        return evidence_of(self.weather.failures(self._prefixes[request.commit]))

    @activity.defn
    async def land(self, request: Land) -> Landed:
        return Landed(tip=request.new)

    @activity.defn
    async def answer_tasks(self, _: AnswerTasks) -> None:
        return

    @activity.defn
    async def count_workers(self, _: CountWorkers) -> WorkerCount:
        return WorkerCount(workers=self._workers)


def compare(scratch: Path) -> list[Comparison]:
    """Checks and time of each case, against the simulation's."""
    return asyncio.run(_compare(scratch / "batches"))


async def _compare(home: Path) -> list[Comparison]:
    embedded = Embedded(home, SEARCH_ATTRIBUTES)
    server = await embedded.start()
    found: list[Comparison] = []
    try:
        client = await Client.connect(server.address, data_converter=pydantic_data_converter)
        for rate, workers in CASES:
            checks, times = await _real(client, rate, workers)
            expected, expected_times = _simulated(rate, workers)
            case = f"{CANDIDATES} candidates, {rate:.0%} bad, {workers} at once"
            found += [
                Comparison(
                    f"checks of the real queue: {case}",
                    "checks",
                    [checks],
                    [expected],
                    "simulated",
                    at_most=1,
                ),
                Comparison(
                    f"its time: {case}", "V", [times], [expected_times], "simulated", at_most=1.5
                ),
            ]
    finally:
        await embedded.stop()
    return found


def _simulated(rate: float, workers: int) -> tuple[int, int]:
    """Checks, and time in checks, of the simulation on the same candidates."""
    weather = Weather(rate, 0.0, seed=workers)
    queue = Ours(weather, workers, rate)
    queue.waiting = weather.candidates(CANDIDATES)
    while queue.waiting:
        queue.settle_one()
    return weather.checks, queue.times


async def _real(client: Client, rate: float, workers: int) -> tuple[int, float]:
    """Checks, and time in checks, of the real queue."""
    stand = Stand(Weather(rate, 0.0, seed=workers), workers)
    state = QueueState(waiting=tuple(stand.candidates()), failure_rate=rate)
    begun = QueueInput(
        repository=REPOSITORY, branch=GREEN, spec=SPEC, phase="main", base=BASE, state=state
    )
    async with (
        Worker(
            client,
            task_queue=CONTROL,
            workflows=[MergeQueueWorkflow],
            activities=[stand.answer_tasks, stand.count_workers],
            workflow_runner=workflow_runner(),
        ),
        Worker(client, task_queue=INTEGRATION, activities=[stand.compose_batch, stand.land]),
        Worker(client, task_queue=CHECKS, activities=[stand.run_checks]),
    ):
        began = time.perf_counter()
        queue = await client.start_workflow(
            MergeQueueWorkflow.run, begun, id=f"batches/{rate}/{workers}", task_queue=CONTROL
        )
        await queue.signal(CLOSE)
        await queue.result()
        times = (time.perf_counter() - began) / CHECK_SECONDS
    return stand.weather.checks, times
