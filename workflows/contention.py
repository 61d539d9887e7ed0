"""How hot files are, as an area sees them. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from activities.contracts.children import AreaRow
from activities.contracts.contention import HotFile
from activities.contracts.landing import Landing, Outcome
from workflows import frontier

NAMED = 20
"""Paths of one task that its report names."""


def waits(rows: Sequence[AreaRow]) -> list[HotFile]:
    """The files of tasks at work that others could start but for: how many tasks for each."""
    landed = {row.task.id for row in rows if frontier.has_landed(row)}
    held = {path for row in rows if row.state == frontier.RUNNING for path in row.may_change}
    waiting = (r for r in rows if r.state == frontier.WAITING and landed.issuperset(r.task.needs))
    counted = Counter(path for row in waiting for path in row.may_change & held)
    return [HotFile(path=path, waited=count) for path, count in sorted(counted.items())]


def of_bounces(bounces: Iterable[Landing], claims: Sequence[str]) -> tuple[HotFile, ...]:
    """What a task's bounces were for, as far as they name its files."""
    found: list[HotFile] = []
    for landing in bounces:
        if landing.outcome is Outcome.CONFLICT:
            found += [HotFile(path=path, conflicts=1) for path in landing.paths]
        elif landing.outcome is Outcome.RED and landing.evidence:
            named = {p for check in landing.evidence.checks for p in check.failing_files}
            found += [HotFile(path=path, bounces=1) for path in claims if path in named]
    return tuple(found[:NAMED])
