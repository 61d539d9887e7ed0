"""Every way in which results can be worse is red, and nothing unknown is ever green."""

from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from activities.contracts.check_forms import Allowed, Expectation, ResultKind
from activities.contracts.evidence import CheckOutcome, CheckResult, ResultSet
from activities.contracts.expectations import flaky_ids, judge
from activities.contracts.spec import Check

GREEN, RED = CheckOutcome.GREEN, CheckOutcome.RED
TREE = "a" * 40


def results(passed: str = "", failed: str = "", skipped: str = "", **more: object) -> ResultSet:
    """One id per word; a word that occurs twice counts twice."""
    counts = {}
    for kind, words in (("passed", passed), ("failed", failed), ("skipped", skipped)):
        counts[kind] = {word: words.split().count(word) for word in words.split()}
    defaults = {"tree": TREE, "check": "unit", "environment": "e", "exit": 1 if failed else 0}
    return ResultSet.model_validate({**defaults, **counts, **more})


def a_check(expect: Expectation = Expectation.NO_WORSE, **more: object) -> Check:
    fields = {"run": "x", "results": ResultKind.JUNIT, "expect": expect, **more}
    return Check.model_validate(fields)


def judged(
    before: ResultSet | None, after: ResultSet, flaky: str = "", **check: object
) -> CheckResult:
    return judge("unit", a_check(**check), before, after, frozenset(flaky.split()))


@pytest.mark.parametrize(
    ("before", "after", "outcome", "reasons"),
    [
        (("a b",), ("a b",), GREEN, []),
        (("a",), ("a b",), GREEN, []),
        (("a", "b"), ("a b",), GREEN, []),
        (("a", "b"), ("a", "b"), GREEN, []),
        (("a b",), ("a", "b"), RED, ["newly failing: b"]),
        (("a",), ("a", "b"), RED, ["newly failing: b"]),
        (("a a", "a"), ("a", "a a"), RED, ["failing more often: a (1 → 2 times)"]),
        (("a", "b b"), ("a b", "b"), GREEN, []),
        (("a b",), ("a",), RED, ["fewer results: 2 → 1", "no longer run: b"]),
        (("a b",), ("a", "", "b"), RED, ["fewer results: 2 → 1", "now skipped: b"]),
        (("a a",), ("a",), RED, ["fewer results: 2 → 1", "runs less often: a (2 → 1 times)"]),
        (("a", "b"), ("a",), RED, ["fewer results: 2 → 1", "no longer run: b"]),
        (("a", "", "b"), ("a",), GREEN, []),
        (("a", "", "b"), ("a b",), GREEN, []),
        (("a b",), ("a c",), GREEN, ["no longer run: b"]),
        (("a", "exit"), ("a",), GREEN, []),
        (("a", "exit"), ("a", "exit"), GREEN, []),
        (("a",), ("a", "plan"), RED, ["newly failing: plan"]),
        (("a b",), ("", "exit"), RED, ["newly failing: exit", "fewer results: 2 → 0",
                                       "no longer run: a", "no longer run: b"]),
    ],
)  # fmt: skip
def test_no_worse_compares_multisets_and_counts(
    before: tuple[str, ...], after: tuple[str, ...], outcome: CheckOutcome, reasons: list[str]
) -> None:
    said = judged(results(*before), results(*after))
    assert (said.outcome, list(said.reasons)) == (outcome, reasons)


@pytest.mark.parametrize(
    ("before", "after"), [(b, a) for b, a in product(["green", "red", "none"], ["green", "red"])]
)
def test_an_exit_code_is_red_unless_it_was_red_before(before: str, after: str) -> None:
    runs = {"green": results("exit"), "red": results("", "exit"), "none": None}
    said = judged(runs[before], runs[after] or results(), results=ResultKind.EXIT)
    assert said.outcome is (RED if after == "red" and before != "red" else GREEN)
    assert said.failed_before == (before == "red")


