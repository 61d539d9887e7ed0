"""Which tasks may start now.

A task may start when what it needs has LANDED, nobody holds a file it claims, and the window has
room. A claim is held from the start until the task is final, whatever its workflow is doing.
"""

from collections.abc import Collection, Sequence

from activities.contracts.base import TaskId
from activities.contracts.children import HELD, AreaRow, TaskCounts
from activities.contracts.work import TaskStatus

WAITING = "waiting"
RUNNING = "running"


def is_final(row: AreaRow) -> bool:
    return row.state not in (WAITING, RUNNING)


def ready(
    rows: Sequence[AreaRow],
    window: int,
    pilot: Collection[TaskId] = (),
    paused: Collection[TaskId] = (),
) -> list[AreaRow]:
    """The rows to start now, in plan order, at most `window` running in all.

    While there is a pilot, only of it; none of the paused, which hold no claim before they start.
    """
    landed = {row.task.id for row in rows if has_landed(row)}
    held = {path for row in rows if row.state == RUNNING for path in row.may_change}
    room = window - sum(row.state == RUNNING for row in rows)
    chosen: list[AreaRow] = []
    for row in rows:
        if len(chosen) >= room:
            break
        if row.state != WAITING or not landed.issuperset(row.task.needs):
            continue
        if row.task.id in paused or (pilot and row.task.id not in pilot):
            continue
        if held.isdisjoint(row.may_change):
            held.update(row.may_change)
            chosen.append(row)
    return chosen


def blocked(rows: Sequence[AreaRow]) -> list[AreaRow]:
    """Waiting rows that can never start: something they need ended without landing."""
    dead = {row.task.id for row in rows if is_final(row) and not has_landed(row)}
    out: list[AreaRow] = []
    grew = True
    while grew:
        more = [
            row
            for row in rows
            if row.state == WAITING
            and row.task.id not in dead
            and not dead.isdisjoint(row.task.needs)
        ]
        dead.update(row.task.id for row in more)
        out.extend(more)
        grew = bool(more)
    return out


def stuck(
    rows: Sequence[AreaRow],
    pilot: Collection[TaskId],
    paused: Collection[TaskId],
    kept_back: Collection[TaskId],
) -> list[AreaRow]:
    """All that is not over, where nothing but a spent error budget keeps it from starting and
    nobody is at work who could mend that; a person who paused one of them is asked anyway.

    `kept_back`: the paused, and those that the budget holds.
    """
    left = [row for row in rows if not is_final(row)]
    if any(row.state == RUNNING or row.task.id in paused for row in left):
        return []
    could = ready(rows, 1, pilot) and not ready(rows, 1, pilot, kept_back)
    return left if could else []


def has_landed(row: AreaRow) -> bool:
    return row.state in (TaskStatus.LANDED, TaskStatus.PARTIAL, TaskStatus.NOTHING_TO_DO)


def count(rows: Sequence[AreaRow]) -> TaskCounts:
    """How many rows stand where."""
    states = [row.state for row in rows]
    landed = sum(s in (TaskStatus.LANDED, TaskStatus.PARTIAL) for s in states)
    person = sum(s in (TaskStatus.NEEDS_PERSON, TaskStatus.CANNOT) for s in states)
    waiting, running, held = (states.count(state) for state in (WAITING, RUNNING, HELD))
    return TaskCounts(
        waiting=waiting,
        running=running,
        landed=landed,
        needs_person=person,
        other=len(states) - landed - person - waiting - running - held,
        held=held,
        files=sum(row.files for row in rows),
        sites_gone=sum(row.task.sites for row in rows if row.state == TaskStatus.LANDED),
    )
