"""A base that moves while a migration works: merged between batches, or told why not."""

import asyncio
from typing import Any

from conftest import Stage as Theatre
from conftest import until
from test_people import refused, say
from world import World

from activities.contracts.commands import Command, DecideBase
from activities.contracts.migration import MigrationResult, Progress, Stage
from activities.contracts.moving_base import BaseSeen
from cli.render import outcome_text, status_text
from workflows.details import markdown

WHO = {"actor": "ana@desk"}


def heads(world: World) -> list[str]:
    """The heads of the base on the green chain, oldest first."""
    return [head for commit in world.chain() if (head := world.commits[commit].head)]


async def looked(world: World, times: int = 1) -> None:
    """Until the migration has looked so often."""
    async with asyncio.timeout(20):
        await world.until(lambda: len(world.asked("look_at_base")) >= times)


async def moved_meanwhile(stage: Theatre, name: str, **upstream: str) -> tuple[World, Any]:
    """A migration with a task at work, whose base has moved since it was pinned."""
    world = stage.world(name, a="old", b="old")
    gate = world.hold("run_rung", task="c1-0002")
    if upstream:
        world.move_base(**upstream)
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    return world, (gate, handle)


async def test_new_commits_are_merged_while_tasks_work_and_their_sites_are_the_next_cycles(stage):
    world, (gate, handle) = await moved_meanwhile(stage, "f-moved", c="old", d="plain")
    progress: Progress = await until(handle, lambda p: p.base_merged)
    assert progress.stands_on == world.upstream
    assert "1 head of the base merged" in status_text(progress, "")
    assert "1 head of the base merged" in markdown(progress)
    gate.open()
    result: MigrationResult = await handle.result()
    assert (result.stage, result.reason) == (Stage.DONE, "")
    assert heads(world) == [world.upstream]
    assert world.green == dict.fromkeys(("a.py", "b.py", "c.py"), "new") | {"d.py": "plain"}
    assert "c2-0001" in world.landed()
    before = [asked.before for asked in world.asked("take_survey")]
    assert [bool(ref) for ref in before] == [False, True, False, True]
    (merge,) = [asked for asked in world.asked("run_checks") if asked.merges]
    assert (merge.merges.head, merge.merges.stands_on) == (world.upstream, world.base)


async def test_what_comes_while_the_last_task_works_is_looked_for_before_the_end(stage):
    world, (gate, handle) = await moved_meanwhile(stage, "f-late")
    await looked(world)
    world.move_base(c="old")
    gate.open()
    assert (await handle.result()).stage is Stage.DONE
    assert world.green["c.py"] == "new"
    assert heads(world) == [world.upstream]


async def test_where_both_changed_a_file_the_base_wins_and_the_file_is_migrated_anew(stage):
    world = stage.world("f-conflict", a="old", b="old")
    world.per_task["c2-0001"] = lambda tree, task, count: tree.update({"a.py": "new again"})
    gate = world.hold("run_rung", task="c1-0002")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    async with asyncio.timeout(20):
        await world.until(lambda: bool(world.asked("land")))
    world.move_base(a="old and more")
    world.sites_of = {}
    gate.open()
    result = await handle.result()
    assert result.stage is Stage.DONE
    assert world.green == {"a.py": "old and more", "b.py": "new"}
    assert "1 file taken anew" in (await handle.query("progress"))["base_merged"]


async def test_a_red_one_is_a_persons_and_tasks_land_all_the_same(stage):
    world, gate, handle = await with_a_red_merge(stage, "f-red")
    progress: Progress = await until(handle, lambda p: p.base_told)
    assert progress.base_told == (
        f"the base at {world.upstream[:12]} could not be merged: unit: red together"
    )
    assert progress.base_told in status_text(progress, "")
    gate.open()
    result: MigrationResult = await handle.result()
    assert result.stage is Stage.DONE_WITH_LEFTOVERS
    assert "could not be merged" in outcome_text("f-red", result)
    assert world.green == {"a.py": "new", "b.py": "new"}
    tried = [asked.fresh for asked in world.asked("run_checks") if asked.merges]
    assert tried == [0, 1, 0, 1]  # as it was seen, and once more on all that landed


async def with_a_red_merge(stage: Theatre, name: str) -> tuple[World, Any, Any]:
    """One whose base goes on with what is red together with what landed, and only then."""
    world = stage.world(name, a="old", b="old")
    head, reds = world.move_base(c="plain"), world.reds
    world.reds = lambda commit, moment, fresh, **more: (
        [("red together", None)]
        if world.commits[commit].head == head
        else reds(commit, moment, fresh, **more)
    )
    gate = world.hold("run_rung", task="c1-0002")
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    return world, gate, handle


async def test_what_is_red_on_upstreams_side_already_is_not_the_merges(stage):
    world, (gate, handle) = await moved_meanwhile(stage, "f-red-before", c="bad upstream")
    gate.open()
    assert (await handle.result()).stage is Stage.DONE
    assert heads(world) == [world.upstream]


async def test_a_red_one_is_merged_once_upstream_mends_it(stage):
    world, gate, handle = await with_a_red_merge(stage, "f-mended")
    await until(handle, lambda p: p.base_told)
    head = world.move_base(c="fine")
    gate.open()
    assert (await handle.result()).stage is Stage.DONE
    assert heads(world) == [head]


