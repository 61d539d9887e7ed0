"""What a task does with the queue's answers: the test itself plays the planner and the queue."""

import asyncio

import pytest
from alone import alone
from builders import a_candidate, some_evidence
from inbox import Inbox
from world import fail, rewrite, write

from activities.contracts.children import STEER_TASK, TaskSteering
from activities.contracts.landing import Outcome
from activities.contracts.work import RungOutcome
from activities.contracts.work import TaskStatus as Status
from tests.service import eventually
from workflows import attempts, options


async def test_a_task_whose_planner_is_of_another_life_asks_nobody_to_land(stage):
    case = await alone(stage, stage.world("ta-orphan", a="old"), epoch="of an earlier life")
    assert (await case.handoff()).status is Status.ORPHANED
    assert await case.enqueued() == 0


async def test_a_model_that_was_there_when_its_area_began_is_waited_for(stage):
    """A server or worker that is just started anew has nobody take turns for a while."""
    world = stage.world("ta-model", a="old")
    case = await alone(stage, world, rung="claude", has_model=True)

    async def waits() -> bool:
        steps = (await case.task.describe()).raw_description.pending_activities
        return any(s.activity_type.name in ("open_worker_talk", "take_turn") for s in steps)

    await eventually(waits)
    await case.task.terminate()


async def test_a_candidate_that_keeps_being_bounced_is_given_up_after_the_limit(stage):
    world = stage.world("ta-bounces", **dict.fromkeys("abcdef", "old"))
    case = await alone(stage, world)
    for number, path in enumerate("abcd"[: options.MAX_BOUNCES + 1], 1):
        asked = await case.candidate(number)
        why = {"reasons": (f"protected: {path}.py",), "paths": (f"{path}.py",)}
        await case.answer(asked, Outcome.VIOLATION, **why)
    handoff = await case.handoff()
    assert (handoff.status, handoff.bounces) == (Status.NEEDS_PERSON, options.MAX_BOUNCES + 1)
    assert [entry.path for entry in handoff.put_back] == [f"{name}.py" for name in "abcdef"]
    assert await case.enqueued() == options.MAX_BOUNCES + 1


RED = some_evidence("unit: newly failing: a.py", files=("a.py",))


@pytest.mark.parametrize("mends", [True, False])
async def test_work_that_is_red_beside_what_landed_is_mended_by_who_is_told_else_put_back(
    stage, mends
):
    world = stage.world(f"ta-red-{mends}".lower(), a="old", b="old")

    def work(tree, task, count):
        if count == 1:
            tree.update({"a.py": "landing-bad", "b.py": "new"})
        elif mends:
            tree["a.py"] = "mended"

    world.rungs = [work]
    case = await alone(stage, world, rung="command")
    first = await case.candidate()
    world.land_foreign(c="theirs")
    await case.answer(first, Outcome.RED, reasons=RED.reasons, evidence=RED)
    second = await case.candidate(2)
    told = world.asked("run_rung")[1]
    assert (told.evidence, told.workspace.base) == (RED, world.tip)
    assert world.tree(told.workspace.start)["a.py"] == "landing-bad"
    await case.answer(second, Outcome.LANDED, commit="f" * 40)
    handoff = await case.handoff()
    left = {"a.py": "mended"} if mends else {"a.py": "old"}
    assert world.tree(second.commit) == {**left, "b.py": "new", "c.py": "theirs"}
    assert handoff.status is (Status.LANDED if mends else Status.PARTIAL)
    assert [back.path for back in handoff.put_back] == ([] if mends else ["a.py"])


async def test_work_that_a_rule_refused_is_mended_by_who_is_told_the_rule(stage):
    world = stage.world("ta-refused", a="old")

    def work(tree, task, count):
        tree["a.py"] = "mended" if count > 1 else "forbidden"

    world.rungs = [work]
    case = await alone(stage, world, rung="command")
    first = await case.candidate()
    why = "tests-deleted: a.py:3: test_a is gone"
    await case.answer(first, Outcome.VIOLATION, reasons=(why,), paths=("a.py",))
    second = await case.candidate(2)
    told = world.asked("run_rung")[1]
    assert told.evidence.reasons == (f"{attempts.GATE}: {why}",)
    assert world.tree(second.commit) == {"a.py": "mended"}
    await case.answer(second, Outcome.LANDED, commit="f" * 40)
    assert (await case.handoff()).status is Status.LANDED


async def test_a_cancelled_task_that_landed_meanwhile_has_landed(stage):
    case = await alone(stage, stage.world("ta-cancel-landed", a="old"))
    candidate = await case.candidate()
    await case.cancel()
    await case.answer(candidate, Outcome.LANDED, commit="f" * 40)
    handoff = await case.handoff()
    assert (handoff.status, handoff.landed) == (Status.LANDED, "f" * 40)


