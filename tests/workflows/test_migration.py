"""The root planner: what it waits for, what it refuses, when it ends."""

import asyncio
import json

import pytest
from conftest import a_command, until
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from world import rewrite

from activities.adapters.html_report import render_html
from activities.adapters.reporting import render_report
from activities.baselines import baseline_key
from activities.contracts.migration import Stage
from activities.contracts.survey import Unsearched
from activities.contracts.work import TaskStatus as Status
from activities.errors import FINDER_FAILED, permanent
from cli.asking import last_of
from cli.render import outcome_text, status_text
from workflows import options
from workflows.details import markdown, why
from workflows.migration import MigrationWorkflow

APPROVAL = {"spec": {"approvals": ["plan"]}}


async def test_the_plan_waits_for_a_person_and_says_with_which_command(stage):
    world = stage.world("m-approve", a="old")
    handle = await stage.start(world, **APPROVAL)
    progress = await until(handle, lambda p: p.stage is Stage.APPROVAL)
    assert progress.command == "starter.py approve m-approve"
    assert not world.asked("open_workspace")
    described = await handle.describe()
    assert described.typed_search_attributes[options.NEEDS_HUMAN] is True
    assert described.typed_search_attributes[options.STAGE] == "approval"
    await handle.execute_update(MigrationWorkflow.approve, a_command("x1", "fine"))
    report = stage.report(await handle.result())
    assert report.outcome is Stage.DONE
    assert [(d.verb, d.actor, d.reason) for d in report.decisions] == [
        ("approve", "ana@desk", "fine")
    ]


async def test_a_rejected_plan_ends_the_migration_with_the_reason_and_touches_nothing(stage):
    world = stage.world("m-reject", a="old")
    handle = await stage.start(world, **APPROVAL)
    await until(handle, lambda p: p.stage is Stage.APPROVAL)
    await handle.execute_update(MigrationWorkflow.reject, a_command("x1", "too wide"))
    result = await handle.result()
    assert (result.stage, result.reason) == (Stage.CANCELLED, "the plan was rejected: too wide")
    assert world.tip == world.base


