"""How a plan looks as plain text: each phase, and what of it is known before anything lands."""

from collections.abc import Sequence
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from activities.contracts.plan import Forecast, PhaseOutlook, Plan, Task
from activities.contracts.spec import Approval, MigrationSpec, Phase
from cli.render import counted, first_line

ASKED = ("command", "codemod")
"""Finders that may answer anything once another phase has landed."""
WHY = 600


@dataclass(frozen=True)
class Planned:
    """One phase of a plan run."""

    outlook: PhaseOutlook
    plan: Plan | None


def plan_text(spec: MigrationSpec, planned: Sequence[Planned]) -> str:
    """Every phase: tasks with their files and needs, what they take, what is only known later."""
    parts: list[str] = []
    if Approval.PLAN in spec.approvals:
        parts.append(f"Before any work a person approves the plan: starter.py approve {spec.name}")
    for number, of in enumerate(planned):
        parts.append("\n".join(_phase_lines(spec, planned, number, of)))
    if len(planned) > 1:
        parts.append(
            "A later phase is planned when it begins, with the sites and files there are then: its "
            f"tasks may differ. Those of {planned[0].outlook.phase} are certain: -o saves them for "
            "start --plan (with --phase those of a later phase, for its `plan`)."
        )
    return "\n\n".join(parts)


def _phase_lines(
    spec: MigrationSpec, planned: Sequence[Planned], number: int, of: Planned
) -> list[str]:
    phase = spec.phase(of.outlook.phase)
    later = known_later(planned, number, phase)
    if of.plan is None or of.outlook.plan is None:
        return [f"{spec.name}: phase {phase.name}, no plan yet", *later]
    tasks = counted(len(of.plan.tasks), "task")
    base = of.plan.base[:12]
    lines = [f"{spec.name}: {tasks} on {base}, phase {phase.name}", *later]
    if phase.plan_file:
        lines.append(f"as {phase.plan_file} divides it")
    if left := of.outlook.plan.unplanned:
        lines.append(f"in none of its tasks, so the next cycle's: {counted(left, 'file')}")
    if of.plan.pilot:
        asked = ", then a person approves" if Approval.PILOT in spec.approvals else ""
        lines += [f"pilot: {', '.join(of.plan.pilot)} first{asked}, then the others"]
    lines += [f"area {area}: at most {usd:.2f} USD" for area, usd in sorted(of.plan.caps.items())]
    for task in of.plan.tasks:
        lines += ["", f"{task.id}  {task.title}  ({counted(task.sites, 'site')})"]
        lines += [f"    {path}" for path in task.claims]
        lines += _extras(task)
    return [*lines, "", forecast_line(of.outlook.plan.forecast)]


def known_later(planned: Sequence[Planned], number: int, phase: Phase) -> list[str]:
    """What of a phase nobody can know before the one in front of it has landed; the first: all."""
    if number == 0:
        return []
    before, of = planned[number - 1].outlook.phase, planned[number]
    failing = [finder.failing for finder in phase.sites.find if finder.failing]
    if failing:
        checks = ", ".join(failing)
        return [f"its sites are known when {before} has landed: the red results of {checks}"]
    if of.plan is None:
        why = first_line(of.outlook.why, WHY)
        return [f"known when {before} has landed; on the base it cannot be planned: {why}"]
    return [f"as of the base: {why}" for why in _changes(planned[:number], of.plan, phase)]


def _changes(before: Sequence[Planned], plan: Plan, phase: Phase) -> list[str]:
    """Why its sites may be others once the phases in front of it have landed."""
    tasks = [task for of in before if of.plan for task in of.plan.tasks]
    own = {path for task in plan.tasks for path in task.claims}
    shared = own.intersection(path for task in tasks for path in task.claims)
    included = GitIgnoreSpec.from_lines(phase.sites.include)
    creates = {path for task in tasks for path in task.creates}
    created = sorted(path for path in creates if included.match_file(path.lstrip("/")))
    reasons = [
        f"what its {finder.kind} finds may be something else when {before[-1].outlook.phase} landed"
        for finder in phase.sites.find
        if finder.kind in ASKED
    ]
    if shared:
        reasons.append(f"earlier phases change {counted(len(shared), 'file')} of it first")
    if created:
        reasons.append(f"what earlier phases create is not there yet: {', '.join(created)}")
    if unknown := [of.outlook.phase for of in before if of.plan is None]:
        reasons.append(f"what {', '.join(unknown)} will change is not known yet")
    return reasons or ["no earlier phase touches its files"]


def _extras(task: Task) -> list[str]:
    creates = [f"    creates {path}" for path in task.creates]
    creates += [f"    may change {grant.path}: {grant.reason}" for grant in task.grants]
    return creates + ([f"    after {', '.join(task.needs)}"] if task.needs else [])


def forecast_line(forecast: Forecast) -> str:
    """The forecast in one sentence."""
    amounts = (
        (forecast.task_count, "task"),
        (forecast.file_count, "file"),
        (forecast.site_count, "site"),
        (forecast.waves, "wave"),
    )
    line = ", ".join(counted(number, noun) for number, noun in amounts)
    line += f", about {counted(forecast.check_runs, 'check run')}"
    return f"{line}. {forecast.note}".rstrip()
