"""A pause costs nothing: a week of it adds no event to any history, no workspace is held, and it is
none of the days that a migration may be at work.
"""

import asyncio
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from conftest import Stage as Theatre
from conftest import a_command, patient_stage, rested, until
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment
from world import World, rewrite, write

from activities.contracts.commands import Aimed, SetLimits
from activities.contracts.migration import MigrationState, Stage
from activities.contracts.work import TaskStatus as Status
from tests.service import eventually
from workflows import options
from workflows.migration import MigrationWorkflow
from workflows.parked import ParkedTaskWorkflow

SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
DAY = 24 * 3600
WEEK = 7 * DAY


@pytest_asyncio.fixture(loop_scope="session")
async def alone(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[tuple[Theatre, WorkflowEnvironment]]:
    """A server of its own: what other tests left open there would wake all through the week."""
    async with patient_stage(tmp_path_factory) as stage:
        yield stage


def queue_of(world: World) -> str:
    return options.queue_id(f"{world.name}-00000000", f"whimbrel/{world.name}")


async def kind_of(stage: Theatre, id: str) -> str:
    return (await stage.client.get_workflow_handle(id).describe()).workflow_type


async def lengths(stage: Theatre, ids: list[str]) -> dict[str, int]:
    """Events in the history of each."""
    described = [await stage.client.get_workflow_handle(id).describe() for id in ids]
    return {id: found.history_length for id, found in zip(ids, described, strict=True)}


async def settled(stage: Theatre, ids: list[str]) -> dict[str, int]:
    """Their lengths, once a second of real time adds nothing: everybody has heard of the pause."""
    found: list[dict[str, int]] = [{}]

    async def is_still() -> bool:
        found.append(await lengths(stage, ids))
        await asyncio.sleep(1)
        return found[-2] == found[-1]

    await eventually(is_still, 60)
    return found[-1]


async def a_week_adds(
    stage: Theatre, env: WorkflowEnvironment, ids: list[str]
) -> dict[str, tuple[int, int]]:
    """What a week made longer: id → events before and after."""
    before = await settled(stage, ids)
    await env.sleep(WEEK)
    after = await settled(stage, ids)
    return {id: (before[id], after[id]) for id in ids if before[id] != after[id]}


async def test_a_week_of_pause_adds_no_event_to_any_history(alone):
    """One task has asked to land, one came out of its rung into the pause, one has not started."""
    stage, env = alone
    world = stage.world("w-week", a="old", b="old", c="old", d="old")
    world.needs = {"c1-0004": ("c1-0003",)}
    world.rungs = [rewrite(), write(c="new")]
    world.per_task = {"c1-0003": rewrite("bad")}
    compose = world.hold("compose_batch")
    rungs = [world.hold("run_rung", task=f"c1-000{n}") for n in (2, 3)]
    handle = await stage.start(world, spec={"limits": {"days": 1}})
    await asyncio.wait_for(compose.reached.wait(), 60)
    rungs[0].open()
    queue = stage.client.get_workflow_handle(queue_of(world))

    async def one_waits() -> bool:
        return bool((await queue.query("state"))["waiting"])

    await eventually(one_waits, 60)
    await asyncio.wait_for(rungs[1].reached.wait(), 60)
    await handle.execute_update(MigrationWorkflow.pause, a_command("p1", "holidays"))
    compose.open()
    rungs[1].open()
    await rested(world)
    tasks = [options.task_id(world.name, f"c1-000{n}", 0) for n in (2, 3)]
    everybody = [handle.id, options.area_id(world.name, "root"), queue.id, *tasks]
    assert await a_week_adds(stage, env, everybody) == {}
    assert [await kind_of(stage, id) for id in tasks] == [ParkedTaskWorkflow.__name__] * 2
    await handle.execute_update(MigrationWorkflow.resume, a_command("r1"))
    report = stage.report(await handle.result())
    assert [h.status for h in report.handoffs] == [Status.LANDED] * 4
    assert all(h.bounces == 0 for h in report.handoffs)
    assert [len(h.attempts) for h in report.handoffs] == [1, 1, 2, 1]
    first, second = (r for r in world.asked("run_rung") if r.task.id == "c1-0003")
    assert (first.rung, second.rung) == (0, 1)
    red = report.handoffs[2].attempts[0]
    assert (second.workspace.start, second.evidence) == (red.checkpoint, red.evidence)
    assert report.handoffs[2].seconds > WEEK


def at_work_for(seconds: float) -> dict[str, MigrationState]:
    """A migration that continues after so long a time at work."""
    return {"state": MigrationState(worked=seconds)}


async def test_when_its_days_are_over_nothing_is_begun_and_what_has_landed_stays(stage):
    """One task has landed, one is paused alone, one waits for that."""
    world = stage.world("w-days", a="old", b="old", c="old")
    world.needs = {"c1-0003": ("c1-0002",)}
    gate = world.hold("run_rung", task="c1-0002")
    handle = await stage.start(world, spec={"limits": {"days": 2}}, **at_work_for(DAY + 60))
    await asyncio.wait_for(gate.reached.wait(), 60)
    await handle.execute_update(MigrationWorkflow.pause, Aimed(task="c1-0002"))
    paused = options.task_id(world.name, "c1-0002", 0)

    async def is_told() -> bool:
        events = (await stage.client.get_workflow_handle(paused).fetch_history()).events
        return any(event.event_type == SIGNALED for event in events)

    await eventually(is_told, 60)
    gate.open()

    async def is_parked() -> bool:
        return await kind_of(stage, paused) == ParkedTaskWorkflow.__name__

    await eventually(is_parked, 60)
    await until(handle, lambda progress: progress.counts.landed == 1, 60)
    await handle.execute_update(MigrationWorkflow.set_limits, SetLimits(id="l1", days=1))
    result = await asyncio.wait_for(handle.result(), 60)
    assert (result.stage, result.landed) == (Stage.STOPPED, 1)
    assert "1 days at work (limits.days)" in result.reason
    report = stage.report(result)
    assert [h.status for h in report.handoffs] == [Status.LANDED] + [Status.CANCELLED] * 2


async def test_a_task_that_is_at_work_when_the_days_are_over_ends(stage):
    """Nobody says anything meanwhile: the time itself ends it."""
    world = stage.world("w-over", a="old")
    world.hold("run_rung")
    handle = await stage.start(world, spec={"limits": {"days": 1}}, **at_work_for(DAY - 1))
    result = await asyncio.wait_for(handle.result(), 60)
    assert (result.stage, result.landed) == (Stage.STOPPED, 0)
    assert [h.status for h in stage.report(result).handoffs] == [Status.CANCELLED]
