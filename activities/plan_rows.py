"""A plan's tasks as its area carries them, and how much of that can be carried. Pure.

Rows and tasks travel through histories, in which no message may be over 2 MiB: a workflow that met
that limit would try the same message for ever, and could tell nobody. So the plan says it.
"""

from activities.contracts.children import AreaRow
from activities.contracts.plan import Plan, TaskRow

MOST_OF_A_TASK = 256 << 10
"""Bytes of a task's paths: what it carries from run to run may hold them several times."""
MOST_OF_A_PLAN = 1536 << 10
"""Bytes of all rows, which one area carries and of which one batch may hold all paths."""
GROWTH = 300
"""Bytes that a row grows by while its task is carried out."""


def rows_of(plan: Plan) -> tuple[AreaRow, ...]:
    """One for each task, none begun."""
    return tuple(
        AreaRow(
            task=TaskRow(
                id=task.id,
                title=task.title,
                claims=task.claims,
                needs=task.needs,
                sites=task.sites,
                priority=task.priority,
                area=task.area,
                follows=task.follows,
                mends=task.mends.red if task.mends else "",
            ),
            granted_files=task.grants,
        )
        for task in plan.tasks
    )


def oversized(plan: Plan) -> list[str]:
    """What is too large to be carried, and what to do about it; empty: nothing."""
    errors = [
        f"task {task.id}: its paths come to {size:,} bytes, of which {MOST_OF_A_TASK:,} are the "
        "most: let fewer files share a task (split)"
        for task in plan.tasks
        if (size := len("".join((*task.may_change, *task.creates)).encode())) > MOST_OF_A_TASK
    ]
    whole = sum(len(row.model_dump_json().encode()) + GROWTH for row in rows_of(plan))
    if whole > MOST_OF_A_PLAN:
        files = sum(len(task.claims) for task in plan.tasks)
        errors.append(
            f"{len(plan.tasks):,} tasks with {files:,} files come to {whole:,} bytes, of which "
            f"{MOST_OF_A_PLAN:,} are the most at once: narrow the sites, or part the work into "
            "phases or into several migrations"
        )
    return errors
