"""Who runs the embedded server and its worker: this starter, or another one whose guest it is.

A guest that still waits when its host has ended becomes the host: the lock is free then, and the
server comes back on the ports it had, so that every connection to it is good again.
"""

import asyncio
import os
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from activities.adapters.children import Child
from activities.adapters.embedded import Embedded, Server, ServerTrouble
from activities.adapters.interruptions import note
from activities.adapters.settings import Settings
from cli.boundary import Code, Refused, say

DRAIN = 45.0
"""Seconds that a worker may take to finish its running steps before it is killed."""
HERE = Path(__file__).resolve().parent.parent
"""Where worker.py and examples/ are."""


@dataclass
class Hosting:
    """The embedded server as this process has it; ended with `end`, by guests too."""

    settings: Settings
    embedded: Embedded
    worker: Child | None = None
    """Ours, started as soon as somebody has to answer."""
    _needed: bool = False
    _address: str = ""
    _taking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def guest(self) -> bool:
        return self.embedded.guest

    async def begin(self) -> Server:
        """The server, started or joined."""
        try:
            server = await self.embedded.start()
        except ServerTrouble as trouble:
            raise Refused(Code.UNREACHABLE, str(trouble)) from trouble
        self._address = server.address
        if not self.guest:
            self.worker = _worker(self.settings, server)
        return server

    async def need_worker(self) -> None:
        """Starts our worker, if it is ours to start; for a guest, once it is the host."""
        self._needed = True
        if self.worker:
            await self.worker.start()

    async def stand_in(self) -> None:
        """Runs server and worker from now on, if this is a guest and its host has ended."""
        async with self._taking:
            if not self.guest:
                return
            try:
                server = await self.embedded.stand_in()
            except ServerTrouble as trouble:
                raise Refused(Code.UNREACHABLE, str(trouble)) from trouble
            if server is None:
                return
            say("The starter that ran the server has ended: this one runs server and worker now.")
            if server.address != self._address:
                raise Refused(
                    Code.UNREACHABLE,
                    f"Its port is taken, so the server is at {server.address} now: the same "
                    "command again goes on there.",
                )
            self.worker = _worker(self.settings, server)
            if self._needed:
                await self.worker.start()

    def check(self) -> None:
        """Raises when our own server or worker cannot stay up: nobody would ever answer."""
        for part in (self.embedded, self.worker):
            if part and part.trouble:
                raise Refused(Code.UNREACHABLE, part.trouble)

    async def end(self) -> None:
        """Stops what is ours, in order; children die with this process anyway."""
        if self.worker:
            await self.worker.stop(DRAIN)
        await self.embedded.stop()


def _worker(settings: Settings, server: Server) -> Child:
    env = {k: v for k, v in os.environ.items() if not k.startswith("TEMPORAL_")}
    env |= {"TEMPORAL_ADDRESS": server.address, "TEMPORAL_NAMESPACE": "default"}
    env |= {"WHIMBREL_HOME": str(settings.home), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(HERE / "worker.py"), "--role", "all"]
    died = partial(note, settings.home, "worker")
    return Child("worker", command, log=settings.home / "worker.log", env=env, died=died)
