"""What is wrong with a planner's form, in its own keys: the rules of every plan, and its bounds.

Pure.
"""

from collections.abc import Sequence

from activities.contracts.plan import Plan, Task
from activities.contracts.plan_form import MAX_DEPTH, MAX_FILES, MAX_NOTES, MAX_TASKS, PlanForm
from activities.ground import UNBOUND, Ground
from activities.plan_rules import files_with_sites, validate_plan
from activities.static_plan import shared_files


def bounds(form: PlanForm, ground: Ground, tasks: int) -> list[str]:
    """What one planner may hold in view."""
    faults: list[str] = []
    if len(form.notes.splitlines()) > MAX_NOTES:
        faults.append(f"notes: {MAX_NOTES} lines are the most; rewrite them shorter")
    deepest = ground.scope.depth >= MAX_DEPTH
    if deepest and form.areas:
        faults.append("areas: these files are an area of an area; divide them into tasks")
    shared = shared_files(ground.phase, ground.tree, files_with_sites(ground.survey))
    if shared and form.areas:
        faults.append(
            f"areas: every task of the phase may change {shared[0]}, so they go one after the other"
            "; open none"
        )
    faults += _money(form, ground)
    if not deepest:
        inside = len(ground.files) if form.take_static and not form.areas else 0
        if tasks > MAX_TASKS or inside > MAX_FILES:
            faults.append(
                f"{tasks} tasks over {len(ground.files)} files are more than one planner holds in "
                f"view ({MAX_TASKS} tasks, {MAX_FILES} files): open areas"
            )
    return faults


def _money(form: PlanForm, ground: Ground) -> list[str]:
    """An area's share lies within what is there for who opens it; shares may be more together."""
    limits = ground.spec.limits
    most = limits.usd if ground.scope.usd is None else float(ground.scope.usd)
    asked = [area for area in form.areas if area.usd]
    if most is None and limits.task_usd is None:
        return [f"{area.key}: usd: there is no limits.usd to take it from" for area in asked]
    return [
        f"{area.key}: usd: {area.usd:g} is more than there is for your tasks, {most:g}"
        for area in asked
        if most is not None and area.usd > most
    ]


def rules(
    tasks: Sequence[Task], areas: Sequence[Task], first: Sequence[str], ground: Ground
) -> list[str]:
    """Those of every plan, in the model's own keys."""
    survey = ground.survey
    plan = Plan(
        migration=ground.spec.name,
        spec_digest=UNBOUND,
        base=survey.commit,
        phase=survey.phase,
        cycle=ground.scope.cycle,
        tasks=(*tasks, *areas),
        pilot=tuple(first),
    )
    others = files_with_sites(survey) - ground.files
    faults = validate_plan(plan, ground.spec, survey, ground.tree, UNBOUND, others)
    within = ground.scope.depth > 0
    for task in tasks:
        not_mine = others if not within else ground.tree - ground.files
        faults += [
            f"task {task.id}: {path} is not yours to plan; name it in your summary"
            for path in sorted(not_mine.intersection(task.claims))
        ]
    return faults + [f"first: {key} is an area; name tasks" for key in first if _is(key, areas)]


def _is(key: str, areas: Sequence[Task]) -> bool:
    return any(area.id == key for area in areas)
