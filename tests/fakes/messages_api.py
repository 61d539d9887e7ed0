"""A local Messages API: HTTP, streams, tools, usage, the prompt cache, limits and failures as the
real one has them. What it says is a function of the request, or a list of replies.

    python -m tests.fakes.messages_api --answer tests.fakes.demo_mind:answer --port 8017
"""

import argparse
import asyncio
import contextlib
import importlib
import inspect
import json
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.model_account import Account, PerMinute
from tests.fakes.replies import Failure, Reply, cut_after, events, rate_limited
from tests.fakes.request_rules import refused

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One POST /v1/messages."""

    number: int
    """Counts from 1, refused ones included."""
    body: Json
    headers: dict[str, str]
    at: float
    """When it came, by the monotonic clock."""

    @property
    def last(self) -> list[Json]:
        """The blocks of the last message."""
        content = self.body["messages"][-1]["content"]
        return [{"type": "text", "text": content}] if isinstance(content, str) else content


Answer = Reply | Failure
Answering = Callable[[Request], Answer | Awaitable[Answer]]


def scripted(answers: Iterable[Answer]) -> Answering:
    """One after the other; a request too many is a failure that says so."""
    left = iter(answers)
    too_many = Failure(400, "invalid_request_error", "the script has ended")
    return lambda _: next(left, too_many)


class MessagesApi:
    """An API that serves while it is entered; `url` is for ANTHROPIC_BASE_URL. clouds.py has those
    that are reached in another way."""

    path = "/v1/messages"
    content_type = "text/event-stream"

    def __init__(
        self,
        answer: Answering,
        *,
        key: str = "",
        per_minute: PerMinute | None = None,
        window: int = 200_000,
        port: int = 0,
    ) -> None:
        """`key`: what must be presented; empty: anything. `window`: tokens of the context."""
        self.account = Account()
        self.requests: list[Request] = []
        self.running = self.most_at_once = 0
        self._answer, self._key, self._window, self._port = answer, key, window, port
        self._per_minute = per_minute or PerMinute(None)

    async def __aenter__(self) -> "MessagesApi":
        app = web.Application(client_max_size=64 * 1024 * 1024)
        self.routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        return self

    def routes(self, app: web.Application) -> None:
        app.router.add_post(self.path, self._messages)

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def _messages(self, http: web.Request) -> web.StreamResponse:
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            return await self._served(http)
        finally:
            self.running -= 1

    async def _served(self, http: web.Request) -> web.StreamResponse:
        body = self.body_of(await http.json(), http)
        request = Request(len(self.requests) + 1, body, dict(http.headers), time.monotonic())
        self.requests.append(request)
        fault = await self.at_the_door(http) or refused(body, self._window) or self._limited(body)
        if fault:
            return self._failed(fault, http)
        if inspect.isawaitable(answer := self._answer(request)):
            answer = await answer
        if isinstance(answer, Failure):
            return self._failed(answer, http)
        return await self._streamed(answer, body, http)

    def body_of(self, body: Json, _: web.Request) -> Json:
        """The request as the Messages API has it."""
        return body

    async def is_known(self, http: web.Request) -> bool:
        """Whether the right credential was presented."""
        shown = {http.headers.get("Authorization"), http.headers.get("X-Api-Key")}
        return not self._key or bool(shown & {f"Bearer {self._key}", self._key})

    async def at_the_door(self, http: web.Request) -> Failure | None:
        if not await self.is_known(http):
            return Failure(401, "authentication_error", "invalid x-api-key")
        return None

    def _limited(self, body: Json) -> Failure | None:
        usage, now = self.account.input(body, keep=False), time.monotonic()
        uncached = usage["input_tokens"] + usage["cache_creation_input_tokens"]
        wait = self._per_minute.retry_after(now, uncached)
        if wait is None:
            return None
        return rate_limited(math.ceil(wait), headers=self._per_minute.headers(now))

    def _failed(self, failure: Failure, http: web.Request) -> web.StreamResponse:
        if failure.hangs_up and http.transport:
            http.transport.abort()
        headers = dict(failure.headers)
        if failure.retry_after is not None:
            headers["retry-after"] = f"{failure.retry_after:g}"
        if failure.page:
            return web.Response(text=failure.page, status=failure.status, headers=headers)
        return web.json_response(self.told(failure), status=failure.status, headers=headers)

    def told(self, failure: Failure) -> Json:
        """The body of a failure."""
        return failure.body

    async def _streamed(self, reply: Reply, body: Json, http: web.Request) -> web.StreamResponse:
        model, usage = body["model"], self.account.input(body)
        output = reply.output if reply.output is not None else math.ceil(reply.length / 4)
        stream = list(events(reply, model, usage, output))
        if reply.error:
            reply = cut_after(reply, len(stream) - 2)
        sent = 0
        limits = dict(self._per_minute.headers(time.monotonic()))
        response = web.StreamResponse(headers={"content-type": self.content_type, **limits})
        try:
            await asyncio.sleep(reply.silent)
            await response.prepare(http)
            for event in stream[: reply.cut]:
                await response.write(self.framed(event))
                sent += 1
                await asyncio.sleep(reply.slow)
            if reply.error:
                error = {"type": reply.error, "message": "in the middle"}
                await response.write(self.framed({"type": "error", "error": error}))
        except ConnectionError:
            pass
        finally:
            # What was generated is paid for, whoever did not wait for it.
            whole = sent == len(stream)
            used = output if whole else output * sent // len(stream)
            self.account.charge(model, usage, used, whole)
        if reply.cut is not None and reply.reset and http.transport:
            http.transport.abort()
        return response

    def framed(self, event: Json) -> bytes:
        """One event of a stream."""
        return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


async def _serve(answer: Answering, port: int) -> None:
    async with MessagesApi(answer, port=port) as api:
        print(api.url, flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            print(f"{len(api.requests)} requests, {api.account.usd} USD", flush=True)


def main() -> None:
    """Serves until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answer", required=True, help="package.module:function")
    parser.add_argument("--port", type=int, default=0)
    asked = parser.parse_args()
    module, _, name = asked.answer.partition(":")
    answer = getattr(importlib.import_module(module), name)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(answer, asked.port))


if __name__ == "__main__":
    main()
