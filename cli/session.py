"""How a verb reaches Temporal: the service that the environment names, or the embedded one.

TEMPORAL_ADDRESS (or a temporal.toml) names a service. Without it a server that already runs in the
state directory is joined; else `--local`, and every verb on a state directory that has a database,
starts server and worker for as long as the verb takes. Both end with it, and go over to a guest
that still waits.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError, RPCStatusCode

from activities.adapters.blobs import BlobCorrupt, BlobMissing, BlobStore
from activities.adapters.embedded import Embedded, Server, running
from activities.adapters.settings import HubElsewhere, Settings, WrongSettings, settings_told
from activities.contracts.base import BlobRef
from activities.serving import Unfit, check_service
from cli.boundary import Code, Refused, say
from cli.hosting import Hosting
from cli.quiet import quiet
from workflows.options import SEARCH_ATTRIBUTES

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)


@dataclass
class Session:
    """A connection, and what runs on this machine for its sake."""

    client: Client
    settings: Settings
    local: bool
    """Server and worker are this process's own and end with it."""
    ui: str
    """The Web UI's address; empty when nobody said it."""
    here: bool = False
    """The server is the embedded one: its workers see this machine's files."""
    hosting: Hosting | None = None
    """How the embedded one is run, by this process or for it."""

    @property
    def blobs(self) -> BlobStore:
        return BlobStore(self.settings.blobs)

    @property
    def hub(self) -> Path:
        """The folder of the hubs; refuses where another machine has them."""
        try:
            return self.settings.hub_here
        except HubElsewhere as elsewhere:
            raise Refused(Code.NOT_FOUND, str(elsewhere)) from elsewhere

    async def read(self, ref: BlobRef, kind: type[Model]) -> Model:
        """The model behind a reference; refuses when it is not at hand."""
        try:
            return await asyncio.to_thread(self.blobs.get_model, ref, kind)
        except (BlobMissing, BlobCorrupt) as lost:
            raise Refused(
                Code.NOT_FOUND,
                f"{lost}; are WHIMBREL_HOME and WHIMBREL_BLOBS those that the workers use?",
            ) from lost

    def link(self, workflow_id: str) -> str:
        """The workflow's page in the Web UI."""
        if not self.ui:
            return ""
        page = workflow_id.replace("/", "%2F")
        return f"{self.ui.rstrip('/')}/namespaces/{self.client.namespace}/workflows/{page}"

    async def need_worker(self) -> None:
        """Starts our own worker, if it is ours to start and does not run yet."""
        if self.hosting:
            await self.hosting.need_worker()

    async def outlast(self, answer: Awaitable[T], patience: float | None = None) -> T:
        """Awaits an answer while our own server and worker stay up, for `patience` at most; a
        guest's become its own when its host ends."""
        task = asyncio.ensure_future(answer)
        deadline = None if patience is None else asyncio.get_running_loop().time() + patience
        try:
            while not (await asyncio.wait({task}, timeout=0.5))[0]:
                if self.hosting:
                    self.hosting.check()
                    await self.hosting.stand_in()
                if deadline is not None and asyncio.get_running_loop().time() > deadline:
                    raise Refused(Code.TIMED_OUT, "Gave up waiting; the migration goes on.")
            return task.result()
        finally:
            task.cancel()


@asynccontextmanager
async def session(*, local: bool = False, needs_work: bool = True) -> AsyncGenerator[Session]:
    """Connects, starting what is needed; without `needs_work` the worker waits to be needed."""
    try:
        async with _opened(local, needs_work) as connected:
            yield connected
    except RPCError as error:
        raise refusal(error) from error
    except WorkflowQueryFailedError as error:
        raise Refused(
            Code.UNREACHABLE, f"Its workflow cannot answer: {error}. See the Web UI, worker.log."
        ) from error


