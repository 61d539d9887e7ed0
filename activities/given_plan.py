"""Fits a plan that somebody made beforehand to the moment at which it runs. Pure.

A plan for the tree it was made on runs as it is. One whose tree has gone on since, by earlier
phases or by what landed in an earlier life, keeps what it says about how the work is divided; what
there is to do the survey says. So a plan that was fit when it was given ends no migration later.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from pathspec import GitIgnoreSpec

from activities.contracts.base import TaskId
from activities.contracts.plan import Plan, Task
from activities.contracts.scopes import with_tasks
from activities.contracts.survey import SurveyData
from activities.plan_rules import files_with_sites

_CYCLE = re.compile(r"^c\d+-")
LONGEST = 64
"""Characters of a task's name."""


def moved(plan: Plan, survey: SurveyData, tree: Collection[str]) -> Plan:
    """The plan on the tree of the survey.

    Claims on files that are gone, and tasks without a file that has sites, are left out; who needs
    such a task needs what that one needed. A file with sites that several tasks claim belongs to
    the first of them.
    """
    bearing = files_with_sites(survey)
    owned: set[str] = set()
    kept: list[Task] = []
    gone: dict[TaskId, Sequence[TaskId]] = {}
    for task in plan.tasks:
        new = GitIgnoreSpec.from_lines(task.creates)
        there = [path for path in task.claims if path in tree or new.match_file(path)]
        claims = tuple(path for path in there if path not in owned)
        if bearing.isdisjoint(claims):
            gone[task.id] = task.needs
        else:
            owned.update(bearing.intersection(claims))
            grants = tuple(g for g in task.grants if g.path in tree and g.path not in claims)
            kept.append(task.model_copy(update={"claims": claims, "grants": grants}))
    tasks = (t.model_copy(update={"needs": _needs(t.needs, gone)}) for t in kept)
    pilot = tuple(id for id in plan.pilot if id not in gone)
    if len(pilot) == len(kept):
        pilot = ()  # nobody is left to wait for it
    left = {"tasks": tuple(tasks), "pilot": pilot, "caps": with_tasks(plan.caps, kept)}
    return plan.model_copy(update={"base": survey.commit, **left})


def _needs(needs: Sequence[TaskId], gone: Mapping[TaskId, Sequence[TaskId]]) -> tuple[TaskId, ...]:
    """What is left of them, with what those needed that are gone."""
    found: dict[TaskId, None] = {}
    walk, seen = list(needs), set[TaskId]()
    for need in walk:  # grows while it is walked
        if need not in gone:
            found[need] = None
        elif need not in seen:
            seen.add(need)
            walk += gone[need]
    return tuple(found)


def named_for(plan: Plan, cycle: int) -> Plan:
    """The plan as the cycle's: its tasks are named `c<cycle>-…`, which no other cycle's are."""
    names = {task.id: f"c{cycle}-{_CYCLE.sub('', task.id)}"[:LONGEST] for task in plan.tasks}

    def named(ids: Sequence[TaskId]) -> tuple[TaskId, ...]:
        return tuple(names.get(id, id) for id in ids)

    tasks = tuple(
        task.model_copy(update={"id": names[task.id], "needs": named(task.needs)})
        for task in plan.tasks
    )
    return plan.model_copy(update={"cycle": cycle, "tasks": tasks, "pilot": named(plan.pilot)})


def counted(plan: Plan, survey: SurveyData) -> Plan:
    """The plan with the sites that the survey found in each task's files."""
    sites = {file.path: file.sites for file in survey.files}
    tasks = (
        task.model_copy(update={"sites": sum(sites.get(path, 0) for path in task.claims)})
        for task in plan.tasks
    )
    return plan.model_copy(update={"tasks": tuple(tasks)})


def unplanned(plan: Plan, survey: SurveyData) -> set[str]:
    """Files with sites that no task claims."""
    return files_with_sites(survey) - {path for task in plan.tasks for path in task.claims}
