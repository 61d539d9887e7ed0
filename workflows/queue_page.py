"""What people read about a merge queue. Pure."""

from collections.abc import Collection

from activities.contracts.children import QueueState
from activities.contracts.wording import times


def queue_page(state: QueueState, composed: Collection[str]) -> str:
    """A merge queue's page. `composed`: the ids of those who are in checks; once they are answered
    they wait no more."""
    in_hand = sum(c.id in composed for c in state.waiting)
    said = f"{state.landed} landed in {state.batches} batches, {state.bounced} bounced"
    said += f"; {in_hand} are being checked" if in_hand else ""
    said += f"; the base at {state.base.head[:12]} goes before the next batch" if state.base else ""
    said += f"; flaky: {times(state.flaky)}" if state.flaky else ""
    waiting = len(state.waiting) - in_hand
    if held := state.pushes.held:
        return f"{said}\n\n**Waiting:** {waiting} candidates; {held.told}"
    if waiting and state.paused:
        return f"{said}\n\n**Waiting:** {waiting} candidates, for the migration is paused"
    return f"{said}; {waiting} wait for their turn" if waiting else said