@asynccontextmanager
async def _opened(local: bool, needs_work: bool) -> AsyncGenerator[Session]:
    settings = read_settings()
    if not local:
        service = ClientConfig.load_client_connect_config()
        if service.get("target_host"):
            yield await _service(settings)
            return
        known = (settings.home / "temporal.db").exists()
        if not known and not await running(settings.home):
            raise Refused(
                Code.UNREACHABLE,
                f"No Temporal to talk to: set TEMPORAL_ADDRESS, or add --local to run one in "
                f"{settings.home}.",
            )
    async with _embedded(settings, needs_work) as connected:
        yield connected


async def _service(settings: Settings) -> Session:
    config = ClientConfig.load_client_connect_config()
    try:
        client = await Client.connect(
            **config, data_converter=pydantic_data_converter, runtime=quiet()
        )
    except (RPCError, RuntimeError) as trouble:
        target = config.get("target_host", "")
        raise Refused(
            Code.UNREACHABLE,
            f"Temporal at {target} does not answer: {said(trouble)}. Check TEMPORAL_ADDRESS, or "
            "temporal.toml; `starter.py doctor` looks at everything.",
        ) from trouble
    try:
        await check_service(client, SEARCH_ATTRIBUTES)
    except Unfit as unfit:
        raise Refused(Code.UNREACHABLE, f"{unfit}.") from unfit
    return Session(client, settings, local=False, ui=settings.ui_url)


async def _connected(server: Server, settings: Settings) -> Session:
    client = await Client.connect(
        server.address, data_converter=pydantic_data_converter, runtime=quiet()
    )
    return Session(client, settings, local=False, ui=server.ui, here=True)


@asynccontextmanager
async def _embedded(settings: Settings, needs_work: bool) -> AsyncGenerator[Session]:
    hosting = Hosting(settings, Embedded(settings.home, SEARCH_ATTRIBUTES))
    try:
        connected = await _connected(await hosting.begin(), settings)
        connected.hosting, connected.local = hosting, not hosting.guest
        if needs_work:
            await connected.need_worker()
        yield connected
    except asyncio.CancelledError:
        if not hosting.guest:
            say("Stopping: what runs is finished or handed back first.")
        raise
    finally:
        # A second Ctrl-C must not leave a half-stopped pair: children die with this process anyway.
        await hosting.end()


def read_settings() -> Settings:
    """What WHIMBREL_* say; all that is wrong with them at once."""
    try:
        return settings_told()
    except WrongSettings as wrong:
        raise Refused(Code.USAGE, str(wrong)) from wrong


def said(trouble: BaseException) -> str:
    """What a connection error says to a person, without the transport's inner names."""
    found = re.search(r'message: "([^"]+)"', str(trouble))
    return found[1].lower() if found else str(trouble) or type(trouble).__name__


def unreachable(error: RPCError) -> bool:
    """Whether nobody answered, as opposed to a no.

    A cancelled call is one that ran out of time; a failed precondition is a workflow that no worker
    can take a step of at the moment. Unknown is what became of a call whose connection broke, when
    it had waited for longer than the client tries again.
    """
    return error.status in (
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.UNKNOWN,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.FAILED_PRECONDITION,
    )


def refusal(error: RPCError) -> Refused:
    """What Temporal's no means for the shell."""
    if error.status is RPCStatusCode.NOT_FOUND:
        return Refused(Code.NOT_FOUND, f"Not found: {error.message}")
    if unreachable(error):
        return Refused(
            Code.UNREACHABLE,
            f"Temporal, or the worker that should answer, is away: {error.message}\n"
            "An embedded one lives as long as `starter.py start SPEC --local`: the same command "
            "goes on where it stopped.",
        )
    return Refused(Code.REJECTED, f"Temporal refused: {error.message}")


def warn_if_guest(connected: Session, local: bool) -> None:
    """A guest shares what another starter runs: say so, and what happens when that one ends."""
    if local and not connected.local:
        say("Joined a server that another starter runs; when that one ends, this one runs it.")
