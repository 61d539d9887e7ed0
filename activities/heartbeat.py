"""Heartbeats for every activity that has a heartbeat timeout, from the event loop.

A beat says that this process and its loop are alive; how long the work itself may take is the
business of its own timeouts. A dead or frozen worker is noticed after one heartbeat timeout.
"""

import asyncio
import inspect
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

BEAT_AT_MOST = 3.0
"""Seconds between beats; a third of the timeout when that is shorter."""


class HeartbeatInterceptor(Interceptor):
    """Beats in the background while an activity runs."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _BeatingInbound(next)


class _BeatingInbound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        timeout = activity.info().heartbeat_timeout
        if not timeout:
            return await super().execute_activity(input)
        in_thread = not inspect.iscoroutinefunction(input.fn)
        every = min(BEAT_AT_MOST, timeout.total_seconds() / 3)
        beating = asyncio.create_task(_beat(every, in_thread))
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()


async def _beat(every: float, in_thread: bool) -> None:
    """A threaded activity's heartbeat waits for the loop, so the loop must not wait for it."""
    while True:
        await asyncio.sleep(every)
        if in_thread:
            await asyncio.to_thread(activity.heartbeat)
        else:
            activity.heartbeat()
