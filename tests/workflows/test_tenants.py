"""A tenant's cap: a migration's whole cap is reserved when it starts, and the rest comes back."""

import asyncio
import json
from decimal import Decimal

import pytest
from conftest import until
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from world import OLD

from activities.adapters.transcripts import Transcripts
from activities.contracts.commands import Aimed, SetLimits
from activities.contracts.conversation import Conversation
from activities.contracts.migration import Stage
from activities.contracts.transcript import Intent
from tests.service import eventually
from workflows import options
from workflows.migration import MigrationWorkflow


def caps(stage, tenant: str, usd: float) -> None:
    known = json.loads(stage.caps.read_text())
    stage.caps.write_text(json.dumps({**known, tenant: usd}))


def thinks(stage, name: str):
    world = stage.world(name, a=OLD)
    world.rungs, world.mind = [], lambda turn: "migrates" if turn == 1 else "done"
    return world


async def starts(stage, world, tenant: str, usd: float | None, **more):
    owner = TypedSearchAttributes([SearchAttributePair(options.OWNER, tenant)])
    limits = {"limits": {"usd": usd}} if usd else {}
    return await stage.client.start_workflow(
        MigrationWorkflow.run,
        stage.given(world, claude=True, spec={**limits, **more.pop("spec", {})}, **more),
        id=options.migration_id(world.name),
        task_queue=options.CONTROL,
        search_attributes=owner,
    )


def costs(stage, world, usd: str) -> None:
    """What its agent has spent by its records, which fakes do not write."""
    talk = stage.blobs.get_model(world.asked("take_turn")[0].talk, Conversation)
    turn = Transcripts(stage.blobs).turn(talk, 1)
    turn.settle(turn.intend(Intent(by="1", worst=Decimal(5))), Decimal(usd))


async def needs_human(handle) -> bool:
    return (await handle.describe()).typed_search_attributes[options.NEEDS_HUMAN]


async def test_one_that_does_not_fit_stands_still_until_another_has_ended(thinking):
    caps(thinking, "ana", 10)
    world = thinks(thinking, "t-first")
    gate = world.hold("take_turn")
    first = await starts(thinking, world, "ana", 6)
    await asyncio.wait_for(gate.reached.wait(), 20)
    # Another tenant has a cap of its own.
    caps(thinking, "bo", 6)
    other = await starts(thinking, thinks(thinking, "t-other"), "bo", 6)

    second_world = thinks(thinking, "t-second")
    second = await starts(thinking, second_world, "ana", 6)
    told = await until(second, lambda p: p.waiting_for)
    assert told.waiting_for.startswith("paused by the cap of its tenant since 2")
    assert "6.00 reserved by t-first (6.00), and this migration asks for 6.00" in told.waiting_for
    assert told.command == "starter.py resume t-second"
    await eventually(lambda: needs_human(second))
    assert thinking.report(await other.result()).outcome is Stage.DONE

    await second.execute_update(MigrationWorkflow.resume, Aimed(actor="ana"))
    await until(second, lambda p: p.holds and len(p.decisions) == 3)
    assert not second_world.calls
    costs(thinking, world, "0.40")
    gate.open()
    assert thinking.report(await first.result()).spend.recorded == Decimal("0.40")
    await second.execute_update(MigrationWorkflow.resume, Aimed(actor="ana"))
    report = thinking.report(await second.result())
    assert [d.verb for d in report.decisions] == ["pause", "resume"] * 2
    assert report.outcome is Stage.DONE

    # What is left of the month is the cap without what they spent.
    third = await starts(thinking, thinks(thinking, "t-third"), "ana", 9.61)
    told = await until(third, lambda p: p.waiting_for)
    assert "0.40 are spent and 0.00 reserved, and" in told.waiting_for
    await third.execute_update(MigrationWorkflow.set_limits, SetLimits(actor="ana", usd=9.6))
    await third.execute_update(MigrationWorkflow.resume, Aimed(actor="ana"))
    assert thinking.report(await third.result()).outcome is Stage.DONE


async def test_what_one_that_was_cut_short_had_reserved_comes_back(thinking):
    caps(thinking, "cy", 10)
    world = thinks(thinking, "t-cut")
    gate = world.hold("take_turn")
    cut = await starts(thinking, world, "cy", 8)
    await asyncio.wait_for(gate.reached.wait(), 20)
    costs(thinking, world, "0.40")
    await cut.terminate()
    for child in (options.area_id("t-cut", "root"), options.task_id("t-cut", "c1-0001", 0)):
        await thinking.client.get_workflow_handle(child).terminate()
    gate.open()
    # Its next life, under the same name, needs the same again.
    again = thinks(thinking, "t-cut")
    life = await starts(thinking, again, "cy", 8)
    assert thinking.report(await life.result()).outcome is Stage.DONE
    last = await starts(thinking, thinks(thinking, "t-last"), "cy", 9.61)
    assert "0.40 are spent" in (await until(last, lambda p: p.waiting_for)).waiting_for
    await last.execute_update(MigrationWorkflow.set_limits, SetLimits(actor="cy", usd=9.6))
    await last.execute_update(MigrationWorkflow.resume, Aimed(actor="cy"))
    assert thinking.report(await last.result()).outcome is Stage.DONE


async def test_a_higher_cap_is_reserved_before_it_counts(thinking):
    caps(thinking, "di", 10)
    world = thinks(thinking, "t-more")
    gate = world.hold("take_turn")
    handle = await starts(thinking, world, "di", 6)
    await asyncio.wait_for(gate.reached.wait(), 20)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(MigrationWorkflow.set_limits, SetLimits(actor="di", usd=11))
    assert "the cap of tenant di is 10.00 USD a month" in str(refused.value.cause)
    await handle.execute_update(MigrationWorkflow.set_limits, SetLimits(actor="di", usd=10))
    progress = await handle.query(MigrationWorkflow.progress)
    assert progress.cap == 10
    gate.open()
    assert thinking.report(await handle.result()).outcome is Stage.DONE


async def test_one_without_a_cap_is_asked_for_one_and_one_without_a_model_is_not(thinking):
    caps(thinking, "ed", 5)
    handle = await starts(thinking, thinks(thinking, "t-none"), "ed", None)
    told = await until(handle, lambda p: p.waiting_for)
    assert "this migration has none; give it one" in told.waiting_for
    await handle.execute_update(MigrationWorkflow.set_limits, SetLimits(actor="ed", usd=5))
    await handle.execute_update(MigrationWorkflow.resume, Aimed(actor="ed"))
    assert thinking.report(await handle.result()).outcome is Stage.DONE
    plain = thinking.world("t-plain", a=OLD)
    owner = TypedSearchAttributes([SearchAttributePair(options.OWNER, "ed")])
    handle = await thinking.client.start_workflow(
        MigrationWorkflow.run,
        thinking.given(plain),
        id=options.migration_id("t-plain"),
        task_queue=options.CONTROL,
        search_attributes=owner,
    )
    assert thinking.report(await handle.result()).outcome is Stage.DONE
