"""How answers look as plain text: pure functions from contracts to lines."""

from collections.abc import Sequence
from typing import Any, cast

from activities.adapters.reporting import blind_warnings, undone
from activities.contracts.children import TaskCounts
from activities.contracts.migration import MigrationResult, Progress, Stage
from activities.contracts.news import told_of_deep
from activities.contracts.pilot import pilot_lines
from activities.contracts.report import MigrationReport
from activities.contracts.wording import times
from workflows.details import hold_text

WIDTH = 100
LEFTOVERS = 5
PATHS = 3
REASON = 400
_BEFORE_JUDGED = (Stage.SURVEY, Stage.PLAN, Stage.APPROVAL, Stage.BASELINE, Stage.WORK)
_NOT_FOR_PEOPLE = ("output", "schema_version")
"""Fields that only programs can follow; `--json` has them."""


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def sites_line(progress: Progress) -> str:
    """How many sites there were and, once a cycle was judged, how many are left."""
    if progress.sites_left == progress.sites_at_start and progress.stage in _BEFORE_JUDGED:
        return counted(progress.sites_at_start, "site")
    return f"sites left {progress.sites_left} of {progress.sites_at_start}"


def counts_line(counts: TaskCounts) -> str:
    """`landed 3/12, running 4, waiting 5`, with what is not zero of the rest."""
    parts = [f"landed {counts.landed}/{counts.total}", f"running {counts.running}"]
    parts.append(f"waiting {counts.waiting}")
    if counts.needs_person:
        parts.append(f"needs person {counts.needs_person}")
    if counts.held:
        parts.append(f"held {counts.held}")
    if counts.other:
        parts.append(f"other {counts.other}")
    return ", ".join(parts)


def progress_line(progress: Progress) -> str:
    """All that changes while a migration runs, on one line."""
    parts = [progress.stage.value]
    if progress.phase:
        cycle = f" cycle {progress.cycle}" if progress.cycle else ""
        parts.append(f"{progress.phase}{cycle}")
    if progress.counts.total:
        parts.append(counts_line(progress.counts))
    if progress.sites_at_start:
        parts.append(sites_line(progress))
    if progress.base_told and progress.base_told != progress.waiting_for:
        parts.append(first_line(progress.base_told))
    if progress.waiting_for:
        parts.append(f"waiting: {progress.waiting_for}")
    if progress.command:
        parts.append(progress.command)
    return " | ".join(parts)


def status_text(progress: Progress, link: str, more: Sequence[tuple[str, str]] = ()) -> str:
    """The answer of `status`; `more` are rows that only some migrations have."""
    rows = [
        ("name", progress.name),
        ("objective", first_line(progress.objective)),
        ("stage", progress.stage.value),
        ("phase", f"{progress.phase}, cycle {progress.cycle}" if progress.phase else ""),
        ("not begun", ", ".join(progress.later_phases)),
        ("planned", progress.plan.said if progress.plan else ""),
        ("tasks", counts_line(progress.counts) if progress.counts.total else ""),
        ("sites", sites_line(progress).removeprefix("sites ") if progress.sites_at_start else ""),
        ("cost", progress.spend.told(progress.cap, progress.files)),
        *(("area", money.told) for money in progress.counts.areas),
        *(("NOT VERIFIED", warning) for warning in blind_warnings(progress.unverified)),
        ("warning", progress.unsearched),
        ("flaky", times(progress.flaky)),
        ("hot files", "; ".join(file.told for file in progress.hot[:3])),
        *told_of_deep(progress.deep),
        ("pushed", progress.push_told if progress.push_told != progress.waiting_for else ""),
        ("branch", progress.branch),
        ("base", (progress.base or "")[:12]),
        ("", progress.base_merged),
        ("", progress.base_told),
        ("", progress.base_command),
        ("tip", (progress.tip or "")[:12]),
        ("waiting", progress.waiting_for),
        ("command", progress.command),
        *((("pilot", line) for line in pilot_lines(progress.pilot)) if progress.pilot else ()),
        *((("judge", f"{label}: {said}") for label, said in _opinion(progress))),
        *(("on hold", f"{hold_text(hold)}") for hold in progress.holds),
        *(("steered", f"{g.target or 'all'}: {first_line(g.text)}") for g in progress.guidance),
        ("limits", limits_line(progress)),
        *(_waited_for(*row) for row in more),
        ("web UI", link),
    ]
    return "\n".join(f"{name:<12} {value}" for name, value in rows if value)


def _opinion(progress: Progress) -> list[tuple[str, str]]:
    return progress.opinion.rows if progress.opinion else []


