"""A model's account that refuses: no key, a wrong one, a spend limit. Only a person can mend that.

Nobody is given up for it: whoever meets it tells its migration, which stands still as a whole, as
after a person's pause, and goes on from the same turn when a person has resumed it.
"""

import contextlib
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.contracts.commands import HumanDecision
from activities.contracts.migration import MigrationState
from activities.contracts.money import REFUSED, AccountRefused
from activities.errors import ACCOUNT
from workflows.telling import tell

PROVIDER = "the model's provider"
"""Who pauses."""
HEARD_BY = timedelta(minutes=1)
"""A letter that got lost, or was of before a resume, is found out by taking the turn again."""


def refusal(cause: ApplicationError, asked: str) -> AccountRefused | None:
    """What a turn that began at `asked` met, if it was that."""
    if cause.type not in ACCOUNT:
        return None
    return AccountRefused(asked=asked, why=f"{cause.type}: {cause.message}")


async def wait_for_pause(
    migration: str, refused: AccountRefused, paused: Callable[[], bool]
) -> None:
    """Tells the migration, and returns when it has paused, or after a while."""
    if not paused():
        await tell(migration, REFUSED, refused)
    with contextlib.suppress(TimeoutError):
        await workflow.wait_condition(
            paused, timeout=HEARD_BY, timeout_summary="the model's account refuses"
        )


def is_news(state: MigrationState, refused: AccountRefused) -> bool:
    """Twenty who meet it at once pause once; one who asked before a person resumed says nothing
    about the account as it is now."""
    return not state.paused and not state.cancelled and refused.asked > _resumed(state.decisions)


def told(refused: AccountRefused) -> str:
    """What the provider says, and what to do."""
    return f"{refused.why}; see to the account (key, limits) of the workers with the role model"


def _resumed(decisions: tuple[HumanDecision, ...]) -> str:
    """When all of it was resumed last; empty: never."""
    of_all = (said.at for said in decisions if said.verb == "resume" and not said.target)
    return max(of_all, default="")
