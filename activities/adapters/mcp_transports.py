"""How MCP servers are spoken with: the SDK's client, over a sandboxed program's own two streams or
over HTTP. Nothing that a server sends is held without a bound."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from activities.adapters.jobs import Ended, Job
from activities.adapters.sandbox import Sandbox

MESSAGE = 8 << 20
"""Bytes of one message, or of one answer over HTTP."""
CONNECT = 10.0
FAREWELL = 1.0
"""Seconds that a program has to end when its input has ended."""
Incoming = SessionMessage | Exception


def in_sandbox(sandbox: Sandbox, job: Job, heard: Callable[[str], None]) -> Client:
    """With a program; `heard` gets what it said on its standard error, when it has ended."""
    return Client(_streams(sandbox, job, heard))


@contextlib.asynccontextmanager
async def by_http(url: str, headers: dict[str, str], seconds: float) -> AsyncGenerator[Client]:
    """With a service; its redirects are followed nowhere else."""
    timeout = httpx2.Timeout(seconds, connect=CONNECT)
    hooks = {"response": [_bound]}
    async with httpx2.AsyncClient(headers=headers, timeout=timeout, event_hooks=hooks) as http:
        transport = streamable_http_client(url, http_client=http, max_sse_event_size=MESSAGE)
        async with Client(transport) as client:
            yield client


class TooMuch(Exception):
    """A server sends more than anybody reads."""


class _Bounded(httpx2.AsyncByteStream):
    """An answer that is given up where it gets too long."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > MESSAGE:
                raise TooMuch(f"it answered with more than {MESSAGE} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx2.Response) -> None:
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Bounded(response.stream)


@contextlib.asynccontextmanager
async def _streams(sandbox: Sandbox, job: Job, heard: Callable[[str], None]):
    """A program's, a message a line each way, for as long as it is entered."""
    ours, theirs = socket.socketpair()
    running = asyncio.create_task(sandbox.run(replace(job, talks=theirs)))
    try:
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=MESSAGE)
        given, incoming = anyio.create_memory_object_stream[Incoming](0)
        outgoing, taken = anyio.create_memory_object_stream[SessionMessage](0)

        async def read() -> None:
            async with given:
                while line := await _line(reader):
                    await given.send(_message(line))

        async def write() -> None:
            async with taken:
                async for message in taken:
                    said = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                    writer.write(said.encode() + b"\n")
                    await writer.drain()

        try:
            async with anyio.create_task_group() as both:
                both.start_soon(read)
                both.start_soon(write)
                yield incoming, outgoing
                both.cancel_scope.cancel()
        finally:
            incoming.close()
            outgoing.close()
            writer.close()
    finally:
        theirs.close()
        await _ended(running, heard)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Empty at the end."""
    try:
        return await reader.readline()
    except ValueError:
        raise TooMuch(f"it sent a message of more than {MESSAGE} bytes") from None
    except ConnectionError:
        return b""


def _message(line: bytes) -> Incoming:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return error


async def _ended(running: asyncio.Task[Ended], heard: Callable[[str], None]) -> None:
    """The program is gone afterwards, with all that it started."""
    try:
        await asyncio.wait((running,), timeout=FAREWELL)
    finally:
        running.cancel()
        await asyncio.wait((running,))
    if running.cancelled():
        return
    error = running.exception()
    ended = None if error else running.result()
    heard(str(error) if ended is None else ended.output.decode("utf-8", "replace").strip())
