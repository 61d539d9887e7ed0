"""Somebody else pushes to the green branch: it is checked first, and red it is a person's."""

import asyncio
from typing import Any

from conftest import Stage as Theatre
from conftest import until
from test_people import refused, say
from world import World

from activities.contracts.commands import Command, DecidePush
from activities.contracts.migration import MigrationResult, Progress, Stage
from cli.render import status_text
from workflows.details import markdown

WHO = {"actor": "ana@desk"}


async def pushed(stage: Theatre, name: str, **more: Any) -> tuple[World, Any, Any]:
    """One whose first task has landed and whose second is at work when somebody pushes."""
    world = stage.world(name, a="old", b="old")
    gate = world.hold("run_rung", task="c1-0002")
    handle = await stage.start(world, spec={"follow": "never"})
    async with asyncio.timeout(20):
        await world.until(lambda: bool(world.asked("land")) and gate.reached.is_set())
        await until(handle, lambda p: p.counts.landed == 1)
    world.push(**more)
    return world, gate, handle


async def held(handle: Any) -> Progress:
    return await until(handle, lambda p: p.push_command)


async def test_a_green_push_is_checked_as_a_whole_and_stays(stage):
    world, gate, handle = await pushed(stage, "push-green", c="by hand")
    push = world.pushed
    gate.open()
    result: MigrationResult = await handle.result()
    assert result.stage is Stage.DONE
    assert world.green == {"a.py": "new", "b.py": "new", "c.py": "by hand"}
    (asked,) = [x for x in world.asked("run_checks") if x.commit == push.head]
    assert (asked.compare_with, asked.paths) == (push.ours, ())
    told = (
        f"somebody pushed 1 commit to the green branch, from {push.ours[:12]} to {push.head[:12]} "
        f"({push.head[:12]} by Ana <ana@desk>: by hand): its checks held, so it stays"
    )
    assert [seen.told for seen in stage.report(result).pushes] == [told]
    progress = await handle.query("progress")
    assert (progress["push_told"], progress["push_command"]) == (told, "")


async def test_on_a_red_push_nothing_lands_before_a_person_has_it_set_back(stage):
    world, gate, handle = await pushed(stage, "push-red", c="landing-bad")
    head = world.pushed.head
    gate.open()
    progress = await held(handle)
    command = f"starter.py branch push-red --accept --head {head[:12]} (or --set-back)"
    assert progress.command == progress.push_command == command
    assert progress.waiting_for == progress.push_told
    assert "nothing lands before a person decides: " in progress.push_told
    for page in (status_text(progress, ""), markdown(progress)):
        assert command in page
    assert "NeedsHuman" in str(await handle.describe())
    other = DecidePush(accept=True, head="f" * 12, **WHO)
    said = await refused(handle, "decide_push", other)
    assert said.startswith(f"the branch is at {head} by now, not at ffff")
    said = await refused(handle, "decide_push", DecidePush(head=head, **WHO))
    assert said == "say accept or back: one of them"
    await say(handle, "decide_push", DecidePush(back=True, head=head[:12], **WHO))
    result: MigrationResult = await handle.result()
    assert result.stage is Stage.DONE
    assert world.green == {"a.py": "new", "b.py": "new"}
    (seen,) = stage.report(result).pushes
    assert seen.settled.startswith("a person had it set back")


async def test_a_red_push_that_a_person_accepts_stays(stage):
    world, gate, handle = await pushed(stage, "push-accepted", c="landing-bad")
    gate.open()
    head = (await held(handle)).push_command.split()[5]
    await say(handle, "decide_push", DecidePush(accept=True, head=head, **WHO))
    assert (await handle.result()).stage is Stage.DONE
    assert world.green == {"a.py": "new", "b.py": "new", "c.py": "landing-bad"}


async def test_a_rewritten_branch_is_not_even_checked(stage):
    world, gate, handle = await pushed(stage, "push-rewritten", rewritten=True, a="old")
    head = world.pushed.head
    gate.open()
    progress = await held(handle)
    assert progress.push_told.startswith("somebody rewrote the green branch")
    assert not [x for x in world.asked("run_checks") if x.commit == head]
    await say(handle, "decide_push", DecidePush(back=True, **WHO))
    assert (await handle.result()).stage is Stage.DONE
    assert world.green == {"a.py": "new", "b.py": "new"}


async def test_one_that_comes_when_nothing_waits_to_land_is_seen_before_the_cycle_is_counted(stage):
    world = stage.world("push-idle", a="old")
    looks = world.hold("look_at_base")
    handle = await stage.start(world)
    async with asyncio.timeout(20):
        await world.until(lambda: bool(world.asked("land")) and looks.reached.is_set())
    world.push(c="landing-bad")
    looks.open()
    await held(handle)
    assert len(world.asked("compose_batch")) == 1
    await say(handle, "decide_push", DecidePush(back=True, **WHO))
    assert (await handle.result()).stage is Stage.DONE
    assert world.green == {"a.py": "new"}


async def test_one_that_comes_while_a_batch_is_checked_is_seen_when_it_lands(stage):
    world = stage.world("push-late", a="old")
    checks = world.hold("land")
    handle = await stage.start(world, spec={"follow": "never"})
    await asyncio.wait_for(checks.reached.wait(), 20)
    world.push(c="by hand")
    checks.open()
    assert (await handle.result()).stage is Stage.DONE
    assert world.green == {"a.py": "new", "c.py": "by hand"}


async def test_one_that_is_cancelled_meanwhile_ends_on_what_is_its_own(stage):
    world, gate, handle = await pushed(stage, "push-cancelled", c="landing-bad")
    own = world.tip
    await say(handle, "cancel", Command(reason="enough", **WHO))
    gate.open()
    result: MigrationResult = await asyncio.wait_for(handle.result(), 30)
    assert (result.stage, result.tip) == (Stage.CANCELLED, own)
