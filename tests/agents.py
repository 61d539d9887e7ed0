"""Agents without tools or repository: their turns alone, with model workers as real processes."""

import contextlib
from collections.abc import AsyncGenerator
from decimal import Decimal
from pathlib import Path

from talks import a_talk
from temporalio import workflow
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.agent import AgentActivities
from activities.contracts.conversation import Conversation, TakeTurn, TurnTaken
from activities.errors import BUDGET_REACHED
from tests.fakes.messages_api import MessagesApi
from tests.service import Service, service
from workflows.options import TURN

TURNS = "turns"


@workflow.defn
class Turns:
    """One agent's turns, one after the other, as long as its grant pays for them."""

    @workflow.run
    async def run(self, asked: TakeTurn, last: int) -> list[TurnTaken]:
        taken: list[TurnTaken] = []
        for turn in range(asked.turn, last + 1):
            left = asked.grant
            if left is not None:
                left -= sum((one.spend.total for one in taken), Decimal(0))
            request = asked.model_copy(update={"turn": turn, "grant": left, "told": ("go on",)})
            try:
                one = await workflow.execute_activity_method(
                    AgentActivities.take_turn, request, summary=f"turn {turn}", **TURN
                )
            except ActivityError as error:
                cause = error.cause
                if isinstance(cause, ApplicationError) and cause.type == BUDGET_REACHED:
                    break
                raise
            taken.append(one)
        return taken


@contextlib.asynccontextmanager
async def agents(
    home: Path, api: MessagesApi, *workers: str, **env: str
) -> AsyncGenerator[Service]:
    """A service of model workers alone, and the workflows of their agents."""
    reach = {"ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "k"}
    async with service(home, roles=workers, **reach, **env) as running:
        loops = Worker(
            running.client,
            task_queue=TURNS,
            workflows=[Turns],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        async with loops:
            yield running


async def begin(
    running: Service, task: int, last: int, grant: str | None = None
) -> tuple[Conversation, WorkflowHandle[Turns, list[TurnTaken]]]:
    """An agent of its own; its talk and its handle."""
    talk = a_talk(scope=f"task/c1-{task:04}", brief=f"This is task {task}.")
    asked = TakeTurn(
        talk=running.blobs.put_model(talk.migration, talk),
        turn=1,
        grant=None if grant is None else Decimal(grant),
    )
    handle = await running.client.start_workflow(
        Turns.run, args=[asked, last], id=f"agent/{task}", task_queue=TURNS
    )
    return talk, handle
