"""AreaWorkflow: keeps a window of its tasks running until every one of them is final.

The same code at every level. It decides who may start (frontier.py), the roster knows who works on
what; handoffs flow up as one blob in its report.
"""

from temporalio import workflow

from activities.contracts.base import BlobRef, TaskId
from activities.contracts.children import (
    FILES,
    REPORT,
    WISH,
    AreaInput,
    AreaRow,
    AreaSteering,
    Granted,
    Report,
    TaskCounts,
    Wish,
)
from activities.contracts.file_requests import FilesAnswered, FilesAsked
from activities.contracts.messages import TellPlanner
from activities.messages import MessageActivities
from workflows import area_caps, details, frontier, granting, interventions, renewing, witnesses
from workflows.draining import drained
from workflows.locally import locally
from workflows.options import MAX_DECISIONS, RECHECK_CHILDREN, is_long
from workflows.present import has_model
from workflows.roster import Roster
from workflows.steering import Steering

PROGRESS_STEPS = 40
"""How often an area tells its parent at most: each time costs the parent a few events."""


@workflow.defn
class AreaWorkflow:
    """A part of the repository and the tasks in it."""

    @workflow.init
    def __init__(self, area: AreaInput) -> None:
        self._in = area
        self._steering = Steering(area)
        self._roster = Roster(area, self._steering)
        self._granted = area.granted
        self._woken = False
        self._closed = False
        """It has told its parent its end: no wish is granted any more."""
        self._pilot_told = False
        self._told = -1
        self._told_broke: tuple[str, ...] = ()

    @workflow.run
    async def run(self, area: AreaInput) -> Report:
        return await drained(self._story(), self._cancel)

    def _cancel(self) -> None:
        """Through Temporal: the same as a planner's word."""
        self.steer_area(self._steering.wanted.model_copy(update={"cancelled": True}))

    async def _story(self) -> Report:
        await self._roster.load()
        if self._in.thinks:
            self._roster.has_model = await has_model()
        while True:
            self._woken = False
            self._roster.take_reports()
            await self._roster.sum_lost()
            if not self._cancelled:
                await self._roster.recover_lost()
            await self._steering.pass_on(self._roster.rows)
            await self._roster.stop_unwanted(self._cancelled)
            self._roster.settle(self._cancelled)
            if not self._paused and not self._cancelled:
                self._roster.end_held(self._pilot)
                await self._roster.start_ready(self._pilot)
            await self._tell_progress()
            await self._tell_pilot()
            if self._is_over and (report := await self._report()):
                return report
            if is_long() and not self._woken:
                await self._continue()
            await self._news()

    @workflow.signal(name=REPORT)
    def report(self, report: Report) -> None:
        """A child's report; the roster ignores late ones."""
        self._roster.inbox.append(report)

    @workflow.signal
    def steer_area(self, steering: AreaSteering) -> None:
        """Pause, go on, cancel, limits, texts; the same words twice change nothing."""
        cancelled = self._cancelled or steering.cancelled
        self._steering.wanted = steering.model_copy(update={"cancelled": cancelled})
        self._woken = True

    @workflow.update(name=WISH)
    def wish(self, wish: Wish) -> Granted:
        """What a person wants done to tasks; one that is sent again is answered as before."""
        for before in self._granted:
            if before.id == wish.id:
                return before
        if self._closed or self._cancelled:
            why = "it is being cancelled" if self._cancelled else "all its tasks have ended"
            return Granted(id=wish.id, refused=f"nothing is changed in the cycle any more: {why}")
        rows, granted = interventions.grant(self._roster.rows, wish)
        if not granted.refused:
            self._roster.take(rows)
            self._granted = (*self._granted, granted)[-MAX_DECISIONS:]
            self._woken = True
        return granted

    @workflow.update(name=FILES)
    def request_files(self, asked: FilesAsked) -> FilesAnswered:
        """What a task asks for beyond its claims; the same again is answered the same."""
        epoch = workflow.info().first_execution_run_id
        row, answers = granting.answer(self._roster.rows, asked, epoch, self._roster.hot)
        if row:
            self._roster.take([row])
        return FilesAnswered(answers=answers)

    @workflow.query
    def rows(self) -> list[AreaRow]:
        return self._roster.rows

    @property
    def _paused(self) -> bool:
        return self._steering.wanted.paused

    @property
    def _cancelled(self) -> bool:
        return self._steering.wanted.cancelled

    @property
    def _pilot(self) -> tuple[TaskId, ...]:
        """Until it is over only these start."""
        return () if self._steering.wanted.released else self._in.pilot

    @property
    def _is_over(self) -> bool:
        news = self._roster.inbox or self._woken or self._holds
        return self._roster.finished and not news

    def _show(self) -> None:
        page = details.area_page(
            self._in.cycle,
            self._roster.counts,
            self._steering.wanted,
            self._roster.window,
            len(self._pilot),
        )
        workflow.set_current_details(page)

    async def _news(self) -> None:
        """Waits until something may have changed; a pause has no end that could be looked for."""
        self._show()
        look = self._roster.has_earlier and not self._paused
        try:
            await workflow.wait_condition(
                lambda: bool(self._roster.inbox) or self._woken,
                timeout=RECHECK_CHILDREN if look else None,
                timeout_summary="waiting for tasks of an earlier run",
            )
        except TimeoutError:
            await self._roster.recheck()

    async def _tell_progress(self) -> None:
        counts = self._roster.counts
        finished = counts.total - counts.waiting - counts.running
        broke = area_caps.waits(counts)
        few = finished - self._told < max(1, counts.total // PROGRESS_STEPS)
        if self._told >= 0 and few and broke == self._told_broke:
            return
        self._told, self._told_broke = finished, broke
        await self._tell(self._as_report(counts, final=False))

    @property
    def _holds(self) -> bool:
        """Whether what a pilot taught decides about the others."""
        return bool(self._pilot) and not self._cancelled

    async def _tell_pilot(self) -> None:
        """When the pilot is over; again in a later run, which the planner ignores."""
        pilot = [row for row in self._roster.rows if row.task.id in self._pilot]
        if self._pilot_told or not self._holds or not all(map(frontier.is_final, pilot)):
            return
        self._pilot_told = True
        report = self._as_report(self._roster.counts, final=False)
        taught = await witnesses.handoffs(self._in, pilot)
        await self._tell(report.model_copy(update={"pilot": taught}))

    def _as_report(self, counts: TaskCounts, final: bool, handoff: BlobRef | None = None) -> Report:
        return Report(
            child=self._in.area,
            start=self._in.cycle,
            epoch=self._in.epoch,
            handoff=handoff,
            landed=self._roster.green.commit,
            counts=counts,
            final=final,
        )

    async def _tell(self, report: Report) -> None:
        await locally(
            MessageActivities.tell_planner,
            TellPlanner(parent=self._in.parent, report=report),
            summary="report",
        )

    async def _report(self) -> Report | None:
        """The last word; None: there is news after all."""
        joined = await witnesses.handoffs(self._in, self._roster.rows)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._is_over:
            return None
        self._closed = True
        report = self._as_report(self._roster.counts, final=True, handoff=joined)
        await self._tell(report)
        return report

    async def _continue(self) -> None:
        """Goes on in a fresh run; what is running reports there."""
        await renewing.alone()
        if self._woken:
            return
        self._roster.take_reports()
        rows = tuple(
            row.model_copy(update={"from_earlier_run": row.state == frontier.RUNNING})
            for row in self._roster.rows
        )
        workflow.continue_as_new(
            self._in.model_copy(
                update={
                    "rows": rows,
                    "tip": self._roster.green.commit,
                    "tip_at": self._roster.green.at,
                    "steering": self._steering.wanted,
                    "steering_number": self._steering.number,
                    "granted": self._granted,
                    "hot": self._roster.hot,
                }
            )
        )
