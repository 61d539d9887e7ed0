"""An account that refuses: the migration stands still once, a person is told, nothing is lost."""

from conftest import until
from world import OLD

from activities.contracts.commands import Aimed
from activities.contracts.migration import Stage
from activities.contracts.work import RungOutcome as Out
from activities.contracts.work import TaskStatus as Status
from activities.errors import permanent
from tests.service import eventually
from workflows import options
from workflows.migration import MigrationWorkflow

AGENTS = 20
SAID = "402 billing_error: the credit is used up"


async def needs_human(handle) -> bool:
    return (await handle.describe()).typed_search_attributes[options.NEEDS_HUMAN]


async def test_twenty_agents_that_meet_a_spend_limit_pause_once_and_go_on_from_the_same_turn(
    thinking,
):
    names = [f"f{n:02}" for n in range(AGENTS)]
    world = thinking.world("acct", **dict.fromkeys(names, OLD))
    world.rungs = []
    refusing = True

    def mind(turn: int):
        if refusing:
            raise permanent("SpendLimitReached", SAID)
        return "migrates" if turn == 1 else "done"

    world.mind = mind
    gate = world.hold("take_turn")
    spec = {"limits": {"concurrency": AGENTS, "attempts": 1}}
    handle = await thinking.start(
        world, claude=True, spec=spec, **thinking.planned(world, *((f"{n}.py",) for n in names))
    )
    await world.until(lambda: len(world.asked("take_turn")) == AGENTS)
    gate.open()

    progress = await until(handle, lambda p: p.waiting_for)
    assert progress.waiting_for.startswith("paused by the model's provider since 2")
    assert f": SpendLimitReached: {SAID}; see to the account" in progress.waiting_for
    assert progress.command == "starter.py resume acct"
    await eventually(lambda: needs_human(handle))

    async def all_stand_still() -> bool:
        ids = (options.task_id("acct", f"c1-{n:04}", 0) for n in range(1, AGENTS + 1))
        runs = [await thinking.client.get_workflow_handle(id).describe() for id in ids]
        return {run.workflow_type for run in runs} == {"ParkedTaskWorkflow"}

    await eventually(all_stand_still)
    assert len(world.asked("take_turn")) == AGENTS
    refusing = False
    await handle.execute_update(MigrationWorkflow.resume, Aimed(actor="ana"))
    report = thinking.report(await handle.result())

    assert [d.verb for d in report.decisions] == ["pause", "resume"]
    assert (report.outcome, await needs_human(handle)) == (Stage.DONE, False)
    assert {h.status for h in report.handoffs} == {Status.LANDED}
    assert {(a.number, a.outcome, a.agent.turns) for h in report.handoffs for a in h.attempts} == {
        (1, Out.CHANGED, 2)
    }
    asked = world.asked("take_turn")
    first = {r.talk for r in asked[:AGENTS]}
    assert {r.talk for r in asked[AGENTS:]} == first
    assert len(asked) == 3 * AGENTS


async def test_one_that_still_refuses_after_a_resume_pauses_again(thinking):
    world = thinking.world("acct-again", a=OLD)
    world.rungs, world.mind = [], lambda turn: {"a": "new"} if turn == 1 else "done"
    world.failures["take_turn"] = [permanent("KeyRefused", "401: no such key")] * 2
    handle = await thinking.start(world, claude=True)
    for times in (1, 2):
        await until(handle, lambda p, n=times: p.holds and len(p.decisions) == 2 * n - 1)
        task = thinking.client.get_workflow_handle(options.task_id("acct-again", "c1-0001", 0))

        async def stands_still(task=task) -> bool:
            return (await task.describe()).workflow_type == "ParkedTaskWorkflow"

        await eventually(stands_still)
        # To the second, as what is of before a resume is told from what is of after it.
        await handle.execute_update(MigrationWorkflow.resume, Aimed(actor="ana"))
    report = thinking.report(await handle.result())
    assert [d.verb for d in report.decisions] == ["pause", "resume"] * 2
    assert report.outcome is Stage.DONE
