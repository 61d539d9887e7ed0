"""Conversations with the local Messages API, for tests: a rig of real adapters around it."""

import contextlib
from collections.abc import AsyncGenerator
from decimal import Decimal
from pathlib import Path

from builders import COMMIT

from activities.adapters.blobs import BlobStore, place
from activities.adapters.model_api import ModelApi, open_model
from activities.adapters.model_gate import Closings, Gate
from activities.adapters.model_key import KEY
from activities.adapters.model_turns import ModelTurns
from activities.adapters.prices import Prices
from activities.contracts.base import BlobRef
from activities.contracts.conversation import Conversation, Role, TakeTurn, TurnTaken
from activities.contracts.transcript import ToolResult, ToolResults, calls_of
from tests.fakes.messages_api import MessagesApi

MODEL = "claude-sonnet-5-5"
MIGRATION = "m"


def a_talk(**more) -> Conversation:
    given = {
        "migration": MIGRATION,
        "scope": "task/c1-0001",
        "attempt": "0-1",
        "role": Role.WORKER,
        "model": MODEL,
        "max_tokens": 1000,
        "system": "You migrate.",
        "brief": "This file.",
        "repository": "app-1a2b3c4d",
        "commit": COMMIT,
        "spec": BlobRef(migration=MIGRATION, sha256="0" * 64, size=0),
        "phase": "main",
    }
    return Conversation(**{**given, **more})


def client_of(url: str, silence: float = 5.0) -> ModelApi:
    return open_model({"ANTHROPIC_BASE_URL": url, KEY: "k"}, silence=silence)


class Talks:
    """Turns with one API, as one worker process takes them."""

    def __init__(self, turns: ModelTurns, blobs: BlobStore, api: MessagesApi, home: Path) -> None:
        self.turns, self.blobs, self.api, self.home = turns, blobs, api, home

    async def take(
        self,
        talk: Conversation,
        turn: int = 1,
        *,
        told: tuple[str, ...] = (),
        results: dict[str, str] | None = None,
        grant: str | None = None,
    ) -> TurnTaken:
        """`results`: tool → what every call of it in the turn before is answered."""
        return await self.turns.take(self.asked(talk, turn, told, results, grant))

    def asked(self, talk, turn=1, told=(), results=None, grant=None) -> TakeTurn:
        answers = None
        if results is not None:
            calls = calls_of(self.turns.transcripts.chunk(talk, turn - 1))
            given = [ToolResult(call=c["id"], text=results[c["name"]]) for c in calls]
            answers = self.blobs.put_model(MIGRATION, ToolResults(results=tuple(given)))
        return TakeTurn(
            talk=self.blobs.put_model(MIGRATION, talk),
            turn=turn,
            results=answers,
            told=told,
            grant=None if grant is None else Decimal(grant),
        )

    def spent(self, talk: Conversation):
        return self.turns.transcripts.spent(talk.migration, talk.scope)


@contextlib.asynccontextmanager
async def talking(
    home: Path, api: MessagesApi, *, most: int = 8, silence: float = 5.0, begins: bool = True
) -> AsyncGenerator[Talks]:
    """A worker's adapters on a home that others may share. `begins`: as BlobStore has it."""
    blobs, client = BlobStore(home / "blobs", begins=begins), client_of(api.url, silence)
    gate = Gate(Closings(place(home / "blobs")), most)
    try:
        yield Talks(ModelTurns(blobs, client, Prices(), gate), blobs, api, home)
    finally:
        await client.close()
