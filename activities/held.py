"""A worker that died cannot say so; the next one that starts on its host does.

While an activity runs, its token lies in a folder of its process, which the kernel unlocks when the
process is gone. What then still lies there was cut off: it is failed by its token, and so tried
again at once rather than when the server misses a heartbeat. A token names one attempt, so one that
the server gave up meanwhile is not touched, and telling twice is harmless.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

if TYPE_CHECKING:
    from pathlib import Path

    from temporalio.client import Client

    from activities.adapters.scratch import Scratch

WORKER_DIED = "WorkerDied"
NOTHING_TO_SAY = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)
"""That attempt is over; that token was being written when its process died."""


class HoldingInterceptor(Interceptor):
    """Notes what this process does in a folder that is locked for as long as it lives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _HoldingInbound(next, self)

    def place(self) -> Path:
        """Where the next one's token lies."""
        return self._folder / str(next(self._numbers))


class _HoldingInbound(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, holding: HoldingInterceptor) -> None:
        super().__init__(next)
        self._holding = holding

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        if info.is_local:  # its workflow task is given to another worker
            return await super().execute_activity(input)
        held = self._holding.place()
        held.write_bytes(info.task_token)
        try:
            return await super().execute_activity(input)
        finally:
            held.unlink(missing_ok=True)


class Bereaved:
    """Tells the server which attempts ended with the processes that made them."""

    def __init__(self, client: Client, held: Scratch) -> None:
        self._client = client
        self._held = held

    async def sweep(self) -> list[str]:
        """Says so for all dead processes of this host, and forgets them."""
        dead = await asyncio.to_thread(self._held.dead)
        tokens = [file.read_bytes() for folder in dead for file in sorted(folder.iterdir())]
        told = [await self._tell(token) for token in tokens if token]
        await asyncio.to_thread(self._held.delete, dead)
        return ["a dead worker's attempt"] * sum(told)

    async def _tell(self, token: bytes) -> bool:
        """Whether the server still waited for it."""
        died = ApplicationError("its worker died", type=WORKER_DIED)
        try:
            await self._client.get_async_activity_handle(task_token=token).fail(died)
        except RPCError as error:
            if error.status not in NOTHING_TO_SAY:
                raise
            return False
        return True
