"""Two hundred turns of twenty agents through every kind of API weather, with and without kill -9.

What the records say is held against the account that the API itself keeps.
"""

import asyncio
import os
import random
from collections import Counter
from decimal import Decimal

import pytest
from agents import agents, begin
from talks import MODEL

from activities.adapters.transcripts import Transcripts
from activities.contracts.conversation import TurnEnd
from activities.contracts.money import Spend
from tests.fakes.messages_api import MessagesApi, Request
from tests.fakes.replies import Reply, call, said
from tests.fakes.weather import WEATHER, storm
from tests.service import kill

SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(1_000_000)))
AGENTS, TURNS = 20, 10
WORKERS = ("model", "model 2")
PLENTY, LITTLE = "3", "0.16"
"""USD: enough for every turn; what some storms use up."""
POOR = range(1, AGENTS, 5)

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]


def works(request: Request) -> Reply:
    return said(f"This is reply {request.number}.", call("read", path=f"{request.number}.py"))


@pytest.mark.parametrize("kills", [0, 8])
async def test_no_weather_makes_a_turn_wrong_or_a_cap_pass(tmp_path, kills):
    print(f"CHAOS_SEED={SEED}")
    seen: Counter[str] = Counter()
    chance = random.Random(SEED + 1)
    async with (
        MessagesApi(storm(works, SEED, seen)) as api,
        agents(tmp_path, api, *WORKERS) as running,
    ):
        caps = {n: LITTLE if n in POOR else PLENTY for n in range(AGENTS)}
        begun = [await begin(running, n, TURNS, grant=cap) for n, cap in caps.items()]
        working = asyncio.gather(*(handle.result() for _, handle in begun))
        for _ in range(kills):
            done, _ = await asyncio.wait([working], timeout=chance.uniform(1, 4))
            if done:
                break
            victim = running.workers[chance.choice(WORKERS)]
            if victim.pid:
                kill(victim.pid)
        ended = await working
        spends = [Transcripts(running.blobs).spent(t.migration, t.scope) for t, _ in begun]
    whole = sum((spend for spend in spends), Spend())
    for n, (taken, spend) in enumerate(zip(ended, spends, strict=True)):
        assert len(taken) == TURNS or n in POOR
        assert all(one.end is TurnEnd.CALLS and "read" in one.calls for one in taken)
        told = sum((one.spend for one in taken), Spend())
        assert told.recorded == spend.recorded
        assert told.total <= spend.total <= Decimal(caps[n])
    assert whole.total >= api.account.usd
    assert len({s.model for s in api.account.served}) == 1
    assert api.account.served[0].model == MODEL
    turns = sum(len(taken) for taken in ended)
    unrecorded = sum(served.whole for served in api.account.served) - turns
    if kills:
        assert whole.recorded <= api.account.confirmed
        assert 0 <= unrecorded <= kills * AGENTS
    else:
        assert whole.recorded == api.account.confirmed
        assert unrecorded == 0
    assert set(seen) == set(WEATHER)
