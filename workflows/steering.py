"""What an area's running tasks are told: pause, texts, limits, the end.

Each is told what it should do as a whole, and only when that has changed; letters are numbered, so
that one which was overtaken on its way changes nothing.
"""

from collections.abc import Iterable

from activities.contracts.children import AreaInput, AreaRow, TaskSteering
from activities.contracts.messages import SteerTasks, TaskLetter
from activities.messages import MessageActivities
from workflows import details, frontier
from workflows.locally import locally
from workflows.options import task_id


class Steering:
    """What is wanted of one area, as it passes it on; lives inside its run."""

    def __init__(self, area: AreaInput) -> None:
        self._name = area.name
        self._area = area.area
        self.wanted = area.steering
        self.number = area.steering_number
        # A run continues as new only when everybody has been told.
        running = [row for row in area.rows or () if row.state == frontier.RUNNING]
        self._told = {row.task.id: self._of(row.task.id) for row in running}

    def kept_back(self, rows: Iterable[AreaRow]) -> set[str]:
        """Tasks that may not start: paused one by one, or covered by a check that was red for too
        long behind the landings, until what mends it has landed: that it holds there is known."""
        rows = list(rows)
        mended = {row.task.mends for row in rows if frontier.has_landed(row)}
        reds = self.wanted.reds
        spent = {check for check in self.wanted.spent if reds.get(check, check) not in mended}
        stopped = {row.task.id for row in rows if not spent.isdisjoint(row.task.deep)}
        return {*self.wanted.held, *stopped}

    def letter(self, task: str) -> TaskSteering:
        """What a task is told, with its start or later."""
        self._told[task] = self._of(task)
        return self._told[task].model_copy(update={"number": self.number})

    async def pass_on(self, rows: Iterable[AreaRow]) -> None:
        """Tells those that run what is new to them."""
        running = [row for row in rows if row.state == frontier.RUNNING]
        news = [row for row in running if self._of(row.task.id) != self._told.get(row.task.id)]
        if not news:
            return
        self.number += 1
        letters = tuple(
            TaskLetter(
                to=task_id(self._name, row.task.id, row.start), steering=self.letter(row.task.id)
            )
            for row in news
        )
        await locally(
            MessageActivities.steer_tasks,
            SteerTasks(letters=letters),
            summary=f"tell {len(letters)} tasks",
        )

    def _of(self, task: str) -> TaskSteering:
        wanted = self.wanted
        mine = ("", f"area {self._area}", f"task {task}")
        paused = not wanted.cancelled and (wanted.paused or task in wanted.held)
        holds = [hold for hold in wanted.holds if paused and hold.target in mine]
        return TaskSteering(
            paused=paused,
            paused_by="; ".join(map(details.hold_text, holds)),
            draining=wanted.cancelled,
            attempts=wanted.attempts,
            guidance=tuple(said.text for said in wanted.guidance if said.target in mine),
        )
