"""What a person's wish does to rows, and what each refusal says."""

import pytest
from builders import COMMIT, a_row

from activities.contracts.children import AreaRow, Wish
from activities.contracts.commands import MAX_TEXTS, Guidance
from workflows import frontier, interventions


def grant(rows: list[AreaRow], verb: str, task: str = "", **more: object):
    changed, granted = interventions.grant(rows, Wish(id="x", verb=verb, task=task, **more))
    return {row.task.id: row for row in changed}, granted


@pytest.mark.parametrize("state", ["needs_person", "cannot", "cancelled", "skipped", "lost"])
def test_a_task_that_ended_without_landing_waits_again_under_its_next_start(state):
    row = a_row("c1-0001", state=state).model_copy(update={"deaths": 2, "skipped": "ana: no"})
    changed, granted = grant([row], "retry", "c1-0001")
    again = changed["c1-0001"]
    assert (again.state, again.start, again.deaths, again.skipped) == ("waiting", 1, 0, "")
    assert (granted.refused, granted.tasks) == ("", ("c1-0001",))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("waiting", "has not started yet"),
        ("running", "is at work (start 0)"),
        ("landed", f"has landed as {COMMIT}"),
        ("partial", f"has landed in part as {COMMIT}"),
        ("nothing_to_do", "nothing to do"),
    ],
)
def test_a_retry_that_makes_no_sense_says_why(state, said):
    row = a_row("c1-0001", state=state).model_copy(update={"landed": COMMIT})
    changed, granted = grant([row], "retry", "c1-0001")
    assert not changed
    assert said in granted.refused


def test_all_failed_is_every_task_that_ended_without_landing():
    states = {"a": "needs_person", "b": "landed", "c": "lost", "d": "running"}
    changed, granted = grant(
        [a_row(id, state=state) for id, state in states.items()], "retry", all_failed=True
    )
    assert list(changed) == ["a", "c"]
    assert granted.text == "a, c will start again"
    assert "no task has failed" in grant([a_row("b")], "retry", all_failed=True)[1].refused


CHAIN = [
    a_row("a", state="cannot"),
    a_row("b", needs=("a",), state="skipped"),
    a_row("c", needs=("b",), state="skipped"),
    a_row("d", state="skipped"),
]


def test_dependants_stay_skipped_and_are_named_unless_they_are_wanted_too():
    changed, granted = grant(CHAIN, "retry", "a")
    assert list(changed) == ["a"]
    assert "still skipped, because they need it: b, c" in granted.text
    changed, granted = grant(CHAIN, "retry", "a", with_dependants=True)
    assert list(changed) == ["a", "b", "c"]
    rows = [changed.get(row.task.id, row) for row in CHAIN]
    assert [row.task.id for row in frontier.ready(rows, 9)] == ["a"]
    assert not frontier.blocked(rows)


def test_a_waiting_task_is_skipped_at_once_with_what_needs_it():
    rows = [a_row("a"), a_row("b", needs=("a",))]
    changed, granted = grant(rows, "skip", "a", why="ana: not ours")
    assert (changed["a"].state, changed["a"].skipped) == ("skipped", "ana: not ours")
    assert granted.text == "skipped with it, because they need it: b"
    assert [row.task.id for row in frontier.blocked([changed["a"], rows[1]])] == ["b"]


def test_a_running_task_that_is_skipped_keeps_its_claim_until_it_has_stopped():
    changed, granted = grant([a_row("a", state="running")], "skip", "a", why="ana")
    assert (changed["a"].state, changed["a"].skipped) == ("running", "ana")
    assert "it stops, unless it lands before" in granted.text


@pytest.mark.parametrize("verb", ["skip", "pause", "resume", "steer"])
@pytest.mark.parametrize("state", ["landed", "needs_person"])
def test_nothing_more_is_done_about_a_final_task(verb, state):
    changed, granted = grant([a_row("a", state=state)], verb, "a")
    assert not changed
    assert granted.refused.startswith("a ")


def test_an_unknown_task_is_refused_with_the_nearest_names():
    rows = [a_row("c2-0001"), a_row("c2-0002")]
    assert "near it: c2-000" in grant(rows, "skip", "c2-003")[1].refused
    assert "there is none at all" in grant([], "skip", "c2-0003")[1].refused


def test_a_task_of_an_earlier_cycle_is_called_so():
    refused = grant([a_row("c3-0001")], "retry", "c1-0001")[1].refused
    assert "belongs to an earlier cycle (1)" in refused


def test_of_too_many_texts_the_oldest_is_passed_on_no_more_and_that_is_said():
    texts: tuple[Guidance, ...] = ()
    for number in range(MAX_TEXTS):
        texts, said = interventions.with_text(texts, Guidance(text=f"{number} ".ljust(90, "x")))
        assert said == ""
    kept, said = interventions.with_text(texts, Guidance(text="the newest"))
    assert [text.text for text in kept] == [*(text.text for text in texts[1:]), "the newest"]
    assert said.startswith(f"{MAX_TEXTS} texts are the most: the oldest is passed on no more: '0 x")
    assert said.endswith("x…'")
