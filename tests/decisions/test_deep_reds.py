"""What is open behind the landings, since when, and between which commits it broke."""

from datetime import UTC, datetime, timedelta

from builders import some_evidence

from activities.contracts.news import DeepNews, OpenRed, told_of_deep
from workflows.deep_reds import FILES, REASONS, next_spent, open_reds, spent, why_held

GOOD, BAD, LATER = "a" * 40, "b" * 40, "c" * 40


def test_a_red_is_as_old_as_its_first_sight_and_says_what_it_says_now() -> None:
    first = open_reds((), some_evidence("x", files=("a.py",)), GOOD, BAD, "monday")
    (red,) = open_reds(first, some_evidence("y", files=("b.py",)), GOOD, LATER, "tuesday")
    assert (red.since, red.good, red.bad) == ("monday", GOOD, BAD)
    assert (red.reasons, red.files) == (("y",), ("b.py",))
    assert open_reds((red,), some_evidence(), GOOD, LATER, "wednesday") == ()


def test_what_is_told_of_a_red_is_bounded() -> None:
    many = [f"{n} {'x' * 500}" for n in range(30)]
    (red,) = open_reds((), some_evidence(*many, files=tuple(many)), GOOD, BAD, "monday")
    assert (len(red.reasons), len(red.files)) == (REASONS, FILES)
    assert max(map(len, red.reasons)) == 300


def test_a_budget_is_spent_by_too_many_or_by_too_old_ones() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    since = {"many": now - timedelta(minutes=1), "old": now - timedelta(hours=2)}
    reds = [
        OpenRed(check="many", results=5, since=since["many"].isoformat(), good=GOOD, bad=BAD),
        OpenRed(check="old", since=since["old"].isoformat(), good=GOOD, bad=BAD),
    ]
    assert spent(reds, None, None, now) == []
    assert spent(reds, 4, None, now) == ["many"]
    assert spent(reds, None, 7200, now) == ["old"]
    assert spent(reds, 0, None, now) == ["many", "old"]
    assert next_spent(reds, None, now) is None
    assert next_spent(reds, 7200, now) == timedelta(minutes=119)
    assert next_spent(reds[1:], 7200, now) is None


def test_people_read_how_far_it_is_and_what_broke_it() -> None:
    assert told_of_deep(None) == told_of_deep(DeepNews()) == []
    assert told_of_deep(DeepNews(behind=2)) == [("deep green", "none yet, 2 commits behind")]
    red = OpenRed(check="e2e", reasons=("newly failing: t",), since="monday", good=GOOD, bad=BAD)
    rows = told_of_deep(DeepNews(green=GOOD, behind=1, reds=(red,)))
    where = f"after {GOOD[:12]} up to {BAD[:12]}"
    assert rows == [
        ("deep green", f"at {GOOD[:12]}, 1 commit behind"),
        ("DEEP RED", f"e2e since monday, by what landed {where}: newly failing: t"),
    ]
    said = why_held((red,))
    assert (
        said
        == f"checks behind the landings are red: e2e (newly failing: t), by what landed {where}"
    )