async def test_a_cancelled_task_whose_candidate_was_withdrawn_is_cancelled(stage):
    case = await alone(stage, stage.world("ta-cancel-withdrawn", a="old"))
    candidate = await case.candidate()
    assert await case.cancel() == candidate.id
    await case.answer(candidate, Outcome.WITHDRAWN)
    assert (await case.handoff()).status is Status.CANCELLED


async def test_a_cancelled_task_whose_queue_died_after_it_landed_has_landed(stage):
    world = stage.world("ta-cancel-alone", a="old")
    case = await alone(stage, world)
    candidate = await case.candidate()
    await case.queue.terminate()
    world.tip = world.commit({"a.py": "new"}, (world.base,), "late", (candidate.task,))
    await case.task.cancel()
    handoff = await case.handoff()
    assert (handoff.status, handoff.landed) == (Status.LANDED, world.tip)


async def test_a_cancelled_task_whose_candidate_is_bounced_does_not_try_again(stage):
    case = await alone(stage, stage.world("ta-cancel-bounced", a="old", b="old"))
    candidate = await case.candidate()
    await case.cancel()
    await case.answer(candidate, Outcome.VIOLATION, reasons=("no",), paths=("a.py",))
    assert (await case.handoff()).status is Status.CANCELLED
    assert await case.enqueued() == 1


