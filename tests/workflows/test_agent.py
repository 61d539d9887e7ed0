"""A claude rung as its task's workflow runs it: turns, tools, steered, lost, bounded by money."""

import asyncio
from decimal import Decimal

import pytest
from conftest import until
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from world import OLD

from activities.adapters.reporting import ending
from activities.contracts.agent import AgentEnd
from activities.contracts.children import STEER_AREA
from activities.contracts.commands import Aimed, SetLimits, Steer
from activities.contracts.migration import Stage
from activities.contracts.money import Spend
from activities.contracts.work import RungOutcome as Out
from activities.contracts.work import TaskStatus as Status
from activities.errors import BUDGET_REACHED, permanent
from tests.fakes.minds import TURN_COSTS
from tests.service import eventually
from workflows import options, turns
from workflows.migration import MigrationWorkflow

WHO = {"actor": "ana", "reason": "because"}


def steps(*said):
    """A mind that does these one after the other, then the last one for ever."""
    return lambda turn: said[min(turn, len(said)) - 1]


def thinks(stage, name: str, mind, **files: str):
    world = stage.world(name, **(files or {"a": OLD}))
    world.rungs, world.mind = [], mind
    return world


async def ran(stage, world, **more):
    """The only task's handoff, and the report."""
    report = await stage.run(world, **{"claude": True, **more})
    (handoff,) = report.handoffs
    return handoff, report


async def test_it_works_turn_by_turn_until_it_finishes_and_what_it_left_is_checked(thinking):
    world = thinks(thinking, "a-done", steps({"a": "half"}, {"a": "new"}, "done"))
    handoff, report = await ran(thinking, world)
    assert (handoff.status, report.outcome) == (Status.LANDED, Stage.DONE)
    assert world.green == {"a.py": "new"}
    (attempt,) = handoff.attempts
    assert (attempt.outcome, attempt.agent.end) == (Out.CHANGED, AgentEnd.DONE)
    assert (attempt.agent.turns, attempt.note) == (3, "it is done")
    assert attempt.agent.spend.recorded == 3 * TURN_COSTS
    assert len(world.opened) == 1
    assert not world.workspaces
    task = thinking.client.get_workflow_handle(options.task_id(world.name, handoff.task, 0))
    found = (await task.describe()).typed_search_attributes
    assert found[options.MODEL_NAME] == "claude-sonnet-5-5"


async def test_it_finishes_what_the_codemod_began(thinking):
    world = thinks(thinking, "a-tail", steps({"b": "new"}, "done"), a=OLD, b=OLD)
    world.rungs = [lambda tree, task, count: tree.update({"a.py": "new"})]
    plan = thinking.planned(world, ("a.py", "b.py"))
    handoff, _ = await ran(thinking, world, **plan)
    assert [a.kind for a in handoff.attempts] == ["codemod", "claude"]
    assert world.green == {"a.py": "new", "b.py": "new"}
    assert world.asked("open_workspace")[1].start == handoff.attempts[0].checkpoint


async def test_red_checks_give_it_another_attempt_with_the_evidence(thinking):
    minds = iter([{"a": "bad"}, "done", {"a": "new"}, "done"])
    by_turn: dict[tuple[int, int], object] = {}
    world = thinks(thinking, "a-again", None)

    def mind(turn: int):
        talks = len(world.asked("open_worker_talk"))
        if (talks, turn) not in by_turn:
            by_turn[talks, turn] = next(minds)
        return by_turn[talks, turn]

    world.mind = mind
    handoff, _ = await ran(thinking, world)
    assert handoff.status is Status.LANDED
    first, second = world.asked("open_worker_talk")
    life, *number = first.attempt.split("-")
    assert (len(life), number) == (8, ["0", "1"])
    assert second.attempt == f"{life}-0-2"
    assert second.evidence.reasons == ("unit: newly failing: a.py",)


async def test_one_that_says_why_not_is_not_asked_again(thinking):
    world = thinks(thinking, "a-cannot", steps("cannot"))
    handoff, _ = await ran(thinking, world)
    assert [a.outcome for a in handoff.attempts] == [Out.NO_CHANGE]
    assert handoff.status is Status.NEEDS_PERSON
    assert "it is cannot" in handoff.attempts[0].note