async def test_a_command_that_makes_no_sense_is_refused_with_a_reason(stage):
    world = stage.world("m-refuse", a="old")
    gate = world.hold("run_rung")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    for update, said in (
        (MigrationWorkflow.approve, "nothing waits for approval"),
        (MigrationWorkflow.resume, "it is not paused"),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(update, a_command(f"id-{said}"))
        assert said in str(refused.value.cause)
    gate.open()
    assert (await handle.result()).stage is Stage.DONE


async def test_a_command_sent_twice_is_applied_once(stage):
    world = stage.world("m-twice", a="old")
    gate = world.hold("run_rung")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    first = await handle.execute_update(MigrationWorkflow.pause, a_command("same"))
    await handle.execute_update(MigrationWorkflow.resume, a_command("other"))
    again = await handle.execute_update(MigrationWorkflow.pause, a_command("same"))
    assert (first, again) == ("pause: accepted", "pause: accepted")
    gate.open()
    report = stage.report(await handle.result())
    assert [d.verb for d in report.decisions] == ["pause", "resume"]


async def test_until_plan_plans_and_starts_nothing(stage):
    world = stage.world("m-plan", a="old", b="old")
    result = await (await stage.start(world, until="plan")).result()
    assert result.plan.forecast.task_count == 2
    assert result.unbegun == ()
    assert {name for name, _ in world.calls} == {"take_base", "take_survey", "make_plan"}


async def test_a_plan_run_that_fails_says_why_and_writes_no_report(stage):
    world = stage.world("m-no-plan", a="old")
    world.failures["take_survey"] = [permanent(FINDER_FAILED, "the command is not there")]
    result = await (
        await stage.start(world, until="plan", spec={"phases": ("one", "two")})
    ).result()
    assert (result.stage, result.report, result.outlook) == (Stage.FAILED, None, ())
    assert "the command is not there" in result.reason


async def test_a_given_plan_is_refused_when_the_base_moved(stage):
    world = stage.world("m-moved", a="old")
    given = stage.planned(world, ("a.py",))
    world.land_foreign(z="theirs")
    world.base = world.tip
    result = await (await stage.start(world, **given)).result()
    assert result.stage is Stage.FAILED
    assert "PlanRefused" in result.reason
    assert "base moved" in result.reason


async def test_sites_that_appear_meanwhile_are_the_next_cycles(stage):
    world = stage.world("m-cycles", a="old")
    gate = world.hold("run_rung")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    world.land_foreign(b="old")
    gate.open()
    result = await handle.result()
    assert result.landed == 2, "of both cycles"
    report = stage.report(result)
    assert report.cycles == 2
    assert [h.task for h in report.handoffs] == ["c1-0001", "c2-0001"]
    assert world.green == {"a.py": "new", "b.py": "new"}


async def test_a_repository_without_sites_is_done_at_once(stage):
    report = await stage.run(stage.world("m-nothing", a="new"))
    assert (report.outcome, report.handoffs) == (Stage.DONE, ())


@pytest.mark.parametrize("content", ["old", "new"])
async def test_red_results_that_name_no_file_are_leftovers_and_end_the_phases(stage, content):
    world = stage.world(f"m-unplaced-{content}", a=content)
    world.unplaced = ("tests.test_a::test_x",)
    report = await stage.run(world, spec={"phases": ("one", "two")})
    assert report.outcome is Stage.DONE_WITH_LEFTOVERS
    assert report.unplaced == ("tests.test_a::test_x",)
    assert "no task can take" in report.reason
    assert report.unbegun == ("two",)
    assert {asked.phase for asked in world.asked("take_survey")} == {"one"}
    assert world.green == {"a.py": "new"}


async def test_a_done_migration_says_which_of_its_checks_verified_nothing(stage):
    world = stage.world("m-blind", a="old")
    record = json.dumps({"failed": ["exit"], "total": 1}).encode()
    stage.blobs.put_once(world.name, baseline_key("unit"), record)
    world.blind = ("unit",)
    gate = world.hold("run_rung")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    running = await handle.query(MigrationWorkflow.progress)
    said = "check 'unit' failed on the base already, as a whole"
    assert f"NOT VERIFIED {said}" in status_text(running, "")
    assert "not verified  red as a whole on the base already: unit" in markdown(running)
    gate.open()
    result = await handle.result()
    assert (result.stage, result.unverified) == (Stage.DONE, ("unit",))
    assert stage.report(result).blind_checks == ("unit",)
    first, second, *_ = outcome_text(world.name, result).split("\n")
    assert first == "m-blind: done"
    assert second.startswith(f"NOT VERIFIED: {said}")
    assert why(result) == "NOT VERIFIED: red as a whole on the base already: unit"
    assert f"NOT VERIFIED {said}" in status_text(last_of(stage.report(result)), "")


@pytest.mark.parametrize("content", ["old", "new"])
async def test_what_no_finder_looked_into_is_said_wherever_people_look(stage, content):
    world = stage.world(f"m-large-{content}", a=content)
    world.unsearched["one"] = Unsearched.of([f"f{n}.js" for n in range(7)])
    told = "7 files over 20 MiB not searched: f0.js, f1.js, f2.js, f3.js, f4.js and 2 more"
    handle = await stage.start(world, spec={"phases": ("one", "two")})
    result = await handle.result()
    report = stage.report(result)
    assert (result.stage, result.unsearched) == (Stage.DONE, told)
    assert f"warning: {told}" in outcome_text(world.name, result)
    assert told in status_text(last_of(report), "")
    assert f"- **Warning**: {told}" in render_report(report)
    assert told in render_html(report)
    progress = await handle.query(MigrationWorkflow.progress)
    assert told in status_text(progress, "")
    assert told in markdown(progress)


async def test_phases_run_in_order_and_the_next_starts_when_the_sites_are_gone(stage):
    world = stage.world("m-phases", a="old")
    world.rungs = [rewrite()]
    report = await stage.run(world, spec={"phases": ("one", "two")})
    assert (report.outcome, report.unbegun) == (Stage.DONE, ())
    assert [asked.phase for asked in world.asked("take_survey")] == ["one", "one", "two"]


async def test_red_checks_at_the_end_stop_the_migration_short_of_done(stage):
    world = stage.world("m-gate", a="old")
    world.rungs = [rewrite("landing-bad")]
    spec = {"checks": {"unit": {"run": "true", "at": ["task", "end"]}}}
    world.reds = lambda commit, moment, fresh, **_: (
        [("red at the end", None)] if moment == "end" and world.tip == commit else []
    )
    result = await (await stage.start(world, spec=spec)).result()
    assert result.stage is Stage.STOPPED
    assert "red at the end" in result.reason


async def test_temporals_own_cancel_means_the_same_as_ours(stage):
    world = stage.world("m-cancel", a="old")
    gate = world.hold("run_rung")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await handle.cancel()
    result = await handle.result()
    gate.open()
    assert (result.stage, result.reason) == (Stage.CANCELLED, "cancelled through Temporal")
    assert stage.report(result).handoffs[0].status is Status.CANCELLED


async def test_a_base_that_cannot_be_read_fails_the_migration_by_name(stage):
    world = stage.world("m-vanished", a="old")
    world.failures["take_base"] = [ApplicationError("no branch main", type="BaseVanished")]
    with pytest.raises(WorkflowFailureError) as failed:
        await (await stage.start(world)).result()
    assert "no branch main" in str(failed.value.cause.cause)


async def test_a_restarted_migration_counts_on_from_what_has_landed(stage):
    world = stage.world("m-again", a="old", b="old")
    world.per_task = {"c1-0002": lambda tree, task, count: 1}
    first = await stage.run(world)
    assert first.outcome is Stage.DONE_WITH_LEFTOVERS
    second = await stage.run(world)
    assert [h.task for h in second.handoffs] == ["c2-0001"]
    assert world.green == {"a.py": "new", "b.py": "new"}


async def test_a_later_phases_plan_divides_what_is_there_when_its_turn_comes(stage):
    world = stage.world("m-later", a="old", b="old", c="old", d="old")
    world.sites_of = {"one": ("a.py",), "two": ("b.py", "c.py", "d.py")}
    given = stage.planned(world, ("b.py", "c.py"), ("gone.py",), phase="two")
    report = await stage.run(world, spec={"phases": ("one", "two")}, **given)
    claimed = {asked.task: asked.claims for asked in world.asked("open_workspace")}
    assert claimed == {
        "c1-0001": ("a.py",),
        "c2-0001": ("b.py", "c.py"),
        "c3-0001": ("d.py",),
    }, "what the plan does not name is the next cycle's"
    assert report.outcome is Stage.DONE


async def test_a_restarted_migration_goes_on_with_what_is_left_of_its_plan(stage):
    world = stage.world("m-go-on", a="old", b="old")
    world.per_task = {"c1-0002": lambda tree, task, count: 1}
    given = stage.planned(world, ("a.py",), ("b.py",))
    assert (await stage.run(world, **given)).outcome is Stage.DONE_WITH_LEFTOVERS
    second = await stage.run(world, **given)
    assert [h.task for h in second.handoffs] == ["c2-0002"], "its number is the plan's"
    assert world.green == {"a.py": "new", "b.py": "new"}


async def test_an_area_that_dies_each_time_fails_the_migration_with_its_reason(stage):
    world = stage.world("m-deadly", a="old")
    world.failures["find_landed"] = [
        ApplicationError("the hub is gone", type="BlobMissing", non_retryable=True)
        for _ in range(options.MAX_STARTS)
    ]
    result = await (await stage.start(world)).result()
    assert result.stage is Stage.FAILED
    assert f"died {options.MAX_STARTS} times" in result.reason
    assert "the hub is gone" in result.reason
    assert len(world.asked("find_landed")) == options.MAX_STARTS
