"""Which files a task gets beyond its claims. Pure.

Whatever no task at work holds is free, a waiting one's claims too: that one starts when whoever has
the file is final, and is told. What another one at work holds is not waited for: whoever asked ends
its attempt, keeps its checkpoint, and holds nothing until it starts again with that file among what
it claims. So a task that holds files waits for nobody, and no two can wait for each other. A file
for which too much was bounced is one task's alone. What a task of another area claims is granted to
none of this one: that is a follow-up.
"""

from collections.abc import Iterable, Sequence

from activities.contracts.children import AreaRow, Report
from activities.contracts.contention import HotFile
from activities.contracts.file_requests import (
    MAX_GRANTS,
    FileAnswer,
    FileRequest,
    FilesAsked,
    Grant,
)
from activities.contracts.work import TaskStatus
from workflows import frontier

MAX_BYTES = 64 << 10
"""Of all grants of an area: its rows travel through history."""
MAX_QUEUED_AGAIN = 3
NOTES = 20


def answer(
    rows: Sequence[AreaRow], asked: FilesAsked, epoch: str, hot: Sequence[HotFile] = ()
) -> tuple[AreaRow | None, tuple[FileAnswer, ...]]:
    """The row as it is now, and an answer to each request; None: nothing of it is granted.

    The same again is answered the same.
    """
    row = next((r for r in rows if r.task.id == asked.task), None)
    if (
        row is None
        or row.state != frontier.RUNNING
        or (asked.epoch, asked.start) != (epoch, row.start)
    ):
        gone = "its planner does not know this start of the task as being at work"
        return None, tuple(_no(request, gone) for request in asked.requests)
    answers: list[FileAnswer] = []
    frozen = {file.path: file for file in hot if file.is_frozen}
    for request in asked.requests:
        file = None if request.path in row.may_change else frozen.get(request.path)
        owner = _owner(rows, request.path) if file else ""
        said = _no(request, _frozen(owner)) if owner else _answer(rows, row, request)
        if said.granted and request.path not in row.may_change:
            grant = Grant(path=request.path, reason=request.reason)
            row = row.model_copy(update={"granted_files": (*row.granted_files, grant)})
        answers.append(said)
    return row, tuple(answers)


def queued_again(rows: Sequence[AreaRow], row: AreaRow, report: Report) -> AreaRow:
    """The row of a task whose files others hold: it starts again when they are free; without them
    where its area cannot carry more."""
    needs = report.needs
    assert needs
    new = [grant for grant in needs.wanted if grant.path not in row.may_change]
    if _bytes(new) + _bytes(g for r in rows for g in r.granted_files) > MAX_BYTES:
        new = []
    return row.model_copy(
        update={
            "state": frontier.WAITING,
            "start": row.start + 1,
            "from_earlier_run": False,
            "handoff": report.handoff,
            "granted_files": (*row.granted_files, *new),
            "resumes": needs.model_copy(update={"wanted": ()}),
            "queued_again": row.queued_again + 1,
        }
    )


def notes(rows: Sequence[AreaRow], row: AreaRow) -> tuple[str, ...]:
    """What a task is told of its claims that others were granted."""
    own = set(row.task.claims)
    told = [
        f"{other.task.id} ({other.task.title}) {_may(other)} {grant.path}, which is yours: "
        f"{grant.reason}"
        for other in rows
        if other.task.id != row.task.id
        for grant in other.granted_files
        if grant.path in own
    ]
    return tuple(told[:NOTES])


def _answer(rows: Sequence[AreaRow], row: AreaRow, request: FileRequest) -> FileAnswer:
    path = request.path
    if path in row.may_change:
        return FileAnswer(path=path, granted=True, text="it is yours")
    others = [r for r in rows if r.task.id != row.task.id and path in r.may_change]
    if owner := _elsewhere(rows, row, path):
        whose = f"{owner.task.id} of area {owner.task.area} claims it"
        return _no(request, f"{whose}, and nothing is granted across areas: it is a follow-up")
    holder = next((r for r in others if r.state == frontier.RUNNING), None)
    if len(row.granted_files) >= MAX_GRANTS:
        return _no(request, f"{MAX_GRANTS} files beyond its claims are the most for one task")
    if holder and row.queued_again >= MAX_QUEUED_AGAIN:
        return _no(request, f"{holder.task.id} holds it, and the task was queued again often")
    if _bytes(g for r in rows for g in r.granted_files) > MAX_BYTES:
        return _no(request, "its area has granted as much as it can carry")
    if holder:
        text = f"{holder.task.id} holds it: the task is queued again behind that one"
        return FileAnswer(path=path, granted=False, text=text, held_by=holder.task.id)
    waiting = [r.task.id for r in others if r.state == frontier.WAITING]
    text = f"{', '.join(waiting[:3])} will change it after this task" if waiting else ""
    return FileAnswer(path=path, granted=True, text=text)


def _elsewhere(rows: Sequence[AreaRow], row: AreaRow, path: str) -> AreaRow | None:
    """The task of another area that claims a path; what mends a red is of no area."""
    if row.task.mends:
        return None
    claimants = [r for r in rows if path in r.task.claims and not r.task.mends]
    if any(r.task.area == row.task.area for r in claimants):
        return None
    return next(iter(claimants), None)


def _bytes(grants: Iterable[Grant]) -> int:
    return sum(len(grant.path.encode()) + len(grant.reason.encode()) for grant in grants)


def _owner(rows: Sequence[AreaRow], path: str) -> str:
    """Whose a frozen file is: who claims it, else who was granted it first; of no concern is who
    ended without landing. Empty: nobody's, so whoever asks is its one owner from now on."""
    able = [r for r in rows if path in r.may_change]
    able = [r for r in able if not frontier.is_final(r) or frontier.has_landed(r)]
    claims = (r.task.id for r in able if path in r.task.claims)
    return next(claims, able[0].task.id if able else "")


def _frozen(owner: str) -> str:
    return f"it is frozen, because too much was bounced for it: {owner} alone may change it"


def _may(other: AreaRow) -> str:
    if other.state in (TaskStatus.LANDED, TaskStatus.PARTIAL):
        return "was granted, and may have changed,"
    return "was granted" if frontier.is_final(other) else "may change"


def _no(request: FileRequest, why: str) -> FileAnswer:
    return FileAnswer(path=request.path, granted=False, text=why)
