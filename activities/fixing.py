"""The tasks that are to turn green what is red behind the landings: one for each red. Pure.

Such a task claims the files that the failures name and those of the landings that broke it; they
may be other tasks' too, for it has no sites, and two tasks with one file never run at once. It goes
before the others, and waits for nobody.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from activities.contracts.placeholder_slots import PROMPTS, all_slots
from activities.contracts.plan import Plan, Task
from activities.contracts.reds import Mend, OpenRed, fix_task
from activities.contracts.spec import MigrationSpec, Phase
from activities.file_rules import refusal

MOST_FILES = 200
"""Of one such task: those that failures name come first."""


def is_told(phase: Phase) -> bool:
    """Whether any rung of its ladder reads what a task's instructions say."""
    return any(
        rung.claude
        or (rung.command and any(slot.name in PROMPTS for slot in all_slots(rung.command.run)))
        for rung in phase.ladder
    )


def with_fixes(
    plan: Plan,
    spec: MigrationSpec,
    tree: Collection[str],
    reds: Sequence[OpenRed],
    landed: Mapping[str, Iterable[str]],
) -> Plan:
    """The plan with a task before all others for each red of which any file may be changed.
    `landed`: a red's id → the files of the landings that broke it."""
    phase = spec.phase(plan.phase)
    fixes = [
        _fix(red, spec, plan.cycle, claims)
        for red in reds
        if (claims := _claims(red, spec, phase, tree, landed[red.id]))
    ]
    first = tuple(task.id for task in fixes) if plan.pilot else ()
    return plan.model_copy(update={"tasks": (*fixes, *plan.tasks), "pilot": (*first, *plan.pilot)})


def _claims(
    red: OpenRed, spec: MigrationSpec, phase: Phase, tree: Collection[str], landed: Iterable[str]
) -> tuple[str, ...]:
    named = dict.fromkeys((*red.files, *sorted(landed)))
    may = [path for path in named if path in tree and not refusal(path, spec, phase)]
    return tuple(sorted(may[:MOST_FILES]))


def _fix(red: OpenRed, spec: MigrationSpec, cycle: int, claims: tuple[str, ...]) -> Task:
    return Task(
        id=fix_task(red.id, cycle),
        title=f"turn {red.check} green again",
        claims=claims,
        mends=Mend(red=red.id, check=red.check, good=red.good, merges=red.merges),
        priority=1,
        instructions=_instructions(red, spec),
    )


def _instructions(red: OpenRed, spec: MigrationSpec) -> str:
    run = spec.checks[red.check].run
    said = [f"- {' '.join(reason.split())}" for reason in red.reasons] or ["- it is red"]
    return "\n".join(
        [
            f"The check {red.check} held on {red.good[:12]} and is red since {red.since},",
            f"{red.where}. Turn it green again: mend what broke it, and leave the check and the "
            "tests as they are.",
            "This lands only where the check holds again on exactly the tree that it leaves.",
            "",
            f"What it runs: `{run if isinstance(run, str) else ' '.join(run)}`",
            "",
            "What is red, as data:",
            "",
            *said,
        ]
    )


def forged(plan: Plan) -> list[str]:
    """Tasks that claim to mend a red in a plan that somebody else made."""
    return [
        f"task {task.id}: what it mends is not the plan's to say; leave `mends` out"
        for task in plan.tasks
        if task.mends
    ]
