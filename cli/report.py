"""Prints a migration's report, or writes it to a file: Markdown, JSON or one HTML page."""

import asyncio
from enum import Enum
from pathlib import Path

from activities.adapters.html_fleet import Told, render_fleet_html, told
from activities.adapters.html_report import render_html
from activities.adapters.reporting import render_report
from activities.contracts.fleet import FleetRow
from activities.contracts.report import MigrationReport
from cli import fleets
from cli.asking import find, load_report
from cli.boundary import Code, Refused, as_json, give, say
from cli.session import Session, session


class Format(Enum):
    """How a report is written."""

    MARKDOWN = "md"
    JSON = "json"
    HTML = "html"


async def report(name: str, local: bool, how: Format, output: Path | None) -> int:
    """What landed, what did not and why."""
    async with session(local=local, needs_work=False) as connected:
        if fleet := await fleets.fleet_of(connected, name):
            written = await _of_fleet(connected, fleet, how)
        else:
            written = rendered(await load_report(connected, await find(connected, name)), how)
    if output is None:
        give(written)
    else:
        await asyncio.to_thread(output.write_text, written, encoding="utf-8")
        say(f"Written to {output}")
    return Code.OK


async def _of_fleet(connected: Session, fleet: fleets.FleetHandle, how: Format) -> str:
    result = await fleets.fleet_report(fleet)
    if how is Format.HTML:
        rows = [await _told(connected, row) for row in result.rows]
        return render_fleet_html(result, rows)
    if how is Format.MARKDOWN:
        return fleets.report_text(result)
    return as_json("fleet-report", result.model_dump(mode="json"))


async def _told(connected: Session, row: FleetRow) -> Told:
    """One whose report is gone, which `gc` may have deleted, is told in its fleet's words."""
    try:
        report = await connected.read(row.report, MigrationReport) if row.report else None
    except Refused as gone:
        say(f"{row.name}: {gone}")
        report = None
    return told(row, report)


def rendered(report: MigrationReport, how: Format) -> str:
    """The report as text of this kind."""
    if how is Format.HTML:
        return render_html(report)
    if how is Format.MARKDOWN:
        return render_report(report)
    return as_json("report", report.model_dump(mode="json"))
