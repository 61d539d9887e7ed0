"""The gate to the model's provider: one for all processes, and as wide as the account bears."""

import asyncio
from decimal import Decimal

import pytest
from buckets import bucket
from talks import a_talk

from activities.adapters.blobs import BlobStore, place
from activities.adapters.model_errors import ModelOverloaded, ModelUnavailable, RateLimited
from activities.adapters.model_gate import LOOK, Closings, Gate, ModelParked
from activities.adapters.transcripts import Transcripts
from activities.contracts.money import GateClosed, Spend
from activities.contracts.transcript import Intent
from tests.service import eventually


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def a_gate(tmp_path, clock, most=16) -> Gate:
    """Of a process of its own."""
    return Gate(Closings(place(tmp_path), clock), most, clock)


async def passed(gate: Gate, error: Exception | None = None) -> None:
    async with gate.passage():
        if error:
            raise error


class Holder:
    """A request that is under way until it is told to end."""

    def __init__(self, gate: Gate, error: Exception | None = None) -> None:
        self.begun, self.may_end, self.most = asyncio.Event(), asyncio.Event(), 0
        self.task = asyncio.create_task(self._hold(gate, error))

    async def _hold(self, gate: Gate, error: Exception | None) -> None:
        async with gate.passage():
            self.begun.set()
            self.most = gate.running
            await self.may_end.wait()
            if error:
                raise error


async def limited(gate: Gate, after: float | None = 5) -> float | None:
    error = RateLimited("429", after)
    with pytest.raises(RateLimited):
        await passed(gate, error)
    return error.after


async def test_who_is_asked_for_patience_parks_everybody_until_it_is_over(tmp_path, clock):
    one, other = a_gate(tmp_path, clock), a_gate(tmp_path, clock)
    await passed(other)
    assert 5 <= (await limited(one) or 0) < 7
    for gate in (one, other, a_gate(tmp_path, clock)):
        with pytest.raises(ModelParked, match=r"asks for patience until .* UTC: 429") as parked:
            await passed(gate)
        assert 5 <= (parked.value.after or 0) < 7
    clock.now += 5.1
    for gate in (one, other):
        await passed(gate)


async def test_it_opens_by_steps(tmp_path, clock):
    gate = a_gate(tmp_path, clock)
    for _ in range(30):
        await passed(gate)
    assert gate.limit == 16
    await limited(gate)
    clock.now += 6
    limits = []
    for _ in range(12):
        await passed(gate)
        limits.append(int(gate.limit))
    assert limits[:7] == [2, 3, 4, 5, 6, 7, 8]  # to half of what it was
    assert limits[-1] == 8  # then one more with each round
    await limited(gate)
    clock.now += 6
    await passed(gate)
    assert gate.limit == 2


async def test_no_more_pass_at_once_than_the_account_bears(tmp_path, clock):
    gate = a_gate(tmp_path, clock)
    await limited(gate)
    clock.now += 6
    takes = [Holder(gate) for _ in range(20)]
    begun = [asyncio.create_task(take.begun.wait()) for take in takes]
    await asyncio.wait(begun, return_when=asyncio.FIRST_COMPLETED)
    assert gate.running == 1
    for take in takes:
        take.may_end.set()
    await asyncio.gather(*(take.task for take in takes))
    assert gate.running == 0
    assert sorted(take.most for take in takes)[-1] <= 16


async def test_those_who_wait_for_a_place_are_parked_when_it_closes(tmp_path, clock):
    gate = a_gate(tmp_path, clock, most=1)
    first = Holder(gate, RateLimited("429", 5))
    await first.begun.wait()
    waiting = [asyncio.create_task(passed(gate)) for _ in range(5)]
    first.may_end.set()
    ended = await asyncio.gather(first.task, *waiting, return_exceptions=True)
    assert [type(end) for end in ended] == [RateLimited, *[ModelParked] * 5]


async def test_one_that_is_cancelled_while_it_waits_takes_nobodys_place(tmp_path, clock):
    gate = a_gate(tmp_path, clock, most=1)
    first = Holder(gate)
    await first.begun.wait()
    gone, stays = asyncio.create_task(passed(gate)), asyncio.create_task(passed(gate))

    async def both_wait() -> bool:
        return len(gate._waiting) == 2

    await eventually(both_wait)
    gone.cancel()
    first.may_end.set()
    await asyncio.gather(first.task, stays)
    assert (gone.cancelled(), gate.running) == (True, 0)