def _waited_for(row: str, text: str) -> tuple[str, str]:
    """What is only waited for is no trouble."""
    waits = text.startswith("waiting: ")
    return ("waiting", text.removeprefix("waiting: ")) if waits else (row, text)


def limits_line(progress: Progress) -> str:
    """What people set, where it differs from the spec."""
    changed = progress.limits.model_dump(exclude_none=True)
    return ", ".join(f"{name} {value}" for name, value in changed.items())


def outcome_text(name: str, result: MigrationResult) -> str:
    """How a migration ended, and how to look at it."""
    reason = first_line(" ".join(result.reason.split()), REASON)
    lines = [f"{name}: {result.stage.value}" + (f" ({reason})" if reason else "")]
    lines += [f"NOT VERIFIED: {warning}" for warning in blind_warnings(result.unverified)]
    lines += [f"warning: {result.unsearched}"] if result.unsearched else []
    lines.append(f"landed {counted(result.landed, 'task')}, sites left {result.sites_left}")
    if cost := result.spend.told():
        lines.append(f"models cost {cost}")
    if result.leftovers:
        need = "needs" if result.leftovers == 1 else "need"
        lines.append(f"{counted(result.leftovers, 'file')} {need} a person")
    if result.unbegun:
        lines.append(not_begun(result.unbegun))
    if result.branch and result.tip:
        lines.append(f"branch {result.branch} at {result.tip[:12]}")
    return "\n".join(lines)


def not_begun(phases: Sequence[str]) -> str:
    """Phases that never started: nobody has looked for their sites."""
    noun = "phase" if len(phases) == 1 else "phases"
    return f"{noun} not begun, sites not counted: {', '.join(phases)}"


def leftover_lines(report: MigrationReport) -> list[str]:
    """What was not done, the first few of it."""
    found = undone(report.handoffs)
    lines: list[str] = []
    for entry in found[:LEFTOVERS]:
        what = ", ".join(entry.paths[:PATHS]) or "the whole task"
        what += f" and {len(entry.paths) - PATHS} more" if len(entry.paths) > PATHS else ""
        lines += [f"  {entry.task}  {what}", f"      {first_line(entry.why, 200)}"]
    if len(found) > LEFTOVERS:
        lines.append(f"  and {len(found) - LEFTOVERS} more in the report")
    return lines


def kept_lines(report: MigrationReport) -> list[str]:
    """Where finished work is that did not land, the first few of it."""
    if not report.kept:
        return []
    lines = ["not landed, and kept in the hub (git fetch HUB REF):"]
    for work in report.kept[:LEFTOVERS]:
        lines.append(f"  {work.task}  {counted(work.files, 'file')}  {work.ref}")
    if len(report.kept) > LEFTOVERS:
        lines.append(f"  and {len(report.kept) - LEFTOVERS} more in the report")
    return lines


def finished_well(stage: Stage) -> bool:
    """Whether nothing is left for anybody."""
    return stage is Stage.DONE


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned by spaces; the last one is not padded."""
    widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
    lines: list[str] = []
    for row in [columns, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def fields_text(data: dict[str, Any], indent: str = "") -> str:
    """Nested data as indented lines, for one task's details."""
    lines: list[str] = []
    for name, value in data.items():
        if value in (None, "", [], {}, ()) or name in _NOT_FOR_PEOPLE:
            continue
        lines += _field(name, value, indent)
    return "\n".join(lines)


def _field(name: str, value: Any, indent: str) -> list[str]:
    if isinstance(value, dict):
        return [f"{indent}{name}:", fields_text(cast(dict[str, Any], value), indent + "  ")]
    if isinstance(value, list | tuple):
        items = cast(Sequence[Any], value)
        return [f"{indent}{name}:", *(_item(item, indent) for item in items)]
    text = f"{value:.1f}" if isinstance(value, float) else str(value)
    if "\n" not in text:
        return [f"{indent}{name}: {text}"]
    return [f"{indent}{name}:", *(f"{indent}  {line}" for line in text.splitlines())]


def _item(item: Any, indent: str) -> str:
    if not isinstance(item, dict):
        return f"{indent}  - {item}"
    body = fields_text(cast(dict[str, Any], item), indent + "    ")
    return f"{indent}  - {body.lstrip()}"


def first_line(text: str, width: int = WIDTH) -> str:
    """The first line of a text, cut to what fits."""
    line = text.strip().splitlines()[0] if text.strip() else ""
    return line if len(line) <= width else line[: width - 1] + "…"
