"""One turn of a conversation: looked for on record, else asked for and paid for, then recorded.

An intent is on record before each request, and the reply before the turn is answered. So a second
run finds the reply and pays nothing; one whose reply got lost is known, and counts at its worst.
"""

import asyncio
import time
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar
from uuid import uuid4

from activities.adapters import model_request as request
from activities.adapters.blobs import BlobStore, place
from activities.adapters.doing import doing
from activities.adapters.insisting import insisting
from activities.adapters.model_api import ModelApi, open_model
from activities.adapters.model_errors import ModelError, PromptTooLong
from activities.adapters.model_gate import Closings, Gate
from activities.adapters.model_grant import BudgetReached, check_grant
from activities.adapters.model_reply import Reply
from activities.adapters.prices import Prices
from activities.adapters.prompts import FOLDER, SUMMARISE
from activities.adapters.settings import Settings
from activities.adapters.transcripts import Transcripts, Turn
from activities.adapters.turn_taken import in_short
from activities.contracts.conversation import Conversation, TakeTurn, TurnEnd, TurnTaken
from activities.contracts.money import NOTHING, Spend, Usage, Usd
from activities.contracts.transcript import Block, Chunk, Intent, Summary, ToolResults

Kept = TypeVar("Kept", Chunk, Summary)
FULL_AT = Decimal("0.8")
"""Of the model's window: beyond it the conversation is summarised."""
LIKELY = 3
"""Bytes of a token, for who does not ask for the worst case."""
SUMMARY_TOKENS = 8_000
SHORT = 500
"""Characters of a result in a summary's request that did not fit."""


def open_turns(
    blobs: BlobStore, settings: Settings, environment: MutableMapping[str, str]
) -> "ModelTurns":
    """Turns with the provider whose credential the environment has, and has no more afterwards.
    Raises OSError and ValueError for a bad file of prices, and for a provider that lacks what it is
    reached by."""
    api = open_model(environment, settings.provider)
    prices = Prices(settings.prices, settings.provider)
    gate = Gate(Closings(place(settings.blobs)), settings.turns_per_host)
    return ModelTurns(blobs, api, prices, gate)


@dataclass(frozen=True)
class _Asking:
    """A turn that is being taken."""

    talk: Conversation
    turn: Turn
    chunks: Sequence[Chunk]
    asked: tuple[Block, ...]
    told: tuple[str, ...]
    grant: Usd | None

    @property
    def tokens(self) -> int:
        """Of the prompt, at most."""
        return request.at_most(self.talk, self.chunks, self.asked)

    def nearly_fills(self, window: int) -> bool:
        """Whether to summarise first. Where this is wrong, the API says so."""
        likely = request.at_most(self.talk, self.chunks, self.asked, LIKELY)
        return likely + self.talk.max_tokens > window * FULL_AT


