"""Money: what a planner may still give, and what comes back. Pure.

A task gets its whole cap when it starts, and what it did not use comes back with its report. So
the cap of a planner holds whatever its tasks do; a child that was lost keeps its grant until its
records are summed.
"""

from collections.abc import Iterable
from decimal import Decimal

from activities.contracts.children import AreaRow
from activities.contracts.migration import MigrationState
from activities.contracts.money import NOTHING, Spend
from activities.contracts.requests import MigrationOrder

CENT = Decimal("0.01")
SMALLEST = Decimal("0.50")
"""A grant that cannot pay for a few turns is none: less than this left is a budget that is reached.
"""


PLANS = Decimal("0.25")
"""Of the cap, for the planners of one cycle."""

JUDGES = Decimal("0.2")
"""Of the cap, for the judge of one cycle."""


def spent(rows: Iterable[AreaRow]) -> Spend:
    """By all starts of these tasks that are over."""
    return sum((row.spend for row in rows), Spend())


def left(cap: Decimal, rows: Iterable[AreaRow]) -> Decimal:
    """Of a cap, when what was spent and what is reserved is taken off; never less than nothing."""
    rows = list(rows)
    reserved = sum((row.grant for row in rows if row.grant is not None), NOTHING)
    return max(cap - spent(rows).total - reserved, NOTHING)


def grant(cap: Decimal | None, each: Decimal, rows: Iterable[AreaRow]) -> Decimal | None:
    """What the next task gets: `each`, or the rest where that is less; None: too little is left.
    `cap`: of all of them, where they have one."""
    if cap is None:
        return each
    rest = left(cap, rows)
    return min(each, rest) if rest >= min(SMALLEST, each) else None


def cap(state: MigrationState, order: MigrationOrder) -> Decimal | None:
    """A migration's, as a person last said or else the spec; None: none."""
    said = state.limits.usd
    return order.usd if said is None else Decimal(str(said))


def each(state: MigrationState, order: MigrationOrder) -> Decimal | None:
    """What one start of a task may cost. Where the spec names a cap for all of them alone: four
    rounds of a full window fit in it."""
    whole = cap(state, order)
    if order.task_usd is not None or whole is None:
        return order.task_usd
    window = state.limits.concurrency or order.concurrency
    return max(whole / (4 * window), min(SMALLEST, whole)).quantize(CENT)


def of_cycle(state: MigrationState, order: MigrationOrder) -> dict[str, Decimal | None]:
    """What the cycle's tasks may cost, as an AreaSteering says it: `usd` in all, which is the cap
    without what was spent before them, and `each` start of one."""
    whole = cap(state, order)
    usd = None if whole is None else max(whole - state.spend.total, NOTHING)
    return {"usd": usd, "each": each(state, order) if order.thinks_in(state.phase) else None}


def share(state: MigrationState, order: MigrationOrder, part: Decimal) -> Decimal | None:
    """What a decision about all of it may cost: this part of the cap, or what is left where that is
    less; None: no cap."""
    whole = cap(state, order)
    if whole is None:
        return None
    return min(whole * part, max(whole - (state.spend + state.counts.spend).total, NOTHING))


def reached(state: MigrationState, order: MigrationOrder) -> str:
    """Why tasks wait for money; empty: none does."""
    whole = cap(state, order)
    if whole is None or not state.counts.unpaid:
        return ""
    total = (state.spend + state.counts.spend).total
    return f"the budget is reached: {total:.2f} of {whole:.2f} USD are spent, the rest is reserved"
