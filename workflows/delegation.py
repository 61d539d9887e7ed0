"""What a planner hands to an area, and how it learns what became of it.

The area is started with ABANDON and reports by signal; its handle is watched within a run, and it
is described now and again after continue-as-new. An area that died is started anew, a few times:
its id is the scope, so two of them never decide the same question.
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from activities.contracts.migration import STEER_AREA, AreaInput, AreaSteering, Report
from activities.contracts.requests import DescribeRuns
from activities.records import RecordActivities
from workflows import details
from workflows.area import AreaWorkflow
from workflows.options import LOCAL, MAX_STARTS, RECHECK_CHILDREN, area_id, of_migration


class Delegation:
    """One area's work in one cycle; lives inside the planner's run."""

    def __init__(self, area: AreaInput, is_open: bool, told: AreaSteering) -> None:
        self._area = area
        self._id = area_id(area.name, area.area)
        self._final: Report | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._woken = False
        self._described = False
        self._deaths = 0
        self._died_of = ""
        self.is_open = is_open
        self.told = told
        """What the area was last told."""

    def hear(self, report: Report) -> bool:
        """Takes a report; False: it is of another cycle or epoch and changes nothing."""
        if (report.epoch, report.start) != (self._area.epoch, self._area.cycle) or self._final:
            return False
        self._woken = True
        if report.final:
            self._final = report
        return True

    def wake(self) -> None:
        """Something that the area must be told may have changed."""
        self._woken = True

    async def advance(self, steering: AreaSteering) -> Report | None:
        """Starts, steers and waits until something happened; the final report when there is one."""
        self._woken = False
        if self._final:
            return self._final
        if self.is_open and self._watcher is None and not self._described:
            await self._recheck()
        if not self.is_open:
            await self._start(steering)
        elif steering != self.told:
            await self._steer(steering)
        watched = self._watcher is not None and not self._watcher.done()
        try:
            await workflow.wait_condition(
                lambda: self._woken,
                timeout=None if watched else RECHECK_CHILDREN,
                timeout_summary=f"tasks at work: cycle {self._area.cycle}",
            )
        except TimeoutError:
            await self._recheck()
        return self._final

    async def _start(self, steering: AreaSteering) -> None:
        """Starts the area; one that died as often as a task may is the migration's failure."""
        if self._deaths >= MAX_STARTS:
            raise ApplicationError(f"the area died {self._deaths} times: {self._died_of}")
        child = await workflow.start_child_workflow(
            AreaWorkflow.run,
            self._area.model_copy(
                update={"paused": steering.paused, "cancelled": steering.cancelled}
            ),
            id=self._id,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"cycle {self._area.cycle} of {self._area.phase}",
            search_attributes=of_migration(),
        )
        self.is_open, self.told = True, steering
        self._watcher = asyncio.create_task(self._watch(child))

    async def _watch(self, child: workflow.ChildWorkflowHandle[AreaWorkflow, Report]) -> None:
        try:
            self.hear(await child)
        except FailureError as error:
            workflow.logger.error("the area died", exc_info=error)
            self._deaths += 1
            self._died_of = details.cause(error)
            self.is_open = False
            self._woken = True

    async def _steer(self, steering: AreaSteering) -> None:
        self.told = steering
        try:
            await workflow.get_external_workflow_handle(self._id).signal(STEER_AREA, steering)
        except ApplicationError as error:
            workflow.logger.warning("the area is gone", exc_info=error)

    async def _recheck(self) -> None:
        described = await workflow.execute_local_activity_method(
            RecordActivities.describe_runs,
            DescribeRuns(ids=(self._id,)),
            summary="is the area still there?",
            **LOCAL,
        )
        self._described = True
        if described.runs[0].status != "RUNNING" and not self._final:
            self.is_open = False
