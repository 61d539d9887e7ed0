"""A cancel, said through Temporal's own CLI: what has landed stays, and what was finished and did
not land is kept under refs that git fetches, named wherever a person looks.
"""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts.children import AreaRow
from activities.contracts.migration import Stage
from activities.contracts.report import MigrationReport
from cli.unserved import STARTED
from tests import invariants, shop
from tests.adapters.repositories import git, make_repository
from tests.service import Said, Service, eventually, filled, service, until
from workflows.options import area_id, task_id
from workflows.parked import ParkedTaskWorkflow

NAME, PAUSED = "unwanted", "c1-0002"
SPEC = filled(
    shop.SPEC,
    **{
        "codemod: sed -i s/old_name/new_name/ {files}": (
            'codemod: "[ {task} != c1-0002 ] || sleep 5; sed -i s/old_name/new_name/ {files}"'
        ),
        "NAME": NAME,
    },
)
LIMITS = "limits: {concurrency: 2}\n"


async def temporal(running: Service, *words: str) -> Said:
    """A line for Temporal's CLI, as docs/people.md has them."""
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).parent / "temporal"), "workflow", *words),
        *("-w", f"migration/{NAME}"),
        *("--address", running.client.service_client.config.target_host),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Said(process.returncode or 0, out.decode(), err.decode())


async def update(running: Service, verb: str, **command: object) -> Said:
    said = json.dumps(command)
    return await temporal(running, "update", "execute", "--name", verb, "--input", said)


async def is_in_its_rung(running: Service) -> bool:
    try:
        described = await running.client.get_workflow_handle(task_id(NAME, PAUSED, 0)).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    steps = described.raw_description.pending_activities
    return [step.activity_type.name for step in steps if step.state == STARTED] == ["run_rung"]


async def stands(running: Service) -> bool:
    """The paused task has finished its rung, and the one beside it has landed."""
    area = running.client.get_workflow_handle(area_id(NAME, "root"))
    rows = await area.query("rows", result_type=list[AreaRow])
    landed = any(row.task.id == "c1-0001" and row.state == "landed" for row in rows)
    paused = await running.client.get_workflow_handle(task_id(NAME, PAUSED, 0)).describe()
    return landed and paused.workflow_type == ParkedTaskWorkflow.__name__


@pytest.mark.timeout(150)
async def test_a_cancel_keeps_what_was_finished_and_says_where(tmp_path: Path) -> None:
    make_repository(tmp_path / "upstream", {**shop.modules(), "run_checks.py": shop.RUNNER})
    async with service(tmp_path / "home") as running:
        handle = await running.start(SPEC + LIMITS, REPOSITORY=str(tmp_path / "upstream"))
        await until(handle, lambda progress: progress.counts.running > 0)
        await eventually(lambda: is_in_its_rung(running))
        paused = await update(running, "pause", task=PAUSED)
        assert paused.code == 0, paused.err
        await eventually(lambda: stands(running), 60)
        await assert_refused(running)
        cancelled = await update(running, "cancel", actor="ana", reason="enough")
        assert cancelled.code == 0, cancelled.err
        report = running.report(await handle.result())
        assert report.outcome is Stage.CANCELLED
        assert_kept(running, report, tmp_path / "mine")
        await assert_told(running, report)


async def assert_refused(running: Service) -> None:
    """What cannot be is refused there too, with the reason; a signal does nothing, and is seen."""
    for verb, command, why in (
        ("retry", {"task": "c1-0001"}, "c1-0001 has landed as"),
        ("skip", {"task": "c1-0009"}, "there is no task 'c1-0009'; near it: c1-000"),
        ("pause", {"task": PAUSED}, f"task {PAUSED} is paused already (by somebody"),
        ("approve", {}, "nothing waits for approval"),
        ("steer", {"texd": "x"}, "it has no field 'texd'; did you mean 'text'?"),
    ):
        refused = await update(running, verb, **command)
        assert refused.code != 0
        assert why in refused.err
    assert (await temporal(running, "signal", "--name", "pause", "--input", "{}")).code == 0


def assert_kept(running: Service, report: MigrationReport, mine: Path) -> None:
    """The paused task's rung, at least, is there to be fetched, as it was left."""
    hub = running.hub(report)
    kept = {work.task: work for work in report.kept}
    landed = {h.task for h in report.handoffs if h.status.landed}
    assert PAUSED in kept
    assert not landed & set(kept)
    made = make_repository(mine, {"a": "mine"})
    git(mine, "fetch", "-q", str(hub), kept[PAUSED].ref)
    assert git(mine, "rev-parse", "FETCH_HEAD").decode().strip() == kept[PAUSED].commit
    assert made != kept[PAUSED].commit
    assert b"new_name" in git(mine, "show", "FETCH_HEAD:area1/m0.py")
    assert b"old_name" in git(hub, "show", f"{report.tip}:area1/m0.py")
    invariants.assert_sound(running.home, hub, report)


async def assert_told(running: Service, report: MigrationReport) -> None:
    (kept,) = (work for work in report.kept if work.task == PAUSED)
    last = await running.starter("watch", NAME)
    assert last.code == 1
    assert f"  {PAUSED}  4 files  {kept.ref}" in last.out
    page = (await running.starter("report", NAME)).out
    html = (await running.starter("report", NAME, "--html")).out
    assert kept.ref in page.partition("## Kept")[2]
    assert kept.ref in html.partition('id="kept"')[2]
    audit = json.loads((await running.starter("audit", NAME, "--json")).out)["entries"]
    seen = [(entry["verb"], entry["outcome"].partition(":")[0]) for entry in audit]
    assert ("pause", "accepted") in seen
    assert ("retry", "refused") in seen
    assert any("signal" in verb for verb, _ in seen)