async def rewritten(stage: Theatre, name: str) -> tuple[World, Any]:
    """A migration whose base was merged once and then rewritten."""
    world, (gate, handle) = await moved_meanwhile(stage, name, c="to be dropped")
    await until(handle, lambda p: p.base_merged)
    world.move_base(onto=world.base, d="instead")
    gate.open()
    return world, handle


async def test_a_rewritten_base_is_not_merged_and_a_person_is_told(stage):
    world, handle = await rewritten(stage, "f-forced")
    progress: Progress = await until(handle, lambda p: p.waiting_for)
    assert (progress.stage, progress.waiting_for) == (Stage.JUDGE, progress.base_told)
    assert progress.waiting_for.startswith("the base was rewritten")
    assert progress.command in status_text(progress, "")
    assert "NeedsHuman" in str(await handle.describe())
    await say(handle, "cancel", Command(reason="enough", **WHO))
    result: MigrationResult = await handle.result()
    assert (result.stage, result.reason) == (Stage.CANCELLED, "enough")
    assert len(heads(world)) == 1


async def test_what_is_accepted_at_the_end_is_merged_and_judged_again(stage):
    world, handle = await rewritten(stage, "f-accepted-late")
    await until(handle, lambda p: p.waiting_for)
    world.move_base(e="old")  # it went on meanwhile
    await say(handle, "decide_base", DecideBase(accept=True, **WHO))
    result: MigrationResult = await handle.result()
    assert (result.stage, result.reason) == (Stage.DONE, "")
    assert heads(world)[1:] == [world.upstream]
    assert world.green["e.py"] == "new"


async def at_the_end_of_a_rewritten_one(stage: Theatre, name: str) -> tuple[World, Any, Any]:
    """The same, with a task at work that a person can speak in time of."""
    world = stage.world(name, a="old", b="old")
    gate = world.hold("run_rung", task="c1-0002")
    world.move_base(onto=world.base, c="first")
    world.base = world.commit({**world.tree(world.base), "x.py": "dropped"}, (world.base,), "x")
    world.tip = world.base
    handle = await stage.start(world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await until(handle, lambda p: p.base_command)
    return world, gate, handle


async def test_a_person_accepts_the_new_base(stage):
    world, gate, handle = await at_the_end_of_a_rewritten_one(stage, "f-accept")
    said = await refused(handle, "decide_base", DecideBase(**WHO))
    assert said == "say accept or keep: one of them"
    other = DecideBase(accept=True, head="f" * 12, **WHO)
    said = await refused(handle, "decide_base", other)
    assert said.startswith(f"the base is at {world.upstream} by now, not at ffff")
    seen = world.upstream[:12]
    once = DecideBase(id="d1", accept=True, head=seen, reason="we squashed", **WHO)
    assert await say(handle, "decide_base", once) == "base: accepted"
    assert await say(handle, "decide_base", once) == "base: accepted"
    progress: Progress = await until(handle, lambda p: p.stands_on == world.upstream)
    assert (progress.base_told, progress.base_command) == ("", "")
    assert [d.said for d in progress.decisions] == [f"accept {world.upstream}"]
    again = await refused(handle, "decide_base", DecideBase(keep=True, **WHO))
    assert "nothing to decide" in again
    gate.open()
    assert (await handle.result()).stage is Stage.DONE
    assert heads(world) == [world.upstream]


async def test_a_person_keeps_the_old_base(stage):
    world, gate, handle = await at_the_end_of_a_rewritten_one(stage, "f-keep")
    await say(handle, "decide_base", DecideBase(keep=True, **WHO))
    looks = len(world.asked("look_at_base"))
    gate.open()
    result: MigrationResult = await handle.result()
    assert (result.stage, len(world.asked("look_at_base"))) == (Stage.DONE, looks)
    assert result.reason.startswith("a person said to keep the old base")
    assert heads(world) == []


async def test_a_base_that_is_gone_or_away_is_told_and_the_migration_goes_on(stage):
    for seen in (BaseSeen.GONE, BaseSeen.UNREACHABLE):
        world = stage.world(f"f-{seen}", a="old")
        world.upstream = seen
        result: MigrationResult = await (await stage.start(world)).result()
        assert result.stage is Stage.DONE
        assert result.reason.startswith(f"upstream is {seen}; it goes on with {world.base[:12]}")


async def test_a_base_that_is_not_to_be_followed_is_not_looked_at(stage):
    world = stage.world("f-never", a="old")
    world.move_base(c="old")
    report = await stage.run(world, spec={"follow": "never"})
    assert report.outcome is Stage.DONE
    assert not world.asked("look_at_base")


async def test_sites_that_came_for_a_phase_that_was_over_begin_it_again(stage):
    world = stage.world("f-phases", a="old", b="old")
    world.sites_of = {"one": ("a.py", "c.py"), "two": ("b.py",)}
    gate = world.hold("run_rung", task="c2-0001")
    handle = await stage.start(world, spec={"phases": ("one", "two")})
    await asyncio.wait_for(gate.reached.wait(), 20)
    world.move_base(c="old")
    gate.open()
    assert (await handle.result()).stage is Stage.DONE
    assert world.green == dict.fromkeys(("a.py", "b.py", "c.py"), "new")
    assert sorted(world.landed()) == ["c1-0001", "c2-0001", "c3-0001"]
