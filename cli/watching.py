"""Following a migration to its end: live on a terminal, one line per change elsewhere.

A server that is away for a while is waited for. Following changes nothing but what it was told
to: with `yes` it approves in the person's name.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from temporalio.client import WorkflowFailureError, WorkflowQueryFailedError
from temporalio.exceptions import ApplicationError, CancelledError, TerminatedError
from temporalio.service import RPCError

from activities.contracts.children import AreaRow
from activities.contracts.migration import MigrationResult, Progress, Stage
from activities.contracts.report import MigrationReport
from cli.asking import Handle, find, name_of, progress_of, rows_of
from cli.boundary import Code, Refused, give, give_json, say
from cli.fleet_watching import follow_fleet
from cli.fleets import fleet_of
from cli.live import Screen
from cli.render import finished_well, kept_lines, leftover_lines, outcome_text
from cli.session import Session, session, unreachable
from cli.telling import by_me, order
from cli.trouble import trouble_of

PATIENCE = 120.0
"""Seconds that a silent server or worker is waited for."""
PAUSE = 0.5
"""Seconds between two looks."""


@dataclass(frozen=True)
class Following:
    """How to follow."""

    wanted: bool = True
    """False: start only."""
    quiet: bool = False
    """Wait, show nothing on the way."""
    yes: bool = False
    """Approve the plan, and what a pilot taught, without asking."""
    timeout: float | None = None
    as_json: bool = False


async def watch(name: str, local: bool, following: Following) -> int:
    """Follows a migration or a fleet to its end."""
    async with session(local=local) as connected:
        if fleet := await fleet_of(connected, name):
            return await follow_fleet(connected, fleet, following)
        return await follow(connected, await find(connected, name), following)


async def outcome_of(connected: Session, handle: Handle, following: Following) -> MigrationResult:
    """Shows progress until the migration ends; its result."""
    with Screen(following.quiet) as screen:
        looking = _Looking(connected, handle, following, screen.show)
        return await connected.outlast(_result(handle, looking), following.timeout)


async def follow(connected: Session, handle: Handle, following: Following) -> int:
    """As `outcome_of`, then says how it ended; the exit code says it too."""
    name = name_of(handle)
    result = await outcome_of(connected, handle, following)
    if following.as_json:
        give_json("result", {"name": name, **result.model_dump(mode="json")})
    else:
        give("\n".join([outcome_text(name, result), *await _left_over(connected, result)]))
        say(f"report   starter.py report {name}")
        if result.landed:
            say(f"diff     starter.py diff {name} --stat")
    return Code.OK if finished_well(result.stage) else Code.NOT_DONE


async def _left_over(connected: Session, result: MigrationResult) -> list[str]:
    """What a person has to act on, by the report; nothing where its blobs are not at hand."""
    if not result.report:
        return []
    try:
        report = await connected.read(result.report, MigrationReport)
        return [*leftover_lines(report), *kept_lines(report)]
    except (Refused, OSError):
        return []


async def _result(handle: Handle, looking: "_Looking") -> MigrationResult:
    """The result of the migration; looking on ends only with trouble, which is then ours."""
    looks = asyncio.create_task(looking.run())
    ending = asyncio.create_task(_end(handle))
    try:
        await asyncio.wait({looks, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            await looks
        return await ending
    except WorkflowFailureError as failure:
        raise ended(failure) from failure
    finally:
        for task in (looks, ending):
            task.cancel()
        await asyncio.gather(looks, ending, return_exceptions=True)


async def _end(handle: Handle) -> MigrationResult:
    while True:
        try:
            return await handle.result()
        except RPCError as error:
            # Whether the server comes back is judged by whoever looks on.
            if not unreachable(error):
                raise
            await asyncio.sleep(PAUSE)


class _Looking:
    """Looks at a migration: shows what changed, approves where it was told to."""

    def __init__(
        self,
        connected: Session,
        handle: Handle,
        following: Following,
        show: Callable[[Progress, list[AreaRow], str], None],
    ) -> None:
        self._connected = connected
        self._handle = handle
        self._following = following
        self._show = show
        self._approved = ""
        """What was waited for when it last approved."""

    async def run(self) -> None:
        """Looks for ever; raises when nobody has answered for PATIENCE seconds."""
        clock = asyncio.get_running_loop()
        answered = clock.time()
        while True:
            try:
                await self._look()
                answered = clock.time()
            except (RPCError, WorkflowQueryFailedError) as error:
                silent = isinstance(error, WorkflowQueryFailedError) or unreachable(error)
                if not silent or clock.time() - answered > PATIENCE:
                    raise
            await asyncio.sleep(PAUSE)

    async def _look(self) -> None:
        progress = await progress_of(self._connected, self._handle)
        rows = [] if self._following.quiet else await self._rows()
        self._show(progress, rows, await trouble_of(self._connected.client, progress, rows))
        waits = progress.stage is Stage.APPROVAL and progress.waiting_for != self._approved
        if self._following.yes and waits:
            await self._approve()
            self._approved = progress.waiting_for

    async def _rows(self) -> list[AreaRow]:
        """Rows are a courtesy: progress is shown without them when the area does not tell."""
        try:
            return await rows_of(self._connected, name_of(self._handle))
        except WorkflowQueryFailedError:
            return []

    async def _approve(self) -> None:
        try:
            await order(self._handle, "approve", by_me("started with --yes"))
        except Refused as refusal:
            say(str(refusal))


def ended(failure: WorkflowFailureError) -> Refused:
    """Why a workflow ended without a result, in the words of whoever gave up first.

    What that one met itself (a git command, a system call) is in the Web UI.
    """
    cause: BaseException = failure.cause
    if isinstance(cause, CancelledError):
        return Refused(Code.NOT_DONE, "It was cancelled.")
    if isinstance(cause, TerminatedError):
        return Refused(Code.NOT_DONE, f"It was terminated: {cause}")
    while not isinstance(cause, ApplicationError):
        inner = getattr(cause, "cause", None)
        if not isinstance(inner, BaseException):
            break
        cause = inner
    return Refused(Code.NOT_DONE, f"It failed: {cause}")
