"""What is wrong with the money that a plan gives to areas. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from difflib import get_close_matches

from activities.contracts.plan import Plan
from activities.contracts.scopes import is_within
from activities.contracts.spec import Limits


def cap_errors(plan: Plan, limits: Limits) -> Iterator[str]:
    """An area's money is reserved within that of the migration and of the areas around it; what
    areas beside each other have may be more together."""
    areas = sorted({task.area for task in plan.tasks})
    for area, usd in plan.caps.items():
        at = f"caps: area {area}"
        if not any(is_within(one, area) for one in areas):
            near = get_close_matches(area, areas, 3, 0.5) or areas[:3]
            yield f"{at} is in no task; there are {', '.join(near)}"
        if not usd:
            yield f"{at} is given nothing; leave it out, or say more than 0"
        if limits.usd is None and limits.task_usd is None:
            yield f"{at} is given {usd} USD, and the spec has no limits.usd to reserve it within"
        elif limits.usd is not None and usd > Decimal(str(limits.usd)):
            yield f"{at} is given {usd} USD, more than limits.usd, which is {limits.usd}"
        for outer, most in plan.caps.items():
            if outer != area and is_within(area, outer) and usd > most:
                yield f"{at} is given {usd} USD, more than area {outer} around it, which has {most}"
