"""TaskWorkflow: one worker agent carries one task from its workspace to a landing and a handoff.

ladder → candidate → landing → handoff. Whatever happens, the parent gets exactly one report with
(task, start, epoch), and a file that is not good enough is put back, never landed. After a bounce
the next candidate is based on the green tip. A landing is never cancelled: a cancelled task
withdraws its candidate and lives by the queue's answer.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, FailureError

from activities.contracts.landing import Candidate, Landing, Outcome
from activities.contracts.migration import ENQUEUE, REPORT, WITHDRAW, Report, TaskInput
from activities.contracts.requests import (
    DescribeRuns,
    LoadTask,
    MakeCandidate,
    Rework,
    SaveHandoff,
    TaskOrder,
)
from activities.contracts.work import Handoff, TaskStatus
from activities.integration import IntegrationActivities
from activities.records import RecordActivities
from workflows import attempts
from workflows.attempts import Work
from workflows.ladder import Ladder
from workflows.options import (
    ENQUEUE_AGAIN,
    ENQUEUE_AGAIN_AT_MOST,
    GIT,
    LOCAL,
    MAX_BOUNCES,
    NEEDS_HUMAN,
    TASK_STATE,
)

CANNOT_HELP = (TaskStatus.NEEDS_PERSON, TaskStatus.CANNOT)


@workflow.defn
class TaskWorkflow:
    """One task; its id says which start of it this is."""

    @workflow.init
    def __init__(self, task: TaskInput) -> None:
        self._in = task
        self._answers: dict[str, Landing] = {}
        self._bounces: list[Landing] = []
        self._ladder: Ladder | None = None
        self._cancelled = False
        self._began = workflow.time()

    @workflow.run
    async def run(self, task: TaskInput) -> Report:
        try:
            handoff = await self._carry_out()
        except (asyncio.CancelledError, CancelledError):
            handoff = self._handoff(TaskStatus.CANCELLED, did="cancelled")
        except FailureError as error:
            cause = error.cause if isinstance(error, ActivityError) and error.cause else error
            if isinstance(cause, CancelledError):
                handoff = self._handoff(TaskStatus.CANCELLED, did="cancelled")
            else:
                handoff = self._handoff(TaskStatus.CANNOT, concerns=(_text(cause),))
        return await self._report(handoff)

    @workflow.signal
    def landed(self, landing: Landing) -> None:
        """The queue's answer; a repeated one changes nothing."""
        self._answers.setdefault(landing.candidate, landing)

    async def _carry_out(self) -> Handoff:
        order = await workflow.execute_local_activity_method(
            RecordActivities.load_task,
            LoadTask(
                spec=self._in.spec,
                plan=self._in.plan,
                phase=self._in.phase,
                task=self._in.task,
            ),
            summary="read the task",
            **LOCAL,
        )
        self._ladder = Ladder(self._in, order)
        workflow.upsert_search_attributes([TASK_STATE.value_set("working")])
        work = await self._ladder.climb(self._in.tip, self._in.tip)
        while work:
            if not await self._parent_is_open():
                return self._handoff(TaskStatus.ORPHANED, did="its planner is gone")
            landing = await self._land(order, work)
            if landing.outcome is Outcome.LANDED:
                return self._landed(work, landing)
            if landing.outcome is Outcome.WITHDRAWN:
                return self._handoff(TaskStatus.CANCELLED, did="withdrawn before it was composed")
            self._bounces.append(landing)
            if self._cancelled:
                return self._handoff(TaskStatus.CANCELLED, did="cancelled, then bounced")
            work = await self._after_bounce(work, landing)
        return self._unlanded(order)

    async def _land(self, order: TaskOrder, work: Work) -> Landing:
        """Asks the queue until it answers; the same candidate has the same id each time."""
        candidate = await workflow.execute_activity_method(
            IntegrationActivities.make_candidate,
            MakeCandidate(
                name=self._in.name,
                repository=self._in.repository,
                task=order.task,
                commit=work.commit,
                base=work.base,
                reply_to=workflow.info().workflow_id,
                when=int(workflow.time()),
            ),
            summary="squash into one commit",
            **GIT,
        )
        workflow.upsert_search_attributes([TASK_STATE.value_set("landing")])
        queue = workflow.get_external_workflow_handle(self._in.queue)
        patience = ENQUEUE_AGAIN
        while candidate.id not in self._answers:
            await queue.signal(ENQUEUE, candidate)
            try:
                await self._answered(candidate, patience)
            except TimeoutError:
                patience = min(patience * 2, ENQUEUE_AGAIN_AT_MOST)
            except asyncio.CancelledError:
                self._cancelled = True
                await queue.signal(WITHDRAW, candidate.id)
                await workflow.wait_condition(lambda: candidate.id in self._answers)
        return self._answers[candidate.id]

    async def _answered(self, candidate: Candidate, patience: timedelta) -> None:
        await workflow.wait_condition(
            lambda: candidate.id in self._answers,
            timeout=patience,
            timeout_summary="waiting for the merge queue",
        )

    async def _after_bounce(self, work: Work, landing: Landing) -> Work | None:
        """What a bounced candidate asks to land next, based on the green tip; None: no more."""
        assert self._ladder is not None
        ladder = self._ladder
        reason = "; ".join(landing.reasons[:3]) or "bounced by the merge queue"
        if len(self._bounces) > MAX_BOUNCES or landing.tip is None:
            ladder.put_back.update(dict.fromkeys(work.files, reason))
            return None
        blamed = tuple(path for path in landing.paths if path in work.files)
        if landing.outcome is Outcome.RED and landing.evidence:
            blamed = attempts.blamed(landing.evidence, work.files)
        if landing.outcome is Outcome.CONFLICT or (not blamed and len(self._bounces) == 1):
            return await self._on_tip(ladder, work, landing.tip)
        if not blamed:
            ladder.put_back.update(dict.fromkeys(work.files, reason))
            return None
        moved = await self._rework(work, landing.tip)
        if moved is None:
            return await ladder.climb(landing.tip, landing.tip)
        onto = replace(work, commit=moved, base=landing.tip)
        return await ladder.without(onto, dict.fromkeys(blamed, reason))

    async def _on_tip(self, ladder: Ladder, work: Work, tip: str) -> Work | None:
        """The work carried onto the green tip and checked there; climbs again if that is red, and
        saves what is good of it when no rung does better."""
        moved = await self._rework(work, tip)
        if moved is None:
            return await ladder.climb(tip, tip)
        again = replace(work, commit=moved, base=tip, evidence=await ladder.check(moved, tip))
        if again.green:
            return again
        return await ladder.climb(tip, moved) or await ladder.salvage(again)

    async def _rework(self, work: Work, tip: str) -> str | None:
        """merge(tip, checkpoint), or None when they conflict."""
        reworked = await workflow.execute_activity_method(
            IntegrationActivities.rework,
            Rework(
                name=self._in.name,
                repository=self._in.repository,
                task=self._in.task,
                commit=work.commit,
                old_base=work.base,
                new_base=tip,
                when=int(workflow.time()),
            ),
            summary="carry the work onto the green tip",
            **GIT,
        )
        return reworked.commit

    async def _parent_is_open(self) -> bool:
        described = await workflow.execute_local_activity_method(
            RecordActivities.describe_runs,
            DescribeRuns(ids=(self._in.parent,)),
            summary="is the planner still there?",
            **LOCAL,
        )
        parent = described.runs[0]
        return parent.status == "RUNNING" and parent.first_run == self._in.epoch

    def _landed(self, work: Work, landing: Landing) -> Handoff:
        assert self._ladder is not None
        self._ladder.landed(work.files)
        partial = bool(self._ladder.put_back)
        return self._handoff(
            TaskStatus.PARTIAL if partial else TaskStatus.LANDED,
            did=f"changed {len(work.files)} files",
            landed=landing.commit,
            files=work.files,
            left=tuple(path for path in work.left if path not in self._ladder.put_back),
        )

    def _unlanded(self, order: TaskOrder) -> Handoff:
        """No rung left anything that may land."""
        assert self._ladder is not None
        said = tuple(f"{a.kind}: {a.outcome} {a.note}".strip() for a in self._ladder.attempts)
        if not self._ladder.put_back and all(
            a.outcome in ("no_change", "unavailable") for a in self._ladder.attempts
        ):
            status = TaskStatus.NEEDS_PERSON if order.task.sites else TaskStatus.NOTHING_TO_DO
            return self._handoff(status, did="nothing changed", concerns=said, left=_left(order))
        return self._handoff(
            TaskStatus.NEEDS_PERSON, did="nothing could land", concerns=said, left=_left(order)
        )

    def _handoff(
        self,
        status: TaskStatus,
        did: str = "",
        landed: str | None = None,
        files: tuple[str, ...] = (),
        left: tuple[str, ...] = (),
        concerns: tuple[str, ...] = (),
    ) -> Handoff:
        ladder = self._ladder
        return Handoff(
            task=self._in.task,
            status=status,
            did=did,
            landed=landed,
            files=files,
            left=left,
            put_back=ladder.put_back_files() if ladder else (),
            concerns=concerns,
            attempts=tuple(ladder.attempts) if ladder else (),
            bounces=len(self._bounces),
            seconds=workflow.time() - self._began,
        )

    async def _report(self, handoff: Handoff) -> Report:
        saved = await workflow.execute_local_activity_method(
            RecordActivities.save_handoff,
            SaveHandoff(name=self._in.name, handoff=handoff),
            summary=f"hand off: {handoff.status}",
            **LOCAL,
        )
        report = Report(
            child=self._in.task,
            start=self._in.start,
            epoch=self._in.epoch,
            status=handoff.status,
            handoff=saved,
            landed=handoff.landed,
        )
        needs_human = handoff.status in CANNOT_HELP or bool(handoff.put_back)
        workflow.upsert_search_attributes(
            [TASK_STATE.value_set(handoff.status), NEEDS_HUMAN.value_set(needs_human)]
        )
        try:
            await workflow.get_external_workflow_handle(self._in.parent).signal(REPORT, report)
        except ApplicationError as error:
            workflow.logger.warning("nobody takes the report", exc_info=error)
        return report


def _left(order: TaskOrder) -> tuple[str, ...]:
    return order.task.claims if order.task.sites else ()


def _text(error: BaseException) -> str:
    kind = getattr(error, "type", None) or type(error).__name__
    return f"{kind}: {error}"[:1500]
