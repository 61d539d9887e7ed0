"""Which tasks are a phase's pilot, and what they taught. Pure."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil, floor, sqrt
from pathlib import PurePosixPath
from statistics import median

from activities.contracts.base import TaskId
from activities.contracts.money import Spend
from activities.contracts.pilot import Pilot
from activities.contracts.plan import Plan, Task
from activities.contracts.survey import SurveyData
from activities.contracts.work import Handoff, TaskStatus
from activities.static_plan import schedule_waves

SIZES = 3
"""Small, middling and large tasks, by their place among all."""
MAX_LINES = 10
LINE = 200
_Z = 1.645
"""Of a 90 % interval."""


def choose_pilot(tasks: Sequence[Task], count: int) -> tuple[TaskId, ...]:
    """At most `count` tasks with all that they need, in plan order; none when that is everybody.

    They are spread over top-level folders, folders and sizes, in this order. A task whose needs do
    not fit any more is left out, so that a phase whose tasks stand in a row begins with the first.
    """
    if count >= len(tasks):
        return ()
    by_id = {task.id: task for task in tasks}
    sizes = sorted(task.sites for task in tasks)
    kinds = {task.id: _kinds(task, sizes) for task in tasks}
    seen: Counter[tuple[str, str | int]] = Counter()
    chosen: set[TaskId] = set()

    def rank(task: Task) -> list[int]:
        return [seen[kind] for kind in kinds[task.id]]

    while len(chosen) < count:
        room = count - len(chosen)
        fitting = [t for t in tasks if t.id not in chosen and _fits(t, by_id, chosen, room)]
        best = min(fitting, key=rank)
        for id in _needed(best, by_id, chosen):
            chosen.add(id)
            seen.update(kinds[id])
    return tuple(task.id for task in tasks if task.id in chosen)


def _kinds(task: Task, sizes: Sequence[int]) -> tuple[tuple[str, str | int], ...]:
    """What others may be alike in, the most telling first."""
    path = PurePosixPath(task.claims[0])
    size = bisect_left(sizes, task.sites) * SIZES // len(sizes)
    return ("top", path.parts[0]), ("folder", str(path.parent)), ("size", size)


def _fits(task: Task, by_id: Mapping[TaskId, Task], chosen: set[TaskId], room: int) -> bool:
    return len(_needed(task, by_id, chosen, room)) <= room


def _needed(
    task: Task, by_id: Mapping[TaskId, Task], chosen: set[TaskId], most: int | None = None
) -> set[TaskId]:
    """The task and what it needs that is not chosen yet; may stop once it is more than `most`."""
    found, walk = {task.id}, [task.id]
    while walk and (most is None or len(found) <= most):
        more = set(by_id[walk.pop()].needs) - found - chosen
        found |= more
        walk += more
    return found


def learn(
    plan: Plan,
    survey: SurveyData,
    handoffs: Sequence[Handoff],
    window: int,
    undone: Callable[[Iterable[Handoff]], Iterable[tuple[str, tuple[str, ...], str]]],
) -> Pilot:
    """What the pilot's handoffs say about it, and about the rest if that is like it.

    `undone` tells what of a task is not done and why; `window`: how many tasks run at once.
    """
    spent = sorted(handoff.seconds for handoff in handoffs) or [0.0]
    costs = [sum((a.spend for a in h.attempts), Spend()) for h in handoffs] or [Spend()]
    totals = sorted(cost.total for cost in costs)
    landed = sum(_has_landed(handoff) for handoff in handoffs)
    rest = [task for task in plan.tasks if task.id not in plan.pilot]
    low, high = _interval(landed, len(handoffs))
    return Pilot(
        phase=plan.phase,
        cycle=plan.cycle,
        tasks=len(handoffs),
        landed=landed,
        undone=tuple(_line(*entry) for entry in undone(handoffs))[:MAX_LINES],
        fastest=spent[0],
        median=median(spent),
        slowest=spent[-1],
        sites=sum(file.sites for file in survey.files),
        sites_left=sum(f.sites for f in survey.files if f.path not in _done(plan, handoffs)),
        rest=len(rest),
        rest_waves=len(schedule_waves(_without_needs(rest, plan.pilot), window)),
        land_low=floor(low * len(rest)),
        land_high=ceil(high * len(rest)),
        spend=sum(costs, Spend()),
        cheapest=totals[0],
        dearest=totals[-1],
        files=sum(len(h.files) for h in handoffs if h.status.landed),
    )


def _has_landed(handoff: Handoff) -> bool:
    return handoff.status.landed or handoff.status is TaskStatus.NOTHING_TO_DO


def _done(plan: Plan, handoffs: Iterable[Handoff]) -> set[str]:
    claims = {task.id: task.claims for task in plan.tasks}
    done: set[str] = set()
    for handoff in handoffs:
        if _has_landed(handoff):
            left = {*handoff.left, *(back.path for back in handoff.put_back)}
            done |= set(claims[handoff.task]) - left
    return done


def _without_needs(tasks: Sequence[Task], met: Sequence[TaskId]) -> list[Task]:
    """The same tasks, once these others have landed."""
    left = ({"needs": tuple(n for n in task.needs if n not in met)} for task in tasks)
    return [task.model_copy(update=update) for task, update in zip(tasks, left, strict=True)]


def _interval(landed: int, tasks: int) -> tuple[float, float]:
    """Wilson's interval of a share: honest for few tasks too."""
    if not tasks:
        return 0.0, 1.0
    share, z2 = landed / tasks, _Z * _Z
    middle = (share + z2 / (2 * tasks)) / (1 + z2 / tasks)
    half = _Z / (1 + z2 / tasks) * sqrt(share * (1 - share) / tasks + z2 / (4 * tasks * tasks))
    return max(0.0, middle - half), min(1.0, middle + half)


def _line(task: str, paths: tuple[str, ...], why: str) -> str:
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    what = f"{paths[0]}{more}" if paths else "the whole task"
    text = " ".join(f"{task} {what}: {why}".split())
    return text if len(text) <= LINE else f"{text[: LINE - 1]}…"
