"""Plans a cycle without a model, and forecasts what a plan will take.

Pure: the same survey gives the same plan, byte for byte, so planning twice is harmless. What
makes any plan fit to run is in plan_rules.py, and holds for these as for a model's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import pairwise

from pathspec import GitIgnoreSpec

from activities.contracts.base import TaskId
from activities.contracts.plan import Forecast, Plan, Task
from activities.contracts.spec import MigrationSpec, Phase, Split, SplitBy
from activities.contracts.survey import SurveyData
from activities.plan_rules import files_with_sites, validate_plan

__all__ = ["forecast", "schedule_waves", "split_files", "static_plan", "validate_plan"]

MAX_TITLE = 160


def static_plan(
    spec: MigrationSpec,
    spec_digest: str,
    survey: SurveyData,
    cycle: int,
    done_or_excluded: Collection[str] = (),
    all_paths: Collection[str] = (),
) -> Plan:
    """Splits the files with sites into tasks, in path order.

    Files that only the phase's claims name are claimed by every task, so those tasks need one
    another in turn; one that has sites itself belongs to the task of its sites alone.
    """
    phase = spec.phase(survey.phase)
    left = set(done_or_excluded)
    sites = {f.path: f.sites for f in survey.files if f.sites and f.path not in left}
    shared = _shared(phase, all_paths, files_with_sites(survey))
    groups = split_files(sites, phase.split)
    width = max(4, len(str(len(groups))))
    tasks: list[Task] = []
    for number, group in enumerate(groups, 1):
        tasks.append(
            Task(
                id=f"c{cycle}-{number:0{width}}",
                title=group.title,
                claims=tuple(sorted({*group.paths, *shared})),
                creates=phase.creates,
                needs=(tasks[-1].id,) if shared and tasks else (),
                sites=sum(sites[path] for path in group.paths),
            )
        )
    return Plan(
        migration=spec.name,
        spec_digest=spec_digest,
        base=survey.commit,
        phase=survey.phase,
        cycle=cycle,
        tasks=tuple(tasks),
    )


def _shared(phase: Phase, all_paths: Collection[str], bearing: Collection[str]) -> list[str]:
    if not phase.claims:
        return []
    claimed = GitIgnoreSpec.from_lines(phase.claims)
    return sorted({p for p in all_paths if p not in bearing and claimed.match_file(p)})


@dataclass(frozen=True)
class FileGroup:
    """The files of one task-to-be."""

    title: str
    paths: tuple[str, ...]


def split_files(paths: Iterable[str], split: Split) -> list[FileGroup]:
    """Every path in exactly one group of at most `max_files`; a folder's files stay neighbours.

    A group that is too large is cut into pieces of even size, never into a full one and a rest.
    """
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(set(paths), key=_folder_order):
        grouped[_group(path, split)].append(path)
    groups: list[FileGroup] = []
    for name, members in grouped.items():
        pieces = _even(members, split.max_files)
        for number, piece in enumerate(pieces, 1):
            part = f" {number}/{len(pieces)}" if len(pieces) > 1 else ""
            groups.append(FileGroup(_title(name, part, len(piece), split), tuple(piece)))
    return groups


def _folder_order(path: str) -> tuple[list[str], str]:
    """A folder's own files first, then its folders, so that a cut falls between folders."""
    *folders, name = path.split("/")
    return folders, name


def _group(path: str, split: Split) -> str:
    if split.by is SplitBy.FILE:
        return path
    if split.by is SplitBy.WHOLE:
        return ""
    return "/".join(path.split("/")[:-1][: split.depth])


def _even(members: list[str], most: int) -> list[list[str]]:
    count = -(-len(members) // most)
    cuts = [len(members) * i // count for i in range(count + 1)]
    return [members[a:b] for a, b in pairwise(cuts)]


def _title(name: str, part: str, files: int, split: Split) -> str:
    if split.by is SplitBy.FILE:
        return _short(name)
    where = "everything" if split.by is SplitBy.WHOLE else name or "top level"
    return f"{_short(where)}{part} ({files} file{'s' if files != 1 else ''})"


def _short(name: str) -> str:
    return name if len(name) <= MAX_TITLE else f"…{name[1 - MAX_TITLE :]}"


def forecast(
    plan: Plan, concurrency: int, *, task_checks: int = 1, landing_checks: int = 1
) -> Forecast:
    """What countable facts say, if every task succeeds at once and each wave lands as one batch.

    `task_checks` and `landing_checks` are how many checks the phase runs at those moments.
    """
    waves = len(schedule_waves(plan.tasks, concurrency))
    return Forecast(
        waves=waves,
        task_count=len(plan.tasks),
        file_count=len({path for task in plan.tasks for path in task.claims}),
        site_count=sum(task.sites for task in plan.tasks),
        check_runs=len(plan.tasks) * task_checks + waves * landing_checks,
        note=f"{concurrency} at a time; bounced and repeated attempts are not counted",
    )


def schedule_waves(tasks: Sequence[Task], concurrency: int) -> list[list[TaskId]]:
    """Rounds of tasks that may run together, by needs, claims, priority and plan order.

    Expects a valid plan: a task whose needs are never met is in no wave.
    """
    waiting = {task.id: len(set(task.needs)) for task in tasks}
    unlocks: defaultdict[TaskId, list[int]] = defaultdict(list)
    for index, task in enumerate(tasks):
        for need in set(task.needs):
            unlocks[need].append(index)
    ready = [(task.priority, index) for index, task in enumerate(tasks) if not task.needs]
    heapify(ready)
    waves: list[list[TaskId]] = []
    while ready:
        wave = [tasks[index].id for index in _wave(ready, tasks, max(1, concurrency))]
        for index in (index for name in wave for index in unlocks[name]):
            waiting[tasks[index].id] -= 1
            if waiting[tasks[index].id] == 0:
                heappush(ready, (tasks[index].priority, index))
        waves.append(wave)
    return waves


def _wave(ready: list[tuple[int, int]], tasks: Sequence[Task], concurrency: int) -> list[int]:
    """Takes the next round off the heap; what is in its way by claims goes back."""
    chosen: list[int] = []
    blocked: list[tuple[int, int]] = []
    held: set[str] = set()
    while ready and len(chosen) < concurrency:
        entry = heappop(ready)
        claims = tasks[entry[1]].claims
        if held.isdisjoint(claims):
            held.update(claims)
            chosen.append(entry[1])
        else:
            blocked.append(entry)
    for entry in blocked:
        heappush(ready, entry)
    return chosen
