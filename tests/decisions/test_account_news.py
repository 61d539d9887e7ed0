"""An account that refuses pauses a migration once, and never for what was before a resume."""

import pytest

from activities.contracts.commands import Hold, HumanDecision
from activities.contracts.migration import MigrationState
from activities.contracts.money import AccountRefused
from activities.errors import permanent
from workflows import account

BEFORE, RESUMED, AFTER = (f"2026-11-26T10:00:0{n}+00:00" for n in range(3))
HELD = Hold(actor="ana", at=BEFORE)
RESUME = HumanDecision(id="1", verb="resume", actor="ana", at=RESUMED)


def refused(asked: str) -> AccountRefused:
    return AccountRefused(asked=asked, why="402")


@pytest.mark.parametrize(
    ("state", "asked", "news"),
    [
        (MigrationState(), BEFORE, True),
        (MigrationState(holds=(HELD,)), AFTER, False),
        (MigrationState(cancelled="enough"), AFTER, False),
        (MigrationState(decisions=(RESUME,)), BEFORE, False),
        (MigrationState(decisions=(RESUME,)), AFTER, True),
        (
            MigrationState(
                decisions=(RESUME.model_copy(update={"target": "task c1-0001", "at": AFTER}),)
            ),
            BEFORE,
            True,
        ),
        (MigrationState(holds=(HELD.model_copy(update={"target": "area root"}),)), AFTER, True),
    ],
)
def test_it_is_news_once(state, asked, news):
    assert account.is_news(state, refused(asked)) is news


def test_only_what_a_person_mends_is_the_accounts_fault():
    said = account.refusal(permanent("KeyRefused", "401: no"), BEFORE)
    assert said == AccountRefused(asked=BEFORE, why="KeyRefused: 401: no")
    assert account.refusal(permanent("ModelUnknown", "404"), BEFORE) is None
