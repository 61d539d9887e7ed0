"""The single writer: batches, bisection, duplicates, withdrawal."""

import asyncio
from types import SimpleNamespace

import pytest_asyncio
from builders import REPOSITORY, a_branch, a_spec
from conftest import asking
from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from world import rewrite, write

from activities.contracts.children import CLOSE, ENQUEUE, WITHDRAW, QueueInput, QueueState
from activities.contracts.landing import Candidate, Outcome
from activities.contracts.work import TaskStatus as Status
from workflows import options
from workflows.merge_queue import MergeQueueWorkflow
from workflows.migration import MigrationWorkflow


async def test_tasks_that_are_ready_together_land_as_one_checked_commit(stage):
    world = stage.world("q-batch", a="old", b="old", c="old", d="old")
    gate = world.hold("compose_batch")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await asking(stage, world, 4)
    gate.open()
    report = stage.report(await handle.result())
    assert {h.status for h in report.handoffs} == {Status.LANDED}
    assert len(world.chain()) <= 2
    assert sorted(world.landed()) == ["c1-0001", "c1-0002", "c1-0003", "c1-0004"]


async def test_the_one_bad_candidate_of_a_batch_is_bounced_and_the_rest_lands(stage):
    files = dict.fromkeys("abcdef", "old")
    world = stage.world("q-bisect", **files)
    world.per_task["c1-0004"] = write(d="landing-bad")
    gate = world.hold("compose_batch")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await asking(stage, world, 6)
    gate.open()
    report = stage.report(await handle.result())
    statuses = {h.task: h.status for h in report.handoffs}
    assert statuses.pop("c1-0004") is Status.NEEDS_PERSON
    assert set(statuses.values()) == {Status.LANDED}
    assert world.green == {f"{n}.py": "old" if n == "d" else "new" for n in files}


async def test_a_flaky_candidate_is_asked_once_more_and_lands(stage, listening):
    world = stage.world("q-flaky", a="old")
    listener = await listening.listener("q-flaky-task")
    queue = await listening.queue(world)
    candidate = listening.candidate(world, "c1-0001", "q-flaky-task", a="flaky")
    await queue.signal(ENQUEUE, candidate)
    assert (await listener.result())[0]["outcome"] == Outcome.LANDED
    assert [asked.fresh for asked in world.asked("run_checks")] == [0, 1]
    await queue.signal(CLOSE)


async def test_a_flaky_check_is_told_by_status_and_report(stage):
    world = stage.world("q-flaky-told", a="old")
    world.rungs = [write(a="landing-flaky")]
    handle = await stage.start(world)
    report = stage.report(await handle.result())
    assert report.handoffs[0].status is Status.LANDED
    assert report.flaky_landings == {"unit": 1}
    assert (await handle.query(MigrationWorkflow.progress)).flaky == {"unit": 1}


async def test_whom_a_red_batch_did_not_get_to_is_the_next_ones_first(stage, listening):
    """Two urgent bad ones come after a patient one, while another batch is in hand."""
    world = stage.world("q-place", a="old", b="old", c="old", d="old")
    gate = world.hold("compose_batch")
    listener = await listening.listener("q-place-task", expected=4)
    queue = await listening.queue(world)

    async def asks(task: str, priority: int, **files: str) -> None:
        made = listening.candidate(world, task, "q-place-task", **files)
        await queue.signal(ENQUEUE, made.model_copy(update={"priority": priority}))

    await asks("c1-in-hand", 3, d="new")
    await asyncio.wait_for(gate.reached.wait(), 20)
    await asks("c1-patient", 9, a="new")
    await asks("c1-bad1", 1, b="landing-bad")
    await asks("c1-bad2", 1, c="landing-bad")
    gate.open()
    outcomes = {landing["task"]: landing["outcome"] for landing in await listener.result()}
    bad = {"c1-bad1": Outcome.RED, "c1-bad2": Outcome.RED}
    assert outcomes == {"c1-in-hand": Outcome.LANDED, "c1-patient": Outcome.LANDED, **bad}
    composed = [[c.task for c in asked.candidates] for asked in world.asked("compose_batch")]
    assert composed[1:] == [["c1-bad1", "c1-bad2", "c1-patient"], ["c1-patient", "c1-bad2"]]
    await queue.signal(CLOSE)


