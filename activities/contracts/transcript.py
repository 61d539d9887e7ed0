"""What was said, as blobs: one chunk per turn, written once under (scope, attempt, turn).

Content blocks are kept in the Messages API's own JSON: what the model is shown again is what it
said, to the byte, or its cache is lost and its thinking refused.
"""

from typing import Any

from activities.contracts.base import Contract
from activities.contracts.conversation import TurnEnd
from activities.contracts.money import Usage, Usd

Block = dict[str, Any]
"""A content block as the Messages API has it."""
MALFORMED = "malformed_json"
"""The one key in the input of a call whose JSON was none; its value is the beginning of it."""


class ToolResult(Contract):
    """The answer to one call."""

    call: str
    """The tool_use id."""
    text: str
    is_error: bool = False


class ToolResults(Contract):
    """The answers to one reply's calls, in their order."""

    results: tuple[ToolResult, ...]


class Chunk(Contract):
    """One turn: what was said to the model, and what it replied."""

    turn: int
    asked: tuple[Block, ...]
    """The user message's blocks: the brief or tool results, then what people said."""
    reply: tuple[Block, ...]
    end: TurnEnd
    stop: str
    """The API's stop_reason."""
    usage: Usage
    usd: Usd
    prices: str = ""
    """Where the prices are from that it was reckoned by; empty: nobody knew any."""
    model: str
    """As the API named it."""
    seconds: float = 0.0
    compacted: bool = False
    """What came before is not sent any more: this chunk's `asked` is the brief, then a summary."""
    request: int = 0
    """Which of the turn's requests brought this reply."""


class Summary(Contract):
    """What a model wrote down of a conversation that grew too long for it."""

    text: str
    """Empty: it wrote none."""
    usage: Usage
    usd: Usd
    request: int = 0
    """As in Chunk."""


class Intent(Contract):
    """Written before each request: should nothing more be known of it, this is what it cost."""

    by: str
    """Who makes it."""
    worst: Usd


class Cost(Contract):
    """What a request cost whose reply is not the recorded one, or that was refused."""

    usd: Usd


def calls_of(chunk: Chunk) -> list[Block]:
    """The tool_use blocks of a reply, in their order."""
    return [block for block in chunk.reply if block.get("type") == "tool_use"]
