"""A planner's or judge's conversation as a workflow of its own, with the real records of its turns:
it goes on in another run, dies and is begun anew, stands still for its account. Nothing is paid
for twice."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest_asyncio
from conftest import SUGGEST_AT, TALKING
from talks import MIGRATION, a_talk, talking
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.adapters.transcripts import Transcripts
from activities.agent import AgentActivities
from activities.contracts.agent import Allowance, Finished
from activities.contracts.base import BlobRef
from activities.contracts.conversation import (
    Role,
    ToolsUsed,
    UseTools,
    attempt_name,
    life_name,
)
from activities.contracts.money import REFUSED, AccountRefused, Spend
from activities.contracts.talking import STEER_TALK, TalkSteering
from activities.contracts.transcript import ToolResult, ToolResults
from activities.spending import SpendingActivities
from roles.queue import activities_of
from tests.fakes.messages_api import MessagesApi, scripted
from tests.fakes.replies import Failure, call, said
from tests.service import eventually
from workflows import options
from workflows.talk import TalkWorkflow
from workflows.talks import Talks

SCOPE = "judge/c1"


@workflow.defn
class Asker:
    """A migration, as far as its conversations know it."""

    def __init__(self) -> None:
        self._told = TalkSteering()
        self._refused: list[AccountRefused] = []

    @workflow.run
    async def run(self, talk: BlobRef, resumable: bool) -> tuple[str, Spend]:
        talks = Talks(MIGRATION, "life-1", lambda: self._told, resumable)
        talked = await talks.hold(SCOPE, talk, Allowance(turns=9), "what it thinks")
        return talked.why, talked.spend

    @workflow.signal(name=REFUSED)
    def account_refused(self, refused: AccountRefused) -> None:
        self._refused.append(refused)
        self._told = TalkSteering(paused=True)

    @workflow.signal
    def resume(self) -> None:
        self._told = TalkSteering()

    @workflow.query
    def refused(self) -> list[AccountRefused]:
        return self._refused


class Scene:
    """One API, one worker, and askers."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.rig = None
        self.may_end = asyncio.Event()

    @activity.defn(name="use_tools")
    async def use_tools(self, asked: UseTools) -> ToolsUsed:
        """Whatever it calls is its last word."""
        await self.may_end.wait()
        ref = self.rig.blobs.put_model(
            MIGRATION, ToolResults(results=(ToolResult(call="1", text="ok"),))
        )
        return ToolsUsed(results=ref, finished=Finished(form=ref, status="done"))

    @contextlib.asynccontextmanager
    async def on(self, home, answer):
        api = MessagesApi(answer)
        async with api, talking(home, api) as rig:
            self.rig = rig
            self.may_end.set()
            served = {
                "talk": {
                    "activities": [rig_spending(rig).sum_spend],
                    "workflows": [Asker, TalkWorkflow],
                    "workflow_runner": UnsandboxedWorkflowRunner(),
                },
                options.MODEL: {"activities": activities_of(AgentActivities(rig.turns))},
                options.WORKSPACE: {"activities": [self.use_tools]},
            }
            async with contextlib.AsyncExitStack() as running:
                threads = running.enter_context(ThreadPoolExecutor(4))
                for queue, what in served.items():
                    one = Worker(self.client, task_queue=queue, activity_executor=threads, **what)
                    await running.enter_async_context(one)
                yield api

    async def ask(self, id: str, resumable: bool = True):
        talk = a_talk(scope=SCOPE, attempt="life-1", role=Role.JUDGE)
        ref = self.rig.blobs.put_model(MIGRATION, talk)
        asker = await self.client.start_workflow(
            Asker.run, args=[ref, resumable], id=id, task_queue="talk"
        )
        return asker, self.client.get_workflow_handle(f"{id}/{SCOPE}")

    def holds(self, api: MessagesApi, spend: Spend) -> None:
        """All that was asked for is on record, once."""
        assert spend == Transcripts(self.rig.blobs).spent(MIGRATION, SCOPE)
        assert spend == Spend(recorded=api.account.usd)
        recorded = self.rig.turns.transcripts.chunks(a_talk(scope=SCOPE, attempt="life-1"))
        assert len(recorded) == len(api.account.served)


def rig_spending(rig) -> SpendingActivities:
    return SpendingActivities(rig.turns.transcripts)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(env):
    target = env.client.service_client.config.target_host
    yield Scene(
        await Client.connect(target, namespace=TALKING, data_converter=pydantic_data_converter)
    )


TALKS, ENDS = said("well"), said("so", call("submit"))
UNPAID = Failure(402, "billing_error")


