"""A migration follows its base: it looks at upstream now and then and has what is new merged.

The look is one activity beside the work; whoever merges is the queue, between two batches. What
cannot be merged stops nothing: it is told, and asked again once the base moves on, or when a cycle
is judged. A base that was rewritten is not merged before a person says so.
"""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.contracts.commands import DecideBase
from activities.contracts.moving_base import (
    BASE_MERGED,
    BaseAnswer,
    BaseLook,
    BaseSeen,
    Followed,
    LookAtBase,
    MergeBase,
)
from activities.integration import IntegrationActivities
from workflows import details, moving_base, time_limit
from workflows.landing_queue import LandingQueue
from workflows.options import GIT
from workflows.pushed import Pushed
from workflows.steps import Steps


class Following(Pushed):
    """Looks, asks and remembers; the workflow class adds the story."""

    _look: asyncio.Task[BaseLook] | None = None
    """The one that is under way."""
    _queue: LandingQueue | None = None
    """The phase's, in this run."""

    def _wake(self) -> None:
        """Called when something that tasks or the queue must be told may have changed."""

    @workflow.signal(name=BASE_MERGED)
    def base_merged(self, answer: BaseAnswer) -> None:
        """The queue's answer; one to an earlier asking changes nothing."""
        followed = self.state.followed
        if followed.asked is None or followed.asked.asking != answer.asking:
            return
        landed = answer.commit is not None
        self._followed(
            stands_on=answer.head if answer.merged else followed.stands_on,
            asked=None,
            refused=None if answer.merged else answer,
            merges=followed.merges + landed,
            conflicts=followed.conflicts + answer.conflicts,
        )
        self.changed()

    @workflow.update
    def decide_base(self, command: DecideBase) -> str:
        """What a person says about a base that was rewritten."""
        command = self.signed(command)
        followed = self.state.followed
        said = {"kept": True} if command.keep else {"accepted": followed.head, "patience": 0.0}
        decided = followed.model_copy(update={"kept": False, **said})
        what = "keep the old base" if command.keep else f"accept {followed.head}"
        return self.apply("base", command, {"followed": decided}, said=what)

    @decide_base.validator
    def _may_decide_base(self, command: DecideBase) -> None:
        one = command.accept is not command.keep
        self.refuse_unless(one, command, "say accept or keep: one of them")
        followed = self.state.followed
        why = "the base was not rewritten, as far as anybody saw: there is nothing to decide"
        self.refuse_unless(followed.seen is BaseSeen.REWRITTEN, command, why)
        why = (
            f"the base is at {followed.head} by now, not at {command.head}: look at that one first"
        )
        self.refuse_unless((followed.head or "").startswith(command.head), command, why)

    @property
    def _follows(self) -> bool:
        wanted = self._order is not None and self._order.follow > 0
        return wanted and not self.state.followed.kept and not self.state.cancelled

    def _until_look(self) -> timedelta | None:
        """How long until the next look; None: no time is set for one."""
        if not self._follows or self._look or time_limit.stands_still(self.state):
            return None
        followed = self.state.followed
        return timedelta(seconds=max(0.0, followed.looked + followed.patience - workflow.time()))

    async def _follow(self, steps: Steps, queue: LandingQueue) -> None:
        """Takes what a look found, and begins the next one when it is time."""
        if self._look and self._look.done():
            await self._take_look(again=False)
        if self._until_look() == timedelta():
            self._look = asyncio.create_task(self._look_at_base(steps))
            self._look.add_done_callback(lambda _: self._wake())
        await queue.merge_base(self.state.followed.asked)
        await queue.push_word(self.push_word)

    async def _look_ends(self) -> None:
        """Before this run ends: what is under way is known in the next one."""
        if self._look:
            await self._take_look(again=False)
        if self._queue:
            await self._queue.merge_base(self.state.followed.asked)

    async def _newest_tip(self, steps: Steps, queue: LandingQueue) -> str:
        """The green tip, with all of the base that can be merged."""
        await self._catch_up(steps, queue)
        claimed = await self._settled_branch(steps, queue)
        self._followed(stands_on=claimed.stands_on)
        return claimed.tip

    async def _catch_up(self, steps: Steps, queue: LandingQueue) -> None:
        """The green branch has what the base has before its sites are counted; what could not be
        merged is tried once more, on all that landed."""
        await self._look_ends()
        if not self._follows:
            return
        self._look = asyncio.create_task(self._look_at_base(steps))
        await self._take_look(again=True)
        while self.state.followed.asked and not self.state.cancelled:
            await queue.keep(self.state.paused)
            await queue.merge_base(self.state.followed.asked)
            told = queue.is_paused
            await workflow.wait_condition(
                lambda told=told: (
                    self.state.followed.asked is None
                    or bool(self.state.cancelled)
                    or not queue.kept.is_open
                    or self.state.paused != told
                )
            )
        self.set(queue_open=queue.kept.is_open, queue_paused=queue.is_paused)

    async def _look_at_base(self, steps: Steps) -> BaseLook:
        assert self.state.base
        return await workflow.execute_activity_method(
            IntegrationActivities.look_at_base,
            LookAtBase(
                repository=self._in.repository,
                branch=steps.branch,
                base=self.state.base.commit,
                accepted=self.state.followed.accepted,
            ),
            summary=f"has {self._in.repository.base} moved?",
            **GIT,
        )

    async def _take_look(self, again: bool) -> None:
        """Waits for the look. `again`: what was refused before may ask once more."""
        assert self._look and self._order  # noqa: PT018
        try:
            look = await self._look
        except FailureError as error:
            look = BaseLook(
                seen=BaseSeen.UNREACHABLE,
                stands_on=self.state.stands_on,
                text=details.cause(error),
            )
        self._look = None
        if look.pushed and self._queue:
            await self._queue.look_at_branch()
        followed = self.state.followed
        self._followed(
            seen=look.seen,
            head=look.head or followed.head,
            commits=look.commits,
            text=look.text,
            looked=workflow.time(),
            patience=moving_base.patience(followed, look, self._order.follow),
            stands_on=look.stands_on,
        )
        if look.seen is BaseSeen.SAME:
            self._followed(refused=None)
        if look.seen is BaseSeen.MOVED and look.head and (again or not _had(followed, look.head)):
            asking = followed.asking + 1
            self._followed(asking=asking, asked=MergeBase(head=look.head, asking=asking))
        self.show()

    def _came_with_base(self, sites: int) -> None:
        self._followed(sites=self.state.followed.sites + sites)

    def _followed(self, **fields: object) -> None:
        self.set(followed=self.state.followed.model_copy(update=fields))


def _had(followed: Followed, head: str) -> bool:
    """Whether a head has asked already, and waits for its answer or was refused."""
    asked, refused = followed.asked, followed.refused
    return head in {known.head for known in (asked, refused) if known}
