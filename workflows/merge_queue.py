"""MergeQueueWorkflow: the single writer of one green branch; it is code, never a model.

- A batch is one commit on the tip, checked as exactly that tree, landed by one compare-and-swap.
- A refused candidate (claim, protected path, conflict) is answered before any check runs.
- Red batch → its first bad member, by checking prefixes (prefix_search.py). What is before it
  lands, it is bounced with its evidence, and the rest goes back to the front.
- A repeated candidate is answered from the live list, else from git.
- What others pushed to the branch comes first (pushes.py).
- A head of the base that moved goes between two batches, as a checked batch of its own.
- Pause: the batch in checks finishes, none is composed. A landing is never cancelled.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from temporalio import workflow

from activities.contracts.children import QueueInput, QueueState
from activities.contracts.landing import Batch, Candidate, Landing, Outcome
from activities.contracts.messages import Answer, AnswerTasks
from activities.contracts.moving_base import MERGE_BASE, MergeBase
from activities.contracts.pushes import LOOK_AT_BRANCH, PUSH_WORD, PushWord
from activities.messages import MessageActivities
from workflows import batch_steps, batching, renewing
from workflows.base_merging import BaseMerging
from workflows.batch_steps import BatchSteps
from workflows.draining import drained
from workflows.locally import locally
from workflows.options import is_long
from workflows.prefix_search import PrefixSearch
from workflows.pushes import Pushes
from workflows.queue_page import queue_page


@workflow.defn
class MergeQueueWorkflow:
    """Lands candidates until it is closed and has answered everybody."""

    @workflow.init
    def __init__(self, queue: QueueInput) -> None:
        self._steps = BatchSteps(queue)
        self._base = BaseMerging(queue, self._steps, self._saw_flaky)
        self._pushes = Pushes(queue, self._saw_flaky)
        self._waiting: list[Candidate] = list(queue.state.waiting)
        self._composed: dict[str, Candidate] = {}
        """The batch in hand: too late to withdraw. Its members keep their place until answered."""
        self._taken_back: set[str] = set()
        """The ids of those of it that are withdrawn, unless it settles them."""
        self._state = queue.state
        self._tip = ""

    @workflow.run
    async def run(self, queue: QueueInput) -> QueueState:
        return await drained(self._story(queue), self.close)  # a landing is never cancelled

    async def _story(self, queue: QueueInput) -> QueueState:
        while True:
            self._show()
            await self._pushes.until(lambda: self._is_due)
            if self._goes_home:
                await self._send([self._answer(c, Outcome.WITHDRAWN) for c in self._waiting])
            elif self._state.closing and not self._waiting:
                await workflow.wait_condition(workflow.all_handlers_finished)
                return self._carry()
            elif self._pushes.state.look:
                await self._pushes.look()
            elif self._state.base and not self._state.closing:
                await self._merge_base(self._state.base)
            else:
                await self._settle_one_batch()
            if is_long():
                await renewing.alone()
                workflow.continue_as_new(queue.model_copy(update={"state": self._carry()}))

    @property
    def _is_due(self) -> bool:
        held = self._state.paused or self._pushes.hold
        lands = bool(self._waiting or self._state.base) and not held
        return self._state.closing or self._pushes.state.look or lands or self._goes_home

    @property
    def _goes_home(self) -> bool:
        return bool(self._waiting) and self._pushes.sends_home(self._state.closing)

    @workflow.signal
    def enqueue(self, candidate: Candidate) -> None:
        """Asks to land; a repeated one changes nothing."""
        self._taken_back.discard(candidate.id)
        if candidate not in self._waiting:
            self._waiting.append(candidate)
            self._show()

    @workflow.signal
    async def withdraw(self, candidate: Candidate) -> None:
        """Takes back what is not composed yet. The task is answered either way, and the first
        answer counts: one that is not known here may have landed in an earlier life."""
        if candidate.id in self._composed:
            return self._taken_back.add(candidate.id)
        is_known = candidate in self._waiting
        commit = None if is_known else await self._steps.landed(candidate.task)
        outcome = Outcome.LANDED if commit else Outcome.WITHDRAWN
        await self._send([self._answer(candidate, outcome, commit=commit)])

    @workflow.signal(name=MERGE_BASE)
    def merge_base(self, order: MergeBase) -> None:
        """A head of the base goes before the next batch; a newer one takes its place."""
        self._set(base=order)
        self._show()

    @workflow.signal(name=LOOK_AT_BRANCH)
    def look_at_branch(self) -> None:
        """Perhaps somebody else pushed to it."""
        self._pushes.ask()

    @workflow.signal(name=PUSH_WORD)
    def push_word(self, word: PushWord) -> None:
        """What a person says about a push."""
        self._pushes.hear(word)

    @workflow.signal
    def close(self) -> None:
        """Nothing more will come."""
        self._set(closing=True)

    @workflow.signal
    def pause(self, paused: bool) -> None:
        self._set(paused=paused)
        self._show()

    @workflow.query
    def state(self) -> QueueState:
        return self._carry()

    def _show(self) -> None:
        workflow.set_current_details(queue_page(self._carry(), self._composed))

    def _set(self, **fields: object) -> None:
        self._state = self._state.model_copy(update=fields)

    def _carry(self) -> QueueState:
        return self._state.model_copy(
            update={"waiting": tuple(self._waiting), "pushes": self._pushes.state}
        )

    async def _merge_base(self, order: MergeBase) -> None:
        """Between two batches, whatever comes of it; see base_merging.py."""
        answer = await self._base.merge(order)
        if answer is None:
            return self._pushes.ask()
        if self._state.base == order:
            self._set(base=None)
        await self._base.tell(answer)

    async def _settle_one_batch(self) -> None:
        rate, returned = self._state.failure_rate, self._state.returned
        members = batching.form(self._waiting, rate, returned)
        self._composed = {c.id: c for c in members}
        self._show()
        batch = await self._steps.compose(members)
        self._tip = batch.tip
        self._pushes.saw(batch.push)
        await self._send(
            [
                self._answer(c, Outcome.LANDED, commit=batch.landed[c.task])
                for c in members
                if c.task in batch.landed
            ]
            + [
                self._answer(
                    self._composed[r.candidate], r.outcome, reasons=r.reasons, paths=r.paths
                )
                for r in batch.refused
            ]
        )
        if batch.members:
            landed, bounced = await self._verify(batch)
            self._set(failure_rate=batching.observe(rate, landed + bounced, bounced))
        self._set(returned=tuple(c.id for c in self._waiting if c.id in self._composed))
        taken_back, self._composed, self._taken_back = self._taken_back, {}, set()
        await self._send(
            [self._answer(c, Outcome.WITHDRAWN) for c in self._waiting if c.id in taken_back]
        )

    async def _verify(self, batch: Batch) -> tuple[int, int]:
        """Checks the batch and lands what is good; returns how many landed and were bounced."""
        search = await self._searched(batch)
        good, bounced = search.good, search.verdict
        if good and not await self._land(batch, good):
            good, bounced = 0, None  # all of it is composed anew
        if bounced:
            bad, reasons = self._composed[batch.members[good]], bounced.reasons[:20]
            await self._send([self._answer(bad, Outcome.RED, reasons=reasons, evidence=bounced)])
        return good, int(bounced is not None)

    async def _searched(self, batch: Batch) -> PrefixSearch:
        """The batch with its first bad member found, if it has one, and asked once more unless
        two runs have shown the same failures already."""
        members = [self._composed[i] for i in batch.members]
        search = PrefixSearch([c.claims for c in members])
        at_once = await batch_steps.check_hosts() if len(members) > 1 else 1
        while probes := search.probes(at_once):
            runs = [self._steps.check(batch, members[: p.length], p.fresh) for p in probes]
            for probe, evidence in zip(probes, await asyncio.gather(*runs), strict=True):
                search.saw(probe, evidence)
        await self._saw_flaky(search.flaky)
        return search

    async def _saw_flaky(self, checks: Sequence[str]) -> None:
        self._set(flaky=dict(Counter(self._state.flaky) + Counter(checks)))
        await self._steps.tell_flaky(checks)

    async def _land(self, batch: Batch, length: int) -> bool:
        """False: the branch is elsewhere; nothing landed."""
        new = batch.prefixes[length - 1]
        landed = await self._steps.land(batch.tip, new, f"{length} candidates")
        if landed is None:
            self._pushes.ask()
            return False
        self._tip = landed.tip
        self._set(landed=self._state.landed + length, batches=self._state.batches + 1)
        members = [self._composed[member] for member in batch.members[:length]]
        await self._send([self._answer(c, Outcome.LANDED, commit=new) for c in members])
        return True

    def _answer(self, candidate: Candidate, outcome: Outcome, **more: Any) -> Answer:
        """`more`: the further fields of a Landing."""
        landing = Landing(
            task=candidate.task,
            candidate=candidate.id,
            outcome=outcome,
            tip=self._tip or None,
            at=workflow.time(),
            **more,
        )
        return Answer(to=candidate.reply_to, landing=landing)

    async def _send(self, answers: list[Answer]) -> None:
        """Tells the tasks, which wait no more; twice is harmless."""
        answered = {answer.landing.candidate for answer in answers}
        self._waiting = [c for c in self._waiting if c.id not in answered]
        bounced = sum(answer.landing.outcome is not Outcome.LANDED for answer in answers)
        self._set(bounced=self._state.bounced + bounced)
        if answers:
            await locally(
                MessageActivities.answer_tasks,
                AnswerTasks(answers=tuple(answers)),
                summary=f"answer {len(answers)} tasks",
            )
