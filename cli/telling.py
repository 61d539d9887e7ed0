"""Words to a running migration: approve, reject, pause, resume, cancel.

Each carries who, why and an id of its own, so that one sent twice is applied once. The workflow
may refuse, and says why.
"""

import getpass
import platform
import uuid

from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts.migration import Command
from cli.asking import ANSWER, Handle, find, name_of
from cli.boundary import Code, Refused, give_json, say
from cli.session import session


def by_me(reason: str) -> Command:
    """A command of the person at this terminal."""
    actor = f"{getpass.getuser()}@{platform.node()}"
    return Command(id=str(uuid.uuid4()), actor=actor, reason=reason)


async def order(handle: Handle, verb: str, command: Command) -> None:
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


async def tell(verb: str, name: str, local: bool, reason: str, as_json: bool = False) -> int:
    """One command to one migration."""
    async with session(local=local) as connected:
        handle = await find(connected, name)
        command = by_me(reason)
        await connected.outlast(order(handle, verb, command))
    if as_json:
        give_json("command", {"verb": verb, "name": name_of(handle), "id": command.id})
    say(f"{name_of(handle)}: {verb} accepted.")
    return Code.OK
