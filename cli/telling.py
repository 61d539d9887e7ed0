"""Words to a running migration: approve, reject, pause, resume, cancel.

Each carries who, why and an id of its own, so that one sent twice is applied once. The workflow
may refuse, and says why.
"""

import getpass
import platform
import uuid
from typing import Any

from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts.commands import Command
from activities.contracts.fleet import RUNNING
from activities.contracts.migration import MigrationResult, Stage
from cli.asking import ANSWER, ask, find, name_of
from cli.boundary import Code, Refused, give_json, say
from cli.fleets import FleetHandle, fleet_of, fleet_progress
from cli.session import Session, session
from workflows import options


def by_me(reason: str) -> Command:
    """A command of the person at this terminal."""
    actor = f"{getpass.getuser()}@{platform.node()}"
    return Command(id=str(uuid.uuid4()), actor=actor, reason=reason)


async def order(handle: WorkflowHandle[Any, Any], verb: str, command: Command) -> None:
    """Sends a command; Refused when the workflow does not take it."""
    try:
        # The SDK leaves one parameter of this method's overloads untyped.
        await handle.execute_update(  # pyright: ignore[reportUnknownMemberType]
            verb, command, id=command.id, rpc_timeout=ANSWER
        )
    except WorkflowUpdateFailedError as refused:
        name = name_of(handle)
        raise Refused(Code.REJECTED, f"{name} refused to {verb}: {refused.cause}") from refused
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise Refused(
            Code.NOT_FOUND,
            f"{name_of(handle)} has ended: there is nothing to {verb}. How it ended: "
            f"starter.py report {name_of(handle)}",
        ) from error


async def answer_all(
    connected: Session, fleet: FleetHandle, verb: str, command: Command
) -> list[str]:
    """Approves or rejects every plan of a fleet that waits; the names of those migrations."""
    answered: list[str] = []
    for row in (await fleet_progress(connected, fleet)).rows:
        member = connected.client.get_workflow_handle(
            options.migration_id(row.name), result_type=MigrationResult
        )
        if row.state == RUNNING and (await _waits(connected, member)):
            await order(member, verb, command)
            answered.append(row.name)
    return answered


async def _waits(connected: Session, member: WorkflowHandle[Any, MigrationResult]) -> bool:
    return (await ask(connected, member)).stage is Stage.APPROVAL


async def _tell_fleet(
    connected: Session, fleet: FleetHandle, verb: str, command: Command
) -> list[str]:
    """The fleet passes a command on itself; only its migrations have plans to approve."""
    if verb not in ("approve", "reject"):
        await connected.outlast(order(fleet, verb, command))
        return [name_of(fleet)]
    answered = await answer_all(connected, fleet, verb, command)
    if not answered:
        raise Refused(Code.REJECTED, f"No plan of the fleet waits: there is nothing to {verb}.")
    return answered


async def tell(verb: str, name: str, local: bool, reason: str, as_json: bool = False) -> int:
    """One command to one migration or fleet."""
    async with session(local=local) as connected:
        command = by_me(reason)
        if fleet := await fleet_of(connected, name):
            told = await _tell_fleet(connected, fleet, verb, command)
        else:
            handle = await find(connected, name)
            await connected.outlast(order(handle, verb, command))
            told = [name_of(handle)]
    if as_json:
        give_json("command", {"verb": verb, "name": ", ".join(told), "id": command.id})
    say(f"{', '.join(told)}: {verb} accepted.")
    return Code.OK
