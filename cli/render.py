"""How answers look as plain text: pure functions from contracts to lines."""

from collections.abc import Sequence
from typing import Any, cast

from activities.contracts.migration import MigrationResult, Progress, Stage, TaskCounts
from activities.contracts.plan import Forecast, Plan, Task

WIDTH = 100


def counts_line(counts: TaskCounts) -> str:
    """`landed 3/12, running 4, waiting 5`, with what is not zero of the rest."""
    parts = [f"landed {counts.landed}/{counts.total}", f"running {counts.running}"]
    parts.append(f"waiting {counts.waiting}")
    if counts.needs_person:
        parts.append(f"needs person {counts.needs_person}")
    if counts.other:
        parts.append(f"other {counts.other}")
    return ", ".join(parts)


def progress_line(progress: Progress) -> str:
    """All that changes while a migration runs, on one line."""
    parts = [progress.stage.value]
    if progress.phase:
        parts.append(f"{progress.phase} cycle {progress.cycle}")
    if progress.counts.total:
        parts.append(counts_line(progress.counts))
    if progress.sites_at_start:
        parts.append(f"sites left {progress.sites_left}/{progress.sites_at_start}")
    if progress.waiting_for:
        parts.append(f"waiting for {progress.waiting_for}")
    if progress.command:
        parts.append(progress.command)
    return " | ".join(parts)


def status_text(progress: Progress, link: str) -> str:
    """The answer of `status`."""
    rows = [
        ("name", progress.name),
        ("objective", first_line(progress.objective)),
        ("stage", progress.stage.value),
        ("phase", f"{progress.phase}, cycle {progress.cycle}" if progress.phase else ""),
        ("tasks", counts_line(progress.counts) if progress.counts.total else ""),
        ("sites left", f"{progress.sites_left} of {progress.sites_at_start}"),
        ("branch", progress.branch),
        ("base", (progress.base or "")[:12]),
        ("tip", (progress.tip or "")[:12]),
        ("waiting for", progress.waiting_for),
        ("command", progress.command),
        ("web UI", link),
    ]
    return "\n".join(f"{name:<12} {value}" for name, value in rows if value)


def plan_text(plan: Plan, forecast: Forecast) -> str:
    """Tasks with their files and needs, and what running them will take."""
    lines = [f"{plan.migration}: {len(plan.tasks)} tasks on {plan.base[:12]}, phase {plan.phase}"]
    for task in plan.tasks:
        lines += ["", f"{task.id}  {task.title}  ({task.sites} sites)"]
        lines += [f"    {path}" for path in task.claims]
        lines += _extras(task)
    lines += ["", forecast_line(forecast)]
    return "\n".join(lines)


def _extras(task: Task) -> list[str]:
    creates = [f"    creates {path}" for path in task.creates]
    return creates + ([f"    after {', '.join(task.needs)}"] if task.needs else [])


def forecast_line(forecast: Forecast) -> str:
    """The forecast in one sentence."""
    line = (
        f"{forecast.task_count} tasks, {forecast.file_count} files, {forecast.site_count} sites, "
        f"{forecast.waves} waves, about {forecast.check_runs} check runs"
    )
    return f"{line}. {forecast.note}".rstrip()


def outcome_text(name: str, result: MigrationResult) -> str:
    """How a migration ended, and how to look at it."""
    lines = [f"{name}: {result.stage.value}" + (f" ({result.reason})" if result.reason else "")]
    lines.append(f"landed {result.landed} tasks; {result.leftovers} files need a person")
    lines.append(f"sites left {result.sites_left}")
    if result.branch and result.tip:
        lines.append(f"branch {result.branch} at {result.tip[:12]}")
    return "\n".join(lines)


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
        if value in (None, "", [], {}, ()):
            continue
        lines += _field(name, value, indent)
    return "\n".join(lines)


def _field(name: str, value: Any, indent: str) -> list[str]:
    if isinstance(value, dict):
        return [f"{indent}{name}:", fields_text(cast(dict[str, Any], value), indent + "  ")]
    if isinstance(value, list | tuple):
        items = cast(Sequence[Any], value)
        return [f"{indent}{name}:", *(_item(item, indent) for item in items)]
    text = str(value)
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
