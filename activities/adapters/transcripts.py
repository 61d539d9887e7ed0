"""A conversation's turns on record, each written once: what was said, and what it cost.

Before each request there is an intent; then the turn's chunk says which request it came from. A
request that is neither in a chunk nor has a cost of its own was lost, and counts at its worst.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import TypeVar

from pydantic import BaseModel

from activities.adapters.blobs import BlobMissing, BlobStore
from activities.adapters.fault_points import Effect, around
from activities.contracts.base import BlobRef
from activities.contracts.conversation import Conversation
from activities.contracts.money import Spend, Usd
from activities.contracts.transcript import Chunk, Cost, Intent, Summary

Model = TypeVar("Model", bound=BaseModel)
CHUNK, SUMMARY, OPENING = "chunk", "summary", "opening"
TALK = "talk/"
DECIDING = ("plan/", "judge/")
"""How the scopes of planners and judges begin."""
IN_MIND = 64
"""Conversations whose chunks are not read again; they never change."""


class Transcripts:
    """The conversations of all migrations."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._chunks: OrderedDict[str, dict[int, Chunk]] = OrderedDict()
        self._lock = Lock()

    def conversation(self, talk: BlobRef) -> Conversation:
        return self._blobs.get_model(talk, Conversation)

    def begin(self, talk: Conversation, kept: BlobRef) -> None:
        """Notes where a conversation is kept, for those who only know what it is about."""
        key = f"{_of(talk.scope)}{talk.attempt}/{OPENING}"
        self._blobs.put_once(talk.migration, key, kept.model_dump_json().encode())

    def conversations(self, migration: str, scope: str) -> list[Conversation]:
        """All about this, in the order of their attempts' names; raises BlobMissing."""
        return self._begun(migration, _of(scope))

    def deciding(self, migration: str) -> list[Conversation]:
        """All of planners and judges; raises BlobMissing."""
        return [talk for who in DECIDING for talk in self._begun(migration, f"{TALK}{who}")]

    def _begun(self, migration: str, under: str) -> list[Conversation]:
        found: list[Conversation] = []
        for key in self._blobs.records(migration, under):
            if key.endswith(f"/{OPENING}") and (kept := self._blobs.find(migration, key)):
                found.append(self.conversation(BlobRef.model_validate_json(kept)))
        return found

    def keeps(self, migration: str) -> bool:
        """Whether anything of a migration is still kept."""
        return bool(self._blobs.kept(migration))

    def scopes(self, migration: str) -> list[str]:
        """All that a migration's agents talked about."""
        keys = self._blobs.records(migration, TALK)
        return sorted({key.removeprefix(TALK).rpartition("@")[0] for key in keys})

    def chunks(self, talk: Conversation) -> list[Chunk]:
        """All turns that are on record."""
        chunks: list[Chunk] = []
        while chunk := self.turn(talk, len(chunks) + 1).chunk():
            chunks.append(chunk)
        return chunks

    def turn(self, talk: Conversation, number: int) -> "Turn":
        """Its records, to read and to write."""
        return Turn(self._blobs, talk.migration, talk.scope, talk.attempt, number)

    def chunk(self, talk: Conversation, number: int) -> Chunk:
        """What was said in a turn; raises BlobMissing."""
        known = self._in_mind(f"{talk.migration}/{talk.scope}@{talk.attempt}")
        if number not in known:
            chunk = self.turn(talk, number).chunk()
            if chunk is None:
                raise BlobMissing(
                    f"turn {number} of {talk.scope}, attempt {talk.attempt}, of {talk.migration} "
                    "is not on record"
                )
            known[number] = chunk
        return known[number]

    def _in_mind(self, identity: str) -> dict[int, Chunk]:
        with self._lock:
            known = self._chunks.setdefault(identity, {})
            self._chunks.move_to_end(identity)
            while len(self._chunks) > IN_MIND:
                self._chunks.popitem(last=False)
        return known

    def sent_before(self, talk: Conversation, number: int) -> list[Chunk]:
        """What is shown to the model again in a turn, oldest first: all since the last summary."""
        chunks: list[Chunk] = []
        for before in range(number - 1, 0, -1):
            chunks.insert(0, self.chunk(talk, before))
            if chunks[0].compacted:
                break
        return chunks

    def spent(self, migration: str, scope: str, attempts: str = "") -> Spend:
        """Of all turns of a scope, in the attempts whose names begin so; `0-1/` is one alone."""
        turns = {
            tuple(key.removeprefix(_of(scope)).split("/")[:2])
            for key in self._blobs.records(migration, _of(scope) + attempts)
            if not key.endswith(f"/{OPENING}")
        }
        spends = [
            Turn(self._blobs, migration, scope, attempt, int(number)).spend()
            for attempt, number in sorted(turns)
        ]
        return sum(spends, Spend())


