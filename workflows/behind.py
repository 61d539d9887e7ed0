"""The deep checks as their migration sees them: opened with a phase's queue, paused, kept alive,
closed when they have looked at the end of the branch.
"""

from collections.abc import Callable

from temporalio import workflow

from activities.contracts.children import CLOSE, PAUSE
from activities.contracts.news import STOP, DeepInput, DeepNews
from workflows.deep_checks import DeepChecksWorkflow
from workflows.kept import Handle, Kept
from workflows.options import RECHECK_CHILDREN, deep_id, of_migration


class Behind:
    """What looks behind one phase's landings; lives inside the migration's run."""

    def __init__(
        self,
        deep: DeepInput,
        is_open: bool,
        is_paused: bool,
        ended: Callable[[], None],
        news: Callable[[], DeepNews | None],
    ) -> None:
        """`ended` is called when they are not open any more; `news`: their last word."""
        self._in = deep
        self._news = news
        self.id = deep_id(deep.repository.id, deep.branch.name)
        self.kept = Kept("the deep checks", self.id, is_open, self._start, lambda _: ended())
        self._is_paused = is_paused
        """What they were last told."""

    async def keep(self, paused: bool) -> None:
        """They are open when this returns, and begin no run while the migration is paused."""
        changed, self._is_paused = paused != self._is_paused, paused
        await self.kept.keep()
        if changed:
            await self.kept.tell(PAUSE, paused)

    async def to_the_end(self, is_wanted: Callable[[], bool]) -> DeepNews | None:
        """What they say once they have looked at the end of the branch and closed; None: nobody
        wants to know any more."""
        while is_wanted():
            if (said := self._news()) and said.closed and said.phase == self._in.phase:
                return said
            await self.kept.keep()
            await self.kept.tell(CLOSE)
            await self._until_closed(is_wanted)
        return None

    async def stop(self) -> None:
        """Nobody wants to know any more."""
        if self.kept.is_open:
            await self.kept.tell(STOP)

    async def _until_closed(self, is_wanted: Callable[[], bool]) -> None:
        while self.kept.is_open and is_wanted():
            try:
                await workflow.wait_condition(
                    lambda: not (self.kept.is_open and is_wanted()),
                    timeout=None if self.kept.is_watched else RECHECK_CHILDREN,
                    timeout_summary="the deep checks look at what has landed",
                )
            except TimeoutError:
                await self.kept.look()

    async def _start(self) -> Handle:
        begun = self._in.news
        fresh = {"epoch": begun.epoch, "phase": begun.phase, "closed": False}
        news = (self._news() or begun).model_copy(update=fresh)
        return await workflow.start_child_workflow(
            DeepChecksWorkflow.run,
            self._in.model_copy(update={"paused": self._is_paused, "news": news}),
            id=self.id,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"looks behind the landings on {self._in.branch.name}",
            search_attributes=of_migration(),
        )
