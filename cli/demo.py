"""The demo: a real migration of real code, from the package registry to a green branch.

Each finished demo is followed by one of a new name, so that it always shows a whole run; one that
was interrupted is resumed. Environments and source are kept between runs.
"""

import asyncio
import time
from pathlib import Path

from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.adapters.html_report import render_html
from activities.adapters.releases import OAUTHLIB, FetchFailed, fetch
from activities.adapters.report_words import duration
from activities.adapters.reporting import render_report
from activities.adapters.settings import Settings
from activities.contracts.migration import MigrationResult, Stage
from activities.contracts.repository import repository_id
from activities.contracts.spec import MigrationSpec
from cli.asking import Handle, load_report
from cli.boundary import Code, Refused, give, say
from cli.hosting import HERE
from cli.plan_text import forecast_line
from cli.render import counted
from cli.session import Session, read_settings, session
from cli.starting import begin, read_spec
from cli.tasks import all_talks
from cli.watching import Following, outcome_of
from workflows.options import migration_id

SPEC = HERE / "examples" / "oauthlib-unittest2pytest.yaml"
MODEL_SPEC = HERE / "examples" / "oauthlib-claude.yaml"
DOOR = ".venv/bin/python starter.py"
"""As `make demo` leaves it: in the checkout, with its environment."""
EXPECTED = (Stage.DONE, Stage.DONE_WITH_LEFTOVERS)


async def demo(model: bool = False) -> int:
    """Fetches the source, migrates it on this machine, and says where everything is. `model`: one
    plans it and does what the codemod leaves; its key is in this process's environment."""
    started = time.monotonic()
    settings = read_settings()
    say(f"Fetching {OAUTHLIB.name} {OAUTHLIB.version} …")
    folder = settings.home / "demo"
    try:
        source = await asyncio.to_thread(fetch, OAUTHLIB, folder / OAUTHLIB.name)
    except FetchFailed as failed:
        raise Refused(Code.UNREACHABLE, str(failed)) from failed
    spec = read_spec(MODEL_SPEC if model else SPEC).model_copy(update={"repository": str(source)})
    async with session(local=True) as connected:
        spec = await named_freshly(connected, spec)
        handle = await begin(connected, spec)
        result = await outcome_of(connected, handle, Following(yes=True))
        saved = await _save_report(connected, handle, folder / spec.name)
        talks = await asyncio.to_thread(all_talks, connected, spec.name) if model else ""
    if talks:
        give(f"\n{talks}")
    if talks and result.plan:
        give(f"\nforecast    {forecast_line(result.plan.forecast)}")
    give(_closing(spec, result, settings, saved, time.monotonic() - started))
    return Code.OK if result.stage in EXPECTED else Code.NOT_DONE


async def named_freshly(connected: Session, spec: MigrationSpec) -> MigrationSpec:
    """The spec under the first name that no finished run has."""
    number = 1
    while True:
        name = spec.name if number == 1 else f"{spec.name}-{number}"
        try:
            found = await connected.client.get_workflow_handle(migration_id(name)).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return spec.model_copy(update={"name": name})
        if found.status is WorkflowExecutionStatus.RUNNING:
            return spec.model_copy(update={"name": name})
        number += 1


async def _save_report(connected: Session, handle: Handle, stem: Path) -> Path | None:
    """The report as Markdown, JSON and a page; None when the migration made none."""
    try:
        report = await load_report(connected, handle)
    except Refused as refusal:
        say(str(refusal))
        return None
    markdown = stem.with_name(stem.name + ".md")
    await asyncio.to_thread(markdown.write_text, render_report(report))
    data = stem.with_name(stem.name + ".json")
    await asyncio.to_thread(data.write_text, report.model_dump_json(indent=2))
    page = stem.with_name(stem.name + ".html")
    await asyncio.to_thread(page.write_text, render_html(report), encoding="utf-8")
    return page


def _closing(
    spec: MigrationSpec,
    result: MigrationResult,
    settings: Settings,
    saved: Path | None,
    seconds: float,
) -> str:
    hub = settings.hub_here / f"{repository_id(spec.repository)}.git"
    lines = [
        "",
        f"{spec.name}: {result.stage.value} in {duration(seconds)}",
        f"landed      {counted(result.landed, 'task')}",
        f"not landed  {counted(result.leftovers, 'file')}: for a person, and first in the report",
        f"sites left  {result.sites_left}",
        *((f"models      {cost}",) if (cost := result.spend.told()) else ()),
        f"branch      {spec.branch} at {(result.tip or '')[:12]}",
        f"report      {saved or 'none'}",
        "",
        "Look at it:",
        f"  git fetch {hub} {spec.branch}    into a repository of yours",
        f"  {DOOR} diff {spec.name} --stat    what changed",
        f"  {DOOR} report {spec.name}         what landed, what did not and why",
        f"  {DOOR} show {spec.name} TASK      one task with its evidence",
    ]
    if result.reason:
        lines.insert(2, f"because     {result.reason}")
    return "\n".join(lines)
