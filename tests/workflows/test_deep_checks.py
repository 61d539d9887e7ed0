"""What looks behind the landings: it delays nobody, moves a second branch, and says what is red."""

import asyncio
from typing import Any

import pytest
from builders import REPOSITORY, a_branch, a_spec
from conftest import Stage as Theatre
from conftest import a_command, until
from temporalio.client import WorkflowHandle
from world import Rung, Tree, World, rewrite, write

from activities.adapters.reporting import render_report
from activities.contracts.children import CLOSE, PAUSE
from activities.contracts.evidence import Moment
from activities.contracts.migration import Progress, Stage
from activities.contracts.news import LANDED_MORE, STOP, DeepInput, DeepNews
from activities.contracts.plan import Task
from cli.render import status_text
from tests.service import eventually
from workflows import options
from workflows.deep_checks import DeepChecksWorkflow
from workflows.migration import MigrationWorkflow

CHECKS = {"unit": {"run": "true"}, "e2e": {"run": "true", "at": ["landing"]}}
SPEC = {"checks": CHECKS, "gates": ("unit", "e2e"), "landing": {"deep": ["e2e"]}}


async def test_the_branch_beside_ends_where_the_green_one_does(stage: Theatre) -> None:
    world = stage.world("d-green", a="old", b="old")
    handle = await stage.start(world, spec=SPEC)
    result = await handle.result()
    report = stage.report(result)
    assert (result.stage, world.deep) == (Stage.DONE, world.tip)
    assert report.deep
    assert (report.deep.green, report.deep.behind, report.deep.reds) == (world.tip, 0, ())
    told = f"at {world.tip[:12]}"
    assert f"deep green   {told}" in status_text(await handle.query(MigrationWorkflow.progress), "")
    assert f"- Deep green: {told}" in render_report(report)


async def test_landings_do_not_wait_and_what_lands_meanwhile_is_looked_at_once(
    stage: Theatre,
) -> None:
    world = stage.world("d-behind", a="old", b="old", c="old")
    world.needs = {"c1-0002": ("c1-0001",), "c1-0003": ("c1-0002",)}
    gate = world.hold("deep_checks")
    handle = await stage.start(world, spec=SPEC)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await world.until(lambda: len(world.landed()) == 3)
    assert world.deep is None
    gate.open()
    assert (await handle.result()).stage is Stage.DONE
    first, _, third = world.chain()
    assert [asked.commit for asked in world.asked("deep_checks")] == [first, third]
    assert [asked.compare_with for asked in world.asked("deep_checks")] == [world.base, first]
    assert world.deep == third


async def test_what_is_red_behind_the_landings_keeps_the_migration_from_being_done(
    stage: Theatre,
) -> None:
    world = stage.world("d-red", a="old")
    world.rungs = [write(a="deep-bad")]
    handle = await stage.start(world, spec=SPEC)
    result = await handle.result()
    assert (result.stage, world.deep, len(world.chain())) == (Stage.STOPPED, None, 1)
    where = f"after {world.base[:12]} up to {world.tip[:12]}"
    assert f"e2e (newly failing: a.py), by what landed {where}" in result.reason
    report = stage.report(result)
    assert report.deep
    (red,) = report.deep.reds
    assert (red.check, red.files, red.good, red.bad) == ("e2e", ("a.py",), world.base, world.tip)
    progress = await handle.query(MigrationWorkflow.progress)
    assert f"DEEP RED     e2e since {red.since}, by what landed {where}" in status_text(
        progress, ""
    )


async def test_it_is_searched_for_which_landing_broke_it(stage: Theatre) -> None:
    world = stage.world("d-search", a="old")
    for name in "bcdefghi":
        world.land_foreign(**{name: "deep-worse" if name == "e" else "new"})
    follower = await following(stage, world)
    before, broke = world.chain()[2:4]

    async def found() -> bool:
        reds = (await follower.query(DeepChecksWorkflow.news)).reds
        return [(red.after, red.broke) for red in reds] == [(before, broke)]

    await eventually(found)
    asked = [(asked.commit, asked.only) for asked in world.asked("deep_checks")]
    assert asked[:2] == [(world.tip, ())] * 2
    assert {only for _, only in asked[2:]} == {("e2e",)}
    assert len(asked) <= 2 + 4
    await follower.signal(LANDED_MORE)
    await follower.signal(STOP)
    await follower.result()