class Turn:
    """The records of one turn. Any process may write them at any time: the first one counts."""

    def __init__(
        self, blobs: BlobStore, migration: str, scope: str, attempt: str, number: int
    ) -> None:
        self._blobs, self._migration = blobs, migration
        self._under = f"{_of(scope)}{attempt}/{number}"

    def chunk(self) -> Chunk | None:
        return self._find(CHUNK, Chunk)

    def summary(self) -> Summary | None:
        """What the conversation was compacted to in this turn."""
        return self._find(SUMMARY, Summary)

    def intend(self, intent: Intent) -> int:
        """Records a request that is about to be made; its number, counting from 1."""
        data = intent.model_dump_json().encode()
        number = self._unused()
        with around(Effect.INTENT):
            while self._once(f"{number}/intent", data) != data:
                number += 1
        return number

    def settle(self, number: int, usd: Usd) -> None:
        """Records what a request cost, where its reply is not the turn's."""
        self._once(f"{number}/cost", Cost(usd=usd).model_dump_json().encode())

    def bound(self, number: int, usd: Usd) -> None:
        """Records what a lost request cost at most, where that is less than its intent says."""
        self._once(f"{number}/bound", Cost(usd=usd).model_dump_json().encode())

    def keep(self, chunk: Chunk) -> Chunk:
        """The turn's reply, unless there is one; what is on record."""
        with around(Effect.REPLY):
            recorded = self._once(CHUNK, chunk.model_dump_json().encode())
        return Chunk.model_validate_json(recorded)

    def keep_summary(self, summary: Summary) -> Summary:
        recorded = self._once(SUMMARY, summary.model_dump_json().encode())
        return Summary.model_validate_json(recorded)

    def spend(self) -> Spend:
        """Of all requests of the turn so far."""
        kept = [one for one in (self.summary(), self.chunk()) if one]
        spend = Spend(recorded=_sum(one.usd for one in kept))
        answered = {one.request for one in kept}
        number = 0
        while intent := self._intent(number := number + 1):
            if number in answered:
                continue
            if cost := self._find(f"{number}/cost", Cost):
                spend += Spend(recorded=cost.usd)
            else:
                bound = self._find(f"{number}/bound", Cost)
                spend += Spend(unconfirmed=bound.usd if bound else intent.worst)
        return spend

    def _unused(self) -> int:
        """The first number without a request. An outage of hours makes hundreds of them."""
        above = 1
        while self._intent(above):
            above *= 2
        between = range(above // 2 + 1, above)
        return above // 2 + 1 + bisect_left(between, True, key=lambda n: not self._intent(n))

    def _intent(self, number: int) -> Intent | None:
        return self._find(f"{number}/intent", Intent)

    def _find(self, what: str, kind: type[Model]) -> Model | None:
        data = self._blobs.find(self._migration, f"{self._under}/{what}")
        return kind.model_validate_json(data) if data is not None else None

    def _once(self, what: str, data: bytes) -> bytes:
        return self._blobs.put_once(self._migration, f"{self._under}/{what}", data)


def _of(scope: str) -> str:
    return f"{TALK}{scope}@"


def _sum(amounts: Iterable[Usd]) -> Usd:
    return sum(amounts, Spend().recorded)
