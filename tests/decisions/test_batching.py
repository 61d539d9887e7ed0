"""The merge queue's arithmetic."""

import pytest
from builders import a_candidate
from hypothesis import given
from hypothesis import strategies as st

from workflows import batching


@pytest.mark.parametrize(
    ("rate", "size"), [(0.0, 64), (0.005, 64), (0.02, 35), (0.05, 14), (0.1, 7), (0.5, 4), (1.0, 4)]
)
def test_the_batch_is_about_ln2_over_the_failure_rate_between_4_and_64(rate, size):
    assert batching.batch_size(rate) == size


def test_a_batch_takes_the_urgent_first_and_the_old_before_the_new():
    waiting = [a_candidate("a"), a_candidate("b", priority=1), a_candidate("c")]
    assert [c.task for c in batching.form(waiting, 0.05)] == ["b", "a", "c"]


def test_who_waits_longest_is_in_the_batch_whatever_is_more_urgent():
    urgent = [a_candidate(f"u{n}", priority=1) for n in range(9)]
    members = batching.form([a_candidate("old"), *urgent], failure_rate=0.5)
    assert [c.task for c in members] == ["u0", "u1", "u2", "old"]


def test_who_was_bounced_before_comes_last_so_that_the_others_can_land_without_it():
    waiting = [a_candidate("again", asking=1), a_candidate("a"), a_candidate("b")]
    assert [c.task for c in batching.form(waiting, 0.05)] == ["a", "b", "again"]


def test_who_has_the_longest_chain_of_tasks_behind_it_goes_before_the_urgent():
    waiting = [a_candidate("a"), a_candidate("b", priority=1), a_candidate("c", chain=2)]
    assert [c.task for c in batching.form(waiting, 0.05)] == ["c", "b", "a"]


def test_whom_the_batch_before_did_not_get_to_goes_first_once_it_is_the_oldest():
    waiting = [a_candidate("old", asking=1), a_candidate("young"), a_candidate("u", priority=1)]
    returned = {"old@" + "1" * 40 + "#1", "young@" + "1" * 40}
    members = batching.form(waiting, 0.05, returned)
    assert [c.task for c in members] == ["old", "u", "young"]


@given(st.integers(1, 12), st.data())
def test_nobody_starves_whoever_comes_and_whatever_is_red(before, data):
    """The one with nothing for it, against more urgent ones that come without end: every batch
    settles a prefix and perhaps its first bad member, at least one of its members."""
    chains = st.integers(1, 3)
    waiting = [a_candidate(f"t{n}", chain=data.draw(chains)) for n in range(before)]
    patient = a_candidate("patient", priority=9, asking=1)
    waiting.append(patient)
    returned: set[str] = set()
    for batch in range(2 * (before + 1)):
        waiting += [a_candidate(f"n{batch}-{n}", priority=1, chain=9) for n in range(4)]
        members = batching.form(waiting, 1.0, returned)
        settled = members[: data.draw(st.integers(1, len(members)))]
        waiting = [c for c in waiting if c not in settled]
        returned = {c.id for c in members if c not in settled}
        if patient in settled:
            return
    raise AssertionError("it waits for ever")


@given(st.floats(0, 1), st.integers(0, 64), st.data())
def test_an_observed_rate_stays_a_rate(rate, members, data):
    failures = data.draw(st.integers(0, members))
    assert 0 <= batching.observe(rate, members, failures) <= 1 + 1e-9


def test_failures_raise_the_rate_and_successes_lower_it():
    assert batching.observe(0.05, 10, 5) > 0.05 > batching.observe(0.05, 10, 0)
