"""A write of what was paid for: a place that cannot take it is waited for, not given up."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from activities.adapters.doing import doing

Kept = TypeVar("Kept")
KEPT_TRYING = 300.0
"""Seconds."""


async def insisting(keep: Callable[[Kept], Kept], said: Kept) -> Kept:
    """What `keep` returns, as soon as the place takes what was said; raises OSError in the end."""
    began, pause = time.monotonic(), 0.5
    while True:
        try:
            return await asyncio.to_thread(keep, said)
        except OSError:
            if time.monotonic() - began > KEPT_TRYING:
                raise
        with doing("holds a reply that no place takes"):
            await asyncio.sleep(pause)
        pause = min(2 * pause, 10.0)
