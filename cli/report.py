"""Prints a migration's report, or writes it to a file: Markdown, JSON or one HTML page."""

import asyncio
from enum import Enum
from pathlib import Path

from activities.adapters.html_report import render_html
from activities.adapters.reporting import render_report
from activities.contracts.report import MigrationReport
from cli import fleets
from cli.asking import find, load_report
from cli.boundary import Code, Refused, as_json, give, say
from cli.session import session


class Format(Enum):
    """How a report is written."""

    MARKDOWN = "md"
    JSON = "json"
    HTML = "html"


async def report(name: str, local: bool, how: Format, output: Path | None) -> int:
    """What landed, what did not and why."""
    async with session(local=local, needs_work=False) as connected:
        if fleet := await fleets.fleet_of(connected, name):
            written = await _of_fleet(fleet, how)
        else:
            written = rendered(await load_report(connected, await find(connected, name)), how)
    if output is None:
        give(written)
    else:
        await asyncio.to_thread(output.write_text, written, encoding="utf-8")
        say(f"Written to {output}")
    return Code.OK


async def _of_fleet(fleet: fleets.FleetHandle, how: Format) -> str:
    result = await fleets.fleet_report(fleet)
    if how is Format.HTML:
        pages = f"starter.py report {result.name}/REPOSITORY --html"
        raise Refused(Code.USAGE, f"A fleet has no page; each of its migrations has one: {pages}")
    if how is Format.MARKDOWN:
        return fleets.report_text(result)
    return as_json("fleet-report", result.model_dump(mode="json"))


def rendered(report: MigrationReport, how: Format) -> str:
    """The report as text of this kind."""
    if how is Format.HTML:
        return render_html(report)
    if how is Format.MARKDOWN:
        return render_report(report)
    return as_json("report", report.model_dump(mode="json"))
