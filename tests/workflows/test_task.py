"""One task's way from the ladder to a landing, told by the migration's report."""

import asyncio

import pytest
from temporalio.exceptions import ApplicationError
from world import fail, rewrite, write

from activities.contracts.migration import Stage
from activities.contracts.work import RungOutcome as Out
from activities.contracts.work import TaskStatus as Status


def outcomes(handoff):
    return [attempt.outcome for attempt in handoff.attempts]


async def only(stage, world, **more):
    """The handoff of a migration of one task."""
    report = await stage.run(world, **more)
    (handoff,) = report.handoffs
    return handoff, report


async def test_a_green_first_rung_lands(stage):
    world = stage.world("t-green", a="old")
    handoff, report = await only(stage, world)
    assert (handoff.status, report.outcome) == (Status.LANDED, Stage.DONE)
    assert world.green == {"a.py": "new"}
    assert handoff.landed == world.tip
    assert not world.workspaces


async def test_the_next_rung_goes_on_from_the_checkpoint_of_one_that_left_red_checks(stage):
    world = stage.world("t-second", a="old")
    world.rungs = [write(a="bad"), write(a="new")]
    handoff, _ = await only(stage, world)
    assert outcomes(handoff) == [Out.CHANGED, Out.CHANGED]
    first, second = world.asked("open_workspace")
    assert second.start == handoff.attempts[0].checkpoint != first.start
    assert world.green == {"a.py": "new"}


@pytest.mark.parametrize("finder", [{"command": "look"}, {"codemod": True}, {"failing": "unit"}])
async def test_the_next_rung_goes_on_where_one_left_sites_that_only_a_run_finds(stage, finder):
    world = stage.world("t-left-" + next(iter(finder)), a="old", b="old")
    world.rungs = [write(a="new"), write(b="new")]
    spec = {"find": [finder]}
    planned = stage.planned(world, ("a.py", "b.py"))
    handoff, report = await only(stage, world, spec=spec, **planned)
    assert [attempt.sites_left for attempt in handoff.attempts] == [1, 0]
    assert (handoff.status, handoff.left, report.outcome) == (Status.LANDED, (), Stage.DONE)
    assert world.green == {"a.py": "new", "b.py": "new"}


async def test_an_attempt_that_changed_nothing_does_not_say_that_no_site_is_left(stage):
    world = stage.world("t-unasked", a="old")
    world.rungs = [lambda tree, task, count: None]
    handoff, _ = await only(stage, world, spec={"find": [{"command": "look"}]})
    assert [attempt.sites_left for attempt in handoff.attempts] == [None]
    assert (handoff.status, handoff.left) == (Status.NEEDS_PERSON, ("a.py",))


async def test_nothing_changed_anywhere_needs_a_person_while_there_are_sites(stage):
    world = stage.world("t-nothing", a="old")
    world.rungs = [lambda tree, task, count: None]
    handoff, report = await only(stage, world, claude=True)
    assert outcomes(handoff) == [Out.NO_CHANGE, Out.UNAVAILABLE]
    assert (handoff.status, handoff.left) == (Status.NEEDS_PERSON, ("a.py",))
    assert report.outcome is Stage.DONE_WITH_LEFTOVERS


async def test_the_files_that_failing_results_name_are_put_back_and_the_rest_lands(stage):
    world = stage.world("t-partial", a="old", b="old")
    world.rungs = [write(a="bad", b="new")]
    handoff, report = await only(stage, world, **stage.planned(world, ("a.py", "b.py")))
    assert handoff.status is Status.PARTIAL
    assert [(p.path, p.reason) for p in handoff.put_back] == [("a.py", "unit: newly failing: a.py")]
    assert world.green == {"a.py": "old", "b.py": "new"}
    assert report.outcome is Stage.DONE_WITH_LEFTOVERS


async def test_results_that_name_no_file_are_searched_by_halves(stage):
    files = dict.fromkeys("abcde", "old")
    world = stage.world("t-halves", **files)
    world.rungs = [write(**{**dict.fromkeys("abde", "new"), "c": "worse"})]
    paths = tuple(f"{name}.py" for name in files)
    handoff, _ = await only(stage, world, **stage.planned(world, paths))
    assert [entry.path for entry in handoff.put_back] == ["c.py"]
    assert handoff.files == ("a.py", "b.py", "d.py", "e.py")
    assert world.green["c.py"] == "old"


async def test_a_failed_rung_leaves_nothing_even_if_it_wrote(stage):
    world = stage.world("t-failed", a="old")
    world.rungs = [fail(1, a="half"), fail("timeout"), fail(3), rewrite()]
    handoff, _ = await only(stage, world)
    assert outcomes(handoff) == [Out.FAILED_CHANGED, Out.TIMED_OUT, Out.FAILED, Out.CHANGED]
    assert {asked.start for asked in world.asked("open_workspace")} == {world.base}
    assert world.green == {"a.py": "new"}


