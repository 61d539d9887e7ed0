"""Holds a plan, whoever made it, against the spec and what the survey counted.

A plan is fit to run when tasks that may run at once claim disjoint files, needs are known and
acyclic, every file with sites belongs to exactly one task, claims are in the tree or to be created,
and nobody claims, or is granted, what is protected. A grant may be another's claim. Pure; all
errors at once, since a bad plan goes back with them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise

from pathspec import GitIgnoreSpec

from activities.cap_rules import cap_errors
from activities.contracts.base import TaskId
from activities.contracts.file_requests import MAX_GRANTS
from activities.contracts.plan import Plan, Task
from activities.contracts.spec import MigrationSpec, Phase
from activities.contracts.survey import SurveyData
from activities.file_rules import is_inside, is_protected, refusal

MAX_ERRORS = 200


def validate_plan(
    plan: Plan,
    spec: MigrationSpec,
    survey: SurveyData | None,
    all_paths: Collection[str] = (),
    spec_digest: str | None = None,
    done_or_excluded: Collection[str] = (),
) -> list[str]:
    """Everything that is wrong with the plan; empty when it may run.

    Without a survey, what can be told before there is one. `spec_digest` is what the plan must have
    been made for; left out, the digest of `spec`.
    """
    errors = _identity(plan, spec, survey, spec_digest or spec.plan_digest)
    errors += [*_needs(plan.tasks), *cap_errors(plan, spec.limits)]
    order = _order(plan.tasks)
    if isinstance(order, str):
        errors.append(order)
    else:
        errors += _overlaps(plan.tasks, order)
    errors += _pilot(plan)
    if survey:
        errors += _ownership(plan.tasks, files_with_sites(survey) - set(done_or_excluded))
    phase = next((p for p in spec.phases if p.name == plan.phase), None)
    if phase is not None:
        errors += _paths(plan.tasks, spec, phase, frozenset(all_paths) if survey else None)
    if len(errors) > MAX_ERRORS:
        return [*errors[:MAX_ERRORS], f"and {len(errors) - MAX_ERRORS} more"]
    return errors


def files_with_sites(survey: SurveyData) -> set[str]:
    """Paths that still have to change, whichever of the two lists names them."""
    return {f.path for f in survey.files if f.sites} | {site.path for site in survey.sites}


def chain_behind(tasks: Sequence[Task], task: TaskId) -> int:
    """How long the longest chain of tasks is that need this one, one after the other; of a plan
    that was validated, where needs have no cycle."""
    waiting: dict[TaskId, list[TaskId]] = {}
    for other in tasks:
        for need in other.needs:
            waiting.setdefault(need, []).append(other.id)
    length, reached = 0, set(waiting.get(task, ()))
    while reached:
        length += 1
        reached = {further for one in reached for further in waiting.get(one, ())}
    return length


def _identity(plan: Plan, spec: MigrationSpec, survey: SurveyData | None, digest: str) -> list[str]:
    rows = (
        ("migration", plan.migration, spec.name),
        ("base", plan.base, survey.commit if survey else plan.base),
        ("phase", plan.phase, survey.phase if survey else plan.phase),
        ("spec_digest", plan.spec_digest, digest),
    )
    errors = [f"{name} is {has!r} and must be {must!r}" for name, has, must in rows if has != must]
    if all(p.name != plan.phase for p in spec.phases):
        errors.append(f"phase {plan.phase!r} is not in the spec")
    counts = Counter(task.id for task in plan.tasks)
    errors += [f"task {i}: {n} tasks have this id" for i, n in counts.items() if n > 1]
    return errors


def _needs(tasks: Sequence[Task]) -> list[str]:
    ids = {task.id for task in tasks}
    return [
        f"task {task.id}: needs {need}, which is not in the plan"
        for task in tasks
        for need in task.needs
        if need not in ids
    ]


def _pilot(plan: Plan) -> list[str]:
    """A pilot that waits for a task which waits for the pilot would never end."""
    needs = {task.id: task.needs for task in plan.tasks}
    unknown = [f"pilot: {name} is not in the plan" for name in plan.pilot if name not in needs]
    return unknown + [
        f"pilot: {name} needs {need}; make it part of the pilot too"
        for name in plan.pilot
        for need in needs.get(name, ())
        if need not in plan.pilot
    ]


def _order(tasks: Sequence[Task]) -> dict[TaskId, int] | str:
    """Each task's place after everything it needs, or the error that names one cycle."""
    needs = {task.id: set(task.needs) for task in tasks}
    left = {name: {n for n in wanted if n in needs} for name, wanted in needs.items()}
    unlocks: defaultdict[TaskId, list[TaskId]] = defaultdict(list)
    for name, wanted in left.items():
        for need in wanted:
            unlocks[need].append(name)
    free = [name for name, wanted in left.items() if not wanted]
    order: dict[TaskId, int] = {}
    for name in free:  # grows while it is walked
        order[name] = len(order)
        for later in unlocks[name]:
            left[later].discard(name)
            if not left[later]:
                free.append(later)
    if len(order) == len(needs):
        return order
    return f"needs form a cycle: {' → '.join(_cycle({n: left[n] for n in left if n not in order}))}"


