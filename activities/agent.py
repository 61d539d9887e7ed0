"""A model's turns: one activity each, on the one role that has the key.

A second run of a turn finds the recorded reply and pays nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.contracts.conversation import TakeTurn, TurnTaken
from activities.errors import NEVER_MENDED_BY_WAITING

if TYPE_CHECKING:
    from activities.adapters.model_turns import ModelTurns
    from activities.contracts.money import Spend


class AgentActivities:
    """Turns with one provider."""

    def __init__(self, turns: ModelTurns) -> None:
        self._turns = turns

    @activity.defn
    async def take_turn(self, request: TakeTurn) -> TurnTaken:
        """Asks the model, or finds what it replied. Whoever is asked for patience comes back when
        it is over, without holding a place meanwhile. What waiting never mends has the Spend of
        the turn's lost requests as its detail."""
        try:
            return await self._turns.take(request)
        except Exception as error:
            after: float | None = getattr(error, "after", None)
            kind = type(error).__name__
            never = kind in NEVER_MENDED_BY_WAITING
            if after is None and not never:
                raise
            spend: Spend | None = getattr(error, "spend", None) if never else None
            raise ApplicationError(
                str(error),
                *([spend] if spend else []),
                type=kind,
                non_retryable=never,
                next_retry_delay=None if after is None else timedelta(seconds=after),
                category=ApplicationErrorCategory.BENIGN,
            ) from None
