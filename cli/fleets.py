"""A fleet as verbs see it: found by name, asked where it is, shown as text.

One that runs is asked itself; one that has ended is read from its result, which is its report.
"""

from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from activities.adapters.markdown_text import code, text
from activities.contracts.fleet import FleetProgress, FleetResult, FleetRow
from activities.contracts.migration import Stage
from cli.boundary import Code, Refused, give, give_json
from cli.render import counted, first_line, table
from cli.session import Session
from workflows import options

FleetHandle = WorkflowHandle[Any, FleetResult]
ANSWER = timedelta(seconds=60)
PREFIX = options.fleet_id("")


async def fleet_of(connected: Session, name: str) -> FleetHandle | None:
    """The fleet of exactly this name; None when there is none, or a migration of that name was
    started since."""
    fleet = connected.client.get_workflow_handle(options.fleet_id(name), result_type=FleetResult)
    started = await _started(fleet)
    if started is None:
        return None
    alone = connected.client.get_workflow_handle(options.migration_id(name))
    return None if (await _started(alone) or 0.0) > started else fleet


async def _started(handle: WorkflowHandle[Any, Any]) -> float | None:
    try:
        return (await handle.describe()).start_time.timestamp()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


async def fleet_progress(connected: Session, fleet: FleetHandle) -> FleetProgress:
    """Where it is, or was when it ended."""
    result = await fleet_result(fleet)
    if result:
        kept = result.model_dump(include={"name", "objective", "stage", "rows", "decisions"})
        return FleetProgress.model_validate(kept)
    await connected.need_worker()
    query = fleet.query("progress", result_type=FleetProgress, rpc_timeout=ANSWER)
    return await connected.outlast(query)


async def fleet_result(fleet: FleetHandle) -> FleetResult | None:
    """How it ended; None while it runs, or when it left no result."""
    if (await fleet.describe()).status is not WorkflowExecutionStatus.COMPLETED:
        return None
    return await fleet.result()


async def show_fleet(connected: Session, fleet: FleetHandle, as_json: bool) -> int:
    """The answer of `status`."""
    progress = await fleet_progress(connected, fleet)
    if as_json:
        give_json("fleet", progress.model_dump(mode="json"))
    else:
        give(f"{fleet_text(progress)}\n\n{connected.link(fleet.id)}".rstrip())
    return Code.OK


async def fleet_report(fleet: FleetHandle) -> FleetResult:
    """As `fleet_result`; a fleet without one is refused."""
    result = await fleet_result(fleet)
    if result is None:
        raise Refused(Code.NOT_FOUND, f"{fleet.id.removeprefix(PREFIX)} has no report yet.")
    return result


def fleet_text(progress: FleetProgress) -> str:
    """Head and a line for each migration."""
    head = [("name", progress.name), ("objective", first_line(progress.objective))]
    head += [("stage", progress.stage.value), ("waiting", progress.waiting_for)]
    head += [("command", progress.command)]
    lines = [f"{name:<12} {value}" for name, value in head if value]
    return "\n".join([*lines, "", rows_text(progress.rows)])


def rows_text(rows: tuple[FleetRow, ...]) -> str:
    """The fleet's migrations as a table."""
    columns = ("migration", "state", "landed", "sites left", "why")
    return table(columns, [_cells(row) for row in rows])


def _cells(row: FleetRow) -> tuple[str, ...]:
    known = row.tip is not None
    landed, left = (str(row.landed), str(row.sites_left)) if known else ("", "")
    return (row.name, row.state, landed, left, first_line(row.reason))


def outcome_lines(result: FleetResult) -> str:
    """How a fleet ended, in short."""
    why = f" ({first_line(result.reason)})" if result.reason else ""
    done = sum(row.state == Stage.DONE for row in result.rows)
    lines = [f"{result.name}: {result.stage.value}{why}"]
    lines.append(f"{done} of {counted(len(result.rows), 'migration')} done")
    return "\n".join([*lines, rows_text(result.rows)])


def report_text(result: FleetResult) -> str:
    """The report as Markdown; each migration has one of its own."""
    lines = [f"# {result.name}: {result.stage.value}", "", text(result.objective), ""]
    lines += [f"{text(result.reason)}\n"] if result.reason else []
    lines += [f"From {result.started_at} to {result.finished_at}.", ""]
    lines += ["| migration | state | landed | sites left | branch |", "|---|---|---|---|---|"]
    lines += [
        f"| {r.name} | {r.state} | {r.landed} | {r.sites_left} | {r.branch} |" for r in result.rows
    ]
    why = [f"- {r.name}: {code(first_line(r.reason, 300))}" for r in result.rows if r.reason]
    lines += ["", "## Why", "", *why] if why else []
    said = [
        f"- {d.at} {text(d.actor)}: {d.verb}{f', {text(d.reason)}' if d.reason else ''}"
        for d in result.decisions
    ]
    lines += ["", "## What people said", "", *said] if said else []
    reports = [f"starter.py report {row.name}" for row in result.rows if row.report]
    lines += ["", "## Their own reports", "", "```", *reports, "```"] if reports else []
    return "\n".join(lines)
