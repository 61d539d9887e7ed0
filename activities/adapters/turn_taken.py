"""A turn that was taken, in the few words that go into history."""

import hashlib
import json
from collections.abc import Sequence

from pydantic import ValidationError

from activities.adapters.transcripts import Turn
from activities.contracts.conversation import SAID, FileRequest, TurnTaken
from activities.contracts.money import Usage
from activities.contracts.tools import RequestFiles
from activities.contracts.transcript import Block, Chunk, calls_of

MOST_CALLS = 20
NAME, PATH, REASON = 64, 1000, 300
"""Characters that go into history, whatever the model wrote."""


def in_short(turn: Turn, chunk: Chunk) -> TurnTaken:
    """The turn as a workflow decides by it; its spend is of the records as they are now."""
    calls = calls_of(chunk)
    inputs = json.dumps([(call["name"], call["input"]) for call in calls], sort_keys=True)
    words = " ".join(b["text"] for b in chunk.reply if b.get("type") == "text")
    summary = turn.summary()
    return TurnTaken(
        end=chunk.end,
        calls=tuple(call["name"][:NAME] for call in calls[:MOST_CALLS]),
        fingerprint=hashlib.sha256(inputs.encode()).hexdigest()[:16] if calls else "",
        asks=_asks(calls),
        usage=chunk.usage + (summary.usage if summary else Usage()),
        spend=turn.spend(),
        said=words[:SAID],
    )


def _asks(calls: Sequence[Block]) -> tuple[FileRequest, ...]:
    asks: list[FileRequest] = []
    for call in calls:
        if call["name"] != "request_files":
            continue
        try:
            form = RequestFiles.model_validate(call["input"])
        except ValidationError:
            continue  # the tool tells the model what is wrong with it
        reason = form.reason[:REASON]
        asks += [FileRequest(path=path[:PATH], reason=reason) for path in form.paths]
    return tuple(asks[:MOST_CALLS])