@pytest.mark.parametrize(
    ("mind", "end", "asked"), [("refuses", AgentEnd.REFUSED, 1), ("fills", AgentEnd.FULL, 2)]
)
async def test_one_that_declines_is_not_asked_again_and_one_that_is_full_begins_anew(
    thinking, mind, end, asked
):
    world = thinks(thinking, f"a-{mind}", steps(mind))
    handoff, _ = await ran(thinking, world, spec={"limits": {"attempts": 2}})
    assert [a.agent.end for a in handoff.attempts] == [end] * asked
    assert handoff.attempts[0].note == f"it ended by: {end}"
    assert [r.turn for r in world.asked("take_turn")] == [1] * asked
    assert handoff.status is Status.NEEDS_PERSON


async def test_a_workspace_that_is_lost_costs_no_turn_and_no_work(thinking):
    world = thinks(thinking, "a-lost", steps({"a": "half"}, {"b": "new"}, {"a": "new"}, "done"),
                   a=OLD, b=OLD)  # fmt: skip
    gate = world.hold("take_turn")
    handle = await thinking.start(world, claude=True, **thinking.planned(world, ("a.py", "b.py")))
    await asyncio.wait_for(gate.reached.wait(), 20)
    world.failures["use_tools"] = [
        ApplicationError("the host is gone", type="HostGone"),
    ]
    gate.open()
    thinking.report(await handle.result())
    assert world.green == {"a.py": "new", "b.py": "new"}
    assert [r.turn for r in world.asked("take_turn")] == [1, 2, 3, 4]
    assert len(world.opened) == 2


async def test_a_workspace_lost_later_is_opened_from_the_last_turns_tree(thinking):
    world = thinks(
        thinking, "a-lost-later", steps({"a": "new"}, {"b": "new"}, "done"), a=OLD, b=OLD
    )

    async def lose() -> None:
        await world.until(lambda: len(world.asked("use_tools")) == 1)
        world.failures["use_tools"] = [ApplicationError("gone", type="HostGone")]

    losing = asyncio.create_task(lose())
    await ran(thinking, world, **thinking.planned(world, ("a.py", "b.py")))
    await losing
    first, second = world.asked("open_workspace")
    assert world.tree(second.start) == {"a.py": "new", "b.py": OLD}
    assert first.start == world.base
    assert world.green == {"a.py": "new", "b.py": "new"}


async def test_people_are_heard_between_two_turns_and_a_pause_loses_nothing(thinking):
    world = thinks(thinking, "a-steered", steps({"a": "half"}, {"a": "new"}, "done"))
    gate = world.hold("use_tools")
    handle = await thinking.start(world, claude=True)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await handle.execute_update(MigrationWorkflow.steer, Steer(text="Use tabs.", **WHO))
    await handle.execute_update(MigrationWorkflow.pause, Aimed(**WHO))
    await eventually(lambda: _heard(thinking, world, b'"paused":true'))
    gate.open()
    # Its room is given back while it stands still.
    await world.until(lambda: bool(world.asked("close_workspace")))
    assert [r.turn for r in world.asked("take_turn")] == [1]
    await handle.execute_update(MigrationWorkflow.resume, Aimed(**WHO))
    thinking.report(await handle.result())
    first, second, third = world.asked("take_turn")
    assert (first.told, second.told, third.told) == ((), ("Use tabs.",), ())
    assert first.talk == second.talk
    assert world.green == {"a.py": "new"}


async def test_what_people_say_while_it_thinks_is_told_at_the_next_turn(thinking):
    world = thinks(thinking, "a-late-word", steps({"a": "half"}, {"a": "new"}, "done"))
    gate = world.hold("take_turn")
    handle = await thinking.start(world, claude=True)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await handle.execute_update(MigrationWorkflow.steer, Steer(text="Use tabs.", **WHO))
    await eventually(lambda: _heard(thinking, world, b"Use tabs."))
    gate.open()
    thinking.report(await handle.result())
    assert [asked.told for asked in world.asked("take_turn")] == [(), ("Use tabs.",), ()]


async def _heard(stage, world, words: bytes) -> bool:
    """Whether a letter to the only task says so."""
    task = stage.client.get_workflow_handle(options.task_id(world.name, "c1-0001", 0))
    events = (await task.fetch_history()).events
    letters = [e.workflow_execution_signaled_event_attributes.input for e in events]
    return any(words in p.data for letter in letters for p in letter.payloads)


