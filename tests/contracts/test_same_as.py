"""The same as another check: what passed there passes here, and silence is never green."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.contracts.check_forms import Expectation, SameAs
from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence, Moment, ResultSet
from activities.contracts.expectations import judge, red_results
from activities.contracts.spec import Check

GREEN, RED = CheckOutcome.GREEN, CheckOutcome.RED
SAME = SameAs(same_as="old")


def results(passed: str = "", failed: str = "", skipped: str = "", **more: object) -> ResultSet:
    """One id per word; a word that occurs twice counts twice."""
    counts = {
        kind: {word: words.split().count(word) for word in words.split()}
        for kind, words in (("passed", passed), ("failed", failed), ("skipped", skipped))
    }
    defaults = {"tree": "a" * 40, "check": "new", "environment": "e", "exit": 0}
    return ResultSet.model_validate({**defaults, **counts, **more})


def a_check(**more: object) -> Check:
    return Check.model_validate({"run": "x", "results": "junit", **more})


def same(before: ResultSet | None, after: ResultSet, flaky: str = "", **more: object):
    return judge("new", a_check(**more), before, after, frozenset(flaky.split()), SAME)


@pytest.mark.parametrize(
    ("before", "after", "outcome", "reasons"),
    [
        (("a b",), ("a b",), GREEN, []),
        (("a b",), ("a b c",), GREEN, []),
        (("a", "b"), ("a",), GREEN, []),
        (("a",), ("a", "z"), GREEN, []),
        (("a", "", "s"), ("a",), GREEN, []),
        (("a b",), ("a", "b"), RED, ["passed in old, now failing: b"]),
        (("a b",), ("a",), RED, ["passed in old, now not run: b"]),
        (("a b",), ("a", "", "b"), RED, ["passed in old, now skipped: b"]),
        (("a a",), ("a",), RED, ["passed in old, now passing less often: a"]),
        (("a",), ("a", "exit"), RED, ["newly failing: exit"]),
        (("a", "exit"), ("a", "exit"), GREEN, []),
        (("a",), ("a", "plan"), RED, ["newly failing: plan"]),
        (("", "a"), ("a",), RED, ["nothing to compare with: nothing passed in old on the base"]),
    ],
)
def test_what_passed_there_passes_here(
    before: tuple[str, ...], after: tuple[str, ...], outcome: CheckOutcome, reasons: list[str]
) -> None:
    said = same(results(*before, environment="another"), results(*after))
    assert (said.outcome, list(said.reasons)) == (outcome, reasons)


@pytest.mark.parametrize("before", [None, results("a", parsed=False)])
def test_without_results_of_the_other_check_nothing_is_the_same(before: ResultSet | None) -> None:
    said = same(before, results("a"))
    assert said.outcome is RED
    assert said.reasons == ("nothing to compare with: no results in old on the base",)


@pytest.mark.parametrize(
    "after", [results("a", parsed=False), results("a", ended="timeout", exit=None)]
)
def test_a_run_that_cannot_be_trusted_is_red_whatever_it_says(after: ResultSet) -> None:
    assert same(results("a"), after).outcome is RED


def test_flaky_and_allowed_results_may_be_missing() -> None:
    assert same(results("a b"), results("a"), flaky="b").outcome is GREEN
    allow = [{"id": "b*", "reason": "gone with the old interpreter"}]
    assert same(results("a b1 b2"), results("a"), allow=allow).outcome is GREEN


counts = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 3), max_size=4)


@given(counts, counts, counts, counts)
def test_green_means_every_pass_of_there_is_a_pass_here(
    there: dict[str, int], red: dict[str, int], here: dict[str, int], red_here: dict[str, int]
) -> None:
    before = results().model_copy(update={"passed": there, "failed": red})
    after = results().model_copy(update={"passed": here, "failed": red_here})
    holds = bool(there) and all(here.get(name, 0) >= times for name, times in there.items())
    assert (same(before, after).outcome is GREEN) == holds


def test_each_moment_has_its_own_expectation() -> None:
    check = a_check(at={"landing": "report", "end": {"same_as": "old"}})
    assert check.moments == (Moment.LANDING, Moment.END)
    assert check.expected_at(Moment.LANDING) is Expectation.REPORT
    assert check.expected_at(Moment.END) == SAME
    assert a_check(expect="pass", at="end").expected_at(Moment.END) is Expectation.PASS
    assert a_check(at=[]).moments == ()
    assert Check.model_validate_json(check.model_dump_json()) == check


def test_the_expectation_of_the_moment_is_what_is_judged_by() -> None:
    before, after = results("", "a"), results("", "a")
    assert judge("new", a_check(), before, after).outcome is GREEN
    assert judge("new", a_check(), before, after, expect=Expectation.PASS).outcome is RED
    strict = a_check(expect="pass")
    assert judge("new", strict, before, after, expect=Expectation.REPORT).outcome is GREEN


@pytest.mark.parametrize(
    ("patterns", "outcome"), [({"fail": "(?P<id>.*)"}, GREEN), ({"pass": "(?P<id>.*)"}, RED)]
)
def test_where_only_failures_are_told_fewer_of_them_are_no_loss(
    patterns: dict[str, str], outcome: CheckOutcome
) -> None:
    check = a_check(results=patterns)
    assert judge("lint", check, results("", "a b"), results("", "a")).outcome is outcome
    assert judge("lint", check, None, results(), expect=Expectation.PASS).outcome is outcome


def test_a_run_that_could_not_be_read_blames_the_files_that_it_named() -> None:
    after = results(parsed=False, files={"exit": ("src/lib.rs",)})
    assert judge("unit", a_check(), results("a"), after).failing_files == ("src/lib.rs",)


def test_red_results_are_those_that_may_not_be_red() -> None:
    check = a_check(allow=[{"id": "b", "reason": "known"}])
    assert red_results(check, results("x", "c b a")) == ["a", "c"]
    assert red_results(check, results("x", parsed=False)) == ["exit"]


def test_what_was_not_verified_is_no_pass_unless_it_was_only_to_be_reported() -> None:
    def evidence(**said: object) -> Evidence:
        result = CheckResult.model_validate({"check": "unit", **said})
        return Evidence(tree="a" * 40, moment=Moment.END, checks=(result,))

    assert not evidence(outcome="not_verified").passed
    assert evidence(outcome="not_verified", binding=False).passed
