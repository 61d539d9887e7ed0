"""How long a migration may be at work, and what does not count."""

from datetime import timedelta

import pytest

from activities.contracts.commands import ChangedLimits, Hold
from activities.contracts.migration import MigrationState, Stage
from activities.contracts.requests import MigrationOrder
from workflows import time_limit

DAY = timedelta(days=1).total_seconds()
ORDER = MigrationOrder(
    objective="o", branch="b", phases=("main",), concurrency=1, cycles=1, days=2, approve_plan=False
)
ENDLESS = ORDER.model_copy(update={"days": 0})


def at_work(days: float, **fields: object) -> MigrationState:
    state = {"stage": Stage.WORK, "worked": days * DAY, **fields}
    return MigrationState.model_validate(state)


def held(target: str) -> tuple[Hold, ...]:
    return (Hold(target=target, actor="ana", at="2026-01-01T00:00:00+00:00"),)


@pytest.mark.parametrize(
    ("worked", "order", "left", "over"),
    [
        (0.5, ORDER, timedelta(days=1.5), False),
        (2, ORDER, None, True),
        (2, ENDLESS, None, False),
    ],
)
def test_time_runs_until_it_is_over(worked, order, left, over):
    state = at_work(worked)
    assert (time_limit.left(state, order), time_limit.is_over(state, order)) == (left, over)


def test_a_person_may_give_it_more():
    state = at_work(2, limits=ChangedLimits(days=5))
    assert time_limit.left(state, ORDER) == timedelta(days=3)


@pytest.mark.parametrize(
    ("fields", "stands"),
    [
        ({}, False),
        ({"holds": held("")}, True),
        ({"holds": held("area root")}, True),
        ({"holds": held("task c1-0001")}, False),
        ({"stage": Stage.APPROVAL}, True),
    ],
)
def test_what_a_person_holds_up_does_not_count(fields, stands):
    state = at_work(0, **fields)
    assert time_limit.stands_still(state) is stands
    assert (time_limit.left(state, ORDER) is None) is stands


def test_the_end_says_how_to_go_on():
    assert "2 days at work (limits.days)" in time_limit.why(at_work(2), ORDER)
