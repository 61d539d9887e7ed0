"""A reply, put together from its stream to the byte: what the model said it is shown again.

The client's own accumulation reads JSON that stops half way as if it were whole, and raises at JSON
that is none; here a call that is not whole is left out, and one that is malformed says so. Half a
character, which no record could hold, is none: a reply that could not be recorded would be paid for
again and again.
"""

import json
from dataclasses import dataclass, field
from typing import Any, cast

from activities.adapters.model_errors import ReplyCut
from activities.contracts.conversation import TurnEnd
from activities.contracts.money import Usage
from activities.contracts.transcript import MALFORMED, Block

Json = dict[str, Any]
SHOWN = 2000
"""Characters of malformed JSON that the model sees again."""
LOST = "\ufffd"
"""In place of half a character."""
DEEPEST = 100
"""Levels of a call's input: JSON that is nested deeper cannot be kept on record."""
ENDS = {
    "max_tokens": TurnEnd.CUT,
    "model_context_window_exceeded": TurnEnd.CUT,
    "pause_turn": TurnEnd.PAUSED,
    "refusal": TurnEnd.REFUSED,
}
"""stop_reason → how it ended; others depend on whether tools were called."""


@dataclass(frozen=True)
class Reply:
    """A whole reply."""

    blocks: tuple[Block, ...]
    stop: str
    usage: Usage
    model: str

    @property
    def end(self) -> TurnEnd:
        called = any(block.get("type") == "tool_use" for block in self.blocks)
        return ENDS.get(self.stop, TurnEnd.CALLS if called else TurnEnd.SAID)

    @property
    def words(self) -> str:
        """Without its calls."""
        return "\n\n".join(b["text"] for b in self.blocks if b["type"] == "text").strip()


@dataclass
class Stream:
    """What has come of a reply so far."""

    events: int = 0
    chars: int = 0
    _stop: str = ""
    _model: str = ""
    _usage: Json = field(default_factory=dict[str, Any])
    _blocks: dict[int, Block] = field(default_factory=dict[int, Block])
    _inputs: dict[int, str] = field(default_factory=dict[int, str])

    def take(self, event: Json) -> None:
        """One event; those of kinds unknown say nothing."""
        self.events += 1
        kind = event["type"]
        if kind == "message_start":
            self._model = event["message"]["model"]
            self._usage.update(event["message"]["usage"])
        elif kind == "content_block_start":
            self._blocks[event["index"]] = dict(event["content_block"])
        elif kind == "content_block_delta":
            self._add(event["index"], event["delta"])
        elif kind == "message_delta":
            self._stop = event["delta"].get("stop_reason") or ""
            self._usage.update({k: v for k, v in event["usage"].items() if v is not None})

    def _add(self, index: int, delta: Json) -> None:
        block = self._blocks[index]
        for part in ("text", "thinking", "signature"):
            if part in delta:
                block[part] = block.get(part, "") + delta[part]
                self.chars += len(delta[part])
        if "partial_json" in delta:
            self._inputs[index] = self._inputs.get(index, "") + delta["partial_json"]
            self.chars += len(delta["partial_json"])
        if "citation" in delta:
            block["citations"] = [*(block.get("citations") or ()), delta["citation"]]

    @property
    def began(self) -> Usage | None:
        """What is known of its usage; None: nothing came."""
        return _usage(self._usage) if self._usage else None

    def reply(self) -> Reply:
        """Raises ReplyCut when it has no end."""
        if not self._stop:
            raise ReplyCut(f"the stream ended without a stop reason after {self.events} events")
        blocks = [self._whole(index) for index in sorted(self._blocks)]
        return Reply(
            blocks=_distinct([_sound(block) for block in blocks if block is not None]),
            stop=_sound(self._stop),
            usage=_usage(self._usage),
            model=_sound(self._model),
        )

    def _whole(self, index: int) -> Block | None:
        """None: a block that the API would not take back, or that stops half way."""
        block = self._blocks[index]
        last = index == max(self._blocks)
        cut = last and self._stop in ("max_tokens", "model_context_window_exceeded", "refusal")
        if block["type"] == "text":
            return block if block["text"].strip() else None
        if block["type"] == "thinking":
            # What it is signed for is every character.
            said: str = block["thinking"]
            whole = _sound(said).count(LOST) == said.count(LOST)
            return block if block.get("signature") and whole else None
        if "input" not in block:
            return block
        written = self._inputs.get(index, "")
        if not written:
            # Of a call whose reply was cut nobody knows whether its input was to be empty.
            return None if cut else block
        if (input := _object(written)) is not None:
            return {**block, "input": input}
        return None if cut else {**block, "input": {MALFORMED: written[:SHOWN]}}


def _object(written: str) -> Json | None:
    """None: no JSON object, or one that no record would hold."""
    try:
        input = json.loads(written)
        json.dumps(input, ensure_ascii=False).encode()
        if isinstance(input, dict) and _levels(input) <= DEEPEST:
            return cast("Json", input)
    except (ValueError, RecursionError):
        pass
    return None


def _sound(value: Any) -> Any:
    """With whole characters only: halves that came in two pieces are joined."""
    if isinstance(value, str):
        pairs = value.encode("utf-16-le", "surrogatepass")
        return pairs.decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_sound(key): _sound(inside) for key, inside in cast("Json", value).items()}
    if isinstance(value, list):
        return [_sound(inside) for inside in cast("list[Any]", value)]
    return value


def _levels(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    inside = cast("Json", value).values() if isinstance(value, dict) else cast("list[Any]", value)
    return 1 + max(map(_levels, inside), default=0)


def _distinct(blocks: list[Block]) -> tuple[Block, ...]:
    """Two calls of one id could not both be answered."""
    ids = [block.get("id") for block in blocks]
    return tuple(
        {**block, "id": f"{block['id']}_{n}"} if block.get("id") in filter(None, ids[:n]) else block
        for n, block in enumerate(blocks)
    )


def _usage(counts: Json) -> Usage:
    return Usage(
        input=counts.get("input_tokens") or 0,
        cache_write=counts.get("cache_creation_input_tokens") or 0,
        cache_read=counts.get("cache_read_input_tokens") or 0,
        output=counts.get("output_tokens") or 0,
    )
