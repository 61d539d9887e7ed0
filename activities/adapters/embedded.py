"""The embedded Temporal server: the real one, on this machine, for as long as its starter lives.

One server per state directory. The lock's descriptor is inherited by the server, so the lock is
held while either of the two lives. Free: start. Held and answering: join as a guest, and stop
nothing. Held and silent: an error that names the pid. A server that dies is started again on the
same ports and the same database; whatever it had acknowledged is in there.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import random
import socket
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ValidationError

from activities.adapters.children import Child
from activities.adapters.interruptions import note

READY = 60.0
"""Seconds that a fresh server may take until it answers."""
STARTS = 3
"""Tries to start one: somebody may take a port, ours or one of its own, before it listens there."""
PORTS = range(20_000, 32_000)
"""No outgoing connection is given one of these and so keeps a server from coming back on it."""


class Server(BaseModel):
    """Where an embedded server listens; kept as server.json beside its database."""

    address: str
    ui: str
    http: str
    """host:port of the HTTP API, by which it is asked whether it answers."""
    pid: int
    """The starter that runs it."""


class ServerTrouble(Exception):
    """The embedded server cannot be started or joined."""


def recorded(state: Path) -> Server | None:
    """What server.json says; it may be of a server that is gone."""
    try:
        return Server.model_validate_json((state / "server.json").read_text())
    except (OSError, ValidationError):
        return None


async def running(state: Path) -> Server | None:
    """The server of this state directory, if its lock is held and it answers."""
    server = recorded(state)
    return server if server and _is_held(state / "lock") and await answers(server) else None


async def answers(server: Server, patience: float = 2.0) -> bool:
    """Whether the server reads its database for us; a stopped process still accepts connections."""
    host, port = server.http.rsplit(":", 1)
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(
                    f"GET /api/v1/namespaces/default HTTP/1.1\r\nHost: {server.http}\r\n"
                    "Connection: close\r\n\r\n".encode()
                )
                await writer.drain()
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return False


class Embedded:
    """Starts or joins the server of one state directory.

    A second `start` elsewhere joins the first; `stop` by a guest does nothing, so every caller may
    simply start and stop.
    """

    def __init__(
        self, state: Path, search_attributes: Mapping[str, str], binary: Path | None = None
    ) -> None:
        self.state = state
        self._attributes = search_attributes
        self._binary = binary or Path(sys.executable).with_name("temporal")
        self._lock: int | None = None
        self._child: Child | None = None
        self.guest = False

    @property
    def pid(self) -> int | None:
        """The server process, when it is ours."""
        return self._child.pid if self._child else None

    @property
    def trouble(self) -> str:
        """Why our server does not stay up; empty while it does."""
        return self._child.trouble if self._child else ""

    async def start(self, patience: float = 10.0) -> Server:
        """The running server; raises ServerTrouble when it is held and silent for `patience`."""
        self.state.mkdir(parents=True, exist_ok=True)
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            if self._take_lock():
                return await self._start_server()
            server = recorded(self.state)
            if server and await answers(server, min(2.0, patience)):
                self.guest = True
                return server
            if asyncio.get_running_loop().time() >= deadline:
                raise ServerTrouble(
                    f"{self.state} is in use by process {self._holder()}, whose server has not "
                    f"answered for {patience:g} s; end that process, or set WHIMBREL_HOME to "
                    "another directory"
                )
            await asyncio.sleep(0.2)

    async def stand_in(self) -> Server | None:
        """The server, ours from now on, if nobody runs it any more; None while somebody does."""
        if not self._take_lock():
            return None
        self.guest = False
        return await self._start_server()

    async def stop(self, grace: float = 10.0) -> None:
        """Stops the server if it is ours, then frees the lock."""
        if self._child:
            await self._child.stop(grace)
        if self._lock is not None:
            os.close(self._lock)
        self._child = self._lock = None

    def _take_lock(self) -> bool:
        lock = os.open(self.state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock
        return True

    def _holder(self) -> str:
        return (self.state / "lock").read_text().strip() or "unknown"

    async def _start_server(self) -> Server:
        try:
            server = await self._first_to_stay()
        except BaseException:
            await self.stop(grace=0)
            raise
        aside = self.state / "server.json.tmp"
        aside.write_text(json.dumps(server.model_dump()))
        aside.rename(self.state / "server.json")
        return server

    async def _first_to_stay(self) -> Server:
        """Starts it, on other ports when it dies before it answers."""
        assert self._lock is not None
        for number in range(STARTS):
            server = self._on_free_ports(recorded(self.state) if number == 0 else None)
            self._child = Child(
                "server",
                self._command(server),
                log=self.state / "server.log",
                keep=(self._lock,),
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.state)},
                died=partial(note, self.state, "server"),
            )
            await self._child.start()
            if await _answers_first(server, self._child):
                return server
            await self._child.stop(0)
            if not self._child.deaths:
                break
        assert self._child
        raise ServerTrouble(f"the embedded server did not start:\n{self._child.last_words()}")

    def _on_free_ports(self, before: Server | None) -> Server:
        """The ports of last time where they are free, so that links into the Web UI stay good."""
        wished = [before.address, before.ui, before.http] if before else ["", "", ""]
        address, ui, http = _free_ports([int(w.rsplit(":", 1)[1]) if w else 0 for w in wished])
        return Server(
            address=f"127.0.0.1:{address}",
            ui=f"http://127.0.0.1:{ui}",
            http=f"127.0.0.1:{http}",
            pid=os.getpid(),
        )

    def _command(self, server: Server) -> list[str]:
        def port(address: str) -> str:
            return address.rsplit(":", 1)[1]

        command = [str(self._binary), "server", "start-dev", "--ip", "127.0.0.1"]
        command += ["--port", port(server.address), "--ui-port", port(server.ui)]
        command += ["--http-port", port(server.http), "--namespace", "default"]
        command += ["--db-filename", str(self.state / "temporal.db"), "--log-level", "error"]
        command += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"]
        for name, kind in sorted(self._attributes.items()):
            command += ["--search-attribute", f"{name}={kind}"]
        return command


async def _answers_first(server: Server, child: Child) -> bool:
    """Whether it answers in time, and before it dies."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY):
            while not child.deaths:
                if await answers(server):
                    return True
                await asyncio.sleep(0.05)
    return False


def _is_held(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _free_ports(wished: list[int]) -> list[int]:
    """One free loopback port per wish, the wished one where possible; freed all at once."""
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        for wish in wished:
            holder = stack.enter_context(socket.socket())
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _bind_first(holder, [*([wish] if wish else []), *random.sample(PORTS, 50), 0])
            ports.append(holder.getsockname()[1])
        return ports


def _bind_first(holder: socket.socket, ports: list[int]) -> None:
    """Binds to the first of them that is free; 0, which is any, always is."""
    for port in ports:
        with contextlib.suppress(OSError):
            holder.bind(("127.0.0.1", port))
            return
