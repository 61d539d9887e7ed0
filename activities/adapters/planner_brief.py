"""What a planner is told: what there is to divide, what was learnt, and what the split proposes.

Facts that were counted, bounded: no planner holds more than 500 tasks or 2,000 files in view. What
does not fit is told by folder, and the planner's tools reach the rest.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from activities.adapters.bounded_text import bounded
from activities.adapters.composing import one_line
from activities.adapters.reporting import undone
from activities.adapters.task_prompt import named
from activities.contracts.marking import in_data
from activities.contracts.plan import Task
from activities.contracts.plan_form import MAX_FILES, MAX_TASKS
from activities.contracts.reds import OpenRed
from activities.contracts.scopes import PlanScope
from activities.contracts.spec import MigrationSpec, Phase
from activities.contracts.survey import SurveyData, SurveyedFile
from activities.contracts.work import Handoff

FILES_BYTES = 120 << 10
PROPOSAL_BYTES = 48 << 10
LEARNT_BYTES = 24 << 10
IMPORTS_NAMED = 6
OWNERS_NAMED = 3
FOLDERS_NAMED = 400
LINES_NAMED = 40


def planner_brief(
    spec: MigrationSpec,
    phase: Phase,
    scope: PlanScope,
    survey: SurveyData,
    files: Sequence[str],
    imports: Mapping[str, Sequence[str]],
    proposal: Sequence[Task],
    handoffs: Sequence[Handoff] = (),
    notes: str = "",
    reds: Sequence[OpenRed] = (),
) -> str:
    """The first message of a planner's conversation, as Markdown. `proposal`: the split's tasks."""
    surveyed = {file.path: file for file in survey.files}
    mine = [surveyed[path] for path in files if path in surveyed]
    parts = [
        f"# Objective\n\n{(phase.objective or spec.objective).strip()}",
        f"# What you plan: cycle {scope.cycle} of phase {phase.name}\n\n{_counts(mine)}",
        _decided(scope),
        _money(spec, scope),
        _data("The files with sites", _files(mine, imports), FILES_BYTES),
        _data("What the split proposes", _proposal(proposal), PROPOSAL_BYTES),
        _data("What became of the cycles before", _learnt(handoffs), LEARNT_BYTES),
        _data("Field notes so far", notes, LEARNT_BYTES),
        _data("Red behind the landings; tasks of their own mend it", _red(reds), LEARNT_BYTES),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _data(title: str, text: str, most: int) -> str:
    if not text.strip():
        return ""
    return f"# {title}\n\n{in_data(bounded(text, most))}"


def _red(reds: Sequence[OpenRed]) -> str:
    return "\n".join(f"{r.check}, {r.where}: {'; '.join(r.reasons)}" for r in reds)


def _counts(files: Sequence[SurveyedFile]) -> str:
    return f"{sum(f.sites for f in files)} sites in {len(files)} files; all of them are to be gone."


def _decided(scope: PlanScope) -> str:
    if not scope.depth:
        return ""
    lines = [f"- {one_line(text)}" for text in scope.decisions] or ["- nothing but its files"]
    return "\n".join([f"# Your area: {scope.area}", "", "What was decided for it:", "", *lines])


def _money(spec: MigrationSpec, scope: PlanScope) -> str:
    most = spec.limits.usd if scope.usd is None else scope.usd
    told = f"The models of all tasks that you plan may cost {most} USD at most."
    return "" if most is None else f"# Money\n\n{told}"


def _files(files: Sequence[SurveyedFile], imports: Mapping[str, Sequence[str]]) -> str:
    """A line each; by folder where they are too many."""
    if len(files) > MAX_FILES:
        return _folders(files)
    return "\n".join(_file(file, imports.get(file.path, ())) for file in files)


def _file(file: SurveyedFile, imported: Sequence[str]) -> str:
    told = [f"{file.sites} sites", f"{file.size} bytes"]
    if file.owners:
        told.append(f"owned by {' '.join(file.owners[:OWNERS_NAMED])}")
    if imported:
        more = f" and {len(imported) - IMPORTS_NAMED} more" * (len(imported) > IMPORTS_NAMED)
        told.append(f"imports {', '.join(map(named, imported[:IMPORTS_NAMED]))}{more}")
    return f"{named(file.path)}: {', '.join(told)}"


def _folders(files: Sequence[SurveyedFile]) -> str:
    """By the deepest folders of which there are few enough."""
    for depth in range(8, 0, -1):
        counts: Counter[str] = Counter()
        sites: Counter[str] = Counter()
        for file in files:
            folder = "/".join(PurePosixPath(file.path).parts[:-1][:depth]) or "."
            counts[folder] += 1
            sites[folder] += file.sites
        if len(counts) <= FOLDERS_NAMED or depth == 1:
            lines = [f"{named(f)}/: {n} files, {sites[f]} sites" for f, n in sorted(counts.items())]
            more = [f"and {len(lines) - FOLDERS_NAMED} more folders"]
            return "\n".join(lines[:FOLDERS_NAMED] + more * (len(lines) > FOLDERS_NAMED))
    return ""


def _proposal(tasks: Sequence[Task]) -> str:
    number = {task.id: place for place, task in enumerate(tasks, 1)}
    lines = [
        f"{place}. {one_line(task.title)}: {len(task.claims)} files, {task.sites} sites"
        + (f", after {', '.join(str(number[n]) for n in task.needs[:5])}" if task.needs else "")
        for place, task in enumerate(tasks[:MAX_TASKS], 1)
    ]
    more = len(tasks) - len(lines)
    return "\n".join([f"{len(tasks)} tasks", *lines, *([f"and {more} more"] if more else [])])


def _learnt(handoffs: Sequence[Handoff]) -> str:
    """Aggregated: how tasks ended, what is not done and why, what their workers said."""
    if not handoffs:
        return ""
    ended = Counter(handoff.status.value for handoff in handoffs)
    lines = [", ".join(f"{count} {status}" for status, count in sorted(ended.items()))]
    lines += _some(
        "Not done",
        (
            f"{entry.task}: {', '.join(map(named, entry.paths[:5])) or 'all of it'}: {entry.why}"
            for entry in undone(handoffs)
        ),
    )
    said: defaultdict[str, list[str]] = defaultdict(list)
    for handoff in handoffs:
        for text in handoff.concerns:
            said["Concerns"].append(f"{handoff.task}: {text}")
        for text in handoff.follow_ups:
            said["Follow-ups"].append(f"{handoff.task}: {text}")
        for text in handoff.agent.lines if handoff.agent else ():
            said["What agents said"].append(f"{handoff.task}: {text}")
    for title, texts in said.items():
        lines += _some(title, texts)
    return "\n".join(lines)


def _some(title: str, texts: Iterable[str]) -> list[str]:
    told = [f"- {one_line(text)[:300]}" for text in texts]
    more = [f"- and {len(told) - LINES_NAMED} more"] * (len(told) > LINES_NAMED)
    return ["", f"{title}:", *told[:LINES_NAMED], *more] if told else []