async def test_one_that_goes_in_circles_is_stopped_and_what_it_did_is_judged_by_checks(thinking):
    world = thinks(thinking, "a-stuck", steps({"a": "new"}, "looks"))
    handoff, _ = await ran(thinking, world)
    assert handoff.attempts[0].agent.end is AgentEnd.STUCK
    assert handoff.status is Status.LANDED
    assert any(turns.REPEATED in r.told for r in world.asked("take_turn"))


async def test_it_has_so_many_turns(thinking):
    world = thinks(thinking, "a-turns", lambda turn: f"step {turn}")
    spec = {"limits": {"attempts": 1}}
    handoff, _ = await ran(thinking, world, claude={"turns": 3}, spec=spec)
    assert handoff.attempts[0].agent.end is AgentEnd.TURNS
    assert [r.turn for r in world.asked("take_turn")] == [1, 2, 3]
    assert world.asked("take_turn")[-1].told == (turns.LAST_TURN,)


async def test_a_free_file_that_one_asks_for_joins_its_claim_while_it_works(thinking):
    did = steps("?z.py", {"a": "new", "z": "changed too"}, "done")
    world = thinks(thinking, "a-asks", did, a=OLD, z="theirs")
    handoff, _ = await ran(thinking, world)
    asked, wrote, _ = world.asked("use_tools")
    assert [(said.path, said.granted) for said in asked.answers] == [("z.py", True)]
    assert (asked.granted, wrote.granted) == (("z.py",), ("z.py",))
    assert [a.outcome for a in handoff.attempts] == [Out.CHANGED]
    assert [(g.path, g.reason) for g in handoff.granted] == [("z.py", "needed")]
    assert world.green == {"a.py": "new", "z.py": "changed too"}


async def test_what_one_asks_for_and_nobody_is_granted_is_answered_with_why(thinking):
    world = thinks(thinking, "a-refused", steps("?z.py", {"a": "new"}, "done"), a=OLD, z="theirs")
    handoff, _ = await ran(thinking, world, spec={"protect": ["/z.py"]})
    (answer,) = world.asked("use_tools")[0].answers
    assert (answer.granted, answer.text) == (False, "it is protected")
    assert (handoff.status, handoff.follow_ups) == (Status.LANDED, ("z.py: it is protected",))


@pytest.mark.parametrize("limits", [{"usd": 8.0, "task_usd": 1.0}, {"task_usd": 1.0}])
async def test_a_turn_that_the_grant_cannot_pay_for_ends_the_attempt_with_its_work_kept(
    thinking, limits
):
    world = thinks(thinking, f"a-broke-{len(limits)}", steps({"a": "new"}, "looks"))

    async def run_out() -> None:
        await world.until(lambda: len(world.asked("use_tools")) == 2)
        world.failures["take_turn"] = [permanent(BUDGET_REACHED, "too dear")]

    running = asyncio.create_task(run_out())
    handoff, _ = await ran(thinking, world, spec={"limits": limits})
    await running
    assert handoff.attempts[0].agent.end is AgentEnd.BUDGET
    assert handoff.status is Status.LANDED
    assert [r.grant for r in world.asked("take_turn")][:2] == [Decimal("1.0"), Decimal("0.90")]


async def test_a_budget_that_is_reached_holds_the_rest_and_says_how_to_go_on(thinking):
    files = dict.fromkeys("abc", OLD)
    world = thinks(thinking, "a-poor", lambda turn: "done", **files)
    spec = {"limits": {"usd": 0.7, "task_usd": 0.5, "concurrency": 3, "attempts": 1}}
    gate = world.hold("take_turn")
    handle = await thinking.start(world, claude=True, spec=spec)
    await asyncio.wait_for(gate.reached.wait(), 20)
    progress = await until(handle, lambda p: p.counts.unpaid == 2)
    assert progress.waiting_for.startswith("the budget is reached: 0.00 of 0.70 USD")
    assert progress.command == "starter.py limits a-poor --usd 1.40"
    assert (progress.counts.running, progress.cap) == (1, Decimal("0.7"))
    await handle.execute_update(MigrationWorkflow.set_limits, SetLimits(usd=5, **WHO))
    await until(handle, lambda p: p.counts.running == 3)
    gate.open()
    report = thinking.report(await handle.result())
    assert len(report.handoffs) == 3