def _cycle(stuck: Mapping[TaskId, Collection[TaskId]]) -> list[TaskId]:
    """Every stuck task needs a stuck task: walking on must come back somewhere."""
    walked: list[TaskId] = []
    at = min(stuck)
    while at not in walked:
        walked.append(at)
        at = min(need for need in stuck[at] if need in stuck)
    return [*walked[walked.index(at) :], at]


def _overlaps(tasks: Sequence[Task], order: Mapping[TaskId, int]) -> list[str]:
    """Pairs that may run at once and claim the same file.

    Of the tasks that claim a file, sorted by need, it is enough to compare neighbours: if each
    needs the one before, the first and the last are ordered too.
    """
    claimants: defaultdict[str, set[TaskId]] = defaultdict(set)
    for task in tasks:
        for path in task.claims:
            claimants[path].add(task.id)
    shared: defaultdict[tuple[TaskId, TaskId], list[str]] = defaultdict(list)
    for path, names in claimants.items():
        if len(names) > 1:
            ordered = sorted(names, key=order.__getitem__)
            for pair in pairwise(ordered):
                shared[pair].append(path)
    needs = {task.id: task.needs for task in tasks}
    return [
        f"tasks {first} and {then} may run at once and both claim {_named(paths)}"
        for (first, then), paths in sorted(shared.items())
        if not _requires(then, first, needs, order)
    ]


def _requires(
    task: TaskId,
    other: TaskId,
    needs: Mapping[TaskId, Sequence[TaskId]],
    order: Mapping[TaskId, int],
) -> bool:
    """Whether `task` needs `other`, directly or through others that stand between them."""
    seen: set[TaskId] = set()
    walk = [task]
    while walk:
        at = walk.pop()
        if at == other:
            return True
        if at not in seen:
            seen.add(at)
            walk += [n for n in needs[at] if order.get(n, -1) >= order[other]]
    return False


def _ownership(tasks: Sequence[Task], bearing: Collection[str]) -> list[str]:
    owners: defaultdict[str, list[TaskId]] = defaultdict(list)
    for task in tasks:
        for path in set(task.claims):
            owners[path].append(task.id)
    errors: list[str] = []
    for path in sorted(bearing):
        if path not in owners:
            errors.append(f"{path}: has sites and no task claims it")
        elif len(owners[path]) > 1:
            errors.append(
                f"{path}: has sites and belongs to {_named(owners[path])}; one must own it"
            )
    return errors


def _paths(
    tasks: Sequence[Task], spec: MigrationSpec, phase: Phase, all_paths: frozenset[str] | None
) -> list[str]:
    """None for the tree: what is in it is not known yet."""
    created = cache(GitIgnoreSpec.from_lines)
    errors: list[str] = []
    for task in tasks:
        at = f"task {task.id}"
        errors += [f"{at}: claims {p} twice" for p, n in Counter(task.claims).items() if n > 1]
        for path in dict.fromkeys(task.claims):
            if not is_inside(path):
                errors.append(f"{at}: claims {path!r}, which is not a path inside the repository")
            elif all_paths is None or path in all_paths:
                continue
            elif not created(task.creates).match_file(path):
                errors.append(f"{at}: claims {path}, which is neither in the tree nor in creates")
        errors += [f"{at}: {why}" for why in _grants(task, spec, phase, all_paths)]
        for pattern in task.creates:
            if pattern not in phase.creates and not created(phase.creates).match_file(pattern):
                errors.append(f"{at}: creates {pattern}, which the phase does not let it create")
        for path in dict.fromkeys((*task.claims, *(p.lstrip("/") for p in task.creates))):
            if is_protected(path, spec, phase):
                errors.append(
                    f"{at}: {path} is protected; exclude it from the sites or name it in the"
                    f" claims of phase {phase.name}"
                )
    return errors


def _grants(
    task: Task, spec: MigrationSpec, phase: Phase, all_paths: frozenset[str] | None
) -> Iterator[str]:
    """What it may change of others' it is granted for a reason, and nobody is granted anything."""
    if len(task.grants) > MAX_GRANTS:
        yield f"has {len(task.grants)} grants; {MAX_GRANTS} are the most: divide the work otherwise"
    for path, number in Counter(grant.path for grant in task.grants).items():
        if why := refusal(path, spec, phase):
            yield f"is granted {path!r}: {why}"
        elif number > 1 or path in task.claims:
            yield f"is granted {path} twice, or claims it too"
        elif all_paths is not None and path not in all_paths:
            yield f"is granted {path}, which is not in the tree"


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(sorted(names)[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
