"""Messages between workflows, sent as local activities on the control worker.

A workflow's own signal to another costs two events, a transfer and a task that only learns it was
sent; sent from here it costs a marker. A message may be sent twice: whoever takes one knows it by
what it is about, and ignores it the second time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts.children import (
    ENQUEUE,
    FILES,
    LANDED,
    REPORT,
    STEER_TASK,
    WISH,
    WITHDRAW,
    Granted,
    Report,
)
from activities.contracts.conversation import attempts_of, task_scope
from activities.contracts.file_requests import FileAnswer, FilesAnswered, FilesAsked
from activities.contracts.fleet import MigrationEnd, MigrationEnds
from activities.contracts.messages import (
    Answer,
    AnswerTasks,
    AskArea,
    Asked,
    AskForFiles,
    AskToLand,
    CountWorkers,
    DescribeRuns,
    HandOff,
    Runs,
    SteerTasks,
    TellPlanner,
    WorkerCount,
)
from activities.contracts.migration import MigrationResult
from activities.contracts.money import Spend
from activities.contracts.spec import MigrationSpec
from activities.file_rules import refusal
from activities.run_status import described
from activities.serving import workers_of

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.transcripts import Transcripts
    from activities.contracts.base import Contract


class MessageActivities:
    """What tasks and queues tell each other and their planners, and who is still running."""

    def __init__(self, blobs: BlobStore, client: Client, transcripts: Transcripts) -> None:
        self._blobs = blobs
        self._client = client
        self._transcripts = transcripts

    @activity.defn
    async def ask_to_land(self, request: AskToLand) -> Asked:
        """Enqueues a candidate, or takes it back; enqueues nothing for a planner that is gone."""
        parent_open = (await described(self._client, request.parent)).is_open_since(request.epoch)
        if not parent_open and not request.withdraw:
            return Asked(parent_open=False, queue_open=True)
        verb = WITHDRAW if request.withdraw else ENQUEUE
        told = await self._tell(request.queue, verb, request.candidate)
        return Asked(parent_open=parent_open, queue_open=told)

    @activity.defn
    async def answer_tasks(self, request: AnswerTasks) -> None:
        """Tells tasks what became of their candidates; one that is gone needs no answer: in its
        next life it asks again and is answered from git."""
        await asyncio.gather(*(self._answer(answer) for answer in request.answers))

    async def _answer(self, answer: Answer) -> None:
        if not await self._tell(answer.to, LANDED, answer.landing):
            activity.logger.warning("nobody takes the landing of %s", answer.landing.task)

    @activity.defn
    async def steer_tasks(self, request: SteerTasks) -> None:
        """Tells tasks what is wanted of them; one that is gone needs no telling."""
        letters = request.letters
        await asyncio.gather(*(self._tell(x.to, STEER_TASK, x.steering) for x in letters))

    @activity.defn
    async def ask_area(self, request: AskArea) -> Granted:
        """Hands a person's wish to the area that knows; a second run gets the same answer."""
        wish, area = request.wish, self._client.get_workflow_handle(request.area)
        try:
            # The SDK leaves one parameter of this method's overloads untyped.
            return await area.execute_update(  # pyright: ignore[reportUnknownMemberType]
                WISH, wish, id=wish.id, result_type=Granted
            )
        except WorkflowUpdateFailedError as failed:
            return Granted(id=wish.id, refused=f"its area ended, or cannot tell: {failed.cause}")
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return Granted(id=wish.id, refused="its tasks have all ended: see the report")

    @activity.defn
    async def ask_for_files(self, request: AskForFiles) -> FilesAnswered:
        """Puts a task's request to its area, but for what nobody is granted; a second run gets the
        same answers."""
        asked = request.asked
        spec = await asyncio.to_thread(self._blobs.get_model, request.spec, MigrationSpec)
        phase = spec.phase(request.phase)
        refused = {
            r.path: FileAnswer(path=r.path, granted=False, text=why)
            for r in asked.requests
            if (why := refusal(r.path, spec, phase))
        }
        open_to_all = tuple(r for r in asked.requests if r.path not in refused)
        granted: list[FileAnswer] = []
        if open_to_all:
            put = asked.model_copy(update={"requests": open_to_all})
            granted += (await self._ask_for_files(request, put)).answers
        answers = {**refused, **{said.path: said for said in granted}}
        return FilesAnswered(answers=tuple(answers[r.path] for r in asked.requests))

    async def _ask_for_files(self, request: AskForFiles, put: FilesAsked) -> FilesAnswered:
        area = self._client.get_workflow_handle(request.area)
        id = f"{put.task}/{put.start}/{request.number}"
        try:
            # The SDK leaves one parameter of this method's overloads untyped.
            return await area.execute_update(  # pyright: ignore[reportUnknownMemberType]
                FILES, put, id=id, result_type=FilesAnswered
            )
        except WorkflowUpdateFailedError as failed:
            why = f"its planner ended, or cannot tell: {failed.cause}"
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            why = "its planner has ended"
        gone = (FileAnswer(path=r.path, granted=False, text=why) for r in put.requests)
        return FilesAnswered(answers=tuple(gone))

    @activity.defn
    async def hand_off(self, request: HandOff) -> Report:
        """Keeps a handoff and reports it to the task's planner."""
        handoff = request.handoff
        saved = await asyncio.to_thread(self._blobs.put_model, request.name, handoff)
        spend = sum((attempt.said_spend for attempt in handoff.attempts), Spend())
        if request.talked:
            spend += await asyncio.to_thread(self._spent, request)
        report = Report(
            child=handoff.task,
            start=request.start,
            epoch=request.epoch,
            status=handoff.status,
            handoff=saved,
            landed=handoff.landed,
            files=len(handoff.files) if handoff.status.landed else 0,
            green=request.green,
            spend=spend,
            needs=handoff.needs,
            hot=handoff.hot,
        )
        await self._report(request.parent, report)
        return report

    def _spent(self, request: HandOff) -> Spend:
        scope, attempts = (
            task_scope(request.handoff.task),
            attempts_of(request.epoch, request.start),
        )
        return self._transcripts.spent(request.name, scope, attempts)

    @activity.defn
    async def tell_planner(self, request: TellPlanner) -> None:
        """Reports an area's progress, or its end."""
        await self._report(request.parent, request.report)

    async def _report(self, parent: str, report: Report) -> None:
        if not await self._tell(parent, REPORT, report):
            activity.logger.warning("nobody takes the report of %s", report.child)

    @activity.defn
    async def describe_runs(self, request: DescribeRuns) -> Runs:
        """The state of some workflows, by id."""
        return Runs(runs=tuple([await described(self._client, id) for id in request.ids]))

    @activity.defn
    async def read_ends(self, request: DescribeRuns) -> MigrationEnds:
        """How some migrations ended, by id."""
        return MigrationEnds(ends=tuple([await self._end(id) for id in request.ids]))

    async def _end(self, id: str) -> MigrationEnd:
        status = await described(self._client, id)
        if status.is_open:
            return MigrationEnd(id=id, is_open=True)
        if status.status != "COMPLETED":
            return MigrationEnd(id=id, reason=status.status.lower().replace("_", " "))
        handle = self._client.get_workflow_handle(id, result_type=MigrationResult)
        return MigrationEnd(id=id, result=await handle.result())

    @activity.defn
    async def count_workers(self, request: CountWorkers) -> WorkerCount:
        """Who asks for steps of a queue now; a second run may count others."""
        return WorkerCount(workers=len(await workers_of(self._client, {request.queue: False})))

    async def _tell(self, workflow: str, signal: str, message: Contract) -> bool:
        """Whether there was an open workflow to take it."""
        try:
            await self._client.get_workflow_handle(workflow).signal(signal, message)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True
