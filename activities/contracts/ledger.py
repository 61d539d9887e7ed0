"""The ledger: per path, what is left, whose it is and how that stands. Pure.

It is computed from the last survey and the plan of its cycle, never kept: a path of the plan that
the survey does not name any more has no sites left.
"""

from collections import defaultdict
from collections.abc import Mapping

from activities.contracts.base import Contract
from activities.contracts.plan import Plan
from activities.contracts.survey import Site, SurveyData

OPEN = "open"
"""Sites are left and no task has them."""
ACCEPTED = "accepted"
"""What is left may stay."""


class LedgerRow(Contract):
    """One path."""

    path: str
    sites: int = 0
    """Left, those that may stay not counted."""
    accepted: int = 0
    task: str = ""
    state: str = OPEN
    """open, accepted, or how the task stands."""
    lines: tuple[int, ...] = ()
    """Of the sites left, where they have lines."""
    owners: tuple[str, ...] = ()


def ledger(
    survey: SurveyData,
    plan: Plan | None = None,
    states: Mapping[str, str] | None = None,
    undone: Mapping[str, str] | None = None,
) -> tuple[LedgerRow, ...]:
    """A row for each path with sites or a task, by path. `states`: task → how it stands; `undone`:
    path → the task of an earlier cycle that left it, which no later one takes on again."""
    left, accepted = _by_path(survey.sites), _by_path(survey.accepted)
    tasks = {path: task for path, task in (undone or {}).items() if path in left}
    tasks |= {path: task.id for task in plan.tasks for path in task.claims} if plan else {}
    owners = {file.path: file.owners for file in survey.files}
    return tuple(
        LedgerRow(
            path=path,
            sites=len(left.get(path, ())),
            accepted=len(accepted.get(path, ())),
            task=tasks.get(path, ""),
            state=_state(tasks.get(path, ""), path in left, states or {}),
            lines=tuple(site.line for site in left.get(path, ()) if site.line is not None),
            owners=owners.get(path, ()),
        )
        for path in sorted({*left, *accepted, *tasks})
    )


def _by_path(sites: tuple[Site, ...]) -> dict[str, list[Site]]:
    found: dict[str, list[Site]] = defaultdict(list)
    for site in sites:
        found[site.path].append(site)
    return dict(found)


def _state(task: str, has_sites: bool, states: Mapping[str, str]) -> str:
    if task:
        return states.get(task, "waiting")
    return OPEN if has_sites else ACCEPTED
