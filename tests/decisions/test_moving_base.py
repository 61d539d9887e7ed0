"""When to look at the base again, and what people are told of it."""

import pytest

from activities.contracts.moving_base import BaseAnswer, BaseLook, BaseSeen, Followed
from workflows.moving_base import command, merged, patience, told

OLD, NEW = "a" * 40, "b" * 40


def test_looks_become_rare_where_nothing_moves_and_frequent_when_it_does() -> None:
    followed, found = Followed(), list[float]()
    for _ in range(7):
        look = BaseLook(seen=BaseSeen.SAME, stands_on=OLD, head=OLD)
        wait = patience(followed, look, 60)
        followed = Followed(seen=look.seen, head=look.head, patience=wait)
        found.append(wait)
    assert found == [60, 120, 240, 480, 960, 960, 960]
    moved = BaseLook(seen=BaseSeen.MOVED, stands_on=OLD, head=NEW)
    assert patience(followed, moved, 60) == 60


def test_an_upstream_that_is_away_is_asked_ever_more_rarely() -> None:
    away = BaseLook(seen=BaseSeen.UNREACHABLE, stands_on=OLD, text="no route")
    followed = Followed(seen=BaseSeen.UNREACHABLE, head=OLD, patience=60)
    assert patience(followed, away, 60) == 120
    assert patience(Followed(seen=BaseSeen.SAME, head=OLD, patience=480), away, 60) == 60


@pytest.mark.parametrize(
    ("followed", "says", "person"),
    [
        (Followed(seen=BaseSeen.SAME, head=OLD), "", False),
        (
            Followed(seen=BaseSeen.GONE, text="/app has no branch main"),
            "/app has no branch main; it goes on with aaaaaaaaaaaa, the last one that is merged",
            False,
        ),
        (
            Followed(seen=BaseSeen.REWRITTEN, head=NEW),
            "the base was rewritten: bbbbbbbbbbbb does not go on from aaaaaaaaaaaa, so nothing of "
            "it is merged",
            True,
        ),
        (
            Followed(seen=BaseSeen.REWRITTEN, head=NEW, kept=True),
            "a person said to keep the old base: it goes on with aaaaaaaaaaaa, the last one that "
            "is merged",
            False,
        ),
        (
            Followed(
                seen=BaseSeen.MOVED,
                head=NEW,
                refused=BaseAnswer(head=NEW, asking=1, reasons=("unit: red",)),
            ),
            "the base at bbbbbbbbbbbb could not be merged: unit: red",
            True,
        ),
    ],
)
def test_what_stands_in_the_way_of_a_base_is_said(
    followed: Followed, says: str, person: bool
) -> None:
    assert told(followed, OLD) == says
    assert followed.needs_person is person
    assert bool(command("m", followed)) is followed.undecided


def test_what_came_with_the_base_is_counted() -> None:
    assert merged(Followed()) == ""
    one = Followed(stands_on=NEW, merges=1, sites=2, conflicts=1)
    assert merged(one) == (
        "1 head of the base merged, now at bbbbbbbbbbbb, 2 new sites, 1 file taken anew"
    )
