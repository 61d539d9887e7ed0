"""What becomes of work that conflicts with what landed meanwhile: the test plays the queue."""

import asyncio

import pytest
from alone import Alone, alone
from world import World, write

from activities.contracts.landing import Outcome
from activities.contracts.work import RungOutcome as Out
from activities.contracts.work import TaskStatus as Status


async def bounced(stage, world: World, resolver: str = "command") -> Alone:
    """A task whose file a.py was changed on the tip while it asked to land."""
    case = await alone(stage, world, resolver=resolver)
    first = await case.candidate()
    world.land_foreign(a="theirs")
    await case.answer(first, Outcome.CONFLICT, reasons=("conflict: a.py",), paths=("a.py",))
    return case


async def test_a_resolver_works_in_the_merge_as_git_left_it_and_its_result_asks_to_land(stage):
    world = stage.world("cf-settled", a="old", b="old")
    world.resolver = write(a="both")
    case = await bounced(stage, world)
    second = await case.candidate(2)
    assert second.base == world.tip
    assert world.tree(second.commit) == {"a.py": "both", "b.py": "new"}
    settling = world.asked("run_rung")[-1]
    assert world.tree(settling.workspace.start) == {"a.py": "<<<theirs|new>>>", "b.py": "new"}
    assert settling.conflict.paths == ("a.py",)
    await case.answer(second, Outcome.LANDED, commit="f" * 40)
    handoff = await case.handoff()
    assert handoff.status is Status.LANDED
    assert [(a.kind, a.outcome) for a in handoff.attempts] == [
        ("codemod", Out.CHANGED),
        ("resolver command", Out.CHANGED),
    ]


async def test_a_marker_that_is_left_is_refused_and_the_files_without_conflict_land(stage):
    world = stage.world("cf-marker", a="old", b="old")
    world.resolver = write(a="<<<half")
    case = await bounced(stage, world)
    second = await case.candidate(2)
    assert world.tree(second.commit) == {"a.py": "theirs", "b.py": "new"}
    await case.answer(second, Outcome.LANDED, commit="f" * 40)
    handoff = await case.handoff()
    assert (handoff.status, handoff.files) == (Status.PARTIAL, ("b.py",))
    assert [a.outcome for a in handoff.attempts[1:]] == [Out.UNRESOLVED] * 3
    (back,) = handoff.put_back
    assert back.path == "a.py"
    assert "c1-0001 conflicts with the tip, which landed meanwhile" in back.reason


@pytest.mark.parametrize("resolver", ["command", "claude"])
async def test_a_conflict_that_nothing_settles_needs_a_person(stage, resolver):
    world = stage.world(f"cf-person-{resolver}", a="old")
    world.resolver = lambda tree, task, count: 1
    case = await bounced(stage, world, resolver)
    handoff = await case.handoff()
    assert (handoff.status, handoff.left) == (Status.NEEDS_PERSON, ("a.py",))
    assert "no resolver settled it" in handoff.put_back[0].reason
    assert await case.enqueued() == 1


async def test_a_ladder_that_was_climbed_anew_for_a_conflict_in_vain_names_it(stage):
    world = stage.world("cf-anew", a="old")
    case = await bounced(stage, world, "")
    handoff = await case.handoff()
    assert handoff.status is Status.NEEDS_PERSON
    assert [a.outcome for a in handoff.attempts] == [Out.CHANGED, Out.NO_CHANGE]
    assert handoff.concerns[0] == (
        "begun anew: c1-0001 conflicts with the tip, which landed meanwhile: a.py"
    )


async def test_a_resolver_is_asked_again_with_what_its_result_made_red(stage):
    world = stage.world("cf-red", a="old")

    def resolve(tree, task, count):
        tree["a.py"] = "bad" if len(world.asked("run_checks")) == 1 else "both"

    world.resolver = resolve
    case = await bounced(stage, world)
    second = await case.candidate(2)
    assert world.tree(second.commit) == {"a.py": "both"}
    first, again = world.asked("run_rung")[1:]
    assert first.evidence is None
    assert again.evidence.reasons == ("unit: newly failing: a.py",)
    await case.answer(second, Outcome.LANDED, commit="f" * 40)
    assert (await case.handoff()).status is Status.LANDED


async def test_a_task_that_is_paused_in_its_resolver_goes_on_from_what_that_did(stage):
    world = stage.world("cf-paused", a="old")
    world.resolver = write(a="both")
    case = await alone(stage, world, resolver="command")
    first = await case.candidate()
    gate = world.hold("run_rung")
    world.land_foreign(a="theirs")
    await case.answer(first, Outcome.CONFLICT, reasons=("conflict: a.py",), paths=("a.py",))
    await asyncio.wait_for(gate.reached.wait(), 20)
    await case.pause(1)
    gate.open()
    await case.parked()
    await case.resume(2)
    second = await case.candidate(2)
    assert world.tree(second.commit) == {"a.py": "both"}
    assert len(world.asked("run_rung")) == 2
    await case.answer(second, Outcome.LANDED, commit="f" * 40)
    assert (await case.handoff()).status is Status.LANDED
