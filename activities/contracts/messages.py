"""What workflows tell each other, and ask about each other."""

from activities.contracts.base import BlobRef, Contract
from activities.contracts.children import Report, TaskSteering, Wish
from activities.contracts.file_requests import FilesAsked
from activities.contracts.landing import Candidate, GreenTip, Landing
from activities.contracts.work import Handoff


class AskToLand(Contract):
    """A task's word to the merge queue."""

    queue: str
    """The queue's workflow id."""
    candidate: Candidate
    withdraw: bool = False
    """Takes it back instead, where it is not composed yet."""
    parent: str
    epoch: str
    """The planner's workflow id and first run: one that is gone wants nothing landed."""


class Asked(Contract):
    """Who was there to hear it."""

    parent_open: bool
    queue_open: bool


class Answer(Contract):
    """A landing and the workflow id that waits for it."""

    to: str
    landing: Landing


class AnswerTasks(Contract):
    answers: tuple[Answer, ...]


class HandOff(Contract):
    """A task's last word to its planner."""

    name: str
    handoff: Handoff
    start: int
    parent: str
    epoch: str
    green: GreenTip | None = None
    """The last that the merge queue told the task of."""
    talked: bool = False
    """It took turns of a model: what they cost is summed from their records."""


class TellPlanner(Contract):
    """An area's word to its planner."""

    parent: str
    report: Report


class DescribeRuns(Contract):
    ids: tuple[str, ...]


class RunStatus(Contract):
    id: str
    status: str
    """RUNNING, COMPLETED, FAILED, … or NOT_FOUND."""
    first_run: str = ""
    """The first execution's run id: the epoch."""

    @property
    def is_open(self) -> bool:
        return self.status == "RUNNING"

    def is_open_since(self, epoch: str) -> bool:
        """Whether it is the life that was meant: another one wants nothing of an earlier's."""
        return self.is_open and self.first_run == epoch


class Runs(Contract):
    runs: tuple[RunStatus, ...]


class TaskLetter(Contract):
    """What a task is told, and its workflow id."""

    to: str
    steering: TaskSteering


class SteerTasks(Contract):
    letters: tuple[TaskLetter, ...]


class AskArea(Contract):
    """A wish, and the workflow id of the area that it is for."""

    area: str
    wish: Wish


class AskForFiles(Contract):
    """A task's request, the area that answers it, and the spec that forbids some paths."""

    area: str
    """Its workflow id."""
    asked: FilesAsked
    number: int
    """Counts the requests of this start."""
    spec: BlobRef
    phase: str


class CountWorkers(Contract):
    """How many workers wait for steps of a queue?"""

    queue: str


class WorkerCount(Contract):
    """Workers with room: one whose slots are all taken does not ask for steps."""

    workers: int
