"""A merge of the base is held against both its sides: what is red on either is not the merge's."""

import pytest

from activities.contracts.check_forms import ResultKind
from activities.contracts.evidence import CheckOutcome, ResultSet
from activities.contracts.expectations import judge
from activities.contracts.merged_results import merged_results
from activities.contracts.spec import Check


def ran(text: str, **more: object) -> ResultSet:
    """`a !b`: a passed, b failed."""
    words = text.split()
    return ResultSet.model_validate(
        {
            "tree": "c" * 40,
            "check": "unit",
            "environment": "e",
            "exit": 0,
            "passed": {w: words.count(w) for w in words if w[0] != "!"},
            "failed": {w[1:]: words.count(w) for w in words if w[0] == "!"},
            **more,
        }
    )


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merge", "good"),
    [
        ("a b", "a b", "a b c", "a b c", True),  # the base added a test
        ("a b", "a b", "a b c", "a b", False),  # and it does not run in the merge
        ("a b", "a b", "a", "a", True),  # the base took one away
        ("a b", "a b d", "a b c", "a b c d", True),  # both added one
        ("a b", "a b d", "a b d", "a b d", True),  # both added the same
        ("a b", "a B", "a b", "a B", True),  # the migration renamed one
        ("a b", "a b", "a !b", "a !b", True),  # red on the base's side
        ("a !b", "a !b", "a b", "a !b", True),  # red on ours: not the merge's to mend
        ("a !b", "a !b", "a", "a", True),  # a red one is gone
        ("a b", "a b", "a b !c", "a b !c", True),  # a new one is red there as well
        ("a b", "a b", "a b", "a !b", False),  # red on neither side
        ("a b", "a b", "a b c", "a b !c", False),
        ("a a", "a a", "a a", "a", False),
    ],
)
def test_what_is_red_or_gone_on_neither_side_is_the_merges(
    base: str, ours: str, theirs: str, merge: str, good: bool
) -> None:
    expected = merged_results(ran(ours), ran(theirs), ran(base))
    found = judge("unit", Check(run="x", results=ResultKind.JUNIT), expected, ran(merge))
    assert (found.outcome is CheckOutcome.GREEN) is good, found.reasons


def test_a_side_that_could_not_be_read_says_nothing() -> None:
    good, bad = ran("a"), ran("", parsed=False)
    assert merged_results(good, bad, good) == merged_results(bad, good, good) == good
    assert merged_results(good, ran("b"), None).passed == {"a": 1, "b": 1}
