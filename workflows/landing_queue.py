"""The merge queue as its migration sees it: opened for a phase, paused, kept alive, closed."""

from collections.abc import Callable

from temporalio import workflow

from activities.contracts.children import CLOSE, PAUSE, QueueInput, QueueState
from workflows.kept import Handle, Kept
from workflows.merge_queue import MergeQueueWorkflow
from workflows.options import of_migration, queue_id


class LandingQueue:
    """One phase's queue on one green branch; lives inside the migration's run."""

    def __init__(
        self, queue: QueueInput, is_open: bool, is_paused: bool, news: Callable[[], None]
    ) -> None:
        """`news` is called when the queue is not open any more."""
        self._in = queue
        self.id = queue_id(queue.repository.id, queue.branch.name)
        self.kept = Kept("the merge queue", self.id, is_open, self._start, lambda _: news())
        self.is_paused = is_paused
        """What the queue was last told."""

    async def keep(self, paused: bool) -> None:
        """It is open when this returns and composes nothing while the migration is paused. What an
        earlier one had waiting is asked for again by the tasks themselves."""
        changed, self.is_paused = paused != self.is_paused, paused
        await self.kept.keep()
        if changed:
            await self.kept.tell(PAUSE, paused)

    async def close(self) -> None:
        """Nothing more will come: it answers what is waiting and ends."""
        await self.kept.tell(CLOSE)

    async def _start(self) -> Handle:
        return await workflow.start_child_workflow(
            MergeQueueWorkflow.run,
            self._in.model_copy(update={"state": QueueState(paused=self.is_paused)}),
            id=self.id,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"lands on {self._in.branch.name}",
            search_attributes=of_migration(),
        )
