"""A session with an MCP server, in a task of its own: what becomes of the server ends that task
and no other. It begins with the first call; after a server that hung or died, the next call begins
another.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar, cast

Answer = TypeVar("Answer")
Do = Callable[[Any], Awaitable[Any]]
"""Asks the SDK's client."""
Opened = Callable[[Callable[[str], None]], AbstractAsyncContextManager[Any]]
"""Makes one; what it is given hears the server's last words."""
CLOSED = -32000
"""The SDK's code for a connection that ended."""
START = 60.0
"""Seconds of its start, at least: some install themselves first."""
FAREWELL = 2.0
"""Seconds that a server has to end by itself."""
WORDS = 600
"""Characters of what it said last."""


class McpRefused(Exception):
    """The server is not what the spec or the worker's settings say; the text says what to do."""


class McpAway(Exception):
    """The server does not answer."""


class McpSession:
    """One at a time; `close` it."""

    def __init__(self, server: str, opened: Opened, seconds: float) -> None:
        """`seconds`: of each question."""
        self._server, self._opened, self._seconds = server, opened, seconds
        self._serving: asyncio.Task[None] | None = None
        self._asked: asyncio.Queue[tuple[Do, asyncio.Future[Any]] | None] = asyncio.Queue()
        self._last_words = ""

    async def begin(self) -> None:
        """Returns when the server listens. Raises McpAway."""
        if self._serving is not None and not self._serving.done():
            return
        self._asked, self._last_words = asyncio.Queue(), ""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._serving = asyncio.create_task(self._serve(ready))
        await self._heard(ready, max(START, self._seconds))

    async def ask(self, do: Callable[[Any], Awaitable[Answer]]) -> Answer:
        """What the client answers. Raises McpAway, and what the client raises."""
        await self.begin()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked.put_nowait((do, answer))
        return await self._heard(answer, self._seconds)

    async def close(self, farewell: float = FAREWELL) -> None:
        """Nothing of the server runs any more afterwards. No harm where none does."""
        serving, self._serving = self._serving, None
        if serving is None:
            return
        self._asked.put_nowait(None)
        try:
            await asyncio.wait((serving,), timeout=farewell)
        finally:
            serving.cancel()
            await asyncio.wait((serving,))
            if not serving.cancelled():
                serving.exception()

    async def _heard(self, answer: asyncio.Future[Answer], seconds: float) -> Answer:
        serving = self._serving
        assert serving
        first = asyncio.FIRST_COMPLETED
        ended, _ = await asyncio.wait((answer, serving), timeout=seconds, return_when=first)
        if answer.done():
            if not (isinstance(error := answer.exception(), McpAway)):
                return answer.result()
            why = str(error)
        else:
            answer.cancel()
            why = f"no answer within {seconds:g} s"
        await self.close(FAREWELL if ended else 0)  # the reason may come after the end
        if ended and not serving.cancelled() and (error := serving.exception()):
            why = _told(error)
        said = f"; its last words: {self._last_words[-WORDS:]}" if self._last_words else ""
        raise McpAway(f"the MCP server {self._server} is away: {why}{said}")

    async def _serve(self, ready: asyncio.Future[None]) -> None:
        async with self._opened(self._hear) as client:
            if not ready.done():
                ready.set_result(None)
            while (asked := await self._asked.get()) is not None:
                do, answer = asked
                try:
                    result = await do(client)
                except Exception as error:
                    if getattr(error, "code", None) == CLOSED:
                        error = McpAway("it ended the session")
                    if not answer.done():
                        answer.set_exception(error)
                    if isinstance(error, McpAway):
                        return
                else:
                    if not answer.done():
                        answer.set_result(result)

    def _hear(self, words: str) -> None:
        self._last_words = words


def _told(error: BaseException) -> str:
    """The first cause, of a group as well."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return f"{type(error).__name__}: {str(error)[:WORDS]}"
