"""Model workers as processes of their own: killed at every point of a turn, and two of them before
one gate. What they spend is compared with the account of the API itself."""

import asyncio
from decimal import Decimal

import pytest
from agents import agents, begin
from talks import MODEL

from activities.adapters.prices import Prices
from activities.adapters.transcripts import Transcripts
from tests.fakes.messages_api import MessagesApi
from tests.fakes.replies import rate_limited, said
from tests.service import eventually

KILLED_AT = (
    "before:take_turn",
    "before:turn/intent",
    "after:turn/intent",
    "before:turn/reply",
    "after:turn/reply",
    "after:take_turn",
)


@pytest.mark.chaos  # a killed worker is started again ever later
@pytest.mark.timeout(300)
async def test_a_worker_that_is_killed_at_every_point_of_a_turn_asks_once_more_at_most(tmp_path):
    """In each life one point further: an intent without its request, a reply that nobody recorded,
    a recorded one that is found."""
    faults = tmp_path / "faults"
    faults.mkdir()
    orders = ",".join(f"crash@{point}" for point in KILLED_AT)
    more = {"WHIMBREL_FAULTS": orders, "WHIMBREL_FAULTS_DIR": str(faults)}
    async with (
        MessagesApi(lambda request: said(f"reply {request.number}")) as api,
        agents(tmp_path / "home", api, "model", **more) as running,
    ):
        worst = Prices().worst(MODEL, 20_000, 1000)
        talk, handle = await begin(running, 1, last=2, grant=str(4 * worst))
        first, second = await handle.result()
        pids = [int((faults / str(n)).read_text()) for n in range(len(KILLED_AT))]
        spent = Transcripts(running.blobs).spent(talk.migration, talk.scope)
    assert len(set(pids)) == len(KILLED_AT)
    assert (first.said, second.said) == ("reply 2", "reply 3")
    assert len(api.requests) == 3
    lost, *recorded = (served.usd for served in api.account.served)
    assert (first.spend.recorded, second.spend.recorded) == tuple(recorded)
    assert first.spend.unconfirmed >= 2 * lost  # one that was never made, and one that was
    assert second.spend.unconfirmed == 0
    assert spent == first.spend + second.spend
    assert api.account.usd <= spent.total <= 4 * worst


async def test_two_workers_stand_before_one_gate(tmp_path):
    closed: list[float] = []

    def answer(request):
        if not closed and request.number > 6:
            closed.append(request.at)
            return rate_limited(3)
        return said("well", silent=0.1)

    async with (
        MessagesApi(answer) as api,
        agents(tmp_path, api, "model", "model 2") as running,
    ):
        begun = [await begin(running, task, last=4) for task in range(8)]
        ended = await asyncio.gather(*(handle.result() for _, handle in begun))
        histories = [await handle.fetch_history() for _, handle in begun]
    assert sum((one.spend.recorded for taken in ended for one in taken), Decimal(0)) == (
        api.account.usd
    )
    assert len(api.requests) == 8 * 4 + 1
    passed = [r.at - closed[0] for r in api.requests if r.at > closed[0] + 0.5]
    assert min(passed) >= 3
    assert sorted(passed)[1] > min(passed)
    worked = {
        event.activity_task_started_event_attributes.identity
        for history in histories
        for event in history.events
        if event.HasField("activity_task_started_event_attributes")
    }
    assert len(worked) == 2


@pytest.mark.chaos  # a reply that takes longer than other steps may
@pytest.mark.timeout(180)
async def test_a_worker_that_is_told_to_stop_hears_the_reply_out(tmp_path):
    async with (
        MessagesApi(lambda _: said("well", silent=40)) as api,
        agents(tmp_path, api, "model", "model 2") as running,
    ):
        _, handle = await begin(running, 1, last=1)

        async def asked() -> bool:
            return bool(api.requests)

        await eventually(asked)
        await asyncio.gather(*(worker.stop(90) for worker in running.workers.values()))
        (taken,) = await handle.result()
    assert len(api.requests) == 1
    assert (taken.spend.recorded, taken.spend.unconfirmed) == (api.account.usd, 0)
