"""Temporal's own Cancel means the same as a person's: what is under way ends in order."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def drained(story: Coroutine[Any, Any, Result], cancelled: Callable[[], None]) -> Result:
    """The end of a story that no cancellation cuts off: it is told by `cancelled`, and goes on."""
    running = asyncio.create_task(story)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        cancelled()
        return await running