async def test_who_is_called_and_does_not_come_leaves_the_place_to_the_next(tmp_path, clock):
    gate = a_gate(tmp_path, clock, most=1)
    first = Holder(gate)
    await first.begun.wait()
    waiting = [asyncio.create_task(passed(gate)) for _ in range(3)]

    async def all_wait() -> bool:
        return len(gate._waiting) == 3

    await eventually(all_wait)
    called = gate._waiting[0]
    called.add_done_callback(lambda _: waiting[0].cancel())
    first.may_end.set()
    await asyncio.wait_for(asyncio.gather(first.task, *waiting[1:]), 10)
    assert (waiting[0].cancelled(), gate.running) == (True, 0)


async def test_where_the_provider_does_not_say_how_long_each_time_is_longer(tmp_path, clock):
    gate, pauses = a_gate(tmp_path, clock), []
    for _ in range(8):
        with pytest.raises(ModelOverloaded):
            await passed(gate, ModelOverloaded("529"))
        newest = gate._closings.newest()
        pauses.append(newest.until - clock.now)
        clock.now = newest.until + 0.1
    assert pauses[0] < 2
    assert pauses[-1] > 40
    assert max(pauses) <= 60 * 1.25
    await passed(gate)  # a reply: it was over
    with pytest.raises(ModelOverloaded):
        await passed(gate, ModelOverloaded("529"))
    assert gate._closings.newest().until - clock.now < 2
    clock.now += 2 * LOOK
    with pytest.raises(ModelOverloaded):
        await passed(gate, ModelOverloaded("529"))
    assert gate._closings.newest().until - clock.now < 2


async def test_trouble_of_one_request_closes_nothing(tmp_path, clock):
    gate = a_gate(tmp_path, clock)
    with pytest.raises(ModelUnavailable):
        await passed(gate, ModelUnavailable("500"))
    await passed(gate)


async def test_of_many_who_are_limited_at_once_the_longest_patience_counts(tmp_path, clock):
    gates = [a_gate(tmp_path, clock) for _ in range(6)]
    takes = [Holder(gate, RateLimited("429", 1 + n)) for n, gate in enumerate(gates)]
    for take in takes:
        await take.begun.wait()
    for take in takes:
        take.may_end.set()
    await asyncio.gather(*(take.task for take in takes), return_exceptions=True)
    assert {gate._closings.newest().until for gate in gates} == {clock.now + 6}


def test_a_process_that_slept_long_finds_the_newest_although_old_ones_are_gone(tmp_path, clock):
    sleeper, busy = (Closings(place(tmp_path), clock, kept=10) for _ in range(2))
    given = {"why": "429", "concurrency": 1}
    assert busy.add(GateClosed(until=1, **given))
    assert sleeper.newest().until == 1
    for n in range(2, 33):
        busy.newest()
        assert busy.add(GateClosed(until=n, **given))
    clock.now += LOOK + 1
    assert sleeper.newest().until == 32
    assert len(list((tmp_path / "provider/gate").iterdir())) <= 11


async def test_a_gate_in_a_bucket_is_the_same_for_all(tmp_path, clock, monkeypatch):
    with bucket(tmp_path) as s3:
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        one, other = (Gate(Closings(place(s3.url), clock), 16, clock) for _ in range(2))
        await passed(other)
        await limited(one)
        with pytest.raises(ModelParked):
            await passed(other)
        clock.now += 6
        await passed(other)
        await limited(other, after=9)
        late = Gate(Closings(place(s3.url), clock), 16, clock)
        for gate in (one, late):
            with pytest.raises(ModelParked) as parked:
                await passed(gate)
            assert (parked.value.after or 0) >= 9
        kept = sorted(path.name for path in s3.files.rglob("provider/gate/*") if path.is_file())
        assert len(kept) == 2


def test_what_is_on_record_of_turns_is_the_same_in_a_bucket(tmp_path, monkeypatch):
    with bucket(tmp_path) as s3:
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        transcripts, talk = Transcripts(BlobStore(s3.url)), a_talk()
        turn = transcripts.turn(talk, 1)
        numbers = [turn.intend(Intent(by=by, worst=Decimal(2))) for by in ("me", "other")]
        turn.settle(numbers[0], Decimal(1))
        assert numbers == [1, 2]
        assert transcripts.spent("m", talk.scope, "0-") == Spend(
            recorded=Decimal(1), unconfirmed=Decimal(2)
        )
        assert transcripts.scopes("m") == [talk.scope]
