"""Following a fleet to its end: a line for every migration that changes, and how it ended."""

import asyncio
from typing import TYPE_CHECKING

from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from activities.contracts.fleet import FleetResult
from activities.contracts.migration import Stage
from cli.boundary import Code, Refused, give, give_json, say
from cli.fleets import FleetHandle, fleet_progress, outcome_lines
from cli.session import Session, unreachable
from cli.telling import answer_all, by_me

if TYPE_CHECKING:
    from cli.watching import Following

PAUSE = 1.0
"""Seconds between two looks."""


async def follow_fleet(connected: Session, fleet: FleetHandle, following: "Following") -> int:
    """Shows what changes until the fleet ends, then how; the exit code says it too."""
    looking = asyncio.create_task(_look_on(connected, fleet, following))
    try:
        result = await connected.outlast(_result(fleet), following.timeout)
    except WorkflowFailureError as failure:
        raise Refused(Code.NOT_DONE, f"It failed: {failure.cause}") from failure
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    if following.as_json:
        give_json("fleet-report", result.model_dump(mode="json"))
    else:
        give(outcome_lines(result))
        say(f"report   starter.py report {result.name}")
    return Code.OK if result.stage is Stage.DONE else Code.NOT_DONE


async def _result(fleet: FleetHandle) -> FleetResult:
    while True:
        try:
            return await fleet.result()
        except RPCError as error:
            if not unreachable(error):
                raise
            await asyncio.sleep(PAUSE)


async def _look_on(connected: Session, fleet: FleetHandle, following: "Following") -> None:
    """Looks for ever; one look that nobody answers is made up for by the next."""
    seen: dict[str, str] = {}
    while True:
        try:
            progress = await fleet_progress(connected, fleet)
            for row in progress.rows:
                if seen.get(row.name, "waiting") != row.state and not following.quiet:
                    say(f"{row.name} {row.state}{f': {row.reason}' if row.reason else ''}")
                seen[row.name] = row.state
            if following.yes:
                await answer_all(connected, fleet, "approve", by_me("started with --yes"))
        except (RPCError, Refused) as trouble:
            if isinstance(trouble, RPCError) and not unreachable(trouble):
                raise
        await asyncio.sleep(PAUSE)
