"""Which migrations of a fleet may start now, and when no more may. Pure.

The canaries, the first of the list, go first; the rest follows when every one of them has ended
well. At most so many run at once; after so many that ended badly no more are started.
"""

from collections.abc import Sequence

from activities.contracts.fleet import RUNNING, WAITING, FleetBounds, FleetRow
from activities.contracts.migration import Stage

BADLY = (Stage.STOPPED, Stage.FAILED)
WELL = (Stage.DONE, Stage.DONE_WITH_LEFTOVERS)


def ready(rows: Sequence[FleetRow], fleet: FleetBounds) -> list[FleetRow]:
    """The rows to start now, in order."""
    if why_no_more(rows, fleet):
        return []
    canaries = rows[: fleet.canary]
    candidates = rows if all(row.state in WELL for row in canaries) else canaries
    room = fleet.concurrency - sum(row.state == RUNNING for row in rows)
    return [row for row in candidates if row.state == WAITING][: max(0, room)]


def why_no_more(rows: Sequence[FleetRow], fleet: FleetBounds) -> str:
    """Why nothing is started any more; empty: more may be."""
    for row in rows[: fleet.canary]:
        if is_final(row) and row.state not in WELL:
            return f"the canary {row.name} ended {row.state}"
    bad = [row.name for row in rows if row.state in BADLY]
    if len(bad) >= fleet.stop_after:
        return f"{len(bad)} of them ended badly: {', '.join(bad[:5])}"
    return ""


def is_final(row: FleetRow) -> bool:
    return row.state not in (WAITING, RUNNING)


def outcome(rows: Sequence[FleetRow], cancelled: bool) -> Stage:
    """How the fleet ended, once nothing runs and nothing is started any more."""
    if cancelled:
        return Stage.CANCELLED
    if any(row.state == WAITING for row in rows):
        return Stage.STOPPED
    done = all(row.state == Stage.DONE for row in rows)
    return Stage.DONE if done else Stage.DONE_WITH_LEFTOVERS
