"""What an attempt was and what it buys."""

import pytest
from builders import a_checkpoint, a_run, some_evidence

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
    done = attempts.Work("c", "b", ("a",), (), 0, some_evidence())
    assert done.complete
    assert not attempts.Work("c", "b", ("a",), ("a",), 2, some_evidence()).complete
    assert not attempts.Work("c", "b", ("a",), (), 0, some_evidence("red")).complete


def test_the_reason_names_the_check():
    assert attempts.why(some_evidence("newly failing: x")) == "unit: newly failing: x"