COVERED = {"unit": CHECKS["unit"], "e2e": {**CHECKS["e2e"], "covers": ["/a.py", "/c.py"]}}
BUDGET = {**SPEC, "checks": COVERED, "landing": {"deep": ["e2e"], "budget": {"reds": 0}}}
TOLD = [{"command": ["agent", "{prompt}"]}]
"""A ladder that reads what a task's instructions say."""


def breaks(mended: str) -> Rung:
    """A rung that breaks `a.py` for `e2e`; who is to mend that leaves `mended` there."""

    def run(tree: Tree, task: Task, count: int) -> None:
        rewrite()(tree, task, count)
        if task.mends or "a.py" in task.claims:
            tree["a.py"] = mended if task.mends else "deep-bad"

    return run


def fixes(world: World) -> set[str]:
    return {asked.task.id for asked in world.asked("run_rung") if asked.task.mends}


async def one_breaks_it(
    stage: Theatre, name: str, mended: str, **fields: object
) -> tuple[World, Any]:
    """One at a time: the first breaks what `e2e` covers, the second it does not cover, the third it
    does; and how that ends."""
    world = stage.world(name, a="old", b="old", c="old")
    world.rungs = [breaks(mended)]
    at_work = world.hold("run_rung", "c1-0002")
    handle = await stage.start(world, spec={**BUDGET, "limits": {"concurrency": 1}, **fields})

    def is_spent(now: Progress) -> bool:
        return now.deep is not None and now.deep.spent == ("e2e",)

    stopped = await until(handle, is_spent)
    assert "no task begins that it is about" in status_text(stopped, "")
    at_work.open()
    return world, await handle.result()


async def test_what_a_spent_budget_stops_goes_on_once_its_fix_task_has_landed(
    stage: Theatre,
) -> None:
    world, result = await one_breaks_it(stage, "d-mended", "new", ladder=TOLD)
    (fix,) = fixes(world)
    assert (result.stage, result.sites_left, world.deep) == (Stage.DONE, 0, world.tip)
    assert list(world.landed()) == ["c1-0001", "c1-0002", fix, "c2-0001"]
    assert fix.startswith("c2-fix-e2e-")
    checked = [asked for asked in world.asked("run_checks") if asked.mends]
    assert {asked.moment for asked in checked} == {Moment.TASK, Moment.LANDING}
    assert {asked.mends[0].good for asked in checked} == {world.base}
    (told,) = [asked.task for asked in world.asked("run_rung") if asked.task.id == fix]
    assert told.claims == ("a.py",)
    for said in ("newly failing: a.py", "(c1-0001)", "`true`"):
        assert said in told.instructions
    handoffs = {handoff.task: handoff for handoff in stage.report(result).handoffs}
    assert handoffs.keys() == world.landed().keys(), "what was held is planned anew"
    assert handoffs[fix].mends


@pytest.mark.parametrize("ladder", [TOLD, ["codemod"]], ids=["tried", "untold"])
async def test_what_nothing_mends_is_told_and_waits_for_nobody(
    stage: Theatre, ladder: list[Any]
) -> None:
    name = f"d-never-{len(str(ladder))}"
    world, result = await one_breaks_it(stage, name, "deep-bad again", ladder=ladder)
    assert (result.stage, result.sites_left, world.deep) == (Stage.STOPPED, 1, None)
    assert sorted(world.landed()) == ["c1-0001", "c1-0002"]
    said = "e2e: no rung of the phase reads what it would be told"
    if ladder is TOLD:
        (fix,) = fixes(world)
        said = f"e2e: {fix} did not mend it (starter.py show {name} {fix})"
    assert said in result.reason
    assert "starter.py start SPEC" in result.reason


async def test_a_red_that_is_seen_at_the_end_has_its_fix_task_too(stage: Theatre) -> None:
    """No site is left by then, and no budget stops anything."""
    world = stage.world("d-end", a="old")
    world.rungs = [breaks("new")]
    report = await stage.run(world, spec={**SPEC, "ladder": TOLD})
    (fix,) = fixes(world)
    assert (report.outcome, world.deep) == (Stage.DONE, world.tip)
    assert list(world.landed()) == ["c1-0001", fix]


async def test_a_flaky_deep_check_is_asked_once_more_and_told(stage: Theatre) -> None:
    world = stage.world("d-flaky", a="old")
    world.rungs = [write(a="deep-flaky")]
    report = await stage.run(world, spec=SPEC)
    assert (report.outcome, report.flaky_landings, world.deep) == (
        Stage.DONE,
        {"e2e": 1},
        world.tip,
    )


