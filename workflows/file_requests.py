"""A task asks its planner for files beyond its claims: the one way, whoever asks.

A command rung writes its requests to a file, and they are put when it has ended; an agent's
`request_files` puts them while its turn's tools wait, and hands the answers to the tool. What is
granted is the task's from then on. What another task holds ends the attempt: `held`.
"""

from collections.abc import Iterable, Sequence

from activities.contracts.children import TaskInput
from activities.contracts.file_requests import (
    FileAnswer,
    FileRequest,
    FilesAsked,
    FilesRequested,
    Grant,
)
from activities.contracts.messages import AskForFiles
from activities.contracts.requests import TaskOrder
from activities.messages import MessageActivities
from workflows.locally import locally

MAX_TIMES = 10
"""Requests of one start: whoever goes on asking gets nowhere."""
KEPT = 20


def told(said: FileAnswer) -> str:
    """An answer, for people."""
    return f"{said.path}: {said.text or 'granted'}"


class FileRequests:
    """What one task has asked for; lives inside its workflow run."""

    def __init__(self, task: TaskInput, order: TaskOrder) -> None:
        self._in = task
        self.order = order
        """With all that the task may change by now."""
        self.so_far = task.state.files if task.state else FilesRequested()

    async def ask(
        self, requests: Sequence[FileRequest], *, settles: bool = False
    ) -> tuple[FileAnswer, ...]:
        """The planner's answers, in order; it answers the same request the same. `settles`: it is a
        resolver that asks."""
        if not requests:
            return ()
        so_far = self.so_far
        why = "what settles a conflict changes no other files" if settles else ""
        if so_far.times >= MAX_TIMES:
            why = f"it has asked {MAX_TIMES} times: do without"
        if why:
            return tuple(FileAnswer(path=r.path, granted=False, text=why) for r in requests)
        answered = await locally(
            MessageActivities.ask_for_files,
            AskForFiles(
                area=self._in.parent,
                asked=FilesAsked(
                    task=self._in.task,
                    start=self._in.start,
                    epoch=self._in.epoch,
                    requests=tuple(requests),
                ),
                number=so_far.times,
                spec=self._in.spec,
                phase=self._in.phase,
            ),
            summary=f"ask for {len(requests)} files",
        )
        pairs = list(zip(requests, answered.answers, strict=True))
        known = self.order.task.may_change
        self._widen(
            Grant(path=request.path, reason=request.reason)
            for request, said in pairs
            if said.granted and request.path not in known
        )
        held = tuple(request for request, said in pairs if said.held_by)
        refused = tuple(said for _, said in pairs if not said.granted and not said.held_by)
        self.so_far = FilesRequested(
            times=so_far.times + 1,
            held=(*so_far.held, *held)[-KEPT:],
            refused=(*so_far.refused, *refused)[-KEPT:],
        )
        return answered.answers

    def _widen(self, new: Iterable[Grant]) -> None:
        task = self.order.task
        wider = task.model_copy(update={"grants": (*task.grants, *new)})
        self.order = self.order.model_copy(update={"task": wider})

    @property
    def notes(self) -> tuple[str, ...]:
        """What its worker should know: others' grants, and what it was refused."""
        refused = (f"{said.path} was asked for and refused: {said.text}" for said in self.refused)
        return (*self._in.notes, *refused)

    @property
    def refused(self) -> tuple[FileAnswer, ...]:
        """What was refused and not granted since."""
        last = {said.path: said for said in self.so_far.refused}
        mine = self.order.task.may_change
        return tuple(said for said in last.values() if said.path not in mine)

    @property
    def wanted(self) -> tuple[Grant, ...]:
        """What others hold and the task needs."""
        return tuple(Grant(path=r.path, reason=r.reason) for r in self.so_far.held)
