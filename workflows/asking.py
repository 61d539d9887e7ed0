"""A task asks the merge queue to land its work, and waits for the answer.

It asks again until it is answered, ever less often, and not at all while it is paused; an answer
that comes then is taken. A landing is never cancelled: a task that is cancelled meanwhile takes its
candidate back and lives by the answer, which may be that it landed. When all of the migration is
cancelled it takes nothing back.
"""

import contextlib
from datetime import timedelta

from temporalio import workflow

from activities.contracts.children import TaskInput
from activities.contracts.climb import Work
from activities.contracts.landing import Candidate, GreenTip, Landing, Outcome
from activities.contracts.messages import Asked, AskToLand
from activities.contracts.requests import TaskOrder
from activities.errors import ORPHANED, PLANNER_GONE, permanent
from activities.messages import MessageActivities
from workflows import witnesses
from workflows.draining import drained
from workflows.guided import Guided
from workflows.locally import locally
from workflows.options import ENQUEUE_AGAIN, ENQUEUE_AGAIN_AT_MOST, QUEUE_COMES_BACK


class Asking:
    """One task's talk with the queue; lives inside its workflow run."""

    def __init__(self, task: TaskInput, guided: Guided) -> None:
        self._in = task
        self._guided = guided
        state = task.state
        self._answers = {said.candidate: said for said in state.answers} if state else {}
        self.bounces = list(state.bounces) if state else []
        self.cancelled = state is not None and state.cancelled
        """The task was cancelled while it waited for an answer."""

    def hear(self, landing: Landing) -> None:
        """Takes the queue's answer; a repeated one changes nothing."""
        self._answers.setdefault(landing.candidate, landing)

    @property
    def answers(self) -> tuple[Landing, ...]:
        """All that the queue has said."""
        return tuple(self._answers.values())

    @property
    def green(self) -> GreenTip | None:
        """The newest tip that it has told of."""
        told = (said.green for said in self._answers.values())
        return max((tip for tip in told if tip), key=lambda tip: tip.at, default=None)

    async def land(self, order: TaskOrder, work: Work) -> Landing:
        """The queue's answer for this work. Raises Orphaned when the planner is gone."""
        task = order.task
        candidate = Candidate(
            migration=self._in.name,
            task=task.id,
            commit=work.commit,
            base=work.base,
            title=task.title,
            claims=task.may_change,
            creates=task.creates,
            needs=task.needs,
            priority=task.priority,
            chain=order.chain,
            mends=task.mends,
            reply_to=workflow.info().workflow_id,
            asking=len(self.bounces),
        )
        return await drained(self._ask(candidate), self._cancel)

    def _cancel(self) -> None:
        self.cancelled = True

    async def _ask(self, candidate: Candidate) -> Landing:
        """The same candidate has the same id each time; none asks for a planner that is gone."""
        patience = ENQUEUE_AGAIN
        while candidate.id not in self._answers:
            withdraws = self._withdraws
            if not withdraws:
                self._guided.may_ask()
            asked = await self._tell_queue(candidate, withdraws)
            if not asked.parent_open and not withdraws:
                raise permanent(ORPHANED, PLANNER_GONE)
            if not asked.queue_open and withdraws:
                return await self._withdrawn(candidate)
            await self._answered(
                candidate, withdraws, patience if asked.queue_open else QUEUE_COMES_BACK
            )
            patience = min(patience * 2, ENQUEUE_AGAIN_AT_MOST)
        return self._answers[candidate.id]

    async def _tell_queue(self, candidate: Candidate, withdraws: bool) -> Asked:
        return await locally(
            MessageActivities.ask_to_land,
            AskToLand(
                queue=self._in.queue,
                candidate=candidate,
                withdraw=withdraws,
                parent=self._in.parent,
                epoch=self._in.epoch,
            ),
            summary="take it back" if withdraws else "ask to land",
        )

    async def _answered(self, candidate: Candidate, withdraws: bool, patience: timedelta) -> None:
        """Waits for the answer, for what is news, or for as long as is said."""
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: (
                    candidate.id in self._answers
                    or self._withdraws is not withdraws
                    or self._guided.now.paused
                ),
                timeout=patience,
                timeout_summary="waiting for the merge queue",
            )

    @property
    def _withdraws(self) -> bool:
        """When all of the migration is drained, what has asked to land is not taken back."""
        return self.cancelled and not self._guided.now.draining

    async def _withdrawn(self, candidate: Candidate) -> Landing:
        """There is no queue, so nothing of it is waiting there, nor will be: it landed before the
        queue was gone, or it never will."""
        base, asked = self._in.base or candidate.base, workflow.time()
        found = await witnesses.on_chain(self._in.repository, self._in.branch, base)
        commit = found.tasks.get(candidate.task)
        return Landing(
            task=candidate.task,
            candidate=candidate.id,
            outcome=Outcome.LANDED if commit else Outcome.WITHDRAWN,
            commit=commit,
            tip=found.tip,
            at=asked,
        )