@workflow.defn
class Listener:
    """Stands for a task: keeps what the queue tells it."""

    def __init__(self) -> None:
        self.heard: list[dict] = []

    @workflow.run
    async def run(self, expected: int) -> list[dict]:
        await workflow.wait_condition(lambda: len(self.heard) >= expected)
        return self.heard

    @workflow.signal
    def landed(self, landing: dict) -> None:
        self.heard.append(landing)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def listening(stage):
    """A worker for listeners, and how to start one and a queue."""

    async def listener(id: str, expected: int = 1):
        return await stage.client.start_workflow(
            Listener.run, expected, id=id, task_queue="listeners"
        )

    async def queue(world, state: QueueState | None = None):
        branch = a_branch(world.name)
        asked = QueueInput(
            repository=REPOSITORY,
            branch=branch,
            spec=stage.blobs.put_model(world.name, a_spec(world.name)),
            phase="main",
            base=world.base,
            state=state or QueueState(),
        )
        return await stage.client.start_workflow(
            MergeQueueWorkflow.run,
            asked,
            id=options.queue_id(REPOSITORY.id, branch.name),
            task_queue=options.CONTROL,
        )

    def candidate(world, task: str, reply_to: str, **files: str) -> Candidate:
        changed = {f"{n}.py": content for n, content in files.items()}
        commit = world.commit({**world.tree(world.base), **changed}, (world.base,), task)
        return Candidate(
            migration=world.name,
            task=task,
            commit=commit,
            base=world.base,
            title=task,
            claims=tuple(changed),
            reply_to=reply_to,
        )

    async with Worker(
        stage.client,
        task_queue="listeners",
        workflows=[Listener],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield SimpleNamespace(listener=listener, queue=queue, candidate=candidate)


async def test_a_repeated_candidate_is_answered_from_git_and_lands_once(stage, listening):
    world = stage.world("q-repeat", a="old")
    listener = await listening.listener("q-repeat-task")
    queue = await listening.queue(world)
    candidate = listening.candidate(world, "c1-0001", "q-repeat-task", a="new")
    await queue.signal(ENQUEUE, candidate)
    (first,) = await listener.result()
    listener = await listening.listener("q-repeat-task")
    await queue.signal(ENQUEUE, candidate)
    (again,) = await listener.result()
    await queue.signal(CLOSE)
    assert first["outcome"] == again["outcome"] == Outcome.LANDED
    assert first["commit"] == again["commit"] == world.tip
    assert len(world.chain()) == 1


async def test_a_refused_candidate_is_answered_before_any_check_runs(stage, listening):
    world = stage.world("q-refused", a="old")
    listener = await listening.listener("q-refused-task")
    queue = await listening.queue(world)
    candidate = listening.candidate(world, "c1-0001", "q-refused-task", a="forbidden")
    await queue.signal(ENQUEUE, candidate)
    (landing,) = await listener.result()
    assert (landing["outcome"], landing["reasons"]) == (Outcome.VIOLATION, ["protected: a.py"])
    assert not world.asked("run_checks")
    await queue.signal(CLOSE)
    assert (await queue.result()).bounced == 1


async def test_what_is_not_composed_yet_can_be_withdrawn_and_is_answered(stage, listening):
    world = stage.world("q-withdraw", a="old", b="old")
    gate = world.hold("compose_batch")
    listener = await listening.listener("q-withdraw-task", expected=2)
    queue = await listening.queue(world)
    first = listening.candidate(world, "c1-0001", "q-withdraw-task", a="new")
    second = listening.candidate(world, "c1-0002", "q-withdraw-task", b="new")
    await queue.signal(ENQUEUE, first)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await queue.signal(ENQUEUE, second)
    await queue.signal(WITHDRAW, second)
    gate.open()
    await queue.signal(CLOSE)
    answers = {landing["task"]: landing["outcome"] for landing in await listener.result()}
    assert answers == {"c1-0001": Outcome.LANDED, "c1-0002": Outcome.WITHDRAWN}
    assert world.green == {"a.py": "new", "b.py": "old"}


async def test_whom_a_red_batch_did_not_get_to_can_still_be_withdrawn(stage, listening):
    """All are withdrawn while they are in checks; for the first two it is too late."""
    world = stage.world("q-late", a="old", b="old", c="old")
    gate = world.hold("run_checks")
    listener = await listening.listener("q-late-task", expected=3)
    files = {"c1-0001": {"a": "new"}, "c1-0002": {"b": "landing-bad"}, "c1-0003": {"c": "new"}}
    asked = [listening.candidate(world, t, "q-late-task", **f) for t, f in files.items()]
    queue = await listening.queue(world, QueueState(waiting=tuple(asked)))
    await asyncio.wait_for(gate.reached.wait(), 20)
    for candidate in asked:
        await queue.signal(WITHDRAW, candidate)
    gate.open()
    answers = {landing["task"]: landing["outcome"] for landing in await listener.result()}
    await queue.signal(CLOSE)
    assert list(answers.values()) == [Outcome.LANDED, Outcome.RED, Outcome.WITHDRAWN]
    assert len(world.asked("compose_batch")) == 1


async def test_a_task_that_is_gone_does_not_stop_the_queue(stage, listening):
    world = stage.world("q-gone", a="old", b="old")
    queue = await listening.queue(world)
    await queue.signal(ENQUEUE, listening.candidate(world, "c1-0001", "nobody-here", a="new"))
    listener = await listening.listener("q-gone-task")
    await queue.signal(ENQUEUE, listening.candidate(world, "c1-0002", "q-gone-task", b="new"))
    assert (await listener.result())[0]["outcome"] == Outcome.LANDED
    await queue.signal(CLOSE)
    assert (await queue.result()).landed == 2


async def test_a_continued_queue_still_has_who_waits_and_that_it_closes(stage, listening):
    world = stage.world("q-continued", a="old")
    listener = await listening.listener("q-continued-task")
    candidate = listening.candidate(world, "c1-0001", "q-continued-task", a="new")
    carried = QueueState(waiting=(candidate,), closing=True, landed=7)
    queue = await listening.queue(world, carried)
    assert (await listener.result())[0]["outcome"] == Outcome.LANDED
    assert (await queue.result()).landed == 8


async def test_a_landing_that_is_tried_twice_lands_once(stage):
    world = stage.world("q-twice", a="old")
    world.rungs = [rewrite()]
    world.failures["land"] = [ApplicationError("the hub is away", type="OSError")]
    report = await stage.run(world)
    assert report.handoffs[0].status is Status.LANDED
    assert len(world.chain()) == 1
    assert len(world.asked("land")) == 2
