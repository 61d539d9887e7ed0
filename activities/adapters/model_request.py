"""A conversation as the Messages API is asked to go on with it.

The prefix stays the same to the byte from turn to turn, and is marked where it was marked before,
so that the cache has it: the role's prompt with the tools, the last message, and the one before.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

from activities.adapters.prices import HIDDEN
from activities.contracts.conversation import Conversation
from activities.contracts.tools import TOOLS, tools_of
from activities.contracts.transcript import Block, Chunk, ToolResults, calls_of

Json = dict[str, Any]
MARK = {"cache_control": {"type": "ephemeral"}}
UNANSWERED = "This call was not carried out."
NO_TEXT = "(nothing)"
SUMMARISED = "What came before was too long to be shown again. You wrote this down of it:\n\n"


def text(words: str) -> Block:
    """A block; the API refuses blank ones."""
    return {"type": "text", "text": words if words.strip() else NO_TEXT}


def asked(
    talk: Conversation, previous: Chunk | None, results: ToolResults | None, told: Sequence[str]
) -> tuple[Block, ...]:
    """The next user message: the brief, or an answer to every call of the reply before, which the
    API insists on; then what people said."""
    given = {result.call: result for result in results.results} if results else {}
    blocks: list[Block] = [] if previous else [text(talk.brief)]
    for call in calls_of(previous) if previous else ():
        result = given.get(call["id"])
        block: Block = {
            "type": "tool_result",
            "tool_use_id": call["id"],
            "content": [text(result.text if result else UNANSWERED)],
        }
        blocks.append({**block, "is_error": True} if result is None or result.is_error else block)
    return (*blocks, *map(text, told))


def continued(talk: Conversation, summary: str, told: Sequence[str]) -> tuple[Block, ...]:
    """A user message in place of all that came before."""
    return (text(talk.brief), text(SUMMARISED + summary), *map(text, told))


def shortened(blocks: Iterable[Block], most: int) -> tuple[Block, ...]:
    """The same message with at most so many characters of each result."""
    return tuple(
        {**block, "content": [text(part["text"][:most]) for part in block["content"]]}
        if block["type"] == "tool_result"
        else block
        for block in blocks
    )


def body_of(
    talk: Conversation, chunks: Sequence[Chunk], asked: Sequence[Block], words_alone: bool = False
) -> Json:
    """The request: what was said in these turns, then `asked`. `words_alone`: no tool may be
    called; the cache of the messages does not hold across that."""
    messages: list[tuple[str, list[Block]]] = []
    for chunk in chunks:
        _say(messages, "user", chunk.asked)
        _say(messages, "assistant", chunk.reply)
    _say(messages, "user", asked)
    # Where the last turn's prefix was marked, and where this one's is: the cache looks there.
    for place in [n for n, (role, _) in enumerate(messages) if role == "user"][-2:]:
        messages[place][1][-1] = {**messages[place][1][-1], **MARK}
    return {
        "model": talk.model,
        "max_tokens": talk.max_tokens,
        "system": [{**text(talk.system), **MARK}],
        "tools": tools(talk),
        "messages": [{"role": role, "content": blocks} for role, blocks in messages],
        **({"tool_choice": {"type": "none"}} if words_alone else {}),
    }


def _say(messages: list[tuple[str, list[Block]]], role: str, blocks: Sequence[Block]) -> None:
    """Two messages of one role are one, as when a reply had nothing in it."""
    if not blocks:
        return
    if messages and messages[-1][0] == role:
        messages[-1][1].extend(blocks)
    else:
        messages.append((role, list(blocks)))


def tools(talk: Conversation) -> list[Json]:
    """The role's tools as the API wants them described, then those of MCP servers."""
    own = [
        {
            "name": name,
            "description": " ".join((TOOLS[name].__doc__ or name).split()),
            "input_schema": _untitled(TOOLS[name].model_json_schema()),
        }
        for name in tools_of(talk.role)
    ]
    return own + [
        {"name": tool.name, "description": tool.description, "input_schema": tool.takes}
        for tool in talk.mcp
    ]


def _untitled(schema: Any) -> Any:
    """Without the titles that pydantic makes of names, which only cost tokens."""
    if isinstance(schema, list):
        return [_untitled(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    fields = cast("Json", schema).items()
    return {k: _untitled(v) for k, v in fields if not (k == "title" and isinstance(v, str))}


def at_most(
    talk: Conversation, chunks: Sequence[Chunk], asked: Sequence[Block], bytes_of_one: int = 1
) -> int:
    """Tokens of the prompt, never fewer than it has.

    What the last turn's prompt and reply had was measured by the API; of what is new since, each
    byte may be a token, for no tokenizer makes more of it. `bytes_of_one`: for who wants to know
    what is likely rather than what may be.
    """
    if not chunks:
        return HIDDEN + _bytes([talk.system, tools(talk), list(asked)]) // bytes_of_one
    usage = chunks[-1].usage
    measured = usage.input + usage.cache_write + usage.cache_read + usage.output
    return measured + HIDDEN + _bytes(list(asked)) // bytes_of_one


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
