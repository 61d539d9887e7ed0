"""A paused task goes on in another run with all that it has done: nothing twice, nothing lost."""

import asyncio

import pytest
from alone import Alone, alone
from conftest import Stage
from test_continuing import grow, runs_of
from world import World, fail, rewrite, write

from activities.contracts.children import LANDED, STEER_TASK, TaskSteering
from activities.contracts.landing import Landing, Outcome
from activities.contracts.work import RungOutcome
from activities.contracts.work import TaskStatus as Status


async def parked_in_its_rung(stage: Stage, world: World) -> Alone:
    """A task that was paused while its first rung ran."""
    rung = world.hold("run_rung")
    case = await alone(stage, world)
    await asyncio.wait_for(rung.reached.wait(), 20)
    await case.pause(1)
    rung.open()
    await case.parked()
    return case


async def test_it_goes_on_at_its_rung_with_the_checkpoint_and_the_evidence(stage):
    """Paused while a rung runs, and again while what that left is checked."""
    world = stage.world("park-rung", a="old")
    world.rungs = [rewrite("bad"), write(a="new")]
    case = await parked_in_its_rung(stage, world)
    assert not world.workspaces
    assert not world.asked("run_checks")
    checks = world.hold("run_checks")
    await case.resume(2)
    await asyncio.wait_for(checks.reached.wait(), 20)
    await case.pause(3)
    checks.open()
    await case.parked()
    await case.resume(4)
    await case.answer(await case.candidate(), Outcome.LANDED, commit="f" * 40)
    handoff = await case.handoff()
    assert handoff.status is Status.LANDED
    assert [(a.number, a.rung, a.outcome) for a in handoff.attempts] == [
        (1, 0, RungOutcome.CHANGED),
        (2, 1, RungOutcome.CHANGED),
    ]
    first, second = world.asked("run_rung")
    assert [r.workspace.attempt for r in (first, second)] == ["0-1-0", "0-2-0"]
    assert second.workspace.start == handoff.attempts[0].checkpoint
    assert second.evidence == handoff.attempts[0].evidence
    checked = [r.commit for r in world.asked("run_checks")]
    assert checked == [a.checkpoint for a in handoff.attempts]
    assert handoff.seconds > 0


async def test_an_answer_is_taken_in_the_pause_and_what_it_asks_for_waits(stage):
    world = stage.world("park-bounce", a="old", b="old")
    case = await alone(stage, world)
    asked = await case.candidate()
    await case.pause(1)
    await case.parked()
    why = {"reasons": ("protected: b.py",), "paths": ("b.py",)}
    await case.answer(asked, Outcome.VIOLATION, **why)
    await world.until(lambda: len(world.asked("put_back")) == 1)
    await case.parked()
    assert len(world.asked("run_checks")) == 1
    await case.resume(2)
    await case.answer(await case.candidate(2), Outcome.LANDED, commit="f" * 40)
    handoff = await case.handoff()
    assert (handoff.status, handoff.files, handoff.bounces) == (Status.PARTIAL, ("a.py",), 1)
    assert [entry.path for entry in handoff.put_back] == ["b.py"]


async def test_what_has_asked_to_land_may_land_in_the_pause(stage):
    case = await alone(stage, stage.world("park-land", a="old"))
    asked = await case.candidate()
    await case.pause(1)
    await case.parked()
    await case.answer(asked, Outcome.LANDED, commit="f" * 40)
    assert (await case.handoff()).landed == "f" * 40
    assert await case.enqueued() == 1


async def test_a_cancel_reaches_it_in_the_pause(stage):
    world = stage.world("park-cancel", a="old")
    case = await parked_in_its_rung(stage, world)
    await case.task.cancel()
    handoff = await case.handoff()
    assert (handoff.status, handoff.did) == (Status.CANCELLED, "cancelled")
    assert len(world.asked("run_rung")) == 1


@pytest.mark.parametrize("outcome", [Outcome.WITHDRAWN, Outcome.LANDED])
async def test_a_cancel_in_the_pause_takes_back_what_has_asked_to_land(stage, outcome):
    case = await alone(stage, stage.world(f"park-{outcome}", a="old"))
    asked = await case.candidate()
    await case.pause(1)
    await case.parked()
    assert await case.cancel() == asked.id
    await case.answer(asked, outcome, commit="f" * 40)
    ends = {Outcome.WITHDRAWN: Status.CANCELLED, Outcome.LANDED: Status.LANDED}
    assert (await case.handoff()).status is ends[outcome]


async def test_the_end_of_its_migration_reaches_it_whatever_comes_first(stage):
    """Its area tells it to go on and end, and cancels it at once; a run that ends hears the first
    of these alone."""
    world = stage.world("park-drain", a="old")
    case = await parked_in_its_rung(stage, world)
    await case.task.signal(STEER_TASK, TaskSteering(number=2, draining=True))
    assert (await case.handoff()).status is Status.CANCELLED
    assert (await case.enqueued(), world.asked("run_checks")) == (0, [])


async def test_what_has_asked_to_land_may_land_at_the_end_of_its_migration(stage):
    case = await alone(stage, stage.world("park-lands", a="old"))
    asked = await case.candidate()
    await case.pause(1)
    await case.parked()
    await case.task.signal(STEER_TASK, TaskSteering(number=2, draining=True))
    await case.candidate(2)
    await case.answer(asked, Outcome.LANDED, commit="f" * 40)
    assert (await case.handoff()).status is Status.LANDED


async def test_a_task_that_grew_long_goes_on_in_a_fresh_run_before_its_next_attempt(stage):
    world = stage.world("park-long", a="old")
    world.rungs = [fail(1)]
    gate = world.hold("run_rung")
    case = await alone(stage, world, rung="command")
    await asyncio.wait_for(gate.reached.wait(), 20)
    stale = Landing(task="c1-0001", candidate="another", outcome=Outcome.RED)
    await grow(case.task, LANDED, stale)
    gate.open()
    handoff = await case.handoff()
    assert [a.number for a in handoff.attempts] == [1, 2, 3]
    assert len(world.asked("run_rung")) == 3
    assert await runs_of(stage, case.task.id) == 2
