"""Heartbeats for every activity that has a heartbeat timeout, from the event loop.

A beat says that this process and its loop are alive; how long the work itself may take is the
business of its own timeouts. A dead or frozen worker is noticed after one heartbeat timeout.
"""

import asyncio
import contextvars
import inspect
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

BEAT_AT_MOST = 3.0
"""Seconds between beats; a third of the timeout when that is shorter."""
SENT_WITHIN = timedelta(seconds=1)
"""For every Worker's throttle. Left alone it keeps beats back for 80 % of the timeout, and one that
is then late by the last fifth costs a live attempt: on a busy host that is two seconds."""
STILL = 2.0
"""Seconds that the loop may stand still before it is said."""


class HeartbeatInterceptor(Interceptor):
    """Beats in the background while an activity runs.

    `slate`: a fresh list for each, whose last words say what it is at.
    """

    def __init__(self, slate: Callable[[], list[str]] = list) -> None:
        self._slate = slate
        # Threads of their own: beats must not queue behind checkouts in the loop's default pool.
        self._threads = ThreadPoolExecutor(4, "beating")

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _BeatingInbound(next, self._threads, self._slate)


class _BeatingInbound(ActivityInboundInterceptor):
    def __init__(
        self,
        next: ActivityInboundInterceptor,
        threads: ThreadPoolExecutor,
        slate: Callable[[], list[str]],
    ) -> None:
        super().__init__(next)
        self._threads, self._slate = threads, slate

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        timeout = activity.info().heartbeat_timeout
        if not timeout:
            return await super().execute_activity(input)
        threads = None if inspect.iscoroutinefunction(input.fn) else self._threads
        every = min(BEAT_AT_MOST, timeout.total_seconds() / 3)
        beating = asyncio.create_task(_beat(every, threads, self._slate()))
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()


async def _beat(every: float, threads: ThreadPoolExecutor | None, words: list[str]) -> None:
    """Each beat carries the last of the words: what the step is at.

    A threaded activity's heartbeat waits for the loop, so the loop must not wait for it.
    """
    while True:
        await asyncio.sleep(every)
        if threads:
            beat = partial(contextvars.copy_context().run, activity.heartbeat, *words[-1:])
            await asyncio.get_running_loop().run_in_executor(threads, beat)
        else:
            activity.heartbeat(*words[-1:])


async def watch_loop() -> None:
    """Says for how long the event loop stood still, and with it the beats; until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + 1
        await asyncio.sleep(1)
        if (late := loop.time() - due) > STILL:
            logging.getLogger(__name__).warning("the event loop stood still for %.1f s", late)
