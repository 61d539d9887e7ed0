"""The conversations that a migration holds to decide something: each a child, kept to its end.

A child's id is the question, so two live ones never decide the same. It ends with its migration,
whatever ends that. One that died is started anew and finds its turns on record; what it cost is
summed from the records where it tells nobody.
"""

from collections.abc import Callable
from typing import NamedTuple

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.contracts.agent import AgentRun, Allowance
from activities.contracts.base import BlobRef
from activities.contracts.money import Spend, SumSpend
from activities.contracts.talking import STEER_TALK, TalkInput, TalkSteering
from activities.spending import SpendingActivities
from workflows import details
from workflows.kept import Handle, Kept
from workflows.locally import locally
from workflows.options import of_migration
from workflows.present import has_model
from workflows.talk import TalkWorkflow

STOPPED = "was told to end"


class Talked(NamedTuple):
    """What became of a conversation."""

    spend: Spend
    form: BlobRef | None = None
    """What it ended with."""
    why: str = ""
    """How it ended without, as what is said of it."""


class Talks:
    """One migration's; lives inside its run."""

    def __init__(
        self,
        name: str,
        attempt: str,
        steering: Callable[[], TalkSteering | None],
        resumable: bool = True,
    ) -> None:
        """`attempt`: no other life of the migration has the same. `steering`: what the migration
        wants now; None: it is being cancelled. `resumable`: as in TalkInput."""
        self._name = name
        self.attempt = attempt
        self._steering = steering
        self._resumable = resumable

    async def is_there_a_model(self) -> bool:
        return await has_model()

    async def hold(self, scope: str, talk: BlobRef, allowance: Allowance, title: str) -> Talked:
        """One conversation to its end; whatever keeps it from its form is told, not raised."""
        results: list[AgentRun | None] = []
        id = f"{workflow.info().workflow_id}/{scope}"
        told = self._steering()

        async def start() -> Handle:
            return await workflow.start_child_workflow(
                TalkWorkflow.run,
                TalkInput(
                    talk=talk,
                    allowance=allowance,
                    steering=told or TalkSteering(),
                    resumable=self._resumable,
                ),
                id=id,
                static_summary=title,
                search_attributes=of_migration(),
                # It decides for its migration alone: where that is gone, nothing more is paid.
                parent_close_policy=workflow.ParentClosePolicy.TERMINATE,
            )

        kept = Kept(f"the conversation {scope}", id, False, start, results.append)
        why = STOPPED
        try:
            while told is not None and not any(results):
                await kept.keep()
                await workflow.wait_condition(
                    lambda known=told: not kept.is_open or self._steering() != known
                )
                if (wanted := self._steering()) != told and kept.is_open:
                    told = wanted
                    await (kept.tell(STEER_TALK, wanted) if wanted else kept.end())
            if told is None and kept.is_open:
                await workflow.wait_condition(lambda: not kept.is_open)
        except ApplicationError as error:
            why = f"failed: {details.cause(error)}"
        ran = next((run for run in results if run), None)
        if ran is None:
            return Talked(await self._sum(scope), why=why)
        return Talked(
            ran.spend,
            ran.finished.form if ran.finished else None,
            "" if ran.finished else ran.told,
        )

    async def _sum(self, scope: str) -> Spend:
        return await locally(
            SpendingActivities.sum_spend,
            SumSpend(migration=self._name, scope=scope, attempts=self.attempt),
            summary=f"what {scope} cost",
        )
