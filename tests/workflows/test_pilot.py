"""The pilot runs first; what it taught decides about the rest, and nothing of it is lost."""

from conftest import Stage, a_command, until
from temporalio.client import WorkflowHandle
from world import World

from activities.contracts.children import REPORT, Report
from activities.contracts.migration import Stage as At
from activities.contracts.work import TaskStatus as Status
from tests.workflows.test_continuing import STALE, continued, grow, runs_of
from workflows import options
from workflows.migration import MigrationWorkflow

FILES = {"a": "old", "b": "old", "c": "old", "d": "old"}


APPROVED = {"spec": {"pilot": 2, "approvals": ["pilot"]}}
FREE = {"spec": {"pilot": 2}}


def started(world: World) -> set[str]:
    return {asked.task for asked in world.asked("open_workspace")}


async def waiting(handle: WorkflowHandle) -> object:
    return await until(handle, lambda p: p.stage is At.APPROVAL)


async def test_a_pilot_waits_for_a_person_and_shows_what_it_taught(stage: Stage) -> None:
    world = stage.world("p-approve", **FILES)
    world.per_task = {"c1-0002": lambda tree, task, count: 1}
    handle = await stage.start(world, **APPROVED)
    progress = await waiting(handle)
    assert progress.command == "starter.py approve p-approve"
    assert "1 of 2 tasks of the pilot landed" in progress.waiting_for
    assert (progress.pilot.rest, progress.pilot.sites_left, progress.pilot.sites) == (2, 3, 4)
    assert progress.pilot.undone
    assert started(world) == {"c1-0001", "c1-0002"}
    described = await handle.describe()
    assert described.typed_search_attributes[options.NEEDS_HUMAN] is True
    details = await handle.query("__temporal_workflow_metadata")
    assert "the rest    2 tasks in 1 round:" in details.current_details
    await handle.execute_update(MigrationWorkflow.approve, a_command("x1", "good"))
    report = stage.report(await handle.result())
    assert report.outcome is At.DONE_WITH_LEFTOVERS
    assert [h.task for h in report.handoffs if h.status is Status.LANDED] == [
        *("c1-0001", "c1-0003", "c1-0004")
    ]
    assert [(p.landed, p.tasks, p.asked, p.decision) for p in report.pilots] == [(1, 2, True, "x1")]


async def test_a_rejected_pilot_ends_the_migration_and_what_landed_stays(stage: Stage) -> None:
    world = stage.world("p-reject", **FILES)
    handle = await stage.start(world, **APPROVED)
    await waiting(handle)
    await handle.execute_update(MigrationWorkflow.reject, a_command("x1", "too slow"))
    result = await handle.result()
    assert (result.stage, result.reason) == (At.CANCELLED, "the pilot was rejected: too slow")
    assert sorted(world.landed()) == ["c1-0001", "c1-0002"]
    assert started(world) == {"c1-0001", "c1-0002"}
    ended = {h.task: h.status for h in stage.report(result).handoffs}
    assert ended["c1-0003"] is ended["c1-0004"] is Status.CANCELLED


async def test_without_an_approval_the_rest_follows_when_one_task_landed(stage: Stage) -> None:
    world = stage.world("p-free", **FILES)
    gate = world.hold("run_rung", task="c1-0002")
    handle = await stage.start(world, **FREE)
    await until(handle, lambda p: p.counts.landed == 1)
    assert started(world) == {"c1-0001", "c1-0002"}
    gate.open()
    report = stage.report(await handle.result())
    assert report.outcome is At.DONE
    assert len(world.landed()) == 4


async def test_without_an_approval_a_pilot_that_landed_nothing_stops_it_all(stage: Stage) -> None:
    world = stage.world("p-none", **FILES)
    world.per_task = {f"c1-000{n}": lambda tree, task, count: 1 for n in (1, 2)}
    result = await (await stage.start(world, **FREE)).result()
    assert result.stage is At.STOPPED
    assert "no task of the pilot landed" in result.reason
    assert started(world) == {"c1-0001", "c1-0002"}
    assert world.tip == world.base


async def test_a_cancel_ends_a_pilot_that_waits(stage: Stage) -> None:
    world = stage.world("p-cancel", **FILES)
    handle = await stage.start(world, **APPROVED)
    await waiting(handle)
    await handle.execute_update(MigrationWorkflow.cancel, a_command("x1", "enough"))
    result = await handle.result()
    assert (result.stage, result.reason) == (At.CANCELLED, "enough")
    assert started(world) == {"c1-0001", "c1-0002"}


async def test_a_pilot_outlives_new_runs_of_its_area_and_its_migration(stage: Stage) -> None:
    world = stage.world("p-long", **FILES)
    handle = await stage.start(world, **APPROVED)
    await waiting(handle)
    area = stage.client.get_workflow_handle(options.area_id("p-long", "root"))
    await grow(area, REPORT, STALE)
    await grow(handle, REPORT, Report(child="root", start=9, epoch="of another life"))
    await area.query("rows")
    assert (await waiting(handle)).pilot.tasks == 2
    assert started(world) == {"c1-0001", "c1-0002"}
    gate = world.hold("run_rung", "c1-0004")
    await handle.execute_update(MigrationWorkflow.approve, a_command("x1"))
    await continued(stage, handle.id)  # while nobody reports: it leaves no letter unread
    gate.open()
    report = stage.report(await handle.result())
    assert report.outcome is At.DONE
    assert len(report.pilots) == 1
    assert await runs_of(stage, area.id) > 1


async def test_an_area_that_dies_while_the_pilot_waits_still_holds_the_rest_back(
    stage: Stage,
) -> None:
    world = stage.world("p-dies", **FILES)
    handle = await stage.start(world, **APPROVED)
    await waiting(handle)
    area = stage.client.get_workflow_handle(options.area_id("p-dies", "root"))
    found = world.asked("find_landed")
    await area.terminate("the test kills it")
    await world.until(lambda: len(world.asked("find_landed")) > len(found))
    assert (await waiting(handle)).counts.waiting == 2
    await handle.execute_update(MigrationWorkflow.approve, a_command("x1"))
    report = stage.report(await handle.result())
    assert report.outcome is At.DONE
    assert len(world.landed()) == 4