async def told_to_stand_still(talk) -> bool:
    events = (await talk.fetch_history()).events
    said = [e.workflow_execution_signaled_event_attributes.input for e in events]
    return any(b'"paused":true' in p.data for one in said for p in one.payloads)


async def test_it_goes_on_in_another_run_with_what_is_on_record(scene, tmp_path):
    let = asyncio.Event()

    async def answer(request):
        if request.number == 2:
            await let.wait()
        return ENDS if request.number == 3 else TALKS

    async with scene.on(tmp_path, answer) as api:
        asker, talk = await scene.ask("goes-on")
        await eventually(lambda: asyncio.sleep(0, len(api.requests) == 2))
        for _ in range(SUGGEST_AT // 50 + 1):
            letters = (talk.signal(STEER_TALK, TalkSteering()) for _ in range(50))
            await asyncio.gather(*letters)
        first = (await talk.describe()).run_id
        let.set()
        why, spend = await asker.result()
        event = await anext(talk.fetch_history_events())
        started = event.workflow_execution_started_event_attributes
        assert (why, started.continued_execution_run_id) == ("", first)
        scene.holds(api, spend)


async def test_one_that_died_is_begun_anew_and_pays_for_no_turn_again(scene, tmp_path):
    script = [TALKS, TALKS, ENDS]
    async with scene.on(tmp_path, scripted(script)) as api:
        scene.may_end.clear()
        asker, talk = await scene.ask("died")
        await eventually(lambda: asyncio.sleep(0, len(api.account.served) == 3))
        died = (await talk.describe()).run_id
        await talk.terminate("as an operator would")
        scene.may_end.set()
        why, spend = await asker.result()
        assert (why, len(api.requests)) == ("", 3)
        assert (await talk.describe()).run_id != died
        scene.holds(api, spend)


async def test_it_stands_still_with_who_asked_until_the_account_is_seen_to(scene, tmp_path):
    script = [TALKS, UNPAID, TALKS, ENDS]
    async with scene.on(tmp_path, scripted(script)) as api:
        asker, talk = await scene.ask("unpaid")
        await eventually(lambda: asker.query(Asker.refused))
        await eventually(lambda: told_to_stand_still(talk))
        (refused,) = await asker.query(Asker.refused)
        assert refused.why.startswith("SpendLimitReached: 402 billing_error")
        assert len(api.requests) == 2
        await asker.signal(Asker.resume)
        why, spend = await asker.result()
        assert (why, len(api.requests)) == ("", 4)
        scene.holds(api, spend)


async def test_where_nobody_could_resume_it_ends_with_what_the_provider_said(scene, tmp_path):
    async with scene.on(tmp_path, lambda _: UNPAID) as api:
        asker, _ = await scene.ask("plan-only", resumable=False)
        why, spend = await asker.result()
        assert "SpendLimitReached in take_turn: 402 billing_error" in why
        assert len(api.requests) == 1
        scene.holds(api, spend)


async def test_it_ends_with_a_migration_that_is_terminated_and_nothing_more_is_paid(
    scene, tmp_path
):
    let = asyncio.Event()

    async def answer(request):
        if request.number == 2:
            await let.wait()
        return TALKS

    async with scene.on(tmp_path, answer) as api:
        asker, talk = await scene.ask("terminated")
        await eventually(lambda: asyncio.sleep(0, len(api.requests) == 2))
        await asker.terminate("as an operator would")

        async def has_ended() -> bool:
            return (await talk.describe()).status is WorkflowExecutionStatus.TERMINATED

        await eventually(has_ended)
        let.set()
        await eventually(lambda: asyncio.sleep(0, api.running == 0))
        assert len(api.requests) == 2


async def test_a_later_life_of_the_same_name_takes_no_reply_of_an_earlier_one(scene, tmp_path):
    """Lives that follow each other at once, as after a failure: their run ids begin alike."""
    async with scene.on(tmp_path, lambda request: said(f"reply {request.number}")) as api:
        talks = []
        for _ in range(3):
            asker, _ = await scene.ask("lives")
            life = (await asker.describe()).run_id
            await asker.terminate()
            for attempt in (life_name(life), attempt_name(life, 0, 1)):
                talk = a_talk(scope=SCOPE, attempt=attempt)
                taken = await scene.rig.take(talk)
                talks.append((talk, taken))
        assert [taken.said for _, taken in talks] == [f"reply {n}" for n in range(1, 7)]
        assert len(api.requests) == 6
        for talk, taken in talks:
            spent = scene.rig.turns.transcripts.spent(MIGRATION, SCOPE, talk.attempt)
            assert spent == taken.spend
