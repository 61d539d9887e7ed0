"""A migration whose green branch somebody else pushed to: people are told, and decide where needed.

Its queue looks, checks and settles (pushes.py); the migration asks for a look when it sees a push
itself, reads only what is its own meanwhile, and does not count a cycle before that is settled.
"""

from temporalio import workflow

from activities.contracts.commands import DecidePush
from activities.contracts.landing_requests import ClaimedBranch
from activities.contracts.pushes import MAX_PUSHES, PUSH_SEEN, PushSeen, PushWord
from workflows.approving import Approving
from workflows.landing_queue import LandingQueue
from workflows.steps import Steps

PUSHED_AGAIN = "somebody pushed again"


class Pushed(Approving):
    """Remembers, and hands on what people say; the workflow class adds the story."""

    _heard_of_push = True
    """Whether the queue has said what it found since it was last asked to look."""

    @workflow.signal(name=PUSH_SEEN)
    def push_seen(self, seen: PushSeen | None) -> None:
        """What the queue found, or did; the same again changes nothing."""
        self._heard_of_push = True
        last = self.state.push
        if seen is None:
            return
        earlier = self.state.pushes
        if last and not last.settled:
            over = last.model_copy(update={"settled": PUSHED_AGAIN})
            earlier = (*earlier[:-1], *(() if last.push == seen.push else (over,)))
        word = None if seen.settled else self.state.push_word
        self.set(pushes=(*earlier, seen)[-MAX_PUSHES:], push_word=word)
        self.changed()

    @workflow.update
    def decide_push(self, command: DecidePush) -> str:
        """What a person says about what was pushed to the green branch."""
        command = self.signed(command)
        seen = self.state.push
        head = seen.push.head if seen else None
        word = PushWord(head=head, back=command.back)
        what = "set the branch back" if command.back else f"accept {head}"
        return self.apply("branch", command, {"push_word": word}, said=what)

    @decide_push.validator
    def _may_decide_push(self, command: DecidePush) -> None:
        one = command.accept is not command.back
        self.refuse_unless(one, command, "say accept or back: one of them")
        seen = self.state.push
        why = "nobody pushed to the green branch, as far as anybody saw: there is nothing to decide"
        waits = seen is not None and seen.needs_person
        self.refuse_unless(waits, command, why)
        head = (seen.push.head if seen else None) or ""
        there = bool(head) or command.back
        self.refuse_unless(there, command, "the branch is gone: it can only be set back")
        why = (
            f"the branch is at {head or 'nothing'} by now, not at {command.head}: look at it first"
        )
        self.refuse_unless(head.startswith(command.head), command, why)

    @property
    def push_word(self) -> PushWord | None:
        """What its queue is to know: nobody is waited for by a migration that is cancelled."""
        if self.state.cancelled and self.state.push and self.state.push.needs_person:
            return PushWord(head=self.state.push.push.head, drop=True)
        return self.state.push_word

    async def _settled_branch(self, steps: Steps, queue: LandingQueue) -> ClaimedBranch:
        """The green branch once nothing is left to decide about it, or nobody will any more."""
        assert self.state.base
        while True:
            claimed = await steps.claim_branch(self.state.base.commit)
            if claimed.push is None or self.state.cancelled:
                return claimed
            await queue.keep(self.state.paused)
            self._heard_of_push = False
            await queue.look_at_branch()
            await self._until_settled(queue)
            self.set(queue_open=queue.kept.is_open, queue_paused=queue.is_paused)

    async def _until_settled(self, queue: LandingQueue) -> None:
        while not self.state.cancelled and queue.kept.is_open:
            await queue.push_word(self.state.push_word)
            word = self.state.push_word
            await workflow.wait_condition(
                lambda word=word: (
                    bool(self.state.cancelled)
                    or not queue.kept.is_open
                    or self._nothing_waits
                    or self.state.push_word != word
                ),
                timeout_summary="waiting for what was pushed to be settled",
            )
            if self._nothing_waits:
                return

    @property
    def _nothing_waits(self) -> bool:
        seen = self.state.push
        return self._heard_of_push and (seen is None or bool(seen.settled))
