"""The whole service in a state directory of its own: embedded server, worker processes, real git.

A worker is supervised as the starter supervises its own: killed, it is started again. What a test
waits for it asks of the migration itself.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from activities.adapters.blobs import BlobStore
from activities.adapters.children import Child
from activities.adapters.embedded import Embedded, Server
from activities.adapters.interruptions import note
from activities.adapters.settings import Settings
from activities.contracts.migration import MigrationResult, Progress
from activities.contracts.report import MigrationReport
from activities.contracts.repository import repository_id
from cli.asking import Handle
from cli.session import Session, unreachable
from cli.starting import begin, read_spec
from tests import invariants, traces
from workflows.options import SEARCH_ATTRIBUTES

ROOT = Path(__file__).parent.parent
DRAIN = 45.0


@dataclass
class Said:
    """What a verb of the people's door said."""

    code: int
    out: str
    err: str


@dataclass
class Service:
    """What a test needs of it."""

    home: Path
    client: Client
    server: Embedded
    workers: dict[str, Child]
    """By role; two of one role are `checks` and `checks 2`."""

    @property
    def worker(self) -> Child | None:
        """The one that has all roles, where there is one."""
        return self.workers.get("all")

    @property
    def blobs(self) -> BlobStore:
        return BlobStore(self.home / "blobs")

    async def start(self, spec: str, **replaced: str) -> Handle:
        """Starts the migration of a spec, through the parser and the door that people use."""
        path = self.home / "spec.yaml"
        path.write_text(filled(spec, **replaced))
        session = Session(self.client, Settings(home=self.home), local=False, ui="")
        return await begin(session, read_spec(path))

    async def run(self, spec: str, **replaced: str) -> MigrationReport:
        """Runs a migration to its end; its report."""
        return self.report(await (await self.start(spec, **replaced)).result())

    def report(self, result: MigrationResult) -> MigrationReport:
        assert result.report, result.reason
        return self.blobs.get_model(result.report, MigrationReport)

    def hub(self, report: MigrationReport) -> Path:
        return self.home / "hub" / f"{repository_id(report.repository)}.git"

    async def starter(self, *words: str) -> Said:
        """One verb of starter.py, as its own process."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "starter.py"), *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.DEVNULL,
            env=environment(self.home),
        )
        out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), err.decode())


@asynccontextmanager
async def service(
    home: Path, *, worker: bool = True, roles: Sequence[str] = ("all",), **env: str
) -> AsyncGenerator[Service]:
    """A running service, a process for each of the roles; afterwards none of it is left."""
    server = Embedded(home, SEARCH_ATTRIBUTES)
    address = await server.start()
    workers = {role: supervise(home, address, role, **env) for role in roles if worker}
    try:
        client = await Client.connect(address.address, data_converter=pydantic_data_converter)
        for supervised in workers.values():
            await supervised.start()
        yield Service(home, client, server, workers)
    finally:
        await asyncio.gather(*(supervised.stop(DRAIN) for supervised in workers.values()))
        await server.stop()
    traces.assert_nothing_runs(home)


def supervise(home: Path, server: Server, role: str, **env: str) -> Child:
    """The worker as the starter starts it; the number behind a role is only for the log."""
    command = [sys.executable, str(ROOT / "worker.py"), "--role", role.split()[0]]
    everything = environment(home) | {"TEMPORAL_ADDRESS": server.address, **env}
    log = "worker.log" if role == "all" else f"worker-{role.replace(' ', '-')}.log"
    died = partial(note, home, "worker")
    return Child(f"worker {role}", command, log=home / log, env=everything, died=died)


def environment(home: Path) -> dict[str, str]:
    """Ours, with this state directory and no Temporal of somebody else."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TEMPORAL_", "WHIMBREL_"))}
    return kept | {"WHIMBREL_HOME": str(home)}


def filled(spec: str, **replaced: str) -> str:
    for word, value in replaced.items():
        spec = spec.replace(word, value)
    return spec


def kill(pid: int | None) -> None:
    assert pid, "it is not running"
    os.kill(pid, signal.SIGKILL)


async def outlasting(handle: Handle, patience: float = 60.0) -> MigrationResult:
    """The result, however often the server is away while it is waited for."""
    await until(handle, lambda progress: progress.report is not None, patience)
    return await handle.result()


async def restarted(worker: Child) -> None:
    await worker.stop(45)
    await worker.start()


async def swept(home: Path, but: Sequence[str] = (), patience: float = 30.0) -> None:
    """Returns once nothing is left on disk but this."""
    left = await left_after(home, but, patience)
    assert left == list(but), f"after {patience:g} s there is still {left}"


async def left_after(home: Path, but: Sequence[str] = (), patience: float = 30.0) -> list[str]:
    """What is left on disk once it is this, or when patience has an end."""
    clock = asyncio.get_running_loop()
    deadline = clock.time() + patience
    while (left := await asyncio.to_thread(invariants.left_on_disk, home)) != list(but):
        assert set(but) <= set(left), f"it should have stayed: {set(but) - set(left)}"
        if clock.time() > deadline:
            break
        await asyncio.sleep(0.1)
    return left


async def until(
    handle: Handle, holds: Callable[[Progress], bool], patience: float = 60.0
) -> Progress:
    """The first progress that satisfies; a server or worker that is away is waited for."""
    async with asyncio.timeout(patience):
        while True:
            progress = await _asked(handle.query("progress", result_type=Progress))
            if progress and holds(progress):
                return progress
            await asyncio.sleep(0.05)


async def _asked(query: Awaitable[Any]) -> Any:
    try:
        return await query
    except RPCError as error:
        if not unreachable(error):
            raise
        return None


async def eventually(holds: Callable[[], Awaitable[bool]], patience: float = 30.0) -> None:
    """Returns once it holds; asked again and again, for `patience` seconds at most."""
    async with asyncio.timeout(patience):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.1)