@pytest.mark.parametrize("before", [None, results("", "b"), results("a", "b")])
def test_pass_holds_failures_against_the_task_even_if_they_were_there(
    before: ResultSet | None,
) -> None:
    said = judged(before, results("a", "b"), expect=Expectation.PASS)
    assert said.outcome is RED
    assert said.reasons == ("failing: b",)


def test_without_anything_to_compare_with_everything_must_pass() -> None:
    assert judged(None, results("a", "b")).outcome is RED
    assert judged(None, results("a", "", "b")).outcome is GREEN
    assert judged(None, results("a", "b"), flaky="b").outcome is RED


@pytest.mark.parametrize("expect", [Expectation.PASS, Expectation.NO_WORSE])
def test_no_result_at_all_shows_nothing(expect: Expectation) -> None:
    said = judged(None, results(), expect=expect)
    assert (said.outcome, said.reasons) == (RED, ("no results at all",))


@pytest.mark.parametrize("changed", [{"parsed": False}, {"environment": "other"}])
def test_an_incomparable_base_counts_as_unknown(changed: dict[str, object]) -> None:
    before = results("a", "b", **changed)
    said = judged(before, results("a", "b"))
    assert said.outcome is RED
    assert said.reasons[0] == "failing: b"
    assert "nothing to compare with" in said.reasons[1]
    assert judged(before, results("a b")).outcome is GREEN


@pytest.mark.parametrize("expect", list(Expectation))
@pytest.mark.parametrize("before", [None, results("a"), results("a", parsed=False)])
def test_unreadable_results_are_red(expect: Expectation, before: ResultSet | None) -> None:
    after = results(parsed=False, exit=2, messages={"exit": "the command wrote no results file"})
    said = judged(before, after, expect=expect)
    assert said.outcome is (GREEN if expect is Expectation.REPORT else RED)
    assert said.reasons[0] == "no readable results; exit 2: the command wrote no results file"


@pytest.mark.parametrize("expect", list(Expectation))
@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        ("timeout", "timed out"),
        ("memory", "stopped: out of memory"),
        ("output", "stopped: too much output"),
        ("cancelled", "cancelled before it finished"),
        ("frozen", "did not finish: frozen"),
    ],
)
def test_a_run_that_did_not_end_by_itself_is_red(
    expect: Expectation, ended: str, reason: str
) -> None:
    after = results("a b", ended=ended, exit=None)
    said = judged(results("a b", ended=ended, exit=None), after, expect=expect)
    assert said.outcome is (GREEN if expect is Expectation.REPORT else RED)
    assert said.reasons[0] == reason


def test_report_is_never_red_and_still_says_what_it_saw() -> None:
    said = judged(results("a b"), results("", "a"), expect=Expectation.REPORT)
    assert said.outcome is GREEN
    assert said.reasons == (
        "newly failing: a",
        "fewer results: 2 → 1",
        "no longer run: b",
    )
    assert said.new_failures == ("a",)


def test_may_shrink_allows_fewer_results_and_no_new_failure() -> None:
    assert judged(results("a b c"), results("a"), may_shrink=True).outcome is GREEN
    assert judged(results("a b c"), results("", "a"), may_shrink=True).outcome is RED


@pytest.mark.parametrize(
    ("glob", "outcome"),
    [("t::*", GREEN), ("t::x[[]1]", GREEN), ("t::x[1]", GREEN), ("*", GREEN), ("t::x", RED)],
)
def test_allowed_results_may_be_red(glob: str, outcome: CheckOutcome) -> None:
    allow = (Allowed(id=glob, reason="ticket 812"),)
    after = results("a", "t::x[1]")
    assert judged(results("a t::x[1]"), after, allow=allow).outcome is outcome
    assert judged(None, after, allow=allow, expect=Expectation.PASS).outcome is outcome


def test_flaky_results_may_be_red_or_missing() -> None:
    assert judged(results("a b"), results("a", "b"), flaky="b").outcome is GREEN
    assert judged(results("a b"), results("a"), flaky="b").outcome is GREEN
    assert judged(results("a b"), results("", "a b"), flaky="b").new_failures == ("a",)


