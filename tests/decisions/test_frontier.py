"""Which tasks may start: needs, claims, window."""

import pytest
from builders import a_row
from hypothesis import given
from hypothesis import strategies as st

from workflows import frontier


def ids(rows):
    return [row.task.id for row in rows]


def test_tasks_start_in_plan_order_up_to_the_window():
    rows = [a_row("a"), a_row("b"), a_row("c")]
    assert ids(frontier.ready(rows, 2)) == ["a", "b"]


def test_running_tasks_take_room_in_the_window():
    rows = [a_row("a", state="running"), a_row("b"), a_row("c")]
    assert ids(frontier.ready(rows, 2)) == ["b"]


def test_two_tasks_that_claim_one_file_never_run_at_once():
    rows = [a_row("a", "x.py"), a_row("b", "x.py", "y.py"), a_row("c", "y.py")]
    assert ids(frontier.ready(rows, 9)) == ["a", "c"]


def test_a_claim_is_held_while_its_task_runs():
    rows = [a_row("a", "x.py", state="running"), a_row("b", "x.py")]
    assert frontier.ready(rows, 9) == []


@pytest.mark.parametrize("state", ["landed", "partial", "nothing_to_do"])
def test_a_need_is_met_when_it_has_landed(state):
    rows = [a_row("a", state=state), a_row("b", needs=("a",))]
    assert ids(frontier.ready(rows, 9)) == ["b"]


@pytest.mark.parametrize("state", ["needs_person", "cannot", "cancelled", "skipped", "lost"])
def test_what_needs_a_task_that_ended_otherwise_is_blocked_with_all_that_needs_it(state):
    rows = [a_row("a", state=state), a_row("b", needs=("a",)), a_row("c", needs=("b",)), a_row("d")]
    assert ids(frontier.blocked(rows)) == ["b", "c"]
    assert ids(frontier.ready(rows, 9)) == ["d"]


def test_counts_add_up():
    rows = [a_row(s, state=s.replace("-", "_")) for s in ("landed", "partial", "needs-person")]
    rows += [a_row("w"), a_row("r", state="running"), a_row("x", state="skipped")]
    counts = frontier.count(rows)
    assert (counts.landed, counts.needs_person, counts.waiting, counts.running) == (2, 1, 1, 1)
    assert counts.total == len(rows)


def test_only_what_landed_whole_has_surely_lost_its_sites():
    states = ("landed", "partial", "needs_person", "running")
    rows = [a_row(f"t{i}", "a.py", "b.py", state=s) for i, s in enumerate(states)]
    assert frontier.count(rows).sites_gone == 2


claims = st.lists(st.sampled_from("uvwxyz"), min_size=1, max_size=3, unique=True)


@given(st.lists(claims, max_size=12), st.integers(1, 6))
def test_what_starts_is_disjoint_and_fits_the_window(claimed, window):
    rows = [a_row(f"t{i}", *files) for i, files in enumerate(claimed)]
    chosen = frontier.ready(rows, window)
    held = [path for row in chosen for path in row.task.claims]
    assert len(held) == len(set(held))
    assert len(chosen) <= window
    assert chosen or not rows
