"""A child that its planner keeps open: the area at work, the merge queue.

Started with ABANDON, because continue-as-new counts as closing the parent; only a conversation ends
with its migration (talks.py). Within a run its handle is watched; one of an earlier run is
described now and again. One that died is started anew, a few times. Its id is the scope: one that
an earlier life of the planner left behind is asked to end first, so two of them never decide the
same question.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, WorkflowAlreadyStartedError

from activities.contracts.messages import DescribeRuns
from activities.messages import MessageActivities
from workflows import details
from workflows.locally import locally
from workflows.options import LEFTOVER_ENDS, LEFTOVER_ENDS_AT_MOST, MAX_STARTS
from workflows.telling import tell

Handle = workflow.ChildWorkflowHandle[Any, Any]


class Kept:
    """One child; lives inside its planner's run."""

    def __init__(
        self,
        what: str,
        id: str,
        is_open: bool,
        start: Callable[[], Awaitable[Handle]],
        ended: Callable[[Any], None],
    ) -> None:
        """`ended` is called when it is not open any more: with its result, None when it died."""
        self._what = what
        self._id = id
        self._start = start
        self._ended = ended
        self._watcher: asyncio.Task[None] | None = None
        self._described = False
        self._deaths = 0
        self.died_of = ""
        """Why, as far as this run knows."""
        self.is_open = is_open

    @property
    def is_watched(self) -> bool:
        """Whether its end is heard of at once; else somebody has to look now and again."""
        return self._watcher is not None and not self._watcher.done()

    async def keep(self) -> None:
        """It is open when this returns. One that died as often as any child may is a failure."""
        if self.is_open and not self.is_watched and not self._described:
            await self.look()
        patience = LEFTOVER_ENDS
        while not self.is_open:
            if self._deaths >= MAX_STARTS:
                raise ApplicationError(
                    f"{self._what} died {self._deaths} times: {self.died_of}", non_retryable=True
                )
            try:
                child = await self._start()
            except WorkflowAlreadyStartedError:
                await self._ask_to_end()
                await workflow.sleep(patience, summary=f"an earlier {self._what} still ends")
                patience = min(patience * 2, LEFTOVER_ENDS_AT_MOST)
            else:
                self.is_open = True
                self._watcher = asyncio.create_task(self._watch(child))

    async def tell(self, signal: str, *message: Any) -> None:
        """One that is gone is missed elsewhere: it needs no telling."""
        await tell(self._id, signal, *message)

    async def end(self) -> None:
        """Asks it to end; it is open until it has."""
        await self._ask_to_end()

    async def look(self) -> None:
        """Asks the server whether it is still open."""
        described = await locally(
            MessageActivities.describe_runs,
            DescribeRuns(ids=(self._id,)),
            summary=f"is {self._what} still there?",
        )
        self._described = True
        if not described.runs[0].is_open and not self.is_watched:
            self.is_open = False
            self._ended(None)

    async def _watch(self, child: Handle) -> None:
        result = None
        try:
            result = await child
        except FailureError as error:
            workflow.logger.error("%s died", self._what, exc_info=error)
            self._deaths += 1
            self.died_of = details.cause(error)
        self.is_open = False
        self._ended(result)

    async def _ask_to_end(self) -> None:
        try:
            await workflow.get_external_workflow_handle(self._id).cancel()
        except ApplicationError as error:
            workflow.logger.info("%s has ended", self._what, exc_info=error)
