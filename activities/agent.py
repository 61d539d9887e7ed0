"""A model's turns: one activity each, on the one role that has the key.

A second run of a turn finds the recorded reply and pays nothing.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.contracts.conversation import TakeTurn, TurnTaken
from activities.errors import ERROR_TEXT_LIMIT, NEVER_MENDED_BY_WAITING, is_storage

if TYPE_CHECKING:
    from activities.adapters.model_turns import ModelTurns
    from activities.contracts.money import Spend

TRIES = 5
"""Of a turn that meets what nobody knows: each may be a request that is paid for."""
_UNEXPECTED = ApplicationErrorCategory.UNSPECIFIED


class AgentActivities:
    """Turns with one provider."""

    def __init__(self, turns: ModelTurns) -> None:
        self._turns = turns

    @activity.defn
    async def take_turn(self, request: TakeTurn) -> TurnTaken:
        """Asks the model, or finds what it replied. Whoever is asked for patience comes back when
        it is over, without holding a place meanwhile. What waiting never mends has the Spend of
        the turn's lost requests as its detail; so has what nobody knows, after a few tries."""
        try:
            return await self._turns.take(request)
        except Exception as error:
            after: float | None = getattr(error, "after", None)
            kind = type(error).__name__
            never = kind in NEVER_MENDED_BY_WAITING
            unknown = not (never or _is_waited_for(error))
            ends = never or (unknown and activity.info().attempt >= TRIES)
            if after is None and not ends:
                raise
            spend: Spend | None = getattr(error, "spend", None) if never else None
            if unknown:
                spend = await self._spent(request)
            raise ApplicationError(
                str(error)[:ERROR_TEXT_LIMIT],
                *([spend] if spend else []),
                type=kind,
                non_retryable=ends,
                next_retry_delay=None if after is None else timedelta(seconds=after),
                category=_UNEXPECTED if unknown else ApplicationErrorCategory.BENIGN,
            ) from (error if unknown else None)

    async def _spent(self, request: TakeTurn) -> Spend | None:
        """None where what is on record is the trouble."""
        with contextlib.suppress(Exception):
            return await self._turns.spent(request)
        return None


def _is_waited_for(error: Exception) -> bool:
    """Whether it is of the provider, whose kinds all have an `after`, or of storage."""
    kind = type(error).__name__
    return hasattr(error, "after") or isinstance(error, OSError) or is_storage(kind, str(error))
