"""A model's turns, on the workers that have its key."""

from __future__ import annotations

from temporalio import activity

from activities.contracts.conversation import TakeTurn, TurnTaken


class AgentActivities:
    """Talks to the model; never sees a repository's code but in what it is told."""

    @activity.defn
    async def take_turn(self, request: TakeTurn) -> TurnTaken:
        """One reply. A second run finds it on record."""
        raise NotImplementedError
