"""Words to a running migration or fleet.

Each carries who, why and an id of its own, so that one sent twice is applied once. The workflow
may refuse, and says why.
"""

import getpass
import platform
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts.commands import (
    Aimed,
    Command,
    DecideBase,
    DecidePush,
    Retry,
    SetLimits,
    Skip,
    Steer,
)
from activities.contracts.fleet import RUNNING
from activities.contracts.migration import MigrationResult, Stage
from cli.asking import ANSWER, ask, find, name_of
from cli.boundary import Code, Refused, give_json, say
from cli.fleets import FleetHandle, fleet_of, fleet_progress
from cli.retention import KEPT_AFTER_END, keep_history
from cli.session import Session, session
from workflows import options

CommandT = TypeVar("CommandT", bound=Command)


KINDS: dict[str, type[Command]] = {
    "pause": Aimed,
    "resume": Aimed,
    "steer": Steer,
    "retry": Retry,
    "skip": Skip,
    "set_limits": SetLimits,
    "decide_base": DecideBase,
    "decide_push": DecidePush,
}
"""What each update takes; any other one takes a plain Command."""
FOR_FLEETS = ("approve", "reject", "pause", "resume", "cancel")
START_AGAIN = (
    "; to try again what is left, start it again with its spec: what has landed stays landed"
)


@dataclass(frozen=True)
class Said:
    """What a person said at the terminal."""

    verb: str
    """The update's name."""
    fields: Mapping[str, Any]

    @property
    def aimed(self) -> bool:
        """Whether it is about less than all."""
        return bool(self.fields.get("task") or self.fields.get("area"))


def by_me(reason: str, kind: type[CommandT] = Command, **fields: Any) -> CommandT:
    """A command of the person at this terminal."""
    actor = f"{getpass.getuser()}@{platform.node()}"
    return kind.model_validate(
        {"id": str(uuid.uuid4()), "actor": actor, "reason": reason, **fields}
    )


async def order(handle: WorkflowHandle[Any, Any], verb: str, command: Command) -> str:
    """Sends a command; the workflow's answer, or Refused when it does not take it."""
    name, kind = name_of(handle), handle.id.partition("/")[0]
    try:
        # The SDK leaves one parameter of this method's overloads untyped.
        return await handle.execute_update(  # pyright: ignore[reportUnknownMemberType]
            verb, command, id=command.id, rpc_timeout=ANSWER, result_type=str
        )
    except WorkflowUpdateFailedError as refused:
        said = verb.replace("_", " ")
        raise Refused(Code.REJECTED, f"{name} refused to {said}: {refused.cause}") from refused
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        again = START_AGAIN if verb == "retry" else ""
        raise Refused(
            Code.NOT_FOUND,
            f"the {kind} {name} has ended: there is nothing to {verb}. How it ended: "
            f"starter.py report {name}{again}",
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
    connected: Session, fleet: FleetHandle, said: Said, command: Command
) -> dict[str, str]:
    """The fleet passes a command on itself; only its migrations have plans to approve."""
    name = name_of(fleet)
    if said.verb not in FOR_FLEETS or said.aimed:
        raise Refused(
            Code.USAGE, f"{name} is a fleet: name one of its migrations, such as {name}/REPOSITORY"
        )
    if said.verb not in ("approve", "reject"):
        return {name: await connected.outlast(order(fleet, said.verb, command))}
    answered = await answer_all(connected, fleet, said.verb, command)
    if not answered:
        raise Refused(Code.REJECTED, f"Nothing of it waits: there is nothing to {said.verb}.")
    return dict.fromkeys(answered, f"{said.verb}: accepted")


async def tell(said: Said, name: str, local: bool, as_json: bool = False) -> int:
    """One command to one migration or fleet."""
    async with session(local=local) as connected:
        fields = {k: v for k, v in said.fields.items() if v is not None}
        command = by_me(kind=KINDS.get(said.verb, Command), **fields)
        if fleet := await fleet_of(connected, name):
            told = await _tell_fleet(connected, fleet, said, command)
        else:
            handle = await find(connected, name)
            if isinstance(command, SetLimits) and command.usd is not None:
                from cli.preflight import check_new_cap

                await check_new_cap(connected, handle, float(command.usd))
            told = {name_of(handle): await connected.outlast(order(handle, said.verb, command))}
        if isinstance(command, SetLimits) and command.days and connected.here:
            await keep_history(connected, timedelta(days=command.days) + KEPT_AFTER_END)
    if as_json:
        names = ", ".join(told)
        give_json("command", {"verb": said.verb, "name": names, "id": command.id, "answers": told})
    for who, answer in told.items():
        say(f"{who}: {answer}")
    return Code.OK
