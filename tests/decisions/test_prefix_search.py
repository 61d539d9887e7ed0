"""The search for a batch's first bad member."""

import math

import pytest
from builders import some_evidence
from hypothesis import given
from hypothesis import strategies as st

from activities.contracts.evidence import Evidence
from workflows.prefix_search import PrefixSearch, Probe


def an_evidence(*ids: str, files: tuple[str, ...] = ()) -> Evidence:
    """Green, or red with these failures; the empty name is a bare exit code."""
    reasons = tuple(f"newly failing: {id}" for id in ids)
    return some_evidence(*reasons, files=files, ids=tuple(id for id in ids if id))


def checked(length: int, bad: set[int], names: bool = False) -> Evidence:
    """What a prefix shows when these members are bad: each fails under its own name, and names its
    file if it does that."""
    failing = sorted(number for number in bad if number <= length)
    files = tuple(f"{number}.py" for number in failing) if names else ()
    return an_evidence(*(f"test_{number}" for number in failing), files=files)


def searched(
    members: int, bad: set[int], at_once: int, names: bool = False
) -> tuple[PrefixSearch, list[list[Probe]]]:
    search = PrefixSearch([{f"{number}.py"} for number in range(1, members + 1)])
    rounds: list[list[Probe]] = []
    while probes := search.probes(at_once):
        assert len(probes) <= at_once
        assert all(search.good < probe.length <= (search.bad or members) for probe in probes)
        rounds.append(probes)
        for probe in probes:
            search.saw(probe, checked(probe.length, bad, names))
    return search, rounds


def two_members() -> PrefixSearch:
    return PrefixSearch([{"a"}, {"b"}])


@given(st.integers(1, 64), st.integers(1, 4), st.booleans(), st.data())
def test_the_first_bad_member_is_found_and_what_is_before_it_is_good(members, at_once, names, data):
    bad = data.draw(st.sets(st.integers(1, members), max_size=4))
    search, rounds = searched(members, bad, at_once, names)
    assert search.bad == min(bad, default=None)
    assert search.good == (min(bad) - 1 if bad else members)
    assert (search.verdict is None) is (not bad)
    looks = 1 + math.ceil(math.log2(members)) + (2 if names else 0)
    assert len(rounds) <= (looks + 1 if bad else 1)
    assert not search.flaky


def test_a_green_batch_costs_one_check():
    assert searched(64, set(), 1)[1] == [[Probe(64)]]


def test_a_member_whose_file_the_failure_names_is_found_with_two_checks_more():
    assert searched(64, {23}, 1, names=True)[1] == [[Probe(64)], [Probe(22)], [Probe(23)]]


def test_several_prefixes_are_checked_at_once_where_there_are_hosts():
    _, rounds = searched(64, {23}, 4)
    assert rounds[0] == [Probe(16), Probe(32), Probe(48), Probe(64)]
    assert len(rounds) <= 4


def test_the_same_failure_seen_twice_needs_no_third_look():
    search = two_members()
    search.saw(Probe(2), an_evidence("test_a"))
    search.saw(Probe(1), an_evidence("test_a"))
    assert (search.probes(1), search.bad) == ([], 1)


@pytest.mark.parametrize(
    "first", ["", "exit", "test_b"], ids=["nothing", "a bare exit code", "another failure"]
)
@pytest.mark.parametrize("again", [True, False])
def test_what_was_not_seen_to_fail_twice_is_asked_once_more(first: str, again: bool):
    search = two_members()
    search.saw(Probe(2), an_evidence(first))
    search.saw(Probe(1), an_evidence(first if first in ("", "exit") else "test_a"))
    assert search.probes(1) == [Probe(1, fresh=1)]
    search.saw(Probe(1, fresh=1), an_evidence("test_a") if again else an_evidence())
    assert (search.good, search.bad, search.flaky) == ((0, 1, []) if again else (1, 2, ["unit"]))


def test_one_that_was_flaky_is_not_held_against_the_next():
    """The rest of what was red is searched on: nobody is turned down for a red of a longer one."""
    search = PrefixSearch([{str(n)} for n in range(4)])
    search.saw(Probe(4), an_evidence("test_4"))
    search.saw(Probe(1), an_evidence("flaky"))
    search.saw(Probe(1, fresh=1), an_evidence())
    assert search.probes(1) == [Probe(3)]


def test_a_red_prefix_of_a_green_one_was_flaky():
    search = PrefixSearch([{str(n)} for n in range(4)])
    search.saw(Probe(1), an_evidence("test_a"))
    search.saw(Probe(4), an_evidence())
    assert (search.good, search.bad, search.flaky) == (4, None, ["unit"])
    assert search.probes(4) == []


def test_a_check_that_was_green_only_when_it_ran_again_is_flaky_too():
    evidence = an_evidence()
    again = evidence.checks[0].model_copy(update={"runs": 2})
    search = two_members()
    search.saw(Probe(2), evidence.model_copy(update={"checks": (again,)}))
    assert (search.good, search.flaky) == (2, ["unit"])


@given(st.integers(2, 64), st.integers(1, 4), st.data())
def test_a_search_ends_whatever_checks_say(members, at_once, data):
    search = PrefixSearch([{f"{number}.py"} for number in range(1, members + 1)])
    while probes := search.probes(at_once):
        for probe in probes:
            red = data.draw(st.booleans())
            name = f"test_{data.draw(st.integers(1, 3))}"
            files = (f"{data.draw(st.integers(1, members))}.py",)
            search.saw(probe, an_evidence(name, files=files) if red else an_evidence())
    assert search.good == (search.bad - 1 if search.bad else members)
