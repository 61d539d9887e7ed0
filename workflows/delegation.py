"""What a planner hands to an area, and how it learns what became of it."""

from datetime import timedelta
from typing import Any

from temporalio import workflow

from activities.contracts.base import BlobRef
from activities.contracts.children import STEER_AREA, AreaInput, AreaSteering, Report
from workflows.area import AreaWorkflow
from workflows.kept import Handle, Kept
from workflows.landing_queue import LandingQueue
from workflows.options import RECHECK_CHILDREN, area_id, of_migration


class Delegation:
    """One area's work in one cycle, and the queue it needs; lives inside the planner's run."""

    def __init__(
        self, area: AreaInput, queue: LandingQueue, is_open: bool, told: AreaSteering
    ) -> None:
        self._area = area
        self._queue = queue
        self._id = area_id(area.name, area.area)
        self._kept = Kept("the area", self._id, is_open, self._start, self._end)
        self._final: Report | None = None
        self.pilot: BlobRef | None = None
        """The handoffs of the pilot, once it is over."""
        self._woken = False
        self._steering = told
        self.told = told
        """What the area was last told."""

    @property
    def is_open(self) -> bool:
        return self._kept.is_open

    @property
    def has_heard(self) -> bool:
        """Something since it last advanced: a run that ends now would not hand it on."""
        return self._woken

    def hear(self, report: Report) -> bool:
        """Takes a report; False: it is of another cycle or epoch and changes nothing."""
        if (report.epoch, report.start) != (self._area.epoch, self._area.cycle) or self._final:
            return False
        self._woken = True
        self.pilot = report.pilot or self.pilot
        if report.final:
            self._final = report
        return True

    def wake(self) -> None:
        """Something that the area must be told, or see to, may have changed."""
        self._woken = True

    async def advance(
        self, steering: AreaSteering, time_left: timedelta | None, next_look: timedelta | None
    ) -> Report | None:
        """Starts, steers and waits until something happened, the time is over or the base is to be
        looked at; the final report when there is one."""
        self._woken = False
        await self._see_to_children(steering)
        if self._final:
            return self._final
        watched = self._kept.is_watched and self._queue.is_watched
        look = None if watched or steering.paused else RECHECK_CHILDREN
        ends = [end for end in (look, time_left, next_look) if end is not None]
        if timedelta() in ends:
            return None
        try:
            await workflow.wait_condition(
                lambda: self._woken,
                timeout=min(ends, default=None),
                timeout_summary=f"tasks at work: cycle {self._area.cycle}",
            )
        except TimeoutError:
            if look:
                await self._kept.look()
                await self._queue.look()
        self._woken = False
        return self._final

    async def give_up(self) -> None:
        """The planner has failed: what is at work finishes what it does and ends."""
        await self._kept.tell(STEER_AREA, AreaSteering(cancelled=True))

    async def _see_to_children(self, steering: AreaSteering) -> None:
        if self._final:
            return
        self._steering = steering
        await self._queue.keep(steering.paused)
        await self._kept.keep()
        if steering != self.told:
            self.told = steering
            await self._kept.tell(STEER_AREA, steering)

    async def _start(self) -> Handle:
        self.told = self._steering
        return await workflow.start_child_workflow(
            AreaWorkflow.run,
            self._area.model_copy(update={"steering": self.told}),
            id=self._id,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"cycle {self._area.cycle} of {self._area.phase}",
            search_attributes=of_migration(),
        )

    def _end(self, report: Any) -> None:
        """A finished area has reported (twice is harmless); one that died has not."""
        self._woken = True
        if isinstance(report, Report):
            self.hear(report)
