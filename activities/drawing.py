"""A planner's form as tasks and areas, held against the rules of every plan. Pure.

A model names files by patterns, tasks by keys of its own, and leaves what it has no opinion on to
the split; ids, areas' paths and counts are made here. An area is judged as if it were one task, so
the rules about claims, needs and protected paths hold for it before its own planner begins.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pathspec import GitIgnoreSpec

from activities.contracts.money import Usd
from activities.contracts.plan import Task
from activities.contracts.plan_form import MAX_NOTES, PlanForm, TaskForm
from activities.contracts.scopes import ROOT, PartArea, PlanPart, PlanScope, with_tasks
from activities.draw_rules import bounds, rules
from activities.ground import Ground
from activities.static_plan import facts_of

STATIC = "static"
"""How the keys of tasks of the split begin."""


@dataclass(frozen=True)
class DrawnArea:
    """An area as its planner will be given it."""

    path: str
    area: str
    files: tuple[str, ...]
    decisions: tuple[str, ...]
    usd: Usd | None = None
    """Its own share, or that of the area that it lies in."""


@dataclass(frozen=True)
class Drawn:
    """What a form comes to."""

    part: PlanPart
    areas: tuple[DrawnArea, ...] = ()
    faults: tuple[str, ...] = ()
    """All that is wrong with it; empty: it may be carried out."""


def draw_static(ground: Ground) -> Drawn:
    """The scope as the phase's split divides it."""
    tasks = ground.split(ground.files)
    return Drawn(PlanPart(tasks=_renamed(tasks, _ids(tasks, {}, ground.scope), ground.scope)))


def draw(form: PlanForm, ground: Ground) -> Drawn:
    """What the form says, with all that is wrong with it."""
    faults: list[str] = []

    def resolved(key: str, files: Sequence[str], creates: Sequence[str] = ()) -> tuple[str, ...]:
        found, unknown = _resolved(files, creates, ground)
        faults.extend(f"{key}: {entry!r} names no file that you plan" for entry in unknown)
        return found

    own = [
        _own(task, resolved(task.key, task.files, task.creates), form, ground)
        for task in form.tasks
    ]
    areas = [
        _task(area.key, area.title, resolved(area.key, area.files), ground).model_copy(
            update={"needs": area.needs}
        )
        for area in form.areas
    ]
    rest = _rest(form, ground, {path for task in (*own, *areas) for path in task.claims})
    faults += bounds(form, ground, len(own) + len(rest))
    faults += rules([*own, *rest], areas, form.first, ground)
    for area in areas:
        if outside := sorted(set(area.claims) - ground.files):
            faults.append(f"{area.id}: {outside[0]} is none of the files that you plan")
    return _drawn(form, [*own, *rest], areas, ground, faults)


def _drawn(
    form: PlanForm, tasks: list[Task], areas: list[Task], ground: Ground, faults: list[str]
) -> Drawn:
    """With the ids that the system gives."""
    scope = ground.scope
    if faults:
        return Drawn(PlanPart(), faults=tuple(dict.fromkeys(faults)))
    lead = "" if scope.path == ROOT else f"{scope.path}-"
    paths = {area.id: f"{lead}a{number}" for number, area in enumerate(areas, 1)}
    ids = _ids(tasks, paths, scope)
    opened = tuple(
        DrawnArea(
            path=paths[area.id],
            area=area.id if scope.path == ROOT else f"{scope.area}/{area.id}",
            files=area.claims,
            decisions=(*scope.decisions, *wanted.decisions),
            usd=Decimal(str(wanted.usd)) if wanted.usd else scope.usd,
        )
        for area, wanted in zip(areas, form.areas, strict=True)
    )
    part = PlanPart(
        tasks=_renamed(tasks, ids, scope),
        areas=tuple(
            PartArea(path=paths[area.id], needs=tuple(ids[need] for need in area.needs))
            for area in areas
        ),
        caps={
            area.area: area.usd
            for area, wanted in zip(opened, form.areas, strict=True)
            if wanted.usd and area.usd
        },
        pilot=tuple(ids[key] for key in form.first) if scope.path == ROOT else (),
        notes="\n".join(form.notes.splitlines()[:MAX_NOTES]).strip() if scope.path == ROOT else "",
    )
    return Drawn(part, opened)


