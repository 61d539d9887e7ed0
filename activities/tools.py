"""What models do with tools, on the host that has the workspace."""

from __future__ import annotations

from temporalio import activity

from activities.contracts.conversation import ToolsUsed, UseTools


class ToolActivities:
    """Carries out the calls of one reply."""

    @activity.defn
    async def use_tools(self, request: UseTools) -> ToolsUsed:
        """All calls of a turn, in their order."""
        raise NotImplementedError
