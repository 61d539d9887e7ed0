"""A pilot: who goes first, what it teaches, and what that buys."""

from decimal import Decimal

import pytest
from builders import a_handoff, a_row, a_task
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.reporting import undone
from activities.contracts.migration import MigrationState, Stage
from activities.contracts.pilot import Pilot, pilot_lines
from activities.contracts.plan import Plan
from activities.contracts.survey import SurveyData, SurveyedFile
from activities.contracts.work import Handoff, TaskStatus
from activities.piloting import choose_pilot, learn
from workflows import frontier, judge

BASE = "1" * 40


def named(*paths: str, **fields: object) -> list:
    """A task for each path, called by it."""
    return [a_task(f"c1-{n:04}", path, **fields) for n, path in enumerate(paths, 1)]


def claimed(tasks: list, chosen: tuple[str, ...]) -> list[str]:
    return [task.claims[0] for task in tasks if task.id in chosen]


def test_a_pilot_is_spread_over_folders() -> None:
    tasks = named("a/x.py", "a/y.py", "a/z.py", "b/x.py", "b/y.py", "c/x.py")
    assert claimed(tasks, choose_pilot(tasks, 3)) == ["a/x.py", "b/x.py", "c/x.py"]


def test_then_over_sizes() -> None:
    tasks = [a_task(f"c1-{n:04}", f"a/{n}.py", sites=n) for n in range(1, 10)]
    chosen = choose_pilot(tasks, 3)
    assert [t.sites for t in tasks if t.id in chosen] == [1, 4, 7]


def test_what_a_task_needs_is_part_of_the_pilot() -> None:
    tasks = [a_task("t1", "z/base.py"), a_task("t2", "a/x.py", needs=("t1",)), a_task("t3", "b/y")]
    assert choose_pilot([tasks[1], tasks[0], tasks[2]], 2) == ("t2", "t1")


def test_tasks_in_a_row_begin_with_the_first() -> None:
    row = [a_task(f"t{n}", f"{n}/x.py", needs=(f"t{n - 1}",) if n else ()) for n in range(6)]
    assert choose_pilot(row, 2) == ("t0", "t1")


@pytest.mark.parametrize("count", [3, 4])
def test_a_pilot_that_is_everybody_is_none(count: int) -> None:
    assert choose_pilot(named("a", "b", "c"), count) == ()


@given(st.lists(st.sets(st.integers(0, 20)), min_size=1, max_size=20), st.integers(1, 19))
def test_a_pilot_has_exactly_its_size_and_needs_nobody_else(
    needs: list[set[int]], count: int
) -> None:
    tasks = [
        a_task(f"t{n}", f"{n % 3}/{n}.py", needs=tuple(f"t{m}" for m in some if m < n), sites=n)
        for n, some in enumerate(needs)
    ]
    chosen = choose_pilot(tasks, count)
    assert len(chosen) == (count if count < len(tasks) else 0)
    assert all(set(task.needs) <= set(chosen) for task in tasks if task.id in chosen)


def test_while_there_is_a_pilot_nobody_else_starts() -> None:
    rows = [a_row("a"), a_row("b"), a_row("c")]
    assert [row.task.id for row in frontier.ready(rows, 9, ("b",))] == ["b"]
    assert len(frontier.ready(rows, 9)) == 3


def learnt(*statuses: TaskStatus, tasks: int = 10, seconds: float = 60) -> Pilot:
    planned = named(*(f"{n}.py" for n in range(tasks)))
    pilot = tuple(task.id for task in planned[: len(statuses)])
    plan = Plan(
        migration="m", spec_digest="0", base=BASE, phase="main", cycle=1, tasks=planned, pilot=pilot
    )
    files = [SurveyedFile(path=t.claims[0], size=1, blob="0", sites=2) for t in planned]
    survey = SurveyData(commit=BASE, phase="main", files=files, sites=())
    handoffs = [
        a_handoff(
            task=task,
            status=status,
            seconds=seconds * n,
            left=() if status.landed else (planned[n - 1].claims[0],),
            concerns=() if status.landed else ("it is hard",),
        )
        for n, (task, status) in enumerate(zip(pilot, statuses, strict=True), 1)
    ]
    return learn(plan, survey, handoffs, 4, undone)