def joined(part: PlanPart, areas: Sequence[PlanPart]) -> PlanPart:
    """The part with those of its areas, in which nothing needs an area any more: who needs one
    needs the last of its tasks, and what an area needs its first tasks need."""
    inside = {area.path: sub.tasks for area, sub in zip(part.areas, areas, strict=True)}
    ends = {path: _last(tasks) for path, tasks in inside.items()}

    def met(needs: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(id for need in needs for id in ends.get(need, (need,))))

    tasks = [task.model_copy(update={"needs": met(task.needs)}) for task in part.tasks]
    for area in part.areas:
        before = met(area.needs)
        tasks += [
            task if task.needs else task.model_copy(update={"needs": before})
            for task in inside[area.path]
        ]
    caps = {area: usd for each in (part, *areas) for area, usd in each.caps.items()}
    joint = {"tasks": tuple(tasks), "areas": (), "caps": with_tasks(caps, tasks)}
    return part.model_copy(update=joint)


def _last(tasks: Sequence[Task]) -> tuple[str, ...]:
    """The tasks that no other one needs."""
    needed = {need for task in tasks for need in task.needs}
    return tuple(task.id for task in tasks if task.id not in needed)


def _task(key: str, title: str, claims: tuple[str, ...], ground: Ground) -> Task:
    counted = sum(ground.sites.get(path, 0) for path in claims)
    # The rules speak of files that are missing; a task has at least one.
    return Task(id=key, title=title, claims=claims or ("?",), sites=counted)


def _own(task: TaskForm, claims: tuple[str, ...], form: PlanForm, ground: Ground) -> Task:
    told = (task.instructions, form.instructions, facts_of(ground.survey, claims))
    return _task(task.key, task.title, claims, ground).model_copy(
        update={
            "creates": task.creates,
            "needs": task.needs,
            "instructions": _together(*told),
            "priority": task.priority,
        }
    )


def _rest(form: PlanForm, ground: Ground, claimed: set[str]) -> tuple[Task, ...]:
    """What the form leaves to the split."""
    if not form.take_static:
        return ()
    split = ground.split(ground.files - claimed, claimed)
    keys = {task.id: f"{STATIC}-{number}" for number, task in enumerate(split, 1)}
    return tuple(
        task.model_copy(
            update={
                "id": keys[task.id],
                "needs": tuple(keys[need] for need in task.needs),
                "instructions": _together(form.instructions, task.instructions),
            }
        )
        for task in split
    )


def _resolved(
    entries: Sequence[str], creates: Sequence[str], ground: Ground
) -> tuple[tuple[str, ...], list[str]]:
    """The paths that these entries name, sorted, and the entries that name none."""
    found: set[str] = set()
    unknown: list[str] = []
    new = GitIgnoreSpec.from_lines(creates)
    for entry in entries:
        path = entry.removeprefix("./")
        if path in ground.tree or new.match_file(path):
            found.add(path)
            continue
        wanted = GitIgnoreSpec.from_lines([path])
        matched = [file for file in ground.files if wanted.match_file(file)]
        found.update(matched)
        if not matched:
            unknown.append(entry)
    return tuple(sorted(found)), unknown


def _ids(tasks: Sequence[Task], paths: Mapping[str, str], scope: PlanScope) -> dict[str, str]:
    """key → the task's id, such as `c2-0007` or `c2-a1-0007`; an area's path stands for it."""
    lead = f"c{scope.cycle}-" + ("" if scope.path == ROOT else f"{scope.path}-")
    width = max(4, len(str(len(tasks))))
    ids = {task.id: f"{lead}{number:0{width}}" for number, task in enumerate(tasks, 1)}
    return {**ids, **paths}


def _renamed(tasks: Sequence[Task], ids: Mapping[str, str], scope: PlanScope) -> tuple[Task, ...]:
    return tuple(
        task.model_copy(
            update={
                "id": ids[task.id],
                "area": scope.area,
                "needs": tuple(ids[need] for need in task.needs),
            }
        )
        for task in tasks
    )


def _together(*texts: str) -> str:
    return "\n\n".join(text.strip() for text in texts if text.strip())
