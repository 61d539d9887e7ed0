"""Plans a cycle without a model, and forecasts what a plan will take.

Pure: the same survey gives the same plan, byte for byte, so planning twice is harmless. What
makes any plan fit to run is in plan_rules.py, and holds for these as for a model's.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import heapify, heappop, heappush

from pathspec import GitIgnoreSpec

from activities.contracts.base import TaskId
from activities.contracts.plan import Forecast, Plan, Task
from activities.contracts.spec import MigrationSpec, Phase
from activities.contracts.survey import SurveyData
from activities.grouping import Facts, split_files
from activities.plan_rules import files_with_sites

MOST_FACTS = 5
"""Files whose changes by the base a task's instructions show."""


def static_plan(
    spec: MigrationSpec,
    spec_digest: str,
    survey: SurveyData,
    cycle: int,
    done_or_excluded: Collection[str] = (),
    all_paths: Collection[str] = (),
) -> Plan:
    """Splits the files with sites into tasks, in the order of the split.

    Files that only the phase's claims name are claimed by every task, so those tasks need one
    another in turn; one that has sites itself belongs to the task of its sites alone.
    """
    phase = spec.phase(survey.phase)
    left = set(done_or_excluded)
    sites = {f.path: f.sites for f in survey.files if f.sites and f.path not in left}
    shared = shared_files(phase, all_paths, files_with_sites(survey))
    facts = Facts(
        tree=all_paths,
        sites=sites,
        owners={f.path: f.owners for f in survey.files},
        imports=survey.imports,
        markers=phase.split.root or spec.root_markers,
        may_join=_may_join(spec, phase, left | files_with_sites(survey)),
    )
    groups = split_files(sites, phase.split, facts)
    width = max(4, len(str(len(groups))))
    tasks: list[Task] = []
    for number, group in enumerate(groups, 1):
        needs = [tasks[need].id for need in group.needs]
        if shared and tasks:  # in a row: what the split needs came before already
            needs = [tasks[-1].id]
        tasks.append(
            Task(
                id=f"c{cycle}-{number:0{width}}",
                title=group.title,
                claims=tuple(sorted({*group.paths, *shared})),
                creates=phase.creates,
                needs=tuple(needs),
                sites=sum(sites.get(path, 0) for path in group.paths),
                instructions=facts_of(survey, group.paths),
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


def facts_of(survey: SurveyData, paths: Iterable[str]) -> str:
    """What is told of files that are to be migrated anew; the first of them where they are many."""
    told = [survey.anew[path] for path in sorted(paths) if path in survey.anew]
    return "\n\n".join(told[:MOST_FACTS])


def shared_files(phase: Phase, all_paths: Collection[str], bearing: Collection[str]) -> list[str]:
    """Files without sites that every task of the phase may change."""
    if not phase.claims:
        return []
    claimed = GitIgnoreSpec.from_lines(phase.claims)
    return sorted({p for p in all_paths if p not in bearing and claimed.match_file(p)})


def _may_join(spec: MigrationSpec, phase: Phase, taken: Collection[str]) -> Callable[[str], bool]:
    """Whether a file without sites may be claimed with one that has some."""
    protected = GitIgnoreSpec.from_lines(spec.protect)
    lifted = GitIgnoreSpec.from_lines(phase.claims)

    def may_join(path: str) -> bool:
        kept = protected.match_file(path) and not lifted.match_file(path)
        return path not in taken and not kept

    return may_join


def forecast(
    plan: Plan,
    concurrency: int,
    *,
    task_checks: int = 1,
    landing_checks: int = 1,
    notes: Sequence[str] = (),
) -> Forecast:
    """What countable facts say, if every task succeeds at once and each wave lands as one batch.

    `task_checks` and `landing_checks` are how many checks the phase runs at those moments;
    `notes` are told beside it.
    """
    waves = len(schedule_waves(plan.tasks, concurrency))
    note = f"{concurrency} at a time; bounced and repeated attempts are not counted"
    return Forecast(
        waves=waves,
        task_count=len(plan.tasks),
        file_count=len({path for task in plan.tasks for path in task.claims}),
        site_count=sum(task.sites for task in plan.tasks),
        check_runs=len(plan.tasks) * task_checks + waves * landing_checks,
        note="; ".join(said for said in (note, *notes) if said),
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
        claims = tasks[entry[1]].may_change
        if held.isdisjoint(claims):
            held.update(claims)
            chosen.append(entry[1])
        else:
            blocked.append(entry)
    for entry in blocked:
        heappush(ready, entry)
    return chosen
