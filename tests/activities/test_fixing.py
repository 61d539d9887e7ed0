"""One task for each red behind the landings: what it claims, what it is told, where it stands."""

from collections.abc import Sequence
from typing import Any

import pytest
from builders import a_plan, a_spec, a_task

from activities.chosen_checks import with_deep
from activities.contracts.plan import Plan
from activities.contracts.reds import OpenRed
from activities.contracts.spec import MigrationSpec
from activities.contracts.work import Handoff, PutBack, TaskStatus
from activities.fixing import MOST_FILES, forged, is_told, with_fixes
from activities.plan_rows import rows_of
from activities.planning import out_of_reach

GOOD, BAD = "a" * 40, "b" * 40
CHECKS = {"unit": {"run": "true"}, "e2e": {"run": "make e2e", "at": ["landing"]}}
DEEP: dict[str, Any] = {
    "checks": CHECKS,
    "gates": ("unit", "e2e"),
    "landing": {"deep": ["e2e"], "budget": {"reds": 0}},
}
RED = OpenRed(
    check="e2e", reasons=("newly failing: tests/t.py",), files=("tests/t.py",), since="monday",
    good=GOOD, bad=BAD, by=("c1-0001",),
)  # fmt: skip
TREE = ("a.py", "b.py", "setup.cfg", "tests/t.py")


def planned(
    *reds: OpenRed, landed: Sequence[str] = ("b.py", "setup.cfg", "gone.py"), **plan: object
) -> Plan:
    """A plan for one file that broke it, which it is done with."""
    spec = a_spec("x", protect=["/setup.cfg"], **DEEP)
    before = a_plan("x", GOOD, a_task("c1-0001", "b.py")).model_copy(update=plan)
    return with_fixes(before, spec, TREE, reds, {red.id: landed for red in reds})


def test_it_claims_what_failures_name_and_what_landed_as_far_as_it_may_be_changed() -> None:
    fix, other = planned(RED).tasks
    assert fix.id == f"c1-fix-{RED.id}"
    assert fix.claims == ("b.py", "tests/t.py")
    assert (fix.sites, fix.priority, fix.mends and fix.mends.good) == (0, 1, GOOD)
    assert other.id == "c1-0001"
    for said in ("e2e", "newly failing: tests/t.py", "(c1-0001)", "`make e2e`", "monday"):
        assert said in fix.instructions


def test_where_no_file_may_be_changed_there_is_no_task() -> None:
    nothing = RED.model_copy(update={"files": ("setup.cfg",)})
    assert [task.id for task in planned(nothing, landed=("gone.py",)).tasks] == ["c1-0001"]


def test_its_files_are_bounded_and_those_that_failures_name_come_first() -> None:
    many = [f"a/{n:04}.py" for n in range(2 * MOST_FILES)]
    spec = a_spec("x", **DEEP)
    plan = with_fixes(a_plan("x", GOOD), spec, {*many, *TREE}, [RED], {RED.id: many})
    (fix,) = plan.tasks
    assert len(fix.claims) == MOST_FILES
    assert "tests/t.py" in fix.claims


def test_it_goes_with_the_pilot_where_there_is_one() -> None:
    assert planned(RED).pilot == ()
    assert planned(RED, pilot=("c1-0001",)).pilot == (f"c1-fix-{RED.id}", "c1-0001")


def test_the_budget_that_it_restores_does_not_stop_it() -> None:
    spec = a_spec("x", **DEEP)
    fix, other = with_deep(rows_of(planned(RED)), spec, "main")
    assert (fix.task.deep, fix.task.mends) == ((), RED.id)
    assert other.task.deep == ("e2e",)


def test_what_it_left_of_its_files_is_nobodys_leftover() -> None:
    left = Handoff(
        task="c1-fix-x",
        status=TaskStatus.NEEDS_PERSON,
        left=("b.py",),
        put_back=(PutBack(path="tests/t.py", reason="red"),),
    )
    assert out_of_reach([left]) == {"b.py", "tests/t.py"}
    assert out_of_reach([left.model_copy(update={"mends": RED.id})]) == set()


def test_nobody_elses_plan_says_what_mends() -> None:
    assert forged(a_plan("x", GOOD, a_task())) == []
    (fault,) = forged(planned(RED))
    assert fault.startswith(f"task c1-fix-{RED.id}: ")


@pytest.mark.parametrize(
    ("rung", "told"),
    [
        ({"codemod": {"run": "tool {files}"}}, False),
        ({"write": {"a.py": "x"}}, False),
        ({"command": {"run": "fix {files} # {prompt_file}"}}, False),
        ({"command": {"run": "agent < {prompt_file}"}}, True),
        ({"command": ["agent", "-p", "{prompt}"]}, True),
        ({"claude": {}}, True),
    ],
)
def test_only_a_rung_that_reads_instructions_can_mend(rung: dict[str, object], told: bool) -> None:
    spec: MigrationSpec = a_spec("x", ladder=["codemod", rung])
    assert is_told(spec.phases[0]) is told
