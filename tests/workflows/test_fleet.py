"""A fleet: canaries, window, bad ends, and what a person says to all of its migrations."""

import asyncio

import pytest
from conftest import Stage as Theatre
from conftest import a_command
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from activities.contracts.fleet import FleetBounds, FleetInput, FleetState
from activities.contracts.migration import Stage
from tests.service import eventually
from workflows import options
from workflows.fleet import FleetWorkflow
from workflows.migration import MigrationWorkflow


def a_fleet(stage: Theatre, name: str, *repositories: str, **bounds: int):
    """The fleet's input, and a world for each of its repositories."""
    worlds = [stage.world(f"{name}/{repository}", a="old") for repository in repositories]
    members = tuple(stage.given(world) for world in worlds)
    fleet = FleetBounds(**bounds)
    given = FleetInput(
        name=name, objective="Better.", spec_digest="0" * 64, fleet=fleet, members=members
    )
    return given, worlds


async def launch(stage: Theatre, given: FleetInput):
    return await stage.client.start_workflow(
        FleetWorkflow.run, given, id=options.fleet_id(given.name), task_queue=options.CONTROL
    )


async def states(handle) -> list[str]:
    return [row.state for row in (await handle.query(FleetWorkflow.progress)).rows]


async def until_states(handle, *expected: str) -> None:
    """Until the fleet says these states of its migrations."""

    async def as_expected() -> bool:
        return await states(handle) == list(expected)

    await eventually(as_expected)


async def test_the_canary_goes_alone_and_the_rest_in_a_window_when_it_has_ended_well(stage):
    given, worlds = a_fleet(stage, "f-order", "a", "b", "c", "d", concurrency=2)
    gates = [world.hold("run_rung") for world in worlds]
    handle = await launch(stage, given)
    await asyncio.wait_for(gates[0].reached.wait(), 20)
    assert await states(handle) == ["running", "waiting", "waiting", "waiting"]
    gates[0].open()
    await until_states(handle, "done", "running", "running", "waiting")
    gates[2].open()
    await until_states(handle, "done", "running", "done", "running")
    for gate in gates:
        gate.open()
    result = await handle.result()
    assert result.stage is Stage.DONE
    assert [(row.name, row.landed, row.sites_left) for row in result.rows] == [
        (f"f-order/{name}", 1, 0) for name in "abcd"
    ]
    assert [world.green for world in worlds] == [{"a.py": "new"}] * 4
    member = stage.client.get_workflow_handle_for(MigrationWorkflow.run, "migration/f-order/b")
    attributes = (await member.describe()).typed_search_attributes
    assert attributes[options.MIGRATION_NAME] == "f-order/b"
    assert stage.report(await member.result()).name == "f-order/b"


async def test_a_canary_that_ends_badly_keeps_the_rest_from_starting(stage):
    given, worlds = a_fleet(stage, "f-canary", "a", "b")
    worlds[0].failures["take_base"] = [ApplicationError("no branch main", type="BaseVanished")]
    result = await (await launch(stage, given)).result()
    assert (result.stage, result.reason) == (
        Stage.STOPPED,
        "the canary f-canary/a ended failed",
    )
    assert [row.state for row in result.rows] == ["failed", "not started"]
    assert "no branch main" in result.rows[0].reason
    assert not worlds[1].calls


async def test_no_more_are_started_after_so_many_that_ended_badly(stage):
    given, worlds = a_fleet(stage, "f-bad", *"abcd", canary=0, concurrency=1, stop_after=2)
    for world in worlds[1:3]:
        world.failures["make_plan"] = [
            ApplicationError("refused", type="PlanRefused", non_retryable=True)
        ]
    result = await (await launch(stage, given)).result()
    assert [row.state for row in result.rows] == ["done", "failed", "failed", "not started"]
    assert "2 of them ended badly: f-bad/b, f-bad/c" in result.reason


async def test_pause_resume_and_cancel_reach_all_that_run_and_start_no_more(stage):
    given, worlds = a_fleet(stage, "f-told", "a", "b", "c", canary=0, concurrency=2)
    gates = [world.hold("run_rung") for world in worlds]
    handle = await launch(stage, given)
    for gate in gates[:2]:
        await asyncio.wait_for(gate.reached.wait(), 20)
    await handle.execute_update(FleetWorkflow.pause, a_command("p1", "lunch"))
    progress = await handle.query(FleetWorkflow.progress)
    assert progress.command == "starter.py resume f-told"
    members = [
        stage.client.get_workflow_handle_for(MigrationWorkflow.run, f"migration/f-told/{name}")
        for name in "ab"
    ]

    async def all_wait() -> bool:
        return all([(await m.query(MigrationWorkflow.progress)).waiting_for for m in members])

    await eventually(all_wait)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(FleetWorkflow.pause, a_command("p2"))
    assert "paused already" in str(refused.value.cause)
    gates[0].open()
    await handle.execute_update(FleetWorkflow.resume, a_command("r1"))
    await until_states(handle, "done", "running", "running")
    await handle.execute_update(FleetWorkflow.cancel, a_command("c1", "enough"))
    result = await handle.result()
    for gate in gates:
        gate.open()
    assert (result.stage, result.reason) == (Stage.CANCELLED, "enough")
    assert [row.state for row in result.rows] == ["done", "cancelled", "cancelled"]
    report = stage.report(await members[1].result())
    assert [(d.verb, d.actor) for d in report.decisions] == [
        ("pause", "ana@desk"),
        ("resume", "ana@desk"),
        ("cancel", "ana@desk"),
    ]


async def test_a_fleet_that_goes_on_in_a_fresh_run_finds_those_that_ended_meanwhile(stage):
    given, worlds = a_fleet(stage, "f-again", "a", "b", canary=0, concurrency=1)
    gate = worlds[0].hold("run_rung")
    handle = await launch(stage, given)
    await asyncio.wait_for(gate.reached.wait(), 20)
    state = (await handle.query(FleetWorkflow.progress)).rows
    await handle.terminate()
    gate.open()
    await stage.client.get_workflow_handle("migration/f-again/a").result()
    again = given.model_copy(update={"state": FleetState(rows=state, started_at="then")})
    result = await (await launch(stage, again)).result()
    assert [(row.state, row.landed) for row in result.rows] == [("done", 1), ("done", 1)]
    assert len(worlds[0].asked("take_base")) == 1


async def test_a_fleet_whose_parent_died_starts_its_migrations_anew_from_what_has_landed(stage):
    given, worlds = a_fleet(stage, "f-dead", "a", "b")
    gate = worlds[0].hold("run_rung")
    handle = await launch(stage, given)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await handle.terminate()
    again = await launch(stage, given)
    await asyncio.sleep(0)
    gate.open()
    result = await again.result()
    assert [row.state for row in result.rows] == ["done", "done"]
    assert [world.green for world in worlds] == [{"a.py": "new"}] * 2


async def test_temporals_own_cancel_of_a_fleet_cancels_its_migrations(stage):
    given, worlds = a_fleet(stage, "f-cancel", "a", "b")
    gate = worlds[0].hold("run_rung")
    handle = await launch(stage, given)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await handle.cancel()
    result = await handle.result()
    gate.open()
    assert [row.state for row in result.rows] == ["cancelled", "not started"]
