"""The merge queue as its migration sees it: opened for a phase, paused, kept alive, closed."""

from collections.abc import Callable

from temporalio import workflow

from activities.contracts.children import CLOSE, PAUSE, QueueInput, QueueState
from activities.contracts.moving_base import MERGE_BASE, MergeBase
from activities.contracts.pushes import LOOK_AT_BRANCH, PUSH_WORD, PushState, PushWord
from workflows.behind import Behind
from workflows.kept import Handle, Kept
from workflows.merge_queue import MergeQueueWorkflow
from workflows.options import of_migration, queue_id


class LandingQueue:
    """One phase's queue on one green branch; lives inside the migration's run."""

    def __init__(
        self,
        queue: QueueInput,
        behind: Behind | None,
        is_open: bool,
        is_paused: bool,
        base: MergeBase | None,
        news: Callable[[], None],
    ) -> None:
        """`news` is called when the queue is not open any more; `base`: what it was asked to merge
        and has not answered."""
        self.behind = behind
        self._in = queue.model_copy(update={"deep": behind.id if behind else ""})
        self.id = queue_id(queue.repository.id, queue.branch.name)
        self.kept = Kept("the merge queue", self.id, is_open, self._start, lambda _: news())
        self.is_paused = is_paused
        """What the queue was last told."""
        self._base = base
        self._word: PushWord | None = None

    async def keep(self, paused: bool) -> None:
        """It is open when this returns and composes nothing while the migration is paused. What an
        earlier one had waiting is asked for again by the tasks themselves."""
        changed, self.is_paused = paused != self.is_paused, paused
        await self.kept.keep()
        if changed:
            await self.kept.tell(PAUSE, paused)
        if self.behind:
            await self.behind.keep(paused)

    @property
    def is_watched(self) -> bool:
        """Whether its end, and that of what looks behind it, is heard of at once."""
        return self.kept.is_watched and (self.behind is None or self.behind.kept.is_watched)

    async def look(self) -> None:
        """Asks the server whether they are still open."""
        await self.kept.look()
        if self.behind:
            await self.behind.kept.look()

    async def merge_base(self, order: MergeBase | None) -> None:
        """Asks for a head of the base, once; one that starts anew has heard of it."""
        if order and order != self._base:
            await self.kept.tell(MERGE_BASE, order)
        self._base = order

    async def look_at_branch(self) -> None:
        """Perhaps somebody else pushed to it: the queue says what it finds."""
        await self.kept.tell(LOOK_AT_BRANCH)

    async def push_word(self, word: PushWord | None) -> None:
        """What a person says about a push, once; one that starts anew has heard of it."""
        if word and word != self._word:
            await self.kept.tell(PUSH_WORD, word)
        self._word = word

    async def close(self) -> None:
        """Nothing more will come: it answers what is waiting and ends; nobody looks behind it."""
        await self.kept.tell(CLOSE)
        if self.behind:
            await self.behind.stop()

    async def _start(self) -> Handle:
        state = QueueState(
            paused=self.is_paused, base=self._base, pushes=PushState(word=self._word)
        )
        return await workflow.start_child_workflow(
            MergeQueueWorkflow.run,
            self._in.model_copy(update={"state": state}),
            id=self.id,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"lands on {self._in.branch.name}",
            search_attributes=of_migration(),
        )
