"""Merges a head of the base into the green branch: a checked batch of its own.

Composed on the tip, checked as exactly that tree and held against both its sides, landed by one
compare-and-swap. Whatever stands in its way is an answer, and never stops the landing of tasks.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.contracts.children import QueueInput
from activities.contracts.moving_base import (
    BASE_MERGED,
    BaseAnswer,
    BothSides,
    ComposeBaseMerge,
    ComposedBase,
    MergeBase,
)
from activities.integration import IntegrationActivities
from workflows import details
from workflows.batch_steps import BatchSteps
from workflows.landing_checks import SawFlaky, settled_checks
from workflows.options import MERGE_BASE_TRIES, migration_id
from workflows.telling import tell


class BaseMerging:
    """What one queue does about its base; it keeps nothing."""

    def __init__(self, queue: QueueInput, steps: BatchSteps, saw_flaky: SawFlaky) -> None:
        self._in = queue
        self._steps = steps
        self._saw_flaky = saw_flaky

    async def merge(self, order: MergeBase) -> BaseAnswer | None:
        """The head landed, or why it did not. Again: it is in the branch already. None: somebody
        else pushed to the branch, which comes first."""
        answer = BaseAnswer(head=order.head, asking=order.asking)
        try:
            return await self._merge(answer)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return answer.model_copy(update={"reasons": (details.cause(error),)})

    async def tell(self, answer: BaseAnswer) -> None:
        await tell(migration_id(self._in.branch.migration), BASE_MERGED, answer)

    async def _merge(self, answer: BaseAnswer) -> BaseAnswer | None:
        composed = await self._compose(answer.head)
        if composed.commit is None:
            return answer.model_copy(update={"merged": True})
        what = f"the base at {composed.head[:12]}"
        evidence = await settled_checks(
            *(self._in, self._saw_flaky, composed.commit, composed.tip, f"with {what}"),
            merges=BothSides(head=composed.head, stands_on=composed.stands_on),
        )
        if not evidence.passed:
            said = {"evidence": evidence, "reasons": evidence.reasons[:20]}
            return answer.model_copy(update=said)
        if await self._steps.land(composed.tip, composed.commit, what) is None:
            return None
        said = {"commit": composed.commit, "conflicts": composed.conflicts}
        return answer.model_copy(update={"merged": True, **said})

    async def _compose(self, head: str) -> ComposedBase:
        return await workflow.execute_activity_method(
            IntegrationActivities.compose_base_merge,
            ComposeBaseMerge(
                repository=self._in.repository,
                branch=self._in.branch,
                base=self._in.base,
                head=head,
                when=int(workflow.time()),
            ),
            summary=f"merge the base at {head[:12]}",
            **MERGE_BASE_TRIES,
        )
