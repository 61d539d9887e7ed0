"""Verbs that only read: status, list, diff.

A migration is named by its name or a unique prefix of it. One that runs is asked itself, so that
the answer is what it will act on. One that has ended is read from its result and its report: no
worker is needed, and today's code need not agree with its history.
"""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

from temporalio.client import (
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.adapters.git import Git
from activities.adapters.reporting import undone
from activities.contracts.children import AreaRow, TaskCounts
from activities.contracts.migration import MigrationResult, Progress
from activities.contracts.report import MigrationReport
from activities.contracts.repository import repository_id
from activities.contracts.work import TaskStatus
from activities.serving import different_code, workers_of
from cli import fleets
from cli.boundary import Code, Refused, give, give_json, say
from cli.render import counted, status_text, table
from cli.session import Session, session, unreachable
from cli.trouble import stopped_short, trouble_of
from cli.unserved import unserved
from workflows import options

Handle = WorkflowHandle[Any, MigrationResult]
ANSWER = timedelta(seconds=60)
"""How long a question may take: its worker may be only just starting."""
_PREFIX = options.migration_id("")
_OURS = 'WorkflowType="MigrationWorkflow"'
_LISTED = 'WorkflowType IN ("MigrationWorkflow", "FleetWorkflow")'


async def find(connected: Session, name: str) -> Handle:
    """The migration with this name, else the only one whose name starts with it."""
    handle = _handle(connected, name)
    try:
        await handle.describe()
        return handle
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    names = [n async for n in _names(connected) if n.startswith(name)]
    if len(set(names)) == 1:
        return _handle(connected, names[0])
    if names:
        shown = ", ".join(sorted(set(names))[:10])
        raise Refused(Code.NOT_FOUND, f"{name!r} is not one name but several: {shown}")
    raise Refused(Code.NOT_FOUND, f"No migration is named {name!r}; `starter.py list` shows all.")


def name_of(handle: WorkflowHandle[Any, Any]) -> str:
    """The migration's or the fleet's name."""
    return handle.id.removeprefix(_PREFIX).removeprefix(fleets.PREFIX)


def _handle(connected: Session, name: str) -> Handle:
    return connected.client.get_workflow_handle(
        options.migration_id(name), result_type=MigrationResult
    )


async def _names(connected: Session) -> AsyncGenerator[str]:
    async for execution in connected.client.list_workflows(_OURS):
        if execution.id.startswith(_PREFIX):
            yield execution.id.removeprefix(_PREFIX)


async def progress_of(connected: Session, handle: Handle) -> Progress:
    """Where it says that it is; waits for a worker that is only just starting."""
    await connected.need_worker()
    query = handle.query("progress", result_type=Progress, rpc_timeout=ANSWER)
    return await connected.outlast(query)


async def ask(connected: Session, handle: Handle) -> Progress:
    """As `progress_of`; when nobody is there to answer, it is refused with who is missing."""
    try:
        return await progress_of(connected, handle)
    except RPCError as error:
        if not unreachable(error):
            raise
        missing = await unserved(connected.client, await handle.describe())
        if not missing:
            raise
        raise Refused(Code.UNREACHABLE, f"{name_of(handle)} waits: {missing}") from error


async def rows_of(connected: Session, name: str) -> list[AreaRow]:
    """The tasks of the cycle, as their area knows them; none before it has begun."""
    await connected.need_worker()
    area = connected.client.get_workflow_handle(options.area_id(name, "root"))
    try:
        query = area.query("rows", result_type=list[AreaRow], rpc_timeout=ANSWER)
        return await connected.outlast(query)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return []
        raise


async def status(name: str, local: bool, as_json: bool) -> int:
    """Where a migration is."""
    async with session(local=local, needs_work=False) as connected:
        if fleet := await fleets.fleet_of(connected, name):
            return await fleets.show_fleet(connected, fleet, as_json)
        handle = await find(connected, name)
        ended = await report_of(connected, handle)
        progress = last_of(ended) if ended else await ask(connected, handle)
        trouble = [] if ended else await _trouble(connected, progress)
        if as_json:
            said = {"trouble": "", "workers": "", **dict(trouble)}
            give_json("status", {**progress.model_dump(mode="json"), **said})
        else:
            more = left_rows(ended) if ended else trouble
            give(status_text(progress, connected.link(handle.id), more))
    return Code.OK


async def _trouble(connected: Session, progress: Progress) -> list[tuple[str, str]]:
    client, rows = connected.client, list[AreaRow]()
    if closed := await stopped_short(client, options.migration_id(progress.name)):
        return [("ended", closed)]
    with contextlib.suppress(WorkflowQueryFailedError):
        rows = await rows_of(connected, progress.name)
    workers = await workers_of(client, options.QUEUES)
    return [
        ("trouble", await trouble_of(client, progress, rows)),
        ("workers", different_code(workers)),
    ]


def left_rows(report: MigrationReport) -> list[tuple[str, str]]:
    """What `status` adds of a migration that has ended: what people have to act on."""
    found = undone(report.handoffs)
    files = len({path for entry in found for path in entry.paths})
    whole = sum(1 for entry in found if not entry.paths)
    parts = [counted(files, "file")] if files else []
    parts += [counted(whole, "whole task")] if whole else []
    says = f"{', '.join(parts)}: starter.py report {report.name}" if found else ""
    return [("because", report.reason), ("not done", says)]


async def list_all(local: bool, as_json: bool) -> int:
    """Every migration and fleet that Temporal still remembers, newest first."""
    async with session(local=local, needs_work=False) as connected:
        found = [
            _row(execution)
            async for execution in connected.client.list_workflows(_LISTED)
            if execution.id.startswith((_PREFIX, fleets.PREFIX))
        ]
    if as_json:
        give_json("list", {"migrations": found})
    elif not found:
        say("No migration yet.")
    else:
        columns = ("name", "kind", "status", "stage", "started", "sites_left", "owner")
        give(
            table([c.replace("_", " ") for c in columns], [[r[c] for c in columns] for r in found])
        )
    return Code.OK


def _row(execution: WorkflowExecution) -> dict[str, str]:
    def attribute(key: Any) -> str:
        value = execution.typed_search_attributes.get(key)
        return "" if value is None else str(value)

    status = execution.status or WorkflowExecutionStatus.RUNNING
    return {
        "name": execution.id.removeprefix(_PREFIX).removeprefix(fleets.PREFIX),
        "kind": execution.id.partition("/")[0],
        "status": status.name.lower().replace("_", " "),
        "stage": attribute(options.STAGE),
        "started": execution.start_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sites_left": attribute(options.SITES_LEFT),
        "owner": attribute(options.OWNER),
        "repository": attribute(options.REPO),
        "run": execution.run_id,
    }


async def report_of(connected: Session, handle: Handle) -> MigrationReport | None:
    """The report of a migration that has ended; None while it runs, or when it made none."""
    if (await handle.describe()).status is not WorkflowExecutionStatus.COMPLETED:
        return None
    result = await handle.result()
    return await connected.read(result.report, MigrationReport) if result.report else None


async def load_report(connected: Session, handle: Handle) -> MigrationReport:
    """As `report_of`; a migration without one is refused."""
    found = await report_of(connected, handle)
    if found is None:
        raise Refused(Code.NOT_FOUND, f"{name_of(handle)} has no report yet.")
    return found


def last_of(report: MigrationReport) -> Progress:
    """Where a migration was when it ended."""
    landed = sum(1 for handoff in report.handoffs if handoff.status.landed)
    people = (TaskStatus.NEEDS_PERSON, TaskStatus.CANNOT)
    stuck = sum(1 for handoff in report.handoffs if handoff.status in people)
    other = len(report.handoffs) - landed - stuck
    return Progress(
        name=report.name,
        objective=report.objective,
        stage=report.outcome,
        cycle=report.cycles,
        later_phases=report.unbegun,
        counts=TaskCounts(landed=landed, needs_person=stuck, other=other),
        sites_at_start=report.sites_at_start,
        sites_left=report.sites_left,
        branch=report.branch,
        repository=repository_id(report.repository),
        base=report.base,
        stands_on=report.stands_on,
        base_told=report.base_told,
        push_told=report.pushes[-1].told if report.pushes else "",
        tip=report.tip,
        decisions=report.decisions,
        unverified=report.blind_checks,
        flaky=report.flaky_landings,
        hot=report.hot,
        deep=report.deep,
        unsearched=report.unsearched,
        opinion=report.opinions[-1] if report.opinions else None,
        plan=report.plan,
    )


async def diff(name: str, local: bool, stat: bool) -> int:
    """What the green branch changed since the base."""
    async with session(local=local, needs_work=False) as connected:
        handle = await find(connected, name)
        ended = await report_of(connected, handle)
        progress = last_of(ended) if ended else await ask(connected, handle)
        hub = connected.hub / f"{progress.repository}.git"
    if not progress.base or not progress.tip:
        raise Refused(Code.NOT_FOUND, f"{progress.name} has nothing to show yet.")
    if not hub.exists():
        raise Refused(Code.NOT_FOUND, f"The hub is not on this machine: {hub} does not exist.")
    # A running migration knows its tip as of the last cycle; its branch is ahead of it.
    tip = progress.tip if ended else f"refs/heads/{progress.branch}"
    how = ["--no-ext-diff", "--no-textconv", *(["--stat=100"] if stat else [])]
    base = progress.stands_on or progress.base
    command = Git(hub).command("diff", *how, base, tip, "--")
    return await asyncio.to_thread(_show, command)


def _show(command: list[str]) -> int:
    """Runs a reading command straight to stdout, however much it prints."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    return Code.OK if done.returncode == 0 else Code.NOT_DONE
