"""What the local Messages API does with one request: a Reply, streamed well or badly, or a Failure.

Events and error bodies have the shapes of the real API.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

Block = dict[str, Any]
PIECE = 24
"""Characters of one delta."""
_ids = count(1)


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def call(name: str, **input: Any) -> Block:
    """A tool_use block with an id of its own."""
    return {"type": "tool_use", "id": f"toolu_{next(_ids):08}", "name": name, "input": input}


def thought(words: str) -> Block:
    return {"type": "thinking", "thinking": words, "signature": signed(words)}


def signed(words: str) -> str:
    """What the API later knows its own thinking by."""
    return hashlib.sha256(f"signed {words}".encode()).hexdigest()


@dataclass(frozen=True)
class Reply:
    """Blocks, and how they come."""

    blocks: tuple[Block, ...]
    stop: str = ""
    """stop_reason; empty: tool_use where a tool is called, else end_turn."""
    silent: float = 0
    """Seconds before the first byte."""
    slow: float = 0
    """Seconds between events."""
    pings: int = 1
    cut: int | None = None
    """Events after which nothing comes any more."""
    reset: bool = False
    """A cut is a broken connection, not an end that looks sound."""
    error: str = ""
    """The type of an error event that comes in place of the end."""
    broken: bool = False
    """The JSON of the last call's input stops half way."""
    output: int | None = None
    """Tokens; None: what the text is long."""

    @property
    def stop_reason(self) -> str:
        called = any(block["type"] == "tool_use" for block in self.blocks)
        return self.stop or ("tool_use" if called else "end_turn")

    @property
    def length(self) -> int:
        """Characters that the model wrote."""
        return sum(len(json.dumps(block)) for block in self.blocks)


def said(*blocks: Block | str, **more: Any) -> Reply:
    """A reply of these blocks; a plain text is a text block."""
    whole = tuple(text(block) if isinstance(block, str) else block for block in blocks)
    return Reply(whole, **more)


def cut_after(reply: Reply, events: int, *, reset: bool = False) -> Reply:
    return replace(reply, cut=events, reset=reset)


@dataclass(frozen=True)
class Failure:
    """An answer that is no message."""

    status: int
    type: str
    message: str = "no"
    code: str = ""
    """details.error_code"""
    retry_after: float | None = None
    headers: tuple[tuple[str, str], ...] = ()
    hangs_up: bool = False
    """The connection is closed without an answer."""
    page: str = ""
    """A text in place of the body, as from something between the API and its client."""

    @property
    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"type": self.type, "message": self.message}
        if self.code:
            error["details"] = {"error_code": self.code}
        return {"type": "error", "error": error, "request_id": f"req_{next(_ids):08}"}


def rate_limited(retry_after: float | None = 1, **more: Any) -> Failure:
    text = "This request would exceed your account's rate limit. Please try again later."
    return Failure(429, "rate_limit_error", text, retry_after=retry_after, **more)


def overloaded(**more: Any) -> Failure:
    return Failure(529, "overloaded_error", "Overloaded", **more)


def broke(status: int = 500) -> Failure:
    return Failure(status, "api_error", "Internal server error")


def events(reply: Reply, model: str, usage: dict[str, int], output: int) -> Iterator[Block]:
    """The stream of a whole reply, `error` and `cut` left to the server."""
    start = {**usage, "output_tokens": 1}
    message = {
        "id": f"msg_{next(_ids):08}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": start,
    }
    yield {"type": "message_start", "message": message}
    for _ in range(reply.pings):
        yield {"type": "ping"}
    for index, block in enumerate(reply.blocks):
        last = index == len(reply.blocks) - 1
        yield {"type": "content_block_start", "index": index, "content_block": _opened(block)}
        for delta in _deltas(block, reply.broken and last):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": reply.stop_reason, "stop_sequence": None},
        "usage": {**usage, "output_tokens": output},
    }
    yield {"type": "message_stop"}


def _opened(block: Block) -> Block:
    """A block as it begins, empty."""
    empty = {"text": "", "thinking": "", "signature": "", "input": {}}
    return {key: empty.get(key, value) for key, value in block.items()}


def _deltas(block: Block, broken: bool) -> Iterator[Block]:
    if block["type"] == "text":
        yield from ({"type": "text_delta", "text": piece} for piece in _pieces(block["text"]))
    elif block["type"] == "thinking":
        for piece in _pieces(block["thinking"]):
            yield {"type": "thinking_delta", "thinking": piece}
        yield {"type": "signature_delta", "signature": block["signature"]}
    elif block["type"] == "tool_use":
        input = json.dumps(block["input"])
        for piece in ("", *_pieces(input[: len(input) // 2] if broken else input)):
            yield {"type": "input_json_delta", "partial_json": piece}


def _pieces(words: str) -> list[str]:
    return [words[at : at + PIECE] for at in range(0, len(words), PIECE)]
