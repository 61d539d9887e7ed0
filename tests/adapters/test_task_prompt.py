"""What an agent's program is told of what people said."""

from activities.adapters.task_prompt import MAX_BYTES, task_prompt
from activities.contracts.commands import MAX_TEXT, MAX_TEXTS
from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence, Moment
from activities.contracts.plan import Task
from tests.builders import a_spec

HEADING = "# What people said since; it wins over what stands above"
RED = CheckResult(check="unit", outcome=CheckOutcome.RED, reasons=("newly failing: test_x",))
EVIDENCE = Evidence(tree="1" * 40, moment=Moment.TASK, checks=(RED,))


def prompt(*guidance: str, instructions: str = "Keep the names.") -> str:
    spec = a_spec("told")
    task = Task(id="c1-0001", title="a", claims=("a.py",), instructions=instructions)
    return task_prompt(spec, spec.phases[0], task, evidence=EVIDENCE, guidance=guidance)


def test_what_people_said_stands_behind_what_was_planned_and_before_what_is_red() -> None:
    told = prompt(" Use the new API.\n", "Ask nobody.")
    section = f"{HEADING}\n\n- Use the new API.\n- Ask nobody.\n"
    before, after = told.split(section)
    assert "Keep the names." in before
    assert "Change nothing else" in before
    assert "newly failing: test_x" in after


def test_where_nobody_said_anything_there_is_no_such_section() -> None:
    assert HEADING not in prompt()


def test_a_prompt_that_says_too_much_is_bounded_and_says_so() -> None:
    texts = [f"{number:03}".ljust(MAX_TEXT, "é") for number in range(MAX_TEXTS)]
    told = prompt(*texts)
    assert texts[0] in told
    assert told.endswith("\n[the rest does not fit]\n")
    assert len(told.removesuffix("\n[the rest does not fit]\n").encode()) <= MAX_BYTES