class ModelTurns:
    """Takes turns with one provider."""

    def __init__(self, blobs: BlobStore, api: ModelApi, prices: Prices, gate: Gate) -> None:
        self._blobs, self._api, self._prices, self._gate = blobs, api, prices, gate
        self.transcripts = Transcripts(blobs)

    async def take(self, asked: TakeTurn) -> TurnTaken:
        """Raises a ModelError, BudgetReached, PriceUnknown, or what a place of blobs raises."""
        talk = await asyncio.to_thread(self.transcripts.conversation, asked.talk)
        turn = self.transcripts.turn(talk, asked.turn)
        chunk = await asyncio.to_thread(turn.chunk)
        if chunk is None:
            asking = await asyncio.to_thread(self._prepared, talk, turn, asked)
            chunk = await self._taken(asking, asked.turn)
        return await asyncio.to_thread(in_short, turn, chunk)

    async def spent(self, asked: TakeTurn) -> Spend:
        """On all requests of a turn so far."""
        talk = await asyncio.to_thread(self.transcripts.conversation, asked.talk)
        return await asyncio.to_thread(self.transcripts.turn(talk, asked.turn).spend)

    def _prepared(self, talk: Conversation, turn: Turn, asked: TakeTurn) -> _Asking:
        if asked.turn == 1:
            self.transcripts.begin(talk, asked.talk)
        chunks = self.transcripts.sent_before(talk, asked.turn)
        results = self._blobs.get_model(asked.results, ToolResults) if asked.results else None
        blocks = request.asked(talk, chunks[-1] if chunks else None, results, asked.told)
        return _Asking(talk, turn, chunks, blocks, asked.told, asked.grant)

    async def _taken(self, asking: _Asking, number: int) -> Chunk:
        """Compacts where the window is nearly full, or turns out to be."""
        window = self._prices.window(asking.talk.model)
        summary = await asyncio.to_thread(asking.turn.summary)
        if summary is None and not (asking.chunks and asking.nearly_fills(window)):
            try:
                return await self._replied(asking, number)
            except PromptTooLong:
                if not asking.chunks:
                    return await self._full(asking, number)
        summary = summary or await self._summarised(asking)
        if summary is None or not summary.text:
            return await self._full(asking, number)
        continued = request.continued(asking.talk, summary.text, asking.told)
        fresh = _Asking(asking.talk, asking.turn, (), continued, asking.told, asking.grant)
        try:
            return await self._replied(fresh, number, compacted=True)
        except PromptTooLong:
            return await self._full(asking, number)

    async def _replied(self, asking: _Asking, number: int, compacted: bool = False) -> Chunk:
        began = time.monotonic()
        reply, of, usd = await self._ask(asking)
        chunk = Chunk(
            turn=number,
            asked=asking.asked,
            reply=reply.blocks,
            end=reply.end,
            stop=reply.stop,
            usage=reply.usage,
            usd=usd,
            prices=self._prices.source if usd else "",
            model=reply.model,
            seconds=round(time.monotonic() - began, 3),
            compacted=compacted,
            request=of,
        )
        return await self._kept(asking.turn, asking.turn.keep, chunk)

    async def _full(self, asking: _Asking, number: int) -> Chunk:
        chunk = Chunk(
            turn=number,
            asked=asking.asked,
            reply=(),
            end=TurnEnd.FULL,
            stop="",
            usage=Usage(),
            usd=NOTHING,
            model=asking.talk.model,
        )
        return await self._kept(asking.turn, asking.turn.keep, chunk)

    async def _summarised(self, asking: _Asking) -> Summary | None:
        """None: even that does not fit."""
        instruction = request.text((FOLDER / SUMMARISE).read_text())
        talk = asking.talk.model_copy(
            update={"max_tokens": min(asking.talk.max_tokens, SUMMARY_TOKENS)}
        )
        for blocks in (asking.asked, request.shortened(asking.asked, SHORT)):
            asked = (*blocks, instruction)
            summing = _Asking(talk, asking.turn, asking.chunks, asked, (), asking.grant)
            try:
                return await self._words(summing)
            except PromptTooLong:
                continue
        return None

    async def _words(self, summing: _Asking) -> Summary:
        """A summary. Who calls a tool in place of words is asked once more, and may call none then:
        not at once, for what of the conversation is in the cache is there without that alone."""
        reply, of, usd = await self._ask(summing)
        if not reply.words:
            await asyncio.to_thread(summing.turn.settle, of, usd)
            reply, of, usd = await self._ask(summing, words_alone=True)
        summary = Summary(text=reply.words, usage=reply.usage, usd=usd, request=of)
        return await self._kept(summing.turn, summing.turn.keep_summary, summary)

    async def _ask(self, asking: _Asking, words_alone: bool = False) -> tuple[Reply, int, Usd]:
        """A reply, which of the turn's requests brought it, and what it cost."""
        talk, turn = asking.talk, asking.turn
        worst = self._worst(asking)
        said = (talk, asking.chunks, asking.asked, words_alone)
        body = await asyncio.to_thread(request.body_of, *said)
        async with self._gate.passage():
            intent = Intent(by=uuid4().hex, worst=worst)
            number = await asyncio.to_thread(turn.intend, intent)
            try:
                await asyncio.to_thread(check_grant, turn, asking.grant, worst)
                with doing("the model has the word") as say:
                    reply = await self._api.reply(
                        body, lambda events, chars: say(f"{events} events, {chars} characters")
                    )
            except BudgetReached:
                await asyncio.to_thread(turn.settle, number, NOTHING)
                raise
            except ModelError as error:
                await asyncio.to_thread(self._lost, asking, number, error)
                error.spend = await asyncio.to_thread(turn.spend)
                raise
        return reply, number, self._cost(asking, reply)

    def _lost(self, asking: _Asking, number: int, error: ModelError) -> None:
        """Nothing for what was refused; where a reply began, its input and the longest output."""
        if not error.charged:
            asking.turn.settle(number, NOTHING)
        elif error.usage and self._prices.known(asking.talk.model):
            usage = error.usage.model_copy(update={"output": asking.talk.max_tokens})
            asking.turn.bound(number, self._prices.price(asking.talk.model, usage))

    def _worst(self, asking: _Asking) -> Usd:
        """Raises PriceUnknown where there is a cap."""
        model = asking.talk.model
        if asking.grant is None and not self._prices.known(model):
            return NOTHING
        return self._prices.worst(model, asking.tokens, asking.talk.max_tokens)

    def _cost(self, asking: _Asking, reply: Reply) -> Usd:
        """By the name that the API gave the model, where that has a price."""
        model = reply.model if self._prices.known(reply.model) else asking.talk.model
        return self._prices.price(model, reply.usage) if self._prices.known(model) else NOTHING

    async def _kept(self, turn: Turn, keep: Callable[[Kept], Kept], said: Kept) -> Kept:
        """What is on record now. One's own reply that came second is paid for beside it."""
        kept = await insisting(keep, said)
        if said.request and kept.request != said.request:
            await asyncio.to_thread(turn.settle, said.request, said.usd)
        return kept
