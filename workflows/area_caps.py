"""What the tasks of one area may cost in a cycle, reserved within the migration's cap. Pure.

A cap comes with the plan, or from a person. A task counts for every area that it lies in. One whose
area cannot pay for it leaves its place to others, and starts when a refund or a person pays for it.
"""

from collections.abc import Sequence
from decimal import Decimal

from activities.contracts.children import AreaRow, AreaSteering, TaskCounts
from activities.contracts.migration import MigrationState
from activities.contracts.money import AreaMoney, Usd
from activities.contracts.requests import MigrationOrder
from activities.contracts.scopes import is_within
from workflows import budget, frontier


def grant(row: AreaRow, wanted: AreaSteering, rows: Sequence[AreaRow]) -> Decimal | None:
    """What a task gets where its start has a cap: the least of that and of what the migration and
    its areas can pay; None: one of them has too little left."""
    each = wanted.each
    assert each is not None
    grants = [budget.grant(wanted.usd, each, rows)]
    grants += [
        budget.grant(usd, each, _in(area, rows))
        for area, usd in wanted.caps.items()
        if is_within(row.task.area, area)
    ]
    given = [granted for granted in grants if granted is not None]
    return min(given) if len(given) == len(grants) else None


def poor(wanted: AreaSteering, rows: Sequence[AreaRow]) -> set[str]:
    """Tasks that an area cannot pay for now: they hold no place and no claim."""
    areas = ((usd, _in(area, rows)) for area, usd in wanted.caps.items())
    broke = (inside for usd, inside in areas if _is_broke(usd, wanted.each, inside))
    return {row.task.id for inside in broke for row in inside if _asks(row)}


def standing(wanted: AreaSteering, rows: Sequence[AreaRow]) -> tuple[AreaMoney, ...]:
    """What each of these areas has spent, and how many of its tasks wait for its money alone."""
    if not wanted.caps:
        return ()  # asked each time that an area counts
    landed = {row.task.id for row in rows if frontier.has_landed(row)}
    found: list[AreaMoney] = []
    for area, usd in sorted(wanted.caps.items()):
        inside = _in(area, rows)
        broke = _is_broke(usd, wanted.each, inside)
        could = [row for row in inside if _asks(row) and landed.issuperset(row.task.needs)]
        found.append(
            AreaMoney(
                area=area, cap=usd, spend=budget.spent(inside), unpaid=len(could) if broke else 0
            )
        )
    return tuple(found)


def _is_broke(usd: Usd, each: Usd | None, inside: Sequence[AreaRow]) -> bool:
    """Whether what is left of an area's cap pays for no start of a task."""
    return each is not None and budget.grant(usd, each, inside) is None


def _in(area: str, rows: Sequence[AreaRow]) -> list[AreaRow]:
    return [row for row in rows if is_within(row.task.area, area)]


def _asks(row: AreaRow) -> bool:
    """Whether it needs a grant before it can start."""
    return row.state == frontier.WAITING and row.grant is None


def wanted(state: MigrationState) -> dict[str, Usd]:
    """The plan's, and before them what people said."""
    return {**(state.plan.caps if state.plan else {}), **state.area_caps}


def refusal(state: MigrationState, order: MigrationOrder, area: str, usd: Decimal) -> str:
    """Why an area cannot be given this cap; empty: it can."""
    whole = budget.cap(state, order)
    if budget.each(state, order) is None:
        return (
            f"area {area}: there is neither a limits.usd nor a limits.task_usd that its money "
            "could be reserved within; set --usd without --area first"
        )
    if whole is not None and usd > whole:
        return f"area {area}: {usd:.2f} USD are more than the migration may cost, {whole:.2f} USD"
    return ""


def broke(counts: TaskCounts) -> AreaMoney | None:
    """The area that nothing goes on without, for its money is used up; None: there is none."""
    if counts.running or counts.unpaid:
        return None
    return next((money for money in counts.areas if money.unpaid), None)


def waits(counts: TaskCounts) -> tuple[str, ...]:
    """For whose money tasks wait, and whether nothing else goes on: a planner hears of news."""
    whole = ("the migration",) if counts.unpaid else ()
    areas = tuple(f"area {money.area}" for money in counts.areas if money.unpaid)
    return (*whole, *areas, *(("and nothing runs",) if broke(counts) else ()))


def raised(money: AreaMoney, state: MigrationState, order: MigrationOrder) -> Decimal:
    """The cap that a person is offered: twice as much, within the migration's."""
    whole = budget.cap(state, order)
    return 2 * money.cap if whole is None else min(2 * money.cap, whole)
