"""Grants, reservations, refunds: the cap holds whatever tasks do."""

from decimal import Decimal

import pytest
from builders import a_row
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.contracts.children import AreaRow
from activities.contracts.commands import ChangedLimits
from activities.contracts.migration import MigrationState
from activities.contracts.money import Spend
from activities.contracts.requests import MigrationOrder
from workflows import budget


def row(spent: str = "0", grant: str | None = None, lost: str = "0") -> AreaRow:
    spend = Spend(recorded=Decimal(spent), unconfirmed=Decimal(lost))
    money = {"spend": spend, "grant": Decimal(grant) if grant else None}
    return a_row("c1-0001").model_copy(update=money)


def order(**fields: object) -> MigrationOrder:
    whole = {"objective": "", "branch": "b", "phases": ("main",), "concurrency": 8, "cycles": 5}
    return MigrationOrder.model_validate({**whole, "approve_plan": False, **fields})


def test_what_is_reserved_or_may_have_been_paid_is_not_given_twice():
    rows = [row("1"), row(grant="2"), row("0.5", lost="0.25")]
    assert budget.left(Decimal(10), rows) == Decimal("6.25")
    assert budget.grant(Decimal(10), Decimal(5), rows) == 5
    assert budget.grant(Decimal(5), Decimal(5), rows) == Decimal("1.25")


def test_a_rest_that_pays_for_nothing_is_a_budget_that_is_reached():
    assert budget.grant(Decimal("1.49"), Decimal(5), [row("1")]) is None
    assert budget.grant(Decimal("1.50"), Decimal(5), [row("1")]) == Decimal("0.50")
    assert budget.grant(Decimal("0.10"), Decimal("0.10"), []) == Decimal("0.10")


def test_overspent_is_nothing_left_and_not_less():
    assert budget.left(Decimal(1), [row("3")]) == 0


@given(
    st.lists(st.decimals(0, 3, places=2), min_size=1, max_size=40),
    st.decimals("0.01", 20, places=2),
    st.decimals("0.01", 3, places=2),
)
@settings(deadline=None, max_examples=60)
def test_tasks_that_stay_within_their_grants_stay_within_the_cap(wants, cap, each):
    rows: list[AreaRow] = []
    for want in wants:
        granted = budget.grant(cap, each, rows)
        if granted is None:
            break
        assert granted <= each
        rows.append(row(str(min(want, granted))) if want < 2 else row(grant=str(granted)))
    assert budget.left(cap, rows) >= 0
    reserved = sum((r.grant for r in rows if r.grant), Decimal(0))
    assert budget.spent(rows).total + reserved <= cap


@pytest.mark.parametrize(
    ("spec", "said", "each"),
    [
        ({}, {}, None),
        ({"usd": 320}, {}, 10),
        ({"usd": 320, "task_usd": 3}, {}, 3),
        ({"task_usd": 3}, {}, 3),
        ({"usd": 320}, {"usd": 32.0, "concurrency": 2}, 4),
        ({"usd": 2}, {}, Decimal("0.5")),
        ({"usd": Decimal("0.2")}, {}, Decimal("0.2")),
    ],
)
def test_a_task_gets_what_the_spec_says_or_a_share(spec, said, each):
    state = MigrationState(limits=ChangedLimits(**said))
    assert budget.each(state, order(**spec)) == each


def test_it_says_what_is_spent_and_that_it_waits():
    state = MigrationState(spend=Spend(recorded=Decimal("3.5")))
    assert budget.reached(state, order(usd=4)) == ""
    broke = state.model_copy(update={"counts": state.counts.model_copy(update={"unpaid": 2})})
    assert budget.reached(broke, order(usd=4)).startswith("the budget is reached: 3.50 of 4.00 USD")
    assert budget.of_cycle(broke, order(usd=4)) == {"usd": Decimal("0.5"), "each": None}
    thinks = order(usd=4, task_usd=2, thinks=(True,))
    assert budget.of_cycle(broke, thinks) == {"usd": Decimal("0.5"), "each": Decimal(2)}


@pytest.mark.parametrize(
    ("spend", "cap", "files", "told"),
    [
        (Spend(), Decimal(5), 3, ""),
        (Spend(recorded=Decimal("0.0136837")), None, 0, "0.014 USD"),
        (
            Spend(recorded=Decimal("12.345"), unconfirmed=Decimal("0.155")),
            Decimal(20),
            50,
            "12.50 USD of at most 20.00, 0.25 for each file that landed, 0.15 of it at worst, for "
            "replies that were lost",
        ),
    ],
)
def test_what_was_spent_is_told_with_its_cap_and_what_a_landed_file_cost(spend, cap, files, told):
    assert spend.told(cap, files) == told
