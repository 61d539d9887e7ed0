"""The bare shape that an agent's loop is held against: the same two activities, turn after turn."""

from decimal import Decimal

from temporalio import workflow

from activities.agent import AgentActivities
from activities.contracts.agent import Finished
from activities.contracts.base import BlobRef
from activities.contracts.conversation import (
    Room,
    TakeTurn,
    ToolsUsed,
    TurnEnd,
    TurnTaken,
    UseTools,
)
from activities.contracts.money import Spend, Usage
from activities.contracts.work import Workspace
from activities.tools import ToolActivities
from workflows.options import TURN, on_host

TURNS = 100
"""The last one finishes."""
BLOB = BlobRef(migration="bench", sha256="3" * 64, size=1234)


def turn_taken(turn: int) -> TurnTaken:
    """As an ordinary one is."""
    return TurnTaken(
        end=TurnEnd.CALLS,
        calls=("read", "edit"),
        fingerprint=f"{turn:016}",
        usage=Usage(input=120, cache_write=900, cache_read=30_000, output=400),
        spend=Spend(recorded=Decimal("0.0123456")),
        said="I read the file's head first, then change the call in the second function of it.",
    )


def tools_used(turn: int) -> ToolsUsed:
    """As those of a batch that changed a file."""
    done = Finished(form=BLOB, status="done", summary="All sites are gone.")
    return ToolsUsed(
        results=BLOB,
        commit=f"{turn:040}",
        tree=f"{turn:040}",
        finished=done if turn == TURNS else None,
    )


@workflow.defn
class BareLoop:
    """Turns and tools with the same arguments, and nothing between them."""

    @workflow.run
    async def run(self, workspace: Workspace) -> None:
        results: BlobRef | None = None
        for turn in range(1, TURNS + 1):
            await workflow.execute_activity_method(
                AgentActivities.take_turn,
                TakeTurn(talk=BLOB, turn=turn, results=results),
                **TURN,
            )
            used = await workflow.execute_activity_method(
                ToolActivities.use_tools,
                UseTools(talk=BLOB, turn=turn, room=Room.of(workspace), when=int(workflow.time())),
                **on_host(workspace.queue),
            )
            results = used.results
