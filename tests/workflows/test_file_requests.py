"""Tasks that ask for files beyond their claims, in a whole migration."""

import asyncio

from world import rewrite, write

from activities.contracts.file_requests import FileRequest
from activities.contracts.work import RungOutcome as Out
from activities.contracts.work import TaskStatus as Status


def asks(*paths: str) -> list[FileRequest]:
    return [FileRequest(path=path, reason="its callers change with it") for path in paths]


def outcomes(handoff):
    return [attempt.outcome for attempt in handoff.attempts]


async def test_a_free_file_joins_the_claim_and_the_same_rung_goes_on_with_it(stage):
    world = stage.world("fr-free", a="old", z="theirs")
    world.asks["c1-0001"] = [asks("z.py")]

    def rung(tree, task, count):
        tree["a.py"] = "new"
        if "z.py" in task.may_change:
            tree["z.py"] = "changed too"

    world.rungs = [rung]
    report = await stage.run(world)
    (handoff,) = report.handoffs
    assert outcomes(handoff) == [Out.ASKED, Out.CHANGED]
    assert (handoff.status, handoff.files) == (Status.LANDED, ("a.py", "z.py"))
    assert [(g.path, g.reason) for g in handoff.granted] == [("z.py", "its callers change with it")]
    assert world.green == {"a.py": "new", "z.py": "changed too"}
    _, second = world.asked("open_workspace")
    assert world.tree(second.start)["a.py"] == "new", "it goes on from what it did"
    assert world.asked("compose_batch")[0].candidates[0].claims == ("a.py", "z.py")


async def test_a_file_that_another_holds_is_waited_for_by_nobody_who_holds_anything(stage):
    world = stage.world("fr-held", a="old", b="old")
    world.asks["c1-0001"] = [asks("b.py")]

    def first(tree, task, count):
        tree["a.py"] = "new"
        if "b.py" in task.may_change:
            tree["b.py"] += " and more"

    world.per_task["c1-0001"] = first
    other = world.hold("run_rung", "c1-0002")
    handle = await stage.start(world, **stage.planned(world, ("a.py",), ("b.py",)))
    await asyncio.wait_for(other.reached.wait(), 20)
    await world.until(
        lambda: (
            any(call.task == "c1-0001" and call.attempt for call in world.asked("close_workspace"))
            or len([c for c in world.asked("run_rung") if c.task.id == "c1-0001"]) == 1
        )
    )
    other.open()
    report = stage.report(await handle.result())
    mine, theirs = sorted(report.handoffs, key=lambda handoff: handoff.task)
    assert (mine.status, theirs.status) == (Status.LANDED, Status.LANDED)
    assert world.green == {"a.py": "new", "b.py": "new and more"}
    again = [asked for asked in world.asked("open_workspace") if asked.task == "c1-0001"][-1]
    assert again.attempt == "1-1-0"
    assert world.tree(again.start) == {"a.py": "new", "b.py": "new"}
    assert [g.path for g in mine.granted] == ["b.py"]
    assert [file.told for file in report.hot] == ["b.py: 1 waited at once"]


async def test_what_is_protected_is_refused_told_to_the_worker_and_a_follow_up(stage):
    world = stage.world("fr-protected", a="old", z="theirs")
    world.rungs = [write(a="bad"), rewrite("bad"), write(a="new")]
    world.asks["c1-0001"] = [asks("z.py", "../etc/passwd")]
    report = await stage.run(world, spec={"protect": ["/z.py"]})
    (handoff,) = report.handoffs
    assert outcomes(handoff)[0] is Out.CHANGED, "the attempt counts as what it was"
    assert handoff.status is Status.LANDED
    assert handoff.follow_ups == (
        "z.py: it is protected",
        "../etc/passwd: it is not a path inside the repository",
    )
    assert "z.py was asked for and refused" in world.asked("run_rung")[1].notes[0]
    assert world.green["z.py"] == "theirs"


async def test_a_task_whose_file_was_granted_to_another_starts_after_it_and_is_told(stage):
    world = stage.world("fr-told", a="old", b="old")
    world.asks["c1-0001"] = [asks("b.py")]
    plans = stage.planned(world, ("a.py",), ("b.py",))
    report = await stage.run(world, spec={"limits": {"concurrency": 1}}, **plans)
    assert {handoff.status for handoff in report.handoffs} == {Status.LANDED}
    told = [asked for asked in world.asked("run_rung") if asked.task.id == "c1-0002"]
    assert told[0].notes == (
        "c1-0001 (change c1-0001) was granted, and may have changed, b.py, which is yours: "
        "its callers change with it",
    )


async def test_a_program_that_asks_for_the_same_again_and_again_comes_to_its_end(stage):
    world = stage.world("fr-again", a="old", z="theirs")
    world.asks["c1-0001"] = [asks("z.py") for _ in range(50)]
    report = await stage.run(world)
    (handoff,) = report.handoffs
    assert outcomes(handoff) == [Out.ASKED, Out.CHANGED]


async def test_a_task_that_is_cancelled_while_it_waits_for_files_says_what_it_did(stage):
    world = stage.world("fr-cancel", a="old", b="old")
    world.asks["c1-0001"] = [asks("b.py")]
    other = world.hold("run_rung", "c1-0002")
    handle = await stage.start(world, **stage.planned(world, ("a.py",), ("b.py",)))
    await asyncio.wait_for(other.reached.wait(), 20)
    await world.until(lambda: "0-1-0" in world.opened and len(world.asked("run_rung")) == 2)
    await handle.cancel()
    other.open()
    report = stage.report(await handle.result())
    mine = min(report.handoffs, key=lambda handoff: handoff.task)
    assert mine.status is Status.CANCELLED


async def test_what_another_area_claims_is_followed_up_in_the_next_cycle(stage):
    world = stage.world("f-areas", a="old", b="old")
    world.areas = {"c1-0001": "web", "c1-0002": "api"}
    world.asks["c1-0001"] = [asks("b.py")]

    def rung(tree, task, count):
        rewrite()(tree, task, count)
        if task.follows:
            tree["b.py"] = "new, and its caller"

    world.rungs = [rung]
    report = await stage.run(world, spec={"ladder": [{"command": ["agent", "{prompt}"]}]})
    assert list(world.landed())[-1] == "c2-more-0001"
    assert world.green == {"a.py": "new", "b.py": "new, and its caller"}
    asked, _, more = sorted(report.handoffs, key=lambda handoff: handoff.task)
    assert asked.follow_ups
    assert more.follows == ("b.py",)
    (told,) = [r.task for r in world.asked("run_rung") if r.task.follows]
    assert "c1-0001: b.py: c1-0002 of area api claims it" in told.instructions
