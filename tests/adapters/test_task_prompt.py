"""What an agent's program is told of what people said."""

from activities.adapters.task_prompt import MAX_BYTES, task_prompt
from activities.contracts.commands import MAX_TEXT, MAX_TEXTS
from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence, Moment
from activities.contracts.plan import Task
from tests.builders import a_spec

HEADING = "# What people said since; it wins over what stands above"
RED = CheckResult(check="unit", outcome=CheckOutcome.RED, reasons=("newly failing: test_x",))
EVIDENCE = Evidence(tree="1" * 40, moment=Moment.TASK, checks=(RED,))


def prompt(
    *guidance: str, instructions: str = "Keep the names.", evidence: Evidence = EVIDENCE
) -> str:
    spec = a_spec("told")
    task = Task(id="c1-0001", title="a", claims=("a.py",), instructions=instructions)
    return task_prompt(spec, spec.phases[0], task, evidence=evidence, guidance=guidance)


def test_what_people_said_stands_behind_what_was_planned_and_before_what_is_red() -> None:
    told = prompt(" Use the new API.\n", "Ask nobody.")
    section = f"{HEADING}\n\n- Use the new API.\n- Ask nobody.\n"
    before, after = told.split(section)
    assert "Keep the names." in before
    assert "Change nothing else" in before
    assert "newly failing: test_x" in after


def test_where_nobody_said_anything_there_is_no_such_section() -> None:
    assert HEADING not in prompt()


def test_of_too_many_texts_the_newest_are_told_and_what_is_red_too() -> None:
    texts = [f"{number:03}".ljust(MAX_TEXT, "é") for number in range(MAX_TEXTS)]
    told = prompt(*texts)
    fit = [text for text in texts if text in told]
    assert fit == texts[-len(fit) :]
    assert len(fit) > 3
    assert f"- [{MAX_TEXTS - len(fit)} older texts do not fit]\n- {fit[0][:3]}" in told
    assert "newly failing: test_x" in told
    assert len(told.encode()) <= MAX_BYTES


def test_an_order_that_says_too_much_is_cut_and_what_people_said_is_not() -> None:
    told = prompt("Ask nobody.", instructions="é" * MAX_BYTES)
    assert "é\n[the rest does not fit]\n" in told
    assert "- Ask nobody.\n" in told
    assert "newly failing: test_x" in told
    assert len(told.encode()) <= MAX_BYTES


def test_what_is_red_is_cut_where_it_says_too_much() -> None:
    checks = tuple(RED.model_copy(update={"check": f"{n:090}"}) for n in range(1000))
    told = prompt("Ask nobody.", evidence=EVIDENCE.model_copy(update={"checks": checks}))
    assert told.endswith("\n[the rest does not fit]\n</data>\n")
    assert "- Ask nobody.\n" in told
    assert len(told.encode()) <= MAX_BYTES