def test_counts_files_and_messages_are_passed_on() -> None:
    after = results(
        "a",
        "b old",
        messages={"b": "AssertionError: 1\nmore"},
        files={"b": ("x.py", "a.py"), "old": ("z.py",)},
        tail="t" * 4000,
        seconds=2.5,
    )
    said = judged(results("a b", "old"), after)
    assert said.reasons == ("newly failing: b: AssertionError: 1",)
    assert said.failing_files == ("a.py", "x.py")
    assert (said.count_before, said.count_after, said.failed_before) == (3, 3, 1)
    assert (said.exit, said.seconds, len(said.tail)) == (1, 2.5, 1500)


def test_reasons_are_bounded() -> None:
    many = " ".join(f"t{n}" for n in range(300))
    said = judged(results(many), results("", many))
    assert len(said.reasons) == 51
    assert said.reasons[-1] == "and 250 more"
    assert len(said.new_failures) == 50


def test_what_differs_between_two_runs_is_flaky() -> None:
    first, second = results("a b c", "d", "e"), results("a", "b d d", "c e")
    assert flaky_ids(first, second) == {"b", "c", "d"}
    assert flaky_ids(first, first) == frozenset()


@pytest.mark.parametrize(
    "cut_short",
    [
        results("a", parsed=False),
        results("a", ended="timeout", exit=None),
        results("a", "plan"),
        results("a", "exit"),
    ],
)
def test_a_run_cut_short_makes_nothing_flaky(cut_short: ResultSet) -> None:
    assert flaky_ids(results("a b"), cut_short) == frozenset()
    assert flaky_ids(cut_short, results("a b")) == frozenset()


counts = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 3), max_size=6)
sets = st.builds(
    lambda p, f, s: results().model_copy(update={"passed": p, "failed": f, "skipped": s}),
    counts, counts, counts,
)  # fmt: skip


@given(sets)
def test_a_tree_is_no_worse_than_itself(one: ResultSet) -> None:
    said = judged(one, one)
    assert (said.outcome, said.reasons) == (GREEN, ())
    assert flaky_ids(one, one) == frozenset()


@given(sets, st.sampled_from("abcdefghz"))
def test_one_more_failure_is_red(one: ResultSet, name: str) -> None:
    worse = {**one.failed, name: one.failed.get(name, 0) + 1}
    said = judged(one, one.model_copy(update={"failed": worse}))
    assert said.outcome is RED
    assert said.new_failures == (name,)


@given(sets, st.data())
def test_one_result_less_is_red(one: ResultSet, data: st.DataObject) -> None:
    assume(one.passed)
    name = data.draw(st.sampled_from(sorted(one.passed)))
    fewer = {**one.passed, name: one.passed[name] - 1}
    after = one.model_copy(update={"passed": {n: c for n, c in fewer.items() if c}})
    assert judged(one, after).outcome is RED


@given(sets, sets)
def test_the_order_of_results_does_not_matter(before: ResultSet, after: ResultSet) -> None:
    def turned(one: ResultSet) -> ResultSet:
        kinds = ("passed", "failed", "skipped")
        return one.model_copy(
            update={kind: dict(reversed(getattr(one, kind).items())) for kind in kinds}
        )

    assert judged(before, after) == judged(turned(before), turned(after))
    assert flaky_ids(before, after) == flaky_ids(after, before)


@given(sets, sets)
def test_green_means_no_new_failure_and_no_smaller_count(
    before: ResultSet, after: ResultSet
) -> None:
    new = any(n > before.failed.get(name, 0) for name, n in after.failed.items())
    shrunk = after.total < before.total
    assert (judged(before, after).outcome is GREEN) == (not new and not shrunk)


@given(sets, sets)
def test_what_passes_strictly_is_never_called_a_new_failure(
    before: ResultSet, after: ResultSet
) -> None:
    if judged(before, after, expect=Expectation.PASS).outcome is GREEN:
        assert judged(before, after).new_failures == ()