async def test_a_task_cancelled_in_a_rung_opens_no_other_workspace_and_says_so(stage):
    world = stage.world("ta-cancel-rung", a="old")
    gate = world.hold("run_rung")
    case = await alone(stage, world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await case.task.cancel()
    handoff = await case.handoff()
    gate.open()
    assert handoff.status is Status.CANCELLED
    assert world.opened == ["0-1-0"]


@pytest.mark.parametrize("step", ["open_workspace", "run_rung", "run_checks"])
async def test_a_cancel_that_a_step_did_not_hear_ends_the_task_after_it(stage, step):
    world = stage.world(f"ta-deaf-{step.replace('_', '-')}", a="old")
    gate = world.hold(step, deaf=True)
    case = await alone(stage, world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await case.task.cancel()
    gate.open()
    assert (await case.handoff()).status is Status.CANCELLED
    assert await case.enqueued() == 0


async def test_fewer_attempts_hold_for_a_task_at_work_and_an_old_letter_changes_nothing(stage):
    world = stage.world("ta-attempts", a="old")
    world.rungs = [lambda tree, task, count: None]
    gate = world.hold("run_rung")
    case = await alone(stage, world, rung="command")
    await asyncio.wait_for(gate.reached.wait(), 20)
    await case.task.signal(STEER_TASK, TaskSteering(number=2, attempts=1))
    await case.task.signal(STEER_TASK, TaskSteering(number=1, attempts=3))
    gate.open()
    handoff = await case.handoff()
    assert (handoff.status, len(handoff.attempts)) == (Status.NEEDS_PERSON, 1)


async def test_a_task_that_was_paused_while_it_waited_for_room_gives_the_room_back(stage):
    world = stage.world("ta-room", a="old")
    gate = world.hold("open_workspace")
    case = await alone(stage, world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await case.task.signal(STEER_TASK, TaskSteering(number=1, paused=True))
    gate.open()
    await world.until(lambda: bool(world.asked("close_workspace")))
    assert not world.asked("run_rung")
    await case.task.signal(STEER_TASK, TaskSteering(number=2))
    await case.answer(await case.candidate(), Outcome.LANDED, commit="f" * 40)
    assert (await case.handoff()).status is Status.LANDED
    assert world.opened == ["0-1-0", "0-1-1"]


async def test_a_file_that_a_later_rung_mended_is_not_called_put_back(stage):
    world = stage.world("ta-mended", a="old", b="old")
    world.rungs = [write(a="damaged", b="new"), rewrite()]
    case = await alone(stage, world)
    await case.answer(await case.candidate(), Outcome.LANDED, commit="f" * 40)
    handoff = await case.handoff()
    assert (handoff.status, handoff.put_back) == (Status.LANDED, ())
    assert handoff.files == ("a.py", "b.py")


async def test_a_bounced_candidate_comes_again_based_on_the_green_tip(stage):
    world = stage.world("ta-tip", a="old", b="old")
    case = await alone(stage, world)
    first = await case.candidate()
    world.land_foreign(z="theirs")
    await case.answer(first, Outcome.VIOLATION, reasons=("protected: a.py",), paths=("a.py",))
    second = await case.candidate(2)
    assert second.base == world.tip
    assert world.tree(second.commit) == {"a.py": "old", "b.py": "new", "z.py": "theirs"}
    await case.answer(second, Outcome.LANDED, commit="f" * 40)
    assert (await case.handoff()).status is Status.PARTIAL


async def test_what_is_red_on_the_tip_without_the_blamed_file_is_put_back_before_it_asks(stage):
    world = stage.world("ta-red-on-tip", a="old", b="old", c="old")
    world.rungs = [write(a="new", b="landing-bad", c="new")]
    case = await alone(stage, world)
    first = await case.candidate()
    world.commits[first.commit].tree.update({"c.py": "bad"})
    await case.answer(first, Outcome.VIOLATION, reasons=("no",), paths=("b.py",))
    second = await case.candidate(2)
    assert world.tree(second.commit) == {"a.py": "new", "b.py": "old", "c.py": "old"}
    await case.answer(second, Outcome.LANDED, commit="f" * 40)
    assert [entry.path for entry in (await case.handoff()).put_back] == ["b.py", "c.py"]


async def test_the_same_answer_twice_counts_once(stage):
    world = stage.world("ta-twice", a="old", b="old")
    case = await alone(stage, world)
    first = await case.candidate()
    for _ in range(2):
        await case.answer(first, Outcome.VIOLATION, reasons=("no",), paths=("a.py",))
    await case.answer(await case.candidate(2), Outcome.LANDED, commit="f" * 40)
    handoff = await case.handoff()
    assert (handoff.status, handoff.bounces) == (Status.PARTIAL, 1)


async def test_a_task_whose_planner_ends_makes_no_further_attempt(stage):
    world = stage.world("ta-orphaned", a="old")
    world.rungs = [fail(), rewrite()]
    gate = world.hold("run_rung")
    case = await alone(stage, world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await case.parent.execute_update(Inbox.end)
    await case.parent.result()
    gate.open()
    report = await asyncio.wait_for(case.task.result(), 20)
    assert report.status is Status.ORPHANED
    assert world.opened == ["0-1-0"]


async def test_a_repeated_attempt_starts_from_what_was_good_and_hears_what_was_red(stage):
    def hesitant(tree, task, count):
        tree["a.py"] = "bad" if count == 1 else "new"

    world = stage.world("ta-repeated", a="old")
    world.rungs = [hesitant]
    case = await alone(stage, world, rung="command")
    await case.answer(await case.candidate(), Outcome.LANDED, commit="f" * 40)
    assert (await case.handoff()).status is Status.LANDED
    assert [asked.start for asked in world.asked("open_workspace")] == [world.base, world.base]
    first, second = world.asked("run_rung")
    assert first.evidence is None
    assert second.evidence.checks[0].failing_files == ("a.py",)


async def test_a_rung_that_must_change_something_and_does_not_has_failed(stage):
    world = stage.world("ta-empty", a="old")
    world.rungs = [write()]
    case = await alone(stage, world, rung={"codemod": {"run": "true", "empty": False}})
    handoff = await case.handoff()
    assert [attempt.outcome for attempt in handoff.attempts] == [RungOutcome.FAILED]
    assert handoff.status is Status.NEEDS_PERSON


async def test_a_cancelled_task_that_finds_no_queue_is_cancelled(stage):
    world = stage.world("ta-no-queue", a="old")
    gate = world.hold("run_rung")
    case = await alone(stage, world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await case.queue.execute_update(Inbox.end)
    await case.queue.result()
    gate.open()
    await world.until(lambda: bool(world.asked("run_checks")))
    await case.task.cancel()
    assert (await case.handoff()).status is Status.CANCELLED


def test_the_same_commit_that_asks_again_after_a_bounce_gets_an_answer_of_its_own():
    first = a_candidate("c1-0001")
    assert first.id == first.model_copy().id
    assert first.model_copy(update={"asking": 1}).id != first.id


async def test_an_unanswered_candidate_is_enqueued_again_and_again_ever_less_often(patient):
    stage, env = patient
    case = await alone(stage, stage.world("ta-patient", a="old"))
    first = await case.candidate()
    quarter = options.ENQUEUE_AGAIN.total_seconds() + 1
    await env.sleep(quarter)
    assert await case.candidate(2) == first
    await env.sleep(quarter)
    assert await case.enqueued() == 2
    await env.sleep(quarter)
    assert await case.candidate(3) == first
    await case.answer(first, Outcome.LANDED, commit="f" * 40)
    assert (await case.task.result()).status is Status.LANDED


async def test_a_task_that_finds_no_queue_asks_the_next_one(patient):
    stage, env = patient
    world = stage.world("ta-next-queue", a="old")
    gate = world.hold("run_rung")
    case = await alone(stage, world)
    await asyncio.wait_for(gate.reached.wait(), 20)
    await case.queue.execute_update(Inbox.end)
    await case.queue.result()
    gate.open()
    await world.until(lambda: bool(world.asked("run_checks")))
    case.queue = await stage.inbox(case.queue.id)
    await env.sleep(options.QUEUE_COMES_BACK.total_seconds() + 1)
    await case.answer(await case.candidate(), Outcome.LANDED, commit="f" * 40)
    assert (await case.task.result()).status is Status.LANDED
