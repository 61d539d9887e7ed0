"""The error table: what the provider does to a turn, through the real client, the real activity and
a real Temporal server; what becomes of the turn, and what it is taken to have cost."""

import contextlib
import re
import socket
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import pytest_asyncio
from talks import a_talk, talking
from temporalio import workflow
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities import errors
from activities.adapters.blobs import BlobMissing, place
from activities.adapters.model_errors import ACCOUNT, NEVER_MENDED
from activities.adapters.model_gate import Closings
from activities.agent import AgentActivities
from activities.contracts.conversation import TakeTurn, TurnEnd, TurnTaken
from activities.contracts.money import Spend
from activities.errors import NEVER_MENDED_BY_WAITING
from activities.heartbeat import HeartbeatInterceptor
from cli.trouble import told as shown
from roles.queue import activities_of
from tests.fakes.messages_api import MessagesApi, Request
from tests.fakes.replies import Failure, Reply, rate_limited, said
from tests.provider_rows import ROWS
from tests.service import eventually
from workflows.options import TURN

QUEUE = "model-errors"


@workflow.defn
class OneTurn:
    """A turn, as the loop of an agent takes it."""

    @workflow.run
    async def run(self, asked: TakeTurn) -> TurnTaken:
        options = {**TURN, "task_queue": workflow.info().task_queue}
        return await workflow.execute_activity_method(
            AgentActivities.take_turn, asked, summary="turn", **options
        )


@dataclass
class Provider:
    """One API for all rows, each asked in a migration of its own."""

    requests: dict[str, list[Request]] = field(default_factory=dict)

    def __call__(self, request: Request) -> Failure | Reply:
        row = request.body["messages"][0]["content"][0]["text"]
        asked = self.requests.setdefault(row, [])
        asked.append(request)
        return ROWS[row].first if len(asked) == 1 else said("well")


class Turns:
    """Each migration's turns by adapters of its own: a gate that one closes parks no other."""

    def __init__(self) -> None:
        self.of = {}

    async def take(self, asked: TakeTurn) -> TurnTaken:
        return await self.of[asked.talk.migration].turns.take(asked)


def name_of(row: str) -> str:
    return row.replace(" ", "-")


@contextlib.asynccontextmanager
async def serving(env, turns: Turns, queue: str = QUEUE):
    turning = Worker(
        env.client,
        task_queue=queue,
        workflows=[OneTurn],
        workflow_runner=UnsandboxedWorkflowRunner(),
        activities=activities_of(AgentActivities(turns)),
        interceptors=[HeartbeatInterceptor()],
    )
    async with turning:
        yield


@dataclass
class Table:
    provider: Provider
    turns: Turns
    handles: dict[str, object]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def table(env, tmp_path_factory):
    """All rows at once: they mostly wait."""
    provider, turns, handles = Provider(), Turns(), {}
    async with contextlib.AsyncExitStack() as running:
        api = await running.enter_async_context(MessagesApi(provider))
        await running.enter_async_context(serving(env, turns))
        for row in ROWS:
            home = tmp_path_factory.mktemp("row")
            talks = await running.enter_async_context(talking(home, api, silence=1.5))
            turns.of[name_of(row)] = talks
            talk = a_talk(migration=name_of(row), brief=row)
            asked = talks.asked(talk)
            # Under the row's own prefix.
            asked = asked.model_copy(update={"talk": talks.blobs.put_model(talk.migration, talk)})
            handles[row] = await env.client.start_workflow(
                OneTurn.run, asked, id=f"error/{name_of(row)}", task_queue=QUEUE
            )
        yield Table(provider, turns, handles)


async def waits_for(handle, kind: str) -> PendingActivityInfo:
    """The turn, once it has failed so."""
    steps: list[PendingActivityInfo] = []

    async def has_failed() -> bool:
        steps[:] = (await handle.describe()).raw_description.pending_activities
        return any(s.last_failure.application_failure_info.type == kind for s in steps)

    await eventually(has_failed)
    return steps[0]


async def attempts(handle) -> tuple[int, str, timedelta]:
    """Of the turn: how many, the kind of the last failure before the end, and how long all took."""
    events = (await handle.fetch_history()).events
    started = next(e for e in events if e.HasField("activity_task_started_event_attributes"))
    what = started.activity_task_started_event_attributes
    scheduled = next(e for e in events if e.HasField("activity_task_scheduled_event_attributes"))
    took = started.event_time.ToDatetime() - scheduled.event_time.ToDatetime()
    return what.attempt, what.last_failure.application_failure_info.type, took


