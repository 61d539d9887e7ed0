"""An agent's conversation as people read it, turn by turn: what it was told, what it said, which
tools it called and what they answered, what that cost. Long texts are cut, and say so."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from activities.contracts.conversation import Conversation
from activities.contracts.money import Spend, Usage
from activities.contracts.transcript import Block, Chunk, calls_of

LINES, WIDTH = 12, 200
DIGEST = 12


class Told(NamedTuple):
    """One conversation and what it cost."""

    talk: Conversation
    chunks: tuple[Chunk, ...]
    spend: Spend


def as_text(told: Told) -> str:
    """All of it."""
    talk, spend = told.talk, told.spend
    lines = [
        f"attempt {talk.attempt}: {talk.role.value}, {talk.model}, {len(told.chunks)} turns, "
        f"{spend.recorded:.4f} USD" + (f" and perhaps {spend.unconfirmed:.4f} more, of replies "
        "that were lost" if spend.unconfirmed else "")
    ]  # fmt: skip
    lines += [f"prompt {name}, sha256 {digest[:DIGEST]}" for name, digest in talk.prompts.items()]
    for number, chunk in enumerate(told.chunks):
        following = told.chunks[number + 1] if number + 1 < len(told.chunks) else None
        lines += ["", *_turn(chunk, _results(following))]
    return "\n".join(lines)


def as_data(told: Told) -> dict[str, Any]:
    """The same for programs, whole."""
    return {
        "attempt": told.talk.attempt,
        "role": told.talk.role.value,
        "model": told.talk.model,
        "prompts": told.talk.prompts,
        "spend": told.spend.model_dump(mode="json"),
        "turns": [chunk.model_dump(mode="json") for chunk in told.chunks],
    }


def _turn(chunk: Chunk, results: dict[str, Block]) -> Iterator[str]:
    summarised = ", after a summary of all before" if chunk.compacted else ""
    yield (
        f"turn {chunk.turn}: {chunk.end.value}, {chunk.seconds:.1f} s, {_tokens(chunk.usage)}, "
        f"{chunk.usd:.4f} USD{summarised}"
    )
    for block in chunk.asked:
        if block["type"] == "text":
            yield from _indented("told: ", block["text"])
    for block in chunk.reply:
        if block["type"] == "text":
            yield from _indented("said: ", block["text"])
    for call in calls_of(chunk):
        yield from _indented(f"{call['name']} ", _input(call["input"]))
        if result := results.get(call["id"]):
            mark = "   ! " if result.get("is_error") else "   > "
            yield from _indented(mark, "\n".join(part["text"] for part in result["content"]))


def _results(chunk: Chunk | None) -> dict[str, Block]:
    """Call → its answer, which the next turn's message begins with."""
    asked = chunk.asked if chunk else ()
    return {block["tool_use_id"]: block for block in asked if block["type"] == "tool_result"}


def _tokens(usage: Usage) -> str:
    cached = f" + {usage.cache_read:,} cached" if usage.cache_read else ""
    return f"{usage.input + usage.cache_write:,}{cached} tokens in, {usage.output:,} out"


def _input(input: dict[str, Any]) -> str:
    """`path=a.py lines=3`; text of several lines below."""
    short = {k: v for k, v in input.items() if not (isinstance(v, str) and "\n" in v)}
    words = [f"{k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in short.items()]
    long = [f"{k}:\n{v}" for k, v in input.items() if k not in short]
    return "\n".join([" ".join(words), *long])


def _indented(mark: str, text: str) -> Iterator[str]:
    """The first lines, the first one after its mark."""
    lines = text.rstrip().split("\n")
    for number, line in enumerate(lines[:LINES]):
        cut = f"{line[:WIDTH]}… ({len(line) - WIDTH} more characters)"
        shown = line if len(line) <= WIDTH else cut
        yield "  " + (mark if number == 0 else " " * len(mark)) + shown
    if len(lines) > LINES:
        yield "  " + " " * len(mark) + f"… ({len(lines) - LINES} more lines)"
