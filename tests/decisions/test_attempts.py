"""What an attempt was and what it buys."""

import pytest
from builders import (
    COMMIT,
    OTHER,
    a_checkpoint,
    a_run,
    a_rung_run,
    some_evidence,
    some_work,
)

from activities.contracts.climb import Climb, TaskState
from activities.contracts.findings import red_ones
from activities.contracts.landing import Landing, Outcome
from activities.contracts.work import RungOutcome as Out
from activities.contracts.work import RungRun
from workflows import attempts

STILL = {"moved": False}
CASES = [
    (a_run(0), True, a_checkpoint(), Out.CHANGED),
    (a_run(0), True, a_checkpoint(**STILL), Out.NO_CHANGE),
    (a_run(1), True, a_checkpoint(), Out.CHANGED),
    (a_run(1), False, a_checkpoint(**STILL), Out.FAILED),
    (a_run(1), False, a_checkpoint(), Out.FAILED_CHANGED),
    (a_run(None, "timeout"), False, a_checkpoint(), Out.TIMED_OUT),
    (a_run(None, "output"), False, a_checkpoint(**STILL), Out.FAILED),
    (a_run(0), True, a_checkpoint(outside=("other.py",)), Out.OUTSIDE),
    (a_run(0), True, a_checkpoint(outside=("other.py",), **STILL), Out.OUTSIDE),
    (a_run(0), True, a_checkpoint(damage=("a.py: line ends",)), Out.DAMAGED),
]


@pytest.mark.parametrize(("run", "allowed", "checkpoint", "outcome"), CASES)
def test_outcomes_are_told_apart(run, allowed, checkpoint, outcome):
    ran = RungRun(run=run, allowed=allowed, checkpoint=checkpoint)
    assert attempts.outcome_of(ran) is outcome


def test_a_rung_that_must_change_something_fails_when_it_does_not():
    ran = RungRun(run=a_run(0), allowed=True, checkpoint=a_checkpoint(**STILL))
    assert attempts.outcome_of(ran, empty_fails=True) is Out.FAILED


def test_a_codemod_is_asked_once_and_an_agent_as_often_as_the_limit_says():
    assert attempts.attempts_for("codemod", 3) == 1
    assert attempts.attempts_for("write", 3) == 1
    assert attempts.attempts_for("command", 3) == 3


def test_only_the_tasks_own_files_are_blamed():
    evidence = some_evidence("red", files=("b.py", "a.py", "elsewhere.py"))
    assert attempts.blamed(evidence, ("a.py", "b.py", "c.py")) == ("a.py", "b.py")


def test_halves_keep_every_file_in_order():
    assert attempts.halves(("a", "b", "c")) == [("a",), ("b", "c")]
    assert attempts.halves(("a",)) == [("a",)]


def test_work_is_complete_when_green_and_nothing_is_left():
    assert some_work().complete
    assert not some_work(left=("a.py",), sites_left=2).complete
    assert not some_work(evidence=some_evidence("red")).complete


GREEN, RED = some_work(), some_work(commit=OTHER, evidence=some_evidence("red"))
FOOT = Climb(base=COMMIT, start=COMMIT)


@pytest.mark.parametrize(
    ("left", "onto", "latest", "best"),
    [(None, None, None, None), (RED, None, RED, None), (GREEN, GREEN, GREEN, GREEN)],
)
def test_an_attempt_leaves_what_the_next_one_goes_on_from(left, onto, latest, best):
    under_way = FOOT.model_copy(update={"openings": 2, "ran": a_rung_run()})
    at = attempts.after_attempt(under_way, left)
    assert (at.rung, at.tried, at.openings, at.ran) == (0, 1, 0, None)
    assert (at.onto, at.latest, at.best) == (onto, latest, best)


def test_a_failed_attempt_forgets_nothing_of_those_before():
    at = attempts.after_attempt(attempts.after_attempt(FOOT, GREEN), None)
    assert (at.tried, at.onto, at.latest, at.best) == (2, GREEN, GREEN, GREEN)


def test_the_next_rung_goes_on_from_red_work_too():
    at = attempts.next_rung(attempts.after_attempt(attempts.after_attempt(FOOT, GREEN), RED))
    assert (at.rung, at.tried, at.onto, at.best) == (1, 0, RED, GREEN)


def test_what_is_turned_down_is_for_the_first_rung_that_may_do_better_when_told():
    red = some_evidence("unit: newly failing: x")
    rungs = ["codemod", "claude", "command"]
    again = attempts.after_bounce(some_work(), a_landing(evidence=red), rungs)
    assert again
    assert (again.rung, again.base, again.begins_at) == (1, some_work().base, some_work().commit)
    assert again.latest
    assert again.latest.evidence == red
    assert attempts.after_bounce(some_work(), a_landing(evidence=red), ["codemod"]) is None


def test_what_a_rule_refused_is_told_and_blamed_as_a_check_is():
    why = "tests-deleted: a.py:3: test_a is gone"
    again = attempts.after_bounce(
        some_work(), a_landing(reasons=(why,), paths=("a.py",)), ["claude"]
    )
    assert again
    assert again.latest
    assert not again.latest.green
    assert red_ones(again.latest.evidence)[0].splitlines()[2] == f"- {why}"
    assert attempts.blamed(again.latest.evidence, ["a.py", "b.py"]) == ("a.py",)


def a_landing(**fields: object) -> Landing:
    return Landing.model_validate(
        {"task": "c1-0001", "candidate": "c", "outcome": Outcome.RED, **fields}
    )


def test_where_a_task_stands_survives_the_wire():
    climb = attempts.after_attempt(FOOT, RED).model_copy(update={"ran": a_rung_run()})
    state = TaskState(began=1.5, climb=climb, work=GREEN, put_back={"b.py": "red"})
    assert TaskState.model_validate_json(state.model_dump_json()) == state


def test_the_reason_names_the_check():
    assert attempts.why(some_evidence("newly failing: x")) == "unit: newly failing: x"