async def test_the_first_cap_that_a_person_gives_is_that_of_tasks_that_start_after_it(thinking):
    world = thinks(thinking, "a-capped", lambda turn: "done", **dict.fromkeys("ab", OLD))
    spec = {"limits": {"concurrency": 1, "attempts": 1}}
    gate = world.hold("take_turn")
    handle = await thinking.start(world, claude=True, spec=spec)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await handle.execute_update(MigrationWorkflow.set_limits, SetLimits(usd=4, **WHO))
    area = thinking.client.get_workflow_handle(options.area_id("a-capped", options.AREA))

    async def told() -> bool:
        signals = [
            event.workflow_execution_signaled_event_attributes.signal_name
            async for event in area.fetch_history_events()
        ]
        return STEER_AREA in signals

    await eventually(told)
    gate.open()
    await handle.result()
    assert [turn.grant for turn in world.asked("take_turn")] == [None, Decimal(1)]


async def test_an_area_whose_money_is_used_up_holds_its_own_tasks_and_says_how_to_go_on(thinking):
    world = thinks(thinking, "a-areas", lambda turn: "done", **dict.fromkeys("abcd", OLD))
    world.areas = {"c1-0001": "web", "c1-0002": "web/forms", "c1-0003": "api", "c1-0004": "api"}
    world.caps = {"web": Decimal("0.3"), "api": Decimal(1)}
    spec = {"limits": {"usd": 8.0, "task_usd": 0.5, "concurrency": 2, "attempts": 1}}
    gate = world.hold("take_turn")
    handle = await thinking.start(world, claude=True, spec=spec)
    progress = await until(handle, lambda p: p.counts.running == 2)
    assert (progress.waiting_for, progress.counts.unpaid) == ("", 0)
    gate.open()
    progress = await until(handle, lambda p: p.waiting_for)
    assert progress.waiting_for == (
        "area web: 0.00 of at most 0.30 USD, 2 of its tasks wait for more, and nothing else is "
        "left to do"
    )
    await eventually(lambda: _asks_for_a_person(handle))
    assert progress.command == "starter.py limits a-areas --area web --usd 0.60"
    assert len(world.asked("take_turn")) == 2
    for wrong, why in (
        (SetLimits(area="wbe", usd=1, **WHO), "no area 'wbe'; near it: web"),
        (SetLimits(area="web", usd=9, **WHO), "more than the migration may cost, 8.00 USD"),
    ):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(MigrationWorkflow.set_limits, wrong)
        assert why in str(refused.value.cause)
    await handle.execute_update(MigrationWorkflow.set_limits, SetLimits(area="web", usd=0.6, **WHO))
    report = thinking.report(await handle.result())
    assert {handoff.task for handoff in report.handoffs} == set(world.areas)


async def _asks_for_a_person(handle) -> bool:
    return bool((await handle.describe()).typed_search_attributes.get(options.NEEDS_HUMAN))


async def test_a_turn_that_the_provider_never_takes_ends_the_attempt_and_not_what_was_done_before(
    thinking,
):
    """A model of a mistyped name: what the codemod did lands, and a person reads why."""
    world = thinks(thinking, "a-nobody", steps("done"), a=OLD, b=OLD)
    world.rungs = [lambda tree, task, count: tree.update({"a.py": "new"})]
    lost = Spend(unconfirmed=Decimal("0.02"))
    world.failures["take_turn"] = [
        ApplicationError("404: model: claude-nobody", lost, type="ModelUnknown", non_retryable=True)
    ]
    handoff, _ = await ran(thinking, world, **thinking.planned(world, ("a.py", "b.py")))
    codemod, agent = handoff.attempts
    assert (codemod.kind, agent.outcome, agent.agent.end) == (
        "codemod",
        Out.FAILED,
        AgentEnd.FAILED,
    )
    assert agent.note.endswith("ModelUnknown in take_turn: 404: model: claude-nobody")
    assert ending(agent).endswith(f"({AgentEnd.FAILED}: {agent.run.tail})")
    assert (agent.spend, len(world.asked("take_turn"))) == (lost, 1)
    assert world.green == {"a.py": "new", "b.py": OLD}