def test_what_a_pilot_teaches_is_counted() -> None:
    pilot = learnt(TaskStatus.LANDED, TaskStatus.NEEDS_PERSON, TaskStatus.LANDED)
    assert (pilot.landed, pilot.tasks, pilot.rest, pilot.rest_waves) == (2, 3, 7, 2)
    assert (pilot.fastest, pilot.median, pilot.slowest) == (60, 120, 180)
    assert (pilot.sites_left, pilot.sites) == (16, 20)
    assert pilot.rest_seconds == (120, 360)
    assert pilot.undone == ("c1-0002 1.py: it is hard",)
    # Two of three are little evidence: a 90 % interval is wide.
    assert (pilot.land_low, pilot.land_high) == (1, 7)
    said = "\n".join(pilot_lines(pilot))
    assert "2 of 3 tasks" in said
    assert "7 tasks in 2 rounds: 2 min to 6 min; 1 to 7 of them land" in said


def test_what_models_cost_in_the_pilot_is_what_the_rest_may_cost() -> None:
    plan = Plan(
        migration="m",
        spec_digest="",
        base=BASE,
        phase="main",
        cycle=1,
        tasks=named("1.py", "2.py", "3.py", "4.py", "5.py"),
        pilot=("c1-0001", "c1-0002"),
    )
    survey = SurveyData(commit=BASE, phase="main", files=(), sites=())

    def handoff(task: str, *usd: str, files: tuple[str, ...] = ()) -> Handoff:
        costs = [{"usd": amount} for amount in usd]
        attempts = [
            {"number": n, "rung": 0, "kind": "claude", "outcome": "changed", "agent": an_agent(**c)}
            for n, c in enumerate(costs, 1)
        ]
        return a_handoff(task=task, attempts=attempts, files=files)

    handoffs = [
        handoff("c1-0001", "0.25", "0.75", files=("1.py",)),
        handoff("c1-0002", "0.5", files=("2.py",)),
    ]
    pilot = learn(plan, survey, handoffs, 4, undone)
    assert (pilot.spend.total, pilot.cheapest, pilot.dearest) == (
        Decimal("1.5"),
        Decimal("0.5"),
        Decimal("1"),
    )
    assert pilot.rest_usd == (Decimal("1.5"), Decimal(3))
    said = "\n".join(pilot_lines(pilot))
    assert "1.50 USD, 0.75 for each file that landed; 0.5 to 1.00 a task" in said
    assert "1.50 to 3.00 USD, if the rest is like it" in said
    assert "cost" not in "\n".join(pilot_lines(learnt(TaskStatus.LANDED)))


def an_agent(usd: str) -> dict[str, object]:
    talk = {"migration": "m", "sha256": "0" * 64, "size": 0}
    return {"talk": talk, "end": "done", "turns": 1, "spend": {"recorded": usd}}


def a_state(pilot: Pilot, **fields: object) -> MigrationState:
    return MigrationState(cycle=1, pilots=(pilot,), **fields)


LANDED, LOST = learnt(TaskStatus.LANDED), learnt(TaskStatus.CANNOT)


@pytest.mark.parametrize(
    ("state", "approval", "stage"),
    [
        (MigrationState(cycle=1), True, Stage.WORK),
        (a_state(LANDED), False, Stage.WORK),
        (a_state(LOST), False, Stage.STOPPED),
        (a_state(LANDED), True, Stage.APPROVAL),
        (a_state(LOST), True, Stage.APPROVAL),
        (a_state(LOST, released=True), True, Stage.WORK),
        (a_state(LANDED, rejected="too slow"), True, Stage.CANCELLED),
        (a_state(LOST).model_copy(update={"cycle": 2}), False, Stage.WORK),
    ],
)
def test_the_rest_follows_when_one_task_landed_or_a_person_says_so(
    state: MigrationState, approval: bool, stage: Stage
) -> None:
    assert judge.after_pilot(state, approval)[0] is stage


def test_a_pilot_that_landed_nothing_says_why_the_rest_was_not_started() -> None:
    _, reason = judge.after_pilot(a_state(LOST), approval=False)
    assert reason.endswith("not started: c1-0001 0.py: it is hard")
