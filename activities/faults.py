"""Fault points: named places where a test may kill the process; without a test they do nothing.

Every activity has two, `before:<activity>` and `after:<activity>` (its effect is done, its result
not yet recorded). A point that fired leaves a marker file, so the restarted process goes on.
"""

import os
import signal
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

BEFORE = "before"
AFTER = "after"


class FaultInterceptor(Interceptor):
    """Kills this process with SIGKILL the first time it passes one of `points`."""

    def __init__(self, points: frozenset[str], markers: Path) -> None:
        self._points = points
        self._markers = markers

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _FaultInbound(next, self)

    def passing(self, point: str) -> None:
        """Dies here if the test asked for exactly this point and it has not fired yet."""
        if point not in self._points:
            return
        try:
            (self._markers / point.replace(":", "-")).touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


class _FaultInbound(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, faults: FaultInterceptor) -> None:
        super().__init__(next)
        self._faults = faults

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        name = activity.info().activity_type
        self._faults.passing(f"{BEFORE}:{name}")
        result = await super().execute_activity(input)
        self._faults.passing(f"{AFTER}:{name}")
        return result
