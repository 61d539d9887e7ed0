"""A lock that one process of a host holds, waited for without blocking the event loop."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path


@contextlib.asynccontextmanager
async def host_locked(path: Path, beat: Callable[[], None] | None = None) -> AsyncGenerator[None]:
    """Held by this process only: the kernel lets go of it when the process dies."""
    fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if beat:
                beat()
            await asyncio.sleep(0.2)
        yield
    finally:
        os.close(fd)
