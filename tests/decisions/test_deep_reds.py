"""What is open behind the landings, since when, and between which commits it broke."""

from datetime import UTC, datetime, timedelta

from builders import some_evidence
from pydantic import TypeAdapter

from activities.contracts.base import TaskId
from activities.contracts.evidence import Evidence
from activities.contracts.landing_requests import FoundDeep, LandingStep
from activities.contracts.news import DeepNews, told_of_deep
from activities.contracts.reds import OpenRed, fix_task
from workflows.deep_reds import (
    FILES,
    REASONS,
    broken_by,
    next_spent,
    open_reds,
    spent,
    to_mend,
    why_held,
    with_fixes,
)

GOOD, BAD, LATER = "a" * 40, "b" * 40, "c" * 40


def opened(
    before: tuple[OpenRed, ...],
    evidence: Evidence,
    bad: str,
    now: str,
    fixes: tuple[TaskId, ...] = (),
) -> tuple[OpenRed, ...]:
    """All that landed since GOOD is `fixes`, and one task of the cycle."""
    steps = (LandingStep(commit=bad, tasks=("c1-0001",)),)
    found = FoundDeep(tip=bad, green=None, behind=1, steps=steps, fixes=fixes)
    return open_reds(before, evidence, GOOD, found, bad, now)


def test_a_red_is_as_old_as_its_first_sight_and_says_what_it_says_now() -> None:
    first = opened((), some_evidence("x", files=("a.py",)), BAD, "monday")
    (red,) = opened(first, some_evidence("y", files=("b.py",)), LATER, "tuesday")
    assert (red.since, red.good, red.bad) == ("monday", GOOD, BAD)
    assert (red.reasons, red.files) == (("y",), ("b.py",))
    assert red.id == first[0].id
    assert opened((red,), some_evidence(), LATER, "wednesday") == ()


def test_what_is_red_after_its_fix_has_landed_is_another_red() -> None:
    """On the fix's own tree it held."""
    (first,) = opened((), some_evidence("x"), BAD, "monday")
    other = fix_task("other-1a2b3c4d", 2)
    (still,) = opened((first,), some_evidence("x"), LATER, "tuesday", (other,))
    (again,) = opened((first,), some_evidence("x"), LATER, "tuesday", (fix_task(first.id, 2),))
    assert (still.id, still.since) == (first.id, "monday")
    assert (again.bad, again.since) == (LATER, "tuesday")
    assert again.id != first.id


def test_a_red_names_those_who_broke_it() -> None:
    steps = [
        LandingStep(commit=BAD, tasks=("c1-0001",)),
        LandingStep(commit=LATER, tasks=tuple(f"c1-{n}" for n in range(7))),
    ]
    (red,) = opened((), some_evidence("x"), LATER, "monday")
    first, second = broken_by(red, steps, 0), broken_by(red, steps, 1)
    assert first.where == f"by what landed after {GOOD[:12]} up to {BAD[:12]} (c1-0001)"
    after = f"by what landed after {BAD[:12]} up to {LATER[:12]}"
    assert second.where == f"{after} (c1-0, c1-1, c1-2, c1-3, c1-4 and 2 more)"
    assert first.id == second.id == red.id


def test_a_reds_id_can_be_a_tasks() -> None:
    checks = ("e2e", "End 2 End_tests/all of them and more", "…", "-")
    reds = [OpenRed(check=check, since="now", good=GOOD, bad=BAD) for check in checks]
    adapter = TypeAdapter[str](TaskId)
    ids = [adapter.validate_python(fix_task(red.id, 123456)) for red in reds]
    assert len(set(ids)) == len(checks)
    assert ids[0].startswith("c123456-fix-e2e-")


def test_what_is_told_of_a_red_is_bounded() -> None:
    many = [f"{n} {'x' * 500}" for n in range(30)]
    (red,) = opened((), some_evidence(*many, files=tuple(many)), BAD, "monday")
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


def test_a_phase_that_is_held_says_who_tried_and_what_a_person_does() -> None:
    red = OpenRed(check="e2e", reasons=("newly failing: t",), since="monday", good=GOOD, bad=BAD)
    assert why_held((), {}, "shop") == ""
    where = f"by what landed after {GOOD[:12]} up to {BAD[:12]}"
    alone = why_held((red,), {}, "shop")
    assert f"red: e2e (newly failing: t), {where}; e2e: no rung of the phase reads" in alone
    assert why_held((red,), {red.id: ""}, "shop") == alone
    tried = why_held((red,), {red.id: "c2-fix-x"}, "shop")
    assert "; e2e: c2-fix-x did not mend it (starter.py show shop c2-fix-x); a person" in tried
    assert tried.endswith("starter.py start SPEC goes on")


def test_people_read_which_task_mends_it() -> None:
    red = OpenRed(check="e2e", since="monday", good=GOOD, bad=BAD)
    news = with_fixes(DeepNews(reds=(red,), spent=("e2e",)), {red.id: "c2-fix-x", "other": "c9"})
    (_, said) = told_of_deep(news)[-1]
    assert said.endswith("; no task begins that it is about; fix task: c2-fix-x")
    assert with_fixes(news, {}).reds == (red,)


def test_a_red_is_mended_once() -> None:
    red = OpenRed(check="e2e", since="monday", good=GOOD, bad=BAD)
    news = DeepNews(reds=(red,))
    assert to_mend(None, {}) == to_mend(DeepNews(), {}) == ()
    assert to_mend(news, {"other": "c1-fix-other"}) == (red,)
    assert to_mend(news, {red.id: "c1-fix-x"}) == ()
