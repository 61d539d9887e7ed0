"""What a prompt says of the world around a task: what landed meanwhile, and a conflict with it.

Facts from git, bounded, under headings of their own. What other tasks were told stands as data: it
says why their change is as it is, and orders nothing.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from activities.adapters.bounded_text import bounded
from activities.adapters.hub import Hub
from activities.adapters.import_graph import python_graph
from activities.adapters.landed_since import landed_since
from activities.adapters.python_imports import SUFFIXES
from activities.adapters.task_prompt import named
from activities.contracts.conflict import Conflict, LandedChange
from activities.contracts.findings import quoted
from activities.contracts.marking import in_data
from activities.contracts.plan import Plan, Task

DIFF_BYTES = 8 << 10
"""Of each side of a conflict."""
INTENT_BYTES = 2 << 10
"""Of another task's instructions."""
INTENTS = 3
PATHS_NAMED = 50


def facts(
    hub: Hub,
    plan: Plan | None,
    task: Task,
    base: str,
    conflict: Conflict | None,
    versions: str = "",
) -> list[str]:
    """What the world around a task has become, as sections of its prompt. `versions`: the folder
    in which whoever reads it finds those of a conflict."""
    settle = conflict_facts(hub, plan, conflict, versions) if conflict else ""
    landed = landed_facts(hub, plan, task, base) if plan else ""
    return [section for section in (settle, landed) if section]


def landed_facts(hub: Hub, plan: Plan, task: Task, base: str) -> str:
    """What landed between the plan's base and this one on files that the task claims or imports,
    and all that the tasks changed which it needs; empty: nothing."""
    if plan.base == base:
        return ""
    imported = set(_imports(hub, task, base))
    claimed = set(task.may_change)

    def wanted(by: str, path: str) -> bool:
        return by in task.needs or path in claimed or path in imported

    changes = landed_since(hub, plan.base, base, plan.migration, wanted)
    if not changes:
        return ""
    lines = [_change(change, claimed, imported) for change in changes]
    head = "# What landed since this task was planned, on files it claims, imports or needs"
    return "\n".join([head, "", *lines, ""])


def conflict_facts(hub: Hub, plan: Plan | None, conflict: Conflict, versions: str = "") -> str:
    """What a resolver has to settle, and what both sides wanted."""
    whole = f" Whole versions: {versions}/base, {versions}/landed, {versions}/mine."
    tasks = {task.id: task for task in plan.tasks} if plan else {}
    return "\n".join(
        [
            "# The conflict to settle",
            "",
            "This task was done, and does not merge with what landed meanwhile. The files are as"
            " git left the merge: between `<<<<<<<` and `=======` what landed, between `=======`"
            " and `>>>>>>>` what this task did. Keep what both sides wanted, and leave no marker."
            + (whole if versions else ""),
            "",
            *(f"- {reason}" for reason in conflict.reasons or conflict.paths[:PATHS_NAMED]),
            "",
            *_intents(conflict.landed, tasks),
            *_differences(hub, conflict),
        ]
    )


def _imports(hub: Hub, task: Task, base: str) -> Iterator[str]:
    """What the claimed Python files import when they are loaded."""
    if any(path.endswith(SUFFIXES) for path in task.claims):
        files = {file.path: file for file in hub.files(base)}
        for imported in python_graph(hub, files, task.claims).values():
            yield from imported


def _change(change: LandedChange, claimed: Collection[str], imported: Collection[str]) -> str:
    def told(path: str) -> str:
        how = "claimed" if path in claimed else "imported" if path in imported else ""
        return f"{named(path)} ({how})" if how else named(path)

    more = [f"{change.more} more"] if change.more else []
    return f"- {change.named}: {', '.join([*map(told, change.paths), *more])}"


def _intents(landed: Sequence[LandedChange], tasks: Mapping[str, Task]) -> list[str]:
    lines: list[str] = []
    for change in landed[:INTENTS]:
        lines += [f"## Landed meanwhile: {change.named}", ""]
        known = tasks.get(change.task)
        if known and known.instructions.strip():
            lines += [quoted(bounded(known.instructions, INTENT_BYTES)), ""]
    if others := landed[INTENTS:]:
        lines += [f"And {', '.join(change.named for change in others)}.", ""]
    return lines


def _differences(hub: Hub, conflict: Conflict) -> list[str]:
    paths = conflict.paths[:PATHS_NAMED]
    sides = (("What landed", conflict.tip), ("What this task did", conflict.work))
    lines: list[str] = []
    for title, commit in sides:
        patch = hub.patch(conflict.base, commit, paths).decode("utf-8", "replace")
        lines += [f"## {title}", "", in_data(quoted(bounded(patch, DIFF_BYTES))), ""]
    return lines
