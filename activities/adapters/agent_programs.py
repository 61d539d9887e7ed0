"""Runs the program of an agent: another's CLI that is given a prompt and works by itself.

It is sandboxed as every command is. It reaches something, and has a key for it, only where the spec
names both and this worker allows what is reached; what it prints never holds the key, nor may a
file that it leaves. While it runs its beats say how much it has printed and changed.
"""

import asyncio
import contextlib
import os
import stat
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass, replace

from activities.adapters.agent_output import agent_of, read_said
from activities.adapters.check_trees import walk
from activities.adapters.commands import Commands, Order, Ran
from activities.adapters.doing import doing
from activities.adapters.harvest import HostileTree
from activities.adapters.path_names import name_of
from activities.adapters.secret_values import SecretMissing, Secrets, file_with, redacted
from activities.adapters.workspaces import WorkspacePaths, opened_with
from activities.contracts.spec import CommandRung
from activities.contracts.work import AgentSaid

LOOKED_EVERY = 10.0
"""Seconds between two looks at what it has changed."""


class AgentRefused(Exception):
    """This worker does not let a program have what its rung names; the text says what to do."""


@dataclass(frozen=True)
class Trust:
    """What programs of agents may have on this worker."""

    secrets: Secrets | None = None
    """None: no secret, as without a sandbox."""
    reaches: Collection[str] = ()
    """Names of what they may reach."""

    def allow(self, rung: CommandRung) -> dict[str, str]:
        """Variable → value of the rung's secrets. Raises AgentRefused."""
        beyond = [name for name in rung.network if name not in self.reaches]
        if beyond:
            raise AgentRefused(
                f"the rung names the network {', '.join(beyond)}, which this worker lets no "
                "program of an agent reach: add it to WHIMBREL_AGENT_REACHES, a JSON list, or "
                "take it out of the rung"
            )
        if rung.secrets and self.secrets is None:
            raise AgentRefused("a worker without a sandbox gives no program a secret")
        try:
            return self.secrets.values(rung.secrets) if self.secrets else {}
        except SecretMissing as missing:
            raise AgentRefused(str(missing)) from missing


class AgentPrograms:
    """Runs them on this host."""

    def __init__(self, commands: Commands, trust: Trust) -> None:
        self._commands = commands
        self._trust = trust

    async def run(
        self, rung: CommandRung, order: Order, paths: WorkspacePaths
    ) -> tuple[Ran | None, AgentSaid | None]:
        """What it printed, and what it says of itself. Raises AgentRefused, and HostileTree where
        it left a secret in the tree."""
        secrets = await asyncio.to_thread(self._trust.allow, rung)
        reaches = bool(rung.network)
        with doing("an agent at work") as say:
            progress = _Progress(say)
            async with _looking(paths, progress):
                ran = await self._commands.run(
                    replace(order, network=reaches, secrets=secrets, printed=progress.printed)
                )
        if secrets:
            await asyncio.to_thread(_refuse_left, paths, secrets.values())
        return ran, read_said(agent_of(rung), ran.output) if ran else None


class _Progress:
    """What an agent's beats say."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._bytes, self._lines, self._changed = 0, 0, 0

    def printed(self, size: int, lines: int) -> None:
        self._bytes, self._lines = size, lines
        self._tell()

    def changed(self, files: int) -> None:
        self._changed = files
        self._tell()

    def _tell(self) -> None:
        self._say(
            f"an agent at work: {self._changed} files changed, {self._lines} lines printed "
            f"({self._bytes} bytes)"
        )


@contextlib.asynccontextmanager
async def _looking(paths: WorkspacePaths, progress: _Progress) -> AsyncGenerator[None]:
    """Looks at the tree again and again while it lasts."""

    async def look() -> None:
        mark = await asyncio.to_thread(lambda: opened_with(paths).mark)
        while True:
            with contextlib.suppress(OSError):  # it deletes what is being looked at
                progress.changed(await asyncio.to_thread(_changed, paths, mark))
            await asyncio.sleep(LOOKED_EVERY)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await looking


def _changed(paths: WorkspacePaths, mark: int) -> int:
    """How many files are new or changed since the tree was handed over; deletions are not seen."""
    return sum(
        stat.S_ISREG(found.st_mode) and found.st_ctime_ns >= mark for _, found in walk(paths.tree)
    )


def _refuse_left(paths: WorkspacePaths, secrets: Collection[str]) -> None:
    found = file_with(paths.tree, secrets)
    if found is not None:
        place = redacted(os.fsencode(found.relative_to(paths.tree)), secrets)
        raise HostileTree(name_of(place), "holds a secret that its program was given")
