"""The roster: an area's rows and the children that work on them.

Children are started with ABANDON, because continue-as-new counts as closing the parent; they report
by signal with (task, start, epoch), and other epochs are ignored. A child that dies sends no
report: within a run its handle is watched, after continue-as-new it is described now and again.
A lost task whose work is on the green branch has landed; any other is started anew, a few times.
"""

import asyncio
from collections.abc import Collection, Sequence

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, FailureError, WorkflowAlreadyStartedError

from activities.contracts.base import BlobRef, TaskId
from activities.contracts.children import HELD, AreaInput, AreaRow, Report, TaskCounts, TaskInput
from activities.contracts.contention import SHOWN, hottest
from activities.contracts.landing import GreenTip
from activities.contracts.work import TaskStatus
from workflows import area_caps, budget, contention, frontier, granting, witnesses
from workflows.options import (
    AT_WORK,
    MAX_PENDING_CHILDREN,
    MAX_STARTS,
    of_migration,
    task_id,
)
from workflows.steering import Steering
from workflows.task import TaskWorkflow

Child = workflow.ChildWorkflowHandle[TaskWorkflow, Report]


class Roster:
    """Who works on what; lives inside one area run."""

    def __init__(self, area: AreaInput, steering: Steering) -> None:
        self._in = area
        self._steering = steering
        self._stopped: set[tuple[str, int]] = set()
        """(task, start) that this run has cancelled already."""
        self._by_task: dict[str, AreaRow] = {}
        self._watchers: set[asyncio.Task[None]] = set()
        self.inbox: list[Report] = []
        self.has_model = False
        self.unpaid = 0
        """Tasks that could have started, if there were money left to grant."""
        self.green = GreenTip(commit=area.tip, at=area.tip_at)
        self.hot = area.hot
        """Files that its tasks contended for."""

    @property
    def rows(self) -> list[AreaRow]:
        return list(self._by_task.values())

    @property
    def counts(self) -> TaskCounts:
        """Where they stand, with what they cost."""
        counted = frontier.count(self.rows)
        areas = area_caps.standing(self._steering.wanted, self.rows)
        money = {"spend": budget.spent(self.rows), "unpaid": self.unpaid, "areas": areas}
        return counted.model_copy(update={**money, "hot": self.hot[:SHOWN]})

    @property
    def finished(self) -> bool:
        return all(frontier.is_final(row) for row in self.rows)

    @property
    def has_earlier(self) -> bool:
        return any(row.from_earlier_run for row in self.rows)

    @property
    def window(self) -> int:
        """How many tasks may run at once."""
        wanted = self._steering.wanted.concurrency or self._in.concurrency
        return min(wanted, MAX_PENDING_CHILDREN)

    async def load(self) -> None:
        """The plan's rows; a first start reads from git what an earlier life landed."""
        if self._in.rows is not None:
            self._by_task = {row.task.id: row for row in self._in.rows}
            return await self.recheck()
        self._by_task = {row.task.id: row for row in await witnesses.planned(self._in)}
        landed, tip = await witnesses.landed_in_git(self._in)
        self._see(tip)
        for task, commit in landed.items():
            if task in self._by_task:
                self.end(self._by_task[task], TaskStatus.LANDED, landed=commit)
        for row in self.rows:
            if row.state == frontier.WAITING and (why := self._in.skipped.get(row.task.id)):
                self._update(row, state=TaskStatus.SKIPPED.value, skipped=why)

    def take_reports(self) -> None:
        """Late reports (another epoch, start or state) are ignored."""
        for report in self.inbox:
            row = self._by_task.get(report.child)
            if (
                row
                and row.state == frontier.RUNNING
                and report.epoch == workflow.info().first_execution_run_id
                and report.start == row.start
                and report.status
            ):
                if report.status is not TaskStatus.LOST:
                    spend = row.spend + report.spend
                    row = self._update(row, files=report.files, spend=spend, grant=None)
                if report.status is TaskStatus.NEEDS_FILES and report.needs:
                    self._by_task[report.child] = granting.queued_again(self.rows, row, report)
                else:
                    self.end(row, report.status, report.handoff, report.landed)
                self._see(report.green)
                self.hot = hottest((*self.hot, *report.hot))
        self.inbox = []

    def _see(self, tip: GreenTip | None) -> None:
        """Reports overtake each other, and a task starts on a tree that has all it needs."""
        if tip and tip.at >= self.green.at:
            self.green = tip

    def end(
        self,
        row: AreaRow,
        status: TaskStatus,
        handoff: BlobRef | None = None,
        landed: str | None = None,
    ) -> None:
        """One that a person skipped while it ran is skipped, unless it ended by itself first."""
        unsummed = row.unsummed or status is TaskStatus.LOST
        if row.skipped and status in (TaskStatus.CANCELLED, TaskStatus.LOST, TaskStatus.ORPHANED):
            status = TaskStatus.SKIPPED
        end = {"state": status.value, "handoff": handoff, "landed": landed or row.landed}
        self._update(row, from_earlier_run=False, unsummed=unsummed, **end)

    def take(self, rows: Sequence[AreaRow]) -> None:
        """Rows that a person's wish changed."""
        self._by_task |= {row.task.id: row for row in rows}

    def _update(self, row: AreaRow, **fields: object) -> AreaRow:
        self._by_task[row.task.id] = row.model_copy(update=fields)
        return self._by_task[row.task.id]

    def settle(self, cancelled: bool) -> None:
        """Ends what can never start."""
        for row in frontier.blocked(self.rows):
            why = f"it needs {', '.join(row.task.needs)}, which did not all land"
            self._update(row, state=TaskStatus.SKIPPED.value, skipped=why)
        if cancelled:
            for row in self.rows:
                if row.state == frontier.WAITING:
                    self.end(row, TaskStatus.CANCELLED)

    def end_held(self, pilot: Collection[TaskId]) -> None:
        """Ends what a spent error budget holds: the next cycle may have a task that mends it."""
        kept_back = self._steering.kept_back(self.rows)
        for row in frontier.stuck(self.rows, pilot, self._steering.wanted.held, kept_back):
            self._update(row, state=HELD)

    async def start_ready(
        self, pilot: Collection[TaskId], poor: frozenset[str] = frozenset()
    ) -> None:
        """Fills the window, from the pilot alone while there is one, and with what can be paid for:
        a task that its area cannot pay for leaves its place to others."""
        poor |= self._poor()
        kept_back = self._steering.kept_back(self.rows) | poor
        await self._start_all(frontier.ready(self.rows, self.window, pilot, kept_back))
        if not self._poor() <= poor:
            return await self.start_ready(pilot, poor)
        self.hot = hottest((*self.hot, *contention.waits(self.rows)))

    def _poor(self) -> set[str]:
        return area_caps.poor(self._steering.wanted, self.rows)

    async def _start_all(self, ready: Sequence[AreaRow]) -> None:
        """A task id taken by an earlier life is started under its next start."""
        self.unpaid = 0
        for task in [row.task.id for row in ready]:
            if self._by_task[task].state != frontier.WAITING:
                continue  # a person skipped it while others were being started
            if not self._paid(task):
                self.unpaid += 1
                continue
            child: Child | None = None
            while child is None:
                try:
                    child = await self._start(self._by_task[task])
                except WorkflowAlreadyStartedError:
                    taken = self._by_task[task]
                    self._update(taken, start=taken.start + 1)
            watcher = asyncio.create_task(self._watch(self._by_task[task], child))
            self._watchers.add(watcher)
            watcher.add_done_callback(self._watchers.discard)

    def _paid(self, task: str) -> bool:
        """Reserves what the task may cost; False: there is not enough left."""
        wanted, row = self._steering.wanted, self._by_task[task]
        if wanted.each is None or row.grant is not None:
            return True
        granted = area_caps.grant(row, wanted, self.rows)
        self._update(row, grant=granted)
        return granted is not None

    async def sum_lost(self) -> None:
        """What a lost child cost is read from its records; until then its grant stays reserved."""
        for row in self.rows if self._in.thinks else ():
            if row.unsummed:
                found = await witnesses.spent(self._in, row)
                now = self._by_task[row.task.id]
                self._update(now, spend=now.spend + found, grant=None, unsummed=False)

    async def _start(self, row: AreaRow) -> Child:
        row = self._update(row, state=frontier.RUNNING)
        return await workflow.start_child_workflow(
            TaskWorkflow.run,
            TaskInput(
                name=self._in.name,
                task=row.task.id,
                start=row.start,
                parent=workflow.info().workflow_id,
                epoch=workflow.info().first_execution_run_id,
                repository=self._in.repository,
                branch=self._in.branch,
                queue=self._in.queue,
                spec=self._in.spec,
                plan=self._in.plan,
                phase=self._in.phase,
                tip=self.green.commit,
                base=self._in.base,
                title=row.task.title,
                thinks=self._in.thinks,
                has_model=self.has_model,
                grant=row.grant,
                survey=self._in.survey,
                steering=self._steering.letter(row.task.id),
                granted_files=row.granted_files,
                notes=granting.notes(self.rows, row),
                resumes=row.resumes,
            ),
            id=task_id(self._in.name, row.task.id, row.start),
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"{row.task.id}: {row.task.title}"[:200],
            search_attributes=of_migration(AT_WORK),
        )

    async def _watch(self, row: AreaRow, child: Child) -> None:
        """A finished child has reported (twice is harmless); one that died has not."""
        try:
            self.inbox.append(await child)
        except FailureError:
            epoch, lost = workflow.info().first_execution_run_id, TaskStatus.LOST
            self.inbox.append(Report(child=row.task.id, start=row.start, epoch=epoch, status=lost))

    async def recheck(self) -> None:
        """Describes what an earlier run started; the dead ones are lost."""
        earlier = {
            task_id(self._in.name, row.task.id, row.start): row.task.id
            for row in self.rows
            if row.from_earlier_run
        }
        if not earlier:
            return
        ended = await witnesses.ended(earlier)
        await workflow.sleep(1, summary="let reports on their way arrive")
        self.take_reports()
        for id in ended:
            row = self._by_task[earlier[id]]
            if row.state == frontier.RUNNING:
                self.end(row, TaskStatus.LOST)

    async def recover_lost(self) -> None:
        """Asks git whether a lost task landed; else starts it anew, a few times."""
        lost = [r for r in self.rows if r.state == TaskStatus.LOST and r.deaths + 1 < MAX_STARTS]
        if not lost:
            return
        landed, tip = await witnesses.landed_in_git(self._in)
        self._see(tip)
        for row in lost:
            if row.task.id in landed:
                self.end(row, TaskStatus.LANDED, landed=landed[row.task.id])
            else:
                again = {"start": row.start + 1, "deaths": row.deaths + 1}
                self._update(row, state=frontier.WAITING, **again)

    async def stop_unwanted(self, all_of_them: bool) -> None:
        """Cancelling is the parent's explicit act on every outstanding id."""
        for row in self.rows:
            run = (row.task.id, row.start)
            unwanted = row.state == frontier.RUNNING and (all_of_them or row.skipped)
            if unwanted and run not in self._stopped:
                self._stopped.add(run)
                child = workflow.get_external_workflow_handle(
                    task_id(self._in.name, row.task.id, row.start)
                )
                try:
                    await child.cancel()
                except ApplicationError as error:
                    workflow.logger.warning("child not there to cancel", exc_info=error)