async def test_an_edit_outside_the_claim_fails_the_rung(stage):
    world = stage.world("t-outside", a="old", z="theirs")
    world.touches["c1-0001"] = {"z.py": "mine"}
    handoff, _ = await only(stage, world)
    assert outcomes(handoff) == [Out.OUTSIDE]
    assert "z.py" in handoff.attempts[0].note
    assert handoff.status is Status.NEEDS_PERSON
    assert world.green == {"a.py": "old", "z.py": "theirs"}


async def test_damaged_files_are_put_back_and_named(stage):
    world = stage.world("t-damaged", a="old", b="old")
    world.rungs = [write(a="damaged", b="new")]
    handoff, _ = await only(stage, world, **stage.planned(world, ("a.py", "b.py")))
    assert [entry.path for entry in handoff.put_back] == ["a.py"]
    assert world.green == {"a.py": "old", "b.py": "new"}


async def test_a_lost_workspace_is_opened_anew_and_costs_no_attempt(stage):
    world = stage.world("t-lost", a="old")
    world.failures["run_rung"] = [ApplicationError("gone", type="WorkspaceGone")]
    handoff, _ = await only(stage, world)
    assert handoff.status is Status.LANDED
    assert len(handoff.attempts) == 1
    assert world.opened == ["0-1-0", "0-1-1"]


@pytest.mark.parametrize(
    "trouble",
    [
        ApplicationError("no blobs of this migration", type="FileNotFoundError"),
        ApplicationError("error: No space left on device", type="GitFailed"),
        ApplicationError("it is missing", type="BlobMissing"),
    ],
    ids=lambda trouble: trouble.type,
)
async def test_trouble_with_storage_costs_no_attempt_and_the_next_opening_waits_it_out(
    stage, trouble
):
    world = stage.world(f"t-{trouble.type.lower()}", a="old")
    world.failures["run_rung"] = [trouble]
    handoff, _ = await only(stage, world)
    assert (handoff.status, len(handoff.attempts)) == (Status.LANDED, 1)
    assert [opened.wary for opened in world.asked("open_workspace")] == [False, True]


async def test_what_no_other_workspace_can_mend_ends_the_task_with_its_reason(stage):
    world = stage.world("t-cannot", a="old")
    world.failures["run_rung"] = [ApplicationError("a/.git", type="HostileTree")]
    handoff, report = await only(stage, world)
    assert handoff.status is Status.CANNOT
    assert handoff.concerns == ("HostileTree in run_rung: a/.git",)
    assert handoff.left == ("a.py",)
    assert report.outcome is Stage.DONE_WITH_LEFTOVERS


async def test_a_bounced_candidate_returns_without_the_file_that_was_red_at_landing(stage):
    world = stage.world("t-bounced", a="old", b="old")
    world.rungs = [write(a="landing-bad", b="new")]
    handoff, _ = await only(stage, world, **stage.planned(world, ("a.py", "b.py")))
    assert (handoff.status, handoff.bounces) == (Status.PARTIAL, 1)
    assert world.green == {"a.py": "old", "b.py": "new"}


async def test_a_candidate_that_is_red_for_no_named_file_is_retried_on_the_tip_then_given_up(stage):
    world = stage.world("t-worse", a="old")
    world.rungs = [write(a="landing-worse")]
    handoff, _ = await only(stage, world)
    assert (handoff.status, handoff.bounces) == (Status.NEEDS_PERSON, 2)
    assert len(world.asked("rework")) == 1
    assert world.green == {"a.py": "old"}


async def test_a_forbidden_file_is_put_back_by_rule_and_path(stage):
    world = stage.world("t-forbidden", a="old", b="old")
    world.rungs = [write(a="forbidden", b="new")]
    handoff, _ = await only(stage, world, **stage.planned(world, ("a.py", "b.py")))
    assert [(p.path, p.reason) for p in handoff.put_back] == [("a.py", "protected: a.py")]
    assert world.green["b.py"] == "new"


async def test_a_conflict_makes_the_task_start_again_from_the_green_tip(stage):
    world = stage.world("t-conflict", a="old")
    world.rungs = [lambda tree, task, count: tree.update({"a.py": tree["a.py"] + "+"})]
    gate = world.hold("compose_batch")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    world.land_foreign(a="theirs")
    gate.open()
    report = stage.report(await handle.result())
    (handoff,) = report.handoffs
    assert (handoff.status, handoff.bounces) == (Status.LANDED, 1)
    assert world.green == {"a.py": "theirs+"}
    assert [file.told for file in report.hot] == ["a.py: 1 conflict"]


async def test_a_rung_is_given_the_plan_and_the_survey_that_it_was_made_of(stage):
    world = stage.world("t-told", a="old")
    _, report = await only(stage, world)
    (told,) = world.asked("run_rung")
    (planned,) = world.asked("make_plan")
    assert (told.plan, told.survey) == (report.plan.plan, planned.survey.data)
