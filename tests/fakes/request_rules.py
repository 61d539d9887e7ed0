"""What the Messages API refuses of a request, with its own words."""

import json
from typing import Any

from tests.fakes.model_account import PRICES, tokens
from tests.fakes.replies import Failure, signed

Json = dict[str, Any]
MAX_MARKS = 4
MAX_BYTES = 32 * 1024 * 1024


def refused(body: Json, window: int) -> Failure | None:
    """The first fault of a request. `window`: tokens of the model's context."""
    for field in ("model", "messages", "max_tokens"):
        if field not in body:
            return _invalid(f"{field}: Field required")
    if body["model"] not in PRICES:
        return Failure(404, "not_found_error", f"model: {body['model']}")
    if len(json.dumps(body)) > MAX_BYTES:
        return Failure(413, "invalid_request_error", "Request exceeds the maximum size")
    if marks(body) > MAX_MARKS:
        return _invalid(
            f"A maximum of {MAX_MARKS} blocks with cache_control may be provided. "
            f"Found {marks(body)}."
        )
    if "tool_choice" in body and not body.get("tools"):
        return _invalid("tool_choice: may only be specified while providing tools")
    if fault := _in_messages(body["messages"]):
        return _invalid(fault)
    prompt = tokens(body)
    if prompt > window:
        return _invalid(f"prompt is too long: {prompt} tokens > {window} maximum")
    return None


def marks(value: Any) -> int:
    """How many cache_control there are."""
    if isinstance(value, dict):
        return ("cache_control" in value) + sum(marks(v) for v in value.values())
    return sum(map(marks, value)) if isinstance(value, list) else 0


def _invalid(message: str) -> Failure:
    return Failure(400, "invalid_request_error", message)


def _in_messages(messages: list[Json]) -> str:
    if not messages or messages[0]["role"] != "user":
        return "messages: first message must use the `user` role"
    open_calls: list[str] = []
    previous = ""
    for number, message in enumerate(messages):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not blocks and number < len(messages) - 1:
            return f"messages.{number}: all messages must have non-empty content"
        answered = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
        if previous == "assistant" and (missing := set(open_calls) - set(answered)):
            return (
                f"messages.{number}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(sorted(missing))}. Each `tool_use` block must have "
                "a corresponding `tool_result` block in the next message."
            )
        if strange := set(answered) - set(open_calls):
            return (
                f"messages.{number}.content.0: unexpected `tool_use_id` found in `tool_result` "
                f"blocks: {', '.join(sorted(strange))}."
            )
        if fault := next(filter(None, map(_in_block, blocks)), ""):
            return f"messages.{number}.{fault}"
        open_calls = [b["id"] for b in blocks if b["type"] == "tool_use"]
        previous = message["role"]
    return ""


def _in_block(block: Json) -> str:
    if block["type"] == "text" and not block["text"].strip():
        return "content: text content blocks must contain non-whitespace text"
    if block["type"] == "thinking" and block["signature"] != signed(block["thinking"]):
        return "content: Invalid `signature` in `thinking` block"
    if block["type"] == "tool_use" and not isinstance(block["input"], dict):
        return "content: tool_use.input: Input should be a valid dictionary"
    return ""