async def test_a_cancelled_migration_does_not_wait_for_them(stage: Theatre) -> None:
    world = stage.world("d-cancel", a="old", b="old")
    world.needs = {"c1-0002": ("c1-0001",)}
    gate = world.hold("deep_checks")
    handle = await stage.start(world, spec=SPEC)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await handle.execute_update(MigrationWorkflow.cancel, a_command("1"))
    assert (await handle.result()).stage is Stage.CANCELLED
    gate.open()


async def test_a_cancel_does_not_wait_for_their_last_word_either(stage: Theatre) -> None:
    """All has landed, and the migration is about to end."""
    world = stage.world("d-cancel-end", a="old")
    gate = world.hold("deep_checks")
    handle = await stage.start(world, spec=SPEC)
    await asyncio.wait_for(gate.reached.wait(), 20)
    behind = options.deep_id(f"{world.name}-00000000", f"whimbrel/{world.name}")

    async def asked_to_close() -> bool:
        events = stage.client.get_workflow_handle(behind).fetch_history_events()
        signals = [e.workflow_execution_signaled_event_attributes async for e in events]
        return CLOSE in [signal.signal_name for signal in signals]

    await eventually(asked_to_close)
    await handle.execute_update(MigrationWorkflow.cancel, a_command("1"))
    assert (await asyncio.wait_for(handle.result(), 60)).stage is Stage.CANCELLED
    gate.open()


async def following(
    stage: Theatre, world: World, **fields: object
) -> WorkflowHandle[Any, DeepNews]:
    """Deep checks without a migration."""
    asked = {
        "repository": REPOSITORY,
        "branch": a_branch(world.name),
        "spec": stage.blobs.put_model(world.name, a_spec(world.name)),
        "phase": "main",
        "base": world.base,
        "parent": "nobody-here",
        "each": True,
        "news": DeepNews(phase="main"),
    }
    return await stage.client.start_workflow(
        DeepChecksWorkflow.run,
        DeepInput.model_validate({**asked, **fields}),
        id=options.deep_id(REPOSITORY.id, a_branch(world.name).name),
        task_queue=options.CONTROL,
    )


async def looked(follower: WorkflowHandle[Any, DeepNews], world: World) -> None:
    async def at_the_tip() -> bool:
        return (await follower.query(DeepChecksWorkflow.news)).green == world.tip

    await eventually(at_the_tip)


async def test_none_begins_in_a_pause_and_the_last_one_does_when_it_is_closed(
    stage: Theatre,
) -> None:
    world = stage.world("d-pause", a="old")
    world.land_foreign(a="new")
    follower = await following(stage, world, paused=True)
    await world.until(lambda: len(world.asked("find_deep")) == 1)
    await follower.signal(LANDED_MORE)
    await world.until(lambda: len(world.asked("find_deep")) == 2)
    assert world.asked("deep_checks") == []
    await follower.signal(PAUSE, False)
    await looked(follower, world)
    await follower.signal(PAUSE, True)
    world.land_foreign(a="newer")
    await follower.signal(CLOSE)
    news = await follower.result()
    assert (news.green, news.looked, news.closed) == (world.tip, world.tip, True)


async def test_a_guard_waits_for_landings_or_for_its_time(stage: Theatre) -> None:
    world = stage.world("d-guard", a="old")
    world.land_foreign(a="0")
    follower = await following(stage, world, each=False, looked_at=4e9)
    await world.until(lambda: len(world.asked("find_deep")) == 1)
    assert world.asked("deep_checks") == []
    for n in range(1, options.GUARD_COMMITS):
        world.land_foreign(a=str(n))
    await follower.signal(LANDED_MORE)
    await looked(follower, world)
    await follower.signal(STOP)
    await follower.result()
    again = await following(stage, world, each=False, looked_at=0.0)
    world.land_foreign(a="late")
    await again.signal(LANDED_MORE)
    await looked(again, world)
    await again.signal(CLOSE)
    assert (await again.result()).closed


@pytest.mark.parametrize("end", [STOP, "cancel"])
async def test_one_that_nobody_wants_any_more_ends_in_the_middle(stage: Theatre, end: str) -> None:
    world = stage.world(f"d-{end}", a="old")
    world.land_foreign(a="new")
    gate = world.hold("deep_checks")
    follower = await following(stage, world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await (follower.cancel() if end == "cancel" else follower.signal(end))
    news = await follower.result()
    assert (news.closed, world.deep) == (False, None)
    gate.open()
