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


@given(st.floats(0, 1), st.integers(0, 64), st.data())
def test_an_observed_rate_stays_a_rate(rate, members, data):
    failures = data.draw(st.integers(0, members))
    assert 0 <= batching.observe(rate, members, failures) <= 1 + 1e-9


def test_failures_raise_the_rate_and_successes_lower_it():
    assert batching.observe(0.05, 10, 5) > 0.05 > batching.observe(0.05, 10, 0)
