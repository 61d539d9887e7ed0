"""MergeQueueWorkflow: the single writer of one green branch; it is code, never a model.

- A batch is one commit on the tip, checked as exactly that tree, landed by one compare-and-swap.
- A refused candidate (claim, protected path, conflict) is answered before any check runs.
- Red batch → the first bad prefix by bisection. The prefix before it lands; the one that turned it
  red is asked once more and then bounced with its evidence; the rest goes back to the front.
- A repeated candidate is answered from the live list, else from git.
- Pause: the batch in checks finishes, none is composed. A landing is never cancelled.
"""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.checks import ChecksActivities
from activities.contracts.evidence import Evidence, Moment
from activities.contracts.landing import Batch, Candidate, Landing, Outcome
from activities.contracts.migration import LANDED, QueueInput, QueueState
from activities.contracts.requests import ComposeBatch, Land, RunChecks
from activities.integration import IntegrationActivities
from workflows import batching
from workflows.options import GIT, VERIFY_LANDING, is_long


@workflow.defn
class MergeQueueWorkflow:
    """Lands candidates until it is closed and has answered everybody."""

    @workflow.init
    def __init__(self, queue: QueueInput) -> None:
        self._in = queue
        self._waiting: list[Candidate] = list(queue.state.waiting)
        self._composed: dict[str, Candidate] = {}
        """The batch in hand: withdrawing it is too late."""
        self._rate = queue.state.failure_rate
        self._state = queue.state
        self._closing = queue.state.closing
        self._paused = queue.state.paused
        self._tip = ""

    @workflow.run
    async def run(self, queue: QueueInput) -> QueueState:
        while True:
            await workflow.wait_condition(
                lambda: self._closing or (bool(self._waiting) and not self._paused)
            )
            if not self._waiting:
                await workflow.wait_condition(workflow.all_handlers_finished)
                return self._carry()
            await self._settle_one_batch()
            if is_long():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(queue.model_copy(update={"state": self._carry()}))

    @workflow.signal
    def enqueue(self, candidate: Candidate) -> None:
        """Asks to land; a repeated one changes nothing."""
        if candidate.id not in self._composed and candidate not in self._waiting:
            self._waiting.append(candidate)

    @workflow.signal
    async def withdraw(self, candidate_id: str) -> None:
        """Takes back what is not composed yet; the task is answered either way."""
        for candidate in self._waiting:
            if candidate.id == candidate_id:
                self._waiting.remove(candidate)
                await self._answer(candidate, Outcome.WITHDRAWN)
                return

    @workflow.signal
    def close(self) -> None:
        """Nothing more will come."""
        self._closing = True

    @workflow.signal
    def pause(self, paused: bool) -> None:
        self._paused = paused

    @workflow.query
    def state(self) -> QueueState:
        return self._carry()

    def _carry(self) -> QueueState:
        return self._state.model_copy(
            update={
                "waiting": tuple(self._waiting),
                "failure_rate": self._rate,
                "closing": self._closing,
                "paused": self._paused,
            }
        )

    async def _settle_one_batch(self) -> None:
        members = batching.form(self._waiting, self._rate)
        self._waiting = [c for c in self._waiting if c not in members]
        self._composed = {c.id: c for c in members}
        batch = await self._compose(members)
        for task, commit in batch.landed.items():
            await self._answer_of(members, task, commit)
        for refusal in batch.refused:
            await self._answer(
                self._composed[refusal.candidate],
                refusal.outcome,
                reasons=refusal.reasons,
                paths=refusal.paths,
            )
        failures = await self._verify(batch, fresh=0) if batch.members else 0
        self._rate = batching.observe(self._rate, len(batch.members), failures)
        self._composed = {}

    async def _verify(self, batch: Batch, fresh: int) -> int:
        """Checks the batch and lands what is good; returns how many were bounced."""
        last = len(batch.members)
        evidence = await self._check(batch, last, fresh)
        if evidence.passed:
            await self._land(batch, last)
            return 0
        good, bad, evidence = await self._first_bad(batch, evidence)
        again = await self._check(batch, bad, fresh=1)
        if again.passed:
            good, bad = bad, bad + 1
        if good:
            await self._land(batch, good)
        if bad > last:
            return 0
        rest = [self._composed[i] for i in batch.members[good:]]
        if not again.passed:
            await self._answer(rest.pop(0), Outcome.RED, reasons=_reasons(again), evidence=again)
        self._waiting[:0] = rest
        return int(not again.passed)

    async def _first_bad(self, batch: Batch, red: Evidence) -> tuple[int, int, Evidence]:
        """Lengths of the longest good and the shortest bad prefix, with the latter's evidence."""
        good, bad = 0, len(batch.members)
        while bad - good > 1:
            length = batching.middle(good, bad)
            evidence = await self._check(batch, length, fresh=0)
            if evidence.passed:
                good = length
            else:
                bad, red = length, evidence
        return good, bad, red

    async def _compose(self, members: Sequence[Candidate]) -> Batch:
        batch = await workflow.execute_activity_method(
            IntegrationActivities.compose_batch,
            ComposeBatch(
                repository=self._in.repository,
                branch=self._in.branch,
                spec=self._in.spec,
                phase=self._in.phase,
                base=self._in.base,
                candidates=tuple(members),
                when=int(workflow.time()),
            ),
            summary=f"compose {len(members)} candidates",
            **GIT,
        )
        self._tip = batch.tip
        return batch

    async def _check(self, batch: Batch, length: int, fresh: int) -> Evidence:
        members = [self._composed[i] for i in batch.members[:length]]
        return await workflow.execute_activity_method(
            ChecksActivities.run_checks,
            RunChecks(
                name=self._in.branch.migration,
                repository=self._in.repository,
                spec=self._in.spec,
                phase=self._in.phase,
                commit=batch.prefixes[length - 1],
                compare_with=batch.tip,
                moment=Moment.LANDING,
                paths=tuple(sorted({path for c in members for path in c.claims})),
                fresh=fresh,
            ),
            summary=f"landing checks of {length} candidates",
            **VERIFY_LANDING,
        )

    async def _land(self, batch: Batch, length: int) -> None:
        landed = await workflow.execute_activity_method(
            IntegrationActivities.land,
            Land(
                repository=self._in.repository,
                branch=self._in.branch,
                old=batch.tip,
                new=batch.prefixes[length - 1],
            ),
            summary=f"land {length} candidates",
            **GIT,
        )
        self._tip = landed.tip
        self._state = self._state.model_copy(
            update={"landed": self._state.landed + length, "batches": self._state.batches + 1}
        )
        for member in batch.members[:length]:
            await self._answer(
                self._composed[member], Outcome.LANDED, commit=batch.prefixes[length - 1]
            )

    async def _answer_of(self, members: Sequence[Candidate], task: str, commit: str) -> None:
        for candidate in members:
            if candidate.task == task:
                await self._answer(candidate, Outcome.LANDED, commit=commit)

    async def _answer(
        self,
        candidate: Candidate,
        outcome: Outcome,
        *,
        commit: str | None = None,
        reasons: tuple[str, ...] = (),
        paths: tuple[str, ...] = (),
        evidence: Evidence | None = None,
    ) -> None:
        """Tells the task; one that is gone asks again in its next life and gets it from git."""
        if outcome is not Outcome.LANDED:
            self._state = self._state.model_copy(update={"bounced": self._state.bounced + 1})
        landing = Landing(
            task=candidate.task,
            candidate=candidate.id,
            outcome=outcome,
            commit=commit,
            tip=self._tip or None,
            reasons=reasons,
            paths=paths,
            evidence=evidence,
        )
        task = workflow.get_external_workflow_handle(candidate.reply_to)
        try:
            await task.signal(LANDED, landing)
        except ApplicationError as error:
            workflow.logger.warning("nobody takes the landing", exc_info=error)


def _reasons(evidence: Evidence) -> tuple[str, ...]:
    return tuple(f"{c.check}: {r}" for c in evidence.checks for r in c.reasons)[:20]