@pytest.mark.parametrize("row", ROWS)
async def test_every_row_has_its_kind_its_patience_and_its_cost(table, row):
    wanted, handle = ROWS[row], table.handles[row]
    talks = table.turns.of[name_of(row)]
    spend = talks.turns.transcripts.spent
    if wanted.kind in NEVER_MENDED | ACCOUNT:
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        cause = failed.value.cause.cause
        assert isinstance(cause, ApplicationError)
        assert (cause.type, len(cause.message) <= 500) == (wanted.kind, True)
        assert Spend.model_validate(cause.details[0]) == spend(name_of(row), "task/c1-0001")
        assert len(table.provider.requests[row]) == 1
        closed = Closings(place(talks.home / "blobs")).newest()
        assert closed is None, "others may have another account"
    else:
        taken = await handle.result()
        assert (taken.end, taken.said) == (TurnEnd.SAID, "well")
        count, kind, took = await attempts(handle)
        assert (count, kind) == (2, wanted.kind)
        assert len(table.provider.requests[row]) == 2
        if isinstance(wanted.first, Failure) and wanted.first.retry_after:
            assert took >= timedelta(seconds=wanted.first.retry_after)
        assert taken.spend == spend(name_of(row), "task/c1-0001")
    lost = spend(name_of(row), "task/c1-0001").unconfirmed
    assert (lost > 0) is wanted.charged


class Away:
    """Where an API will be."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"


async def test_a_provider_that_is_away_is_waited_for(env, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    turns, api = Turns(), MessagesApi(lambda _: said("well"), port=port)
    queue = f"{QUEUE}-away"
    async with talking(tmp_path, Away(port)) as talks, serving(env, turns, queue):
        turns.of["m"] = talks
        handle = await env.client.start_workflow(
            OneTurn.run, talks.asked(a_talk()), id="error/away", task_queue=queue
        )

        await waits_for(handle, "ModelUnreachable")
        async with api:
            assert (await handle.result()).spend.unconfirmed == 0


def test_the_table_of_patience_knows_all_kinds_that_waiting_never_mends():
    assert set(NEVER_MENDED_BY_WAITING) >= NEVER_MENDED | ACCOUNT
    assert set(errors.ACCOUNT) == ACCOUNT


async def test_who_waits_for_the_provider_is_told_until_when(env, tmp_path):
    limited, queue = rate_limited(300), f"{QUEUE}-parked"
    turns = Turns()
    async with (
        MessagesApi(lambda _: limited) as api,
        talking(tmp_path, api) as talks,
        serving(env, turns, queue),
    ):
        turns.of["m"] = talks
        words: list[str] = []
        steps: list[PendingActivityInfo] = []
        for scope in ("task/c1-0001", "task/c1-0002"):
            handle = await env.client.start_workflow(
                OneTurn.run,
                talks.asked(a_talk(scope=scope)),
                id=f"error/parked/{scope}",
                task_queue=queue,
            )

            async def told(handle=handle) -> bool:
                pending = (await handle.describe()).raw_description.pending_activities
                found = [p.last_failure.message for p in pending if p.last_failure.message]
                words.extend(found)
                steps[:] = pending
                return bool(found)

            await eventually(told)
            await handle.terminate()
        assert re.search(r"nobody asks it until \d\d:\d\d:\d\d UTC$", words[0])
        assert re.search(r"asks for patience until \d\d:\d\d:\d\d UTC: 429", words[-1])
        line = shown(steps[0])
        assert line.startswith("waiting: the model's provider asks for patience on ")
        assert line.endswith("wait, or raise the account's limits, it goes on by itself")
        assert (len(api.requests), talks.spent(a_talk())) == (1, Spend())


class Broken(Turns):
    """Something that nobody knows goes wrong when a reply is there."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def take(self, asked: TakeTurn) -> TurnTaken:
        await super().take(asked)
        raise self._error

    async def spent(self, asked: TakeTurn) -> Spend:
        return await self.of[asked.talk.migration].turns.spent(asked)


async def test_what_nobody_knows_is_tried_a_few_times_and_no_request_of_it_is_forgotten(
    env, tmp_path, monkeypatch
):
    monkeypatch.setattr("activities.agent.TRIES", 2)
    turns, queue = Broken(KeyError("a mistake of our own")), f"{QUEUE}-unknown"
    async with (
        MessagesApi(lambda _: said("well")) as api,
        talking(tmp_path, api) as talks,
        serving(env, turns, queue),
    ):
        turns.of["m"] = talks
        handle = await env.client.start_workflow(
            OneTurn.run, talks.asked(a_talk()), id="error/unknown", task_queue=queue
        )
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        cause = failed.value.cause.cause
        assert (cause.type, cause.message) == ("KeyError", "'a mistake of our own'")
        assert (await attempts(handle))[0] == 2
        assert Spend.model_validate(cause.details[0]) == Spend(recorded=api.account.usd)
        assert api.account.usd > 0


@pytest.mark.parametrize("error", [TimeoutError("away"), BlobMissing("gone")])
async def test_storage_is_waited_for_however_often_it_fails(env, tmp_path, monkeypatch, error):
    monkeypatch.setattr("activities.agent.TRIES", 1)
    turns, queue = Broken(error), f"{QUEUE}-{type(error).__name__}"
    async with (
        MessagesApi(lambda _: said("well")) as api,
        talking(tmp_path, api) as talks,
        serving(env, turns, queue),
    ):
        turns.of["m"] = talks
        handle = await env.client.start_workflow(
            OneTurn.run, talks.asked(a_talk()), id=f"error/{queue}", task_queue=queue
        )
        await waits_for(handle, type(error).__name__)
        await handle.terminate()
