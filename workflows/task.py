"""TaskWorkflow: one worker agent carries one task from its workspace to a landing and a handoff.

ladder → candidate → landing → handoff. Whatever happens, the parent gets exactly one report with
(task, start, epoch), and a file that is not good enough is put back, never landed. After a bounce
the next candidate is based on the green tip. A landing is never cancelled: a cancelled task
withdraws its candidate and lives by the queue's answer. Between two steps it may go on in another
run, on other code; each begins from a state.
"""

import asyncio
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError, CancelledError, FailureError

from activities.contracts.children import STEER_TASK, Report, TaskInput, TaskSteering
from activities.contracts.climb import Climb, TaskState, Work
from activities.contracts.landing import Landing, Outcome
from activities.contracts.messages import HandOff
from activities.contracts.requests import LoadTask, TaskOrder
from activities.contracts.work import Handoff, TaskStatus
from activities.errors import ORPHANED
from activities.messages import MessageActivities
from activities.records import RecordActivities
from activities.versioning import ONTO_NEW_CODE, PINNED
from workflows import attempts, conflicts, contention, details
from workflows.asking import Asking
from workflows.file_requests import told
from workflows.guided import Guided, end_if_cancelled
from workflows.hearing import heard
from workflows.ladder import Ladder
from workflows.locally import locally
from workflows.options import MAX_BOUNCES, NEEDS_HUMAN, TASK_STATE
from workflows.parked import ParkedTaskWorkflow
from workflows.reworking import beginning, reworked

CANNOT_HELP = (TaskStatus.NEEDS_PERSON, TaskStatus.CANNOT)


