"""Which files a task gets beyond its claims, and that nobody waits for ever."""

import pytest
from builders import COMMIT, OTHER, a_row
from hypothesis import given
from hypothesis import strategies as st

from activities.contracts.children import AreaRow, Report
from activities.contracts.file_requests import (
    MAX_GRANTS,
    FileAnswer,
    FileRequest,
    FilesAsked,
    FilesNeeded,
    Grant,
)
from activities.contracts.work import TaskStatus
from workflows import frontier, granting


def ask(rows, task: str, *paths: str, start: int = 0, epoch: str = "e"):
    requests = tuple(FileRequest(path=path, reason="it calls it") for path in paths)
    asked = FilesAsked(task=task, start=start, epoch=epoch, requests=requests)
    return granting.answer(rows, asked, "e")


def granted(answers: tuple[FileAnswer, ...]) -> list[bool]:
    return [said.granted for said in answers]


def needs(*paths: str) -> Report:
    wanted = tuple(Grant(path=path, reason="it calls it") for path in paths)
    return Report(
        child="a",
        start=0,
        epoch="e",
        status=TaskStatus.NEEDS_FILES,
        needs=FilesNeeded(wanted=wanted, commit=COMMIT, base=OTHER, rung=1),
    )


def test_a_file_that_nobody_at_work_holds_joins_the_claim_with_its_reason():
    rows = [a_row("a", state="running"), a_row("b"), a_row("c", state="landed")]
    row, answers = ask(rows, "a", "free.py", "b.py", "c.py", "a.py")
    assert granted(answers) == [True] * 4
    assert row
    assert [(g.path, g.reason) for g in row.granted_files] == [
        ("free.py", "it calls it"),
        ("b.py", "it calls it"),
        ("c.py", "it calls it"),
    ]
    assert answers[1].text == "b will change it after this task"
    again, same = ask([row, *rows[1:]], "a", "free.py", "b.py", "c.py", "a.py")
    assert (again, granted(same)) == (row, [True] * 4)


@pytest.mark.parametrize("holder", [a_row("b", "x.py"), a_row("b", grants=["x.py"])])
def test_what_another_task_at_work_holds_is_named_and_not_granted(holder):
    rows = [a_row("a", state="running"), holder.model_copy(update={"state": "running"})]
    row, (said,) = ask(rows, "a", "x.py")
    assert (said.granted, said.held_by) == (False, "b")
    assert row == rows[0]


@pytest.mark.parametrize("more", [{"start": 1}, {"epoch": "another"}])
def test_another_start_or_life_is_granted_nothing(more):
    row, answers = ask([a_row("a", state="running")], "a", "x.py", **more)
    assert (row, granted(answers)) == (None, [False])
    assert ask([a_row("a")], "a", "x.py")[0] is None


def test_one_task_is_granted_only_so_much():
    row, answers = ask([a_row("a", state="running")], "a", *(f"{n}" for n in range(MAX_GRANTS + 1)))
    assert row
    assert granted(answers) == [True] * MAX_GRANTS + [False]


def test_an_area_grants_only_what_it_can_carry():
    full = a_row("b", grants=["x" * granting.MAX_BYTES])
    row = a_row("a", state="running")
    assert granted(ask([row, full], "a", "y.py")[1]) == [False]
    assert granting.queued_again([full], row, needs("x.py")).granted_files == ()


def test_a_task_that_waits_for_files_claims_them_and_goes_on_where_it_was():
    report = needs("x.py")
    row = granting.queued_again([], a_row("a", state="running", grants=["y.py"]), report)
    assert (row.state, row.start) == ("waiting", 1)
    assert row.resumes
    assert (row.resumes.commit, row.resumes.base, row.resumes.rung) == (COMMIT, OTHER, 1)
    assert row.may_change == {"a.py", "x.py", "y.py"}
    holder = a_row("b", "x.py", state="running")
    assert frontier.ready([row, holder], 9) == []
    assert frontier.ready([row, holder.model_copy(update={"state": "landed"})], 9) == [row]


def test_one_that_was_queued_again_often_does_without():
    row = a_row("a", state="running")
    row = row.model_copy(update={"queued_again": granting.MAX_QUEUED_AGAIN})
    _, (said,) = ask([row, a_row("b", "x.py", state="running")], "a", "x.py")
    assert (said.granted, said.held_by) == (False, "")


def test_a_task_is_told_who_was_granted_what_it_claims():
    rows = [a_row("a", grants=["b.py"], state="landed"), a_row("b"), a_row("c", grants=["b.py"])]
    assert granting.notes(rows, rows[1]) == (
        "a (a) was granted, and may have changed, b.py, which is yours: a has to",
        "c (c) may change b.py, which is yours: c has to",
    )
    assert granting.notes(rows, rows[0]) == ()


def test_two_tasks_of_which_one_is_granted_a_file_of_the_other_never_run_at_once():
    rows = [a_row("a", grants=["b.py"]), a_row("b"), a_row("c")]
    assert [row.task.id for row in frontier.ready(rows, 9)] == ["a", "c"]


names = [f"t{n}" for n in range(5)]
asks = st.lists(st.sampled_from([f"{name}.py" for name in [*names, "free"]]), max_size=4)


@given(st.fixed_dictionaries(dict.fromkeys(names, asks)), st.integers(1, 5), st.randoms())
def test_whatever_tasks_ask_for_all_of_them_come_to_an_end_and_none_ever_shares_a_file(
    wishes, window, order
):
    rows = {name: a_row(name) for name in names}
    left = {name: list(paths) for name, paths in wishes.items()}
    for _ in range(200):
        for row in frontier.ready(list(rows.values()), window):
            rows[row.task.id] = row.model_copy(update={"state": frontier.RUNNING})
        running = [row for row in rows.values() if row.state == frontier.RUNNING]
        held = [path for row in running for path in row.may_change]
        assert len(held) == len(set(held))
        if not running:
            break
        step(rows, order.choice(running), left)
    assert {row.state for row in rows.values()} == {"landed"}


def step(rows: dict[str, AreaRow], row: AreaRow, left: dict[str, list[str]]) -> None:
    """One task at work asks for its next file, or lands."""
    id = row.task.id
    if not left[id]:
        rows[id] = row.model_copy(update={"state": "landed"})
        return
    path = left[id].pop(0)
    changed, (said,) = ask(list(rows.values()), id, path, start=row.start)
    rows[id] = changed or row
    if said.held_by:
        rows[id] = granting.queued_again(list(rows.values()), rows[id], needs(path))


def test_what_a_task_of_another_area_claims_is_a_follow_up_whatever_became_of_it():
    def of(area: str, row: AreaRow) -> AreaRow:
        return row.model_copy(update={"task": row.task.model_copy(update={"area": area})})

    for state in ("waiting", "running", "landed"):
        rows = [of("web", a_row("a", state="running")), of("api", a_row("b", "x.py", state=state))]
        row, (said,) = ask(rows, "a", "x.py")
        assert row
        assert not row.granted_files
        assert (said.granted, said.held_by) == (False, "")
        assert "b of area api claims it" in said.text
        both = [*rows, of("web", a_row("c", "x.py"))]
        assert ask(both, "a", "x.py")[1][0].granted or state == "running"
    assert granted(ask(rows, "a", "free.py")[1]) == [True], "nobody's file is of no area"
