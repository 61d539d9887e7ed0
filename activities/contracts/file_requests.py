"""Files beyond a task's claims: asked for by its worker, or granted by its planner beforehand."""

from typing import Annotated

from pydantic import Field

from activities.contracts.base import CommitId, Contract, Form, TaskId
from activities.contracts.run_form import Reason

MAX_GRANTS = 20
"""Of one task: more would be another division of the work, which is the planner's."""
MAX_PATH = 1024
"""Characters of a path that is asked for."""
MAX_REASON = 300


class Grant(Form):
    """A path that a task may change although it is not among its claims, and why."""

    path: Annotated[str, Field(min_length=1)]
    reason: Reason


class FileRequest(Contract):
    """A path outside the claim that a worker asks for."""

    path: str
    reason: str


class FileAnswer(Contract):
    """What the planner said to it."""

    path: str
    granted: bool
    text: str = ""
    """Why not, or what to mind."""
    held_by: str = ""
    """The task at work that holds it: whoever asked is queued again behind it."""


class FilesAsked(Contract):
    """What one start of a task asks its area for."""

    task: TaskId
    start: int
    epoch: str
    requests: tuple[FileRequest, ...]


class FilesAnswered(Contract):
    """To each request, in their order."""

    answers: tuple[FileAnswer, ...]


class FilesNeeded(Contract):
    """Why a task is to be queued again, and where its next start goes on."""

    wanted: tuple[Grant, ...]
    """Files that others hold: they join its claim when it starts again."""
    commit: CommitId
    """What it did so far, on `base`."""
    base: CommitId
    rung: int
    """0-based."""


class FilesRequested(Contract):
    """What one start of a task has asked for so far."""

    times: int = 0
    held: tuple[FileRequest, ...] = ()
    """What others hold: the attempt under way ends with it."""
    refused: tuple[FileAnswer, ...] = ()
    """Follow-ups: somebody may want to change these after all."""