@workflow.defn(versioning_behavior=PINNED)
class TaskWorkflow:
    """One task; its id says which start of it this is."""

    @workflow.init
    def __init__(self, task: TaskInput) -> None:
        self._in = task
        self._began = task.state.began if task.state else workflow.time()
        self._guided = Guided(task.steering, self._onward)
        self._asking = Asking(task, self._guided)
        self._ladder: Ladder | None = None
        self._work = task.state.work if task.state else None
        """What asks to land, or was bounced and is not mended yet."""

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
            elif getattr(cause, "type", None) == ORPHANED:
                handoff = self._handoff(TaskStatus.ORPHANED, did=str(cause))
            else:
                handoff = self._handoff(TaskStatus.CANNOT, concerns=(details.cause(error),))
        return await self._report(await heard(self._in, handoff))

    @workflow.signal
    def landed(self, landing: Landing) -> None:
        """The queue's answer; a repeated one changes nothing."""
        self._asking.hear(landing)

    @workflow.signal(name=STEER_TASK)
    def steer_task(self, told: TaskSteering) -> None:
        """Pause, go on, texts for later rungs, other limits."""
        self._guided.hear(told)

    async def _carry_out(self) -> Handoff:
        order = await locally(
            RecordActivities.load_task,
            LoadTask(
                spec=self._in.spec,
                plan=self._in.plan,
                phase=self._in.phase,
                task=self._in.task,
                survey=self._in.survey,
                granted_files=self._in.granted_files,
            ),
            summary="read the task",
        )
        self._ladder = ladder = Ladder(self._in, order, self._guided)
        if self._asking.cancelled and not self._work:
            raise asyncio.CancelledError
        step: Climb | Work | None = self._work or await beginning(self._in, ladder.at)
        while step:
            if isinstance(step, Climb):
                self._work = step = await ladder.climb(step)
                continue
            workflow.set_current_details(f"{len(step.files)} files wait for the merge queue")
            end_if_cancelled()
            landing = await self._asking.land(ladder.files.order, step)
            if landing.outcome is Outcome.LANDED:
                return self._landed(step, landing)
            if landing.outcome is Outcome.WITHDRAWN:
                return self._handoff(TaskStatus.CANCELLED, did="withdrawn before it was composed")
            if self._asking.cancelled:
                self._asking.bounces.append(landing)
                return self._handoff(TaskStatus.CANCELLED, did="cancelled, then bounced")
            step = await self._after_bounce(ladder, step, landing)
            self._asking.bounces.append(landing)
            self._work = step if isinstance(step, Work) else None
        return self._unlanded(order)

    async def _after_bounce(
        self, ladder: Ladder, work: Work, landing: Landing
    ) -> Climb | Work | None:
        """What a bounced task does next, based on the green tip; None: no more."""
        bounces, tip = len(self._asking.bounces) + 1, landing.tip
        blamed = tuple(path for path in landing.paths if path in work.files)
        if landing.outcome is Outcome.RED and landing.evidence:
            whole = ladder.files.order.task.mends  # no part of it could be left out
            blamed = () if whole else attempts.blamed(landing.evidence, work.files)
        as_it_is = landing.outcome is Outcome.CONFLICT or (not blamed and bounces == 1)
        reason = "; ".join(landing.reasons[:3]) or "bounced by the merge queue"
        if tip is None or bounces > MAX_BOUNCES or not (blamed or as_it_is):
            ladder.salvage.put_back.update(dict.fromkeys(work.files, reason))
            return None
        moved = await reworked(self._in, work.commit, work.base, tip)
        if moved.conflict:
            return conflicts.after(moved.conflict, work, ladder.resolver)
        onto = work.model_copy(update={"commit": moved.commit, "base": tip})
        if as_it_is:
            return await self._on_tip(ladder, onto)
        rungs = ladder.files.order.rungs if bounces == 1 else ()
        if again := attempts.after_bounce(onto, landing, rungs):
            return again
        rest = await ladder.salvage.without(onto, dict.fromkeys(blamed, reason))
        return await ladder.salvage.save(rest) if rest else None

    async def _on_tip(self, ladder: Ladder, work: Work) -> Climb | Work:
        """Work on the green tip, checked there: where red it climbs again, or is saved in part."""
        evidence = await ladder.salvage.check(work.commit, work.base)
        again = work.model_copy(update={"evidence": evidence})
        return again if again.green else Climb(base=work.base, start=work.commit, otherwise=again)

    def _onward(self) -> NoReturn:
        """Another run goes on from what is done, at once or when the pause is over."""
        assert self._ladder
        state = TaskState(
            began=self._began,
            climb=self._ladder.at,
            work=self._work,
            attempts=tuple(self._ladder.attempts),
            put_back=self._ladder.salvage.put_back,
            bounces=tuple(self._asking.bounces),
            answers=self._asking.answers,
            cancelled=self._asking.cancelled,
            files=self._ladder.files.so_far,
        )
        granted = self._ladder.files.order.task.grants
        known = {"state": state, "steering": self._guided.now, "granted_files": granted}
        task = self._in.model_copy(update=known)
        if self._guided.now.paused:
            workflow.continue_as_new(
                task,
                workflow=ParkedTaskWorkflow.run,
                initial_versioning_behavior=ONTO_NEW_CODE,
            )
        workflow.continue_as_new(task, initial_versioning_behavior=ONTO_NEW_CODE)

    def _landed(self, work: Work, landing: Landing) -> Handoff:
        assert self._ladder is not None
        self._ladder.salvage.landed(work.files)
        partial = bool(self._ladder.salvage.put_back)
        return self._handoff(
            TaskStatus.PARTIAL if partial else TaskStatus.LANDED,
            did=f"changed {len(work.files)} files",
            landed=landing.commit,
            files=work.files,
            left=tuple(path for path in work.left if path not in self._ladder.salvage.put_back),
        )

    def _unlanded(self, order: TaskOrder) -> Handoff:
        """No rung left anything that may land."""
        assert self._ladder is not None
        if self._ladder.needs:
            paths = ", ".join(grant.path for grant in self._ladder.needs.wanted)
            return self._handoff(TaskStatus.NEEDS_FILES, did=f"waits for {paths}")
        said = tuple(f"{a.kind}: {a.outcome} {a.note}".strip() for a in self._ladder.attempts)
        if anew := self._ladder.at.anew:
            paths = ", ".join(anew.paths[: conflicts.NAMED])
            said = (f"begun anew: {conflicts.met(anew, self._in.task)}: {paths}", *said)
        if not self._ladder.salvage.put_back and all(
            a.outcome in ("no_change", "unavailable") for a in self._ladder.attempts
        ):
            due = order.task.sites or order.task.mends
            status = TaskStatus.NEEDS_PERSON if due else TaskStatus.NOTHING_TO_DO
            return self._handoff(status, "nothing changed", concerns=said, left=order.bearing)
        status = TaskStatus.NEEDS_PERSON
        return self._handoff(status, "nothing could land", concerns=said, left=order.bearing)

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
        claims = ladder.files.order.task.may_change if ladder else ()
        return Handoff(
            task=self._in.task,
            status=status,
            did=did,
            landed=landed,
            files=files,
            left=left,
            put_back=ladder.salvage.put_back_files() if ladder else (),
            granted=ladder.files.order.task.grants if ladder else (),
            follow_ups=tuple(map(told, ladder.files.refused)) if ladder else (),
            needs=ladder.needs if ladder else None,
            hot=contention.of_bounces(self._asking.bounces, claims),
            concerns=concerns,
            attempts=tuple(ladder.attempts) if ladder else (),
            bounces=len(self._asking.bounces),
            seconds=workflow.time() - self._began,
        )

    async def _report(self, handoff: Handoff) -> Report:
        needs_human = handoff.status in CANNOT_HELP or bool(handoff.put_back)
        workflow.upsert_search_attributes(
            [TASK_STATE.value_set(handoff.status), NEEDS_HUMAN.value_set(needs_human)]
        )
        return await locally(
            MessageActivities.hand_off,
            HandOff(
                name=self._in.name,
                handoff=handoff,
                talked=self._in.thinks,
                start=self._in.start,
                parent=self._in.parent,
                epoch=self._in.epoch,
                green=self._asking.green,
            ),
            summary=f"hand off: {handoff.status}",
        )
