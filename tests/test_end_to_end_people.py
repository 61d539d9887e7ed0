"""What people say to a running migration through starter.py: real server, worker and git.

The worker is killed while it owes somebody an answer.
"""

import asyncio
import json
from pathlib import Path

import pytest

from activities.contracts.migration import Stage
from activities.contracts.report import MigrationReport
from tests import invariants, shop
from tests.adapters.repositories import git, make_repository
from tests.service import Service, eventually, filled, kill, service, until

pytestmark = pytest.mark.timeout(180)
TOLD = "Mind the gap"
SPEC = filled(
    shop.SPEC,
    **{
        "  - codemod: sed -i s/old_name/new_name/ {files}\n": f"""\
  - command: |
      sed -i s/old_name/new_name/ {{files}}
      [ {{task}} != c1-0002 ] || grep -q '{TOLD}' {{prompt_file}}
approvals: [plan]
limits: {{concurrency: 1}}
environments: {{tools: {{requires: [sed]}}}}
""",
        "NAME": "spoken",
    },
)


async def said(running: Service, *words: str) -> None:
    """A command that is taken."""
    answer = await running.starter(*words)
    assert answer.code == 0, answer.err


async def test_what_people_say_is_done_once_and_told_afterwards(tmp_path: Path) -> None:
    make_repository(tmp_path / "upstream", {**shop.modules(), "run_checks.py": shop.RUNNER})
    async with service(tmp_path / "home") as running:
        handle = await running.start(SPEC, REPOSITORY=str(tmp_path / "upstream"))
        area = running.client.get_workflow_handle(f"{handle.id}/area/root")

        async def failed() -> bool:
            return "needs_person" in [row["state"] for row in await area.query("rows")]

        await until(handle, lambda progress: progress.stage is Stage.APPROVAL)
        await said(running, "pause", "spoken", "-m", "not yet")
        await said(running, "approve", "spoken")
        await until(handle, lambda progress: progress.stage is Stage.WORK)
        await said(running, "pause", "spoken", "--task", "c1-0005")
        await said(running, "skip", "spoken", "--task", "c1-0006", "-m", "not ours")
        await said(running, "limits", "spoken", "--concurrency", "2")
        await said(running, "resume", "spoken")
        await eventually(failed, 60)
        told = {"id": "s1", "actor": "ana", "task": "", "text": TOLD}
        steering = asyncio.create_task(handle.execute_update("steer", told, id="s1"))
        await asyncio.sleep(0)  # it is on its way
        kill(running.workers["all"].pid)
        assert await steering == await handle.execute_update("steer", told, id="s1")
        await said(running, "retry", "spoken", "--task", "c1-0002", "-m", "now it is told")
        await said(running, "resume", "spoken", "--task", "c1-0005")
        report = running.report(await handle.result())
        assert_done(running, report)
        await assert_told(running, report)


def assert_done(running: Service, report: MigrationReport) -> None:
    """The one that was tried again landed, the one that was skipped is named with all its files."""
    hub = running.hub(report)
    invariants.assert_sound(running.home, hub, report)
    assert report.outcome is Stage.DONE_WITH_LEFTOVERS
    statuses = {handoff.task: handoff.status for handoff in report.handoffs}
    skipped = {f"c1-{n:04}": "skipped" if n == 6 else "landed" for n in range(1, 7)}
    assert statuses == skipped
    assert "new_name" in git(hub, "show", f"{report.tip}:area1/m0.py").decode()
    assert "old_name" in git(hub, "show", f"{report.tip}:area5/m0.py").decode()


async def assert_told(running: Service, report: MigrationReport) -> None:
    page = (await running.starter("report", "spoken")).out
    for path in (f"area5/m{m}.py" for m in range(4)):
        assert path in page.partition("## Tasks")[0]
    audit = json.loads((await running.starter("audit", "spoken", "--json")).out)["entries"]
    assert [(entry["verb"], entry["target"], entry["reason"]) for entry in audit] == [
        ("pause", "", "not yet"),
        ("approve", "", ""),
        ("pause", "task c1-0005", ""),
        ("skip", "task c1-0006", "not ours"),
        ("set limits", "", ""),
        ("resume", "", ""),
        ("steer", "", ""),
        ("retry", "task c1-0002", "now it is told"),
        ("resume", "task c1-0005", ""),
    ]
    assert [entry["at"] for entry in audit] == sorted(entry["at"] for entry in audit)
    people = {entry["actor"] for entry in audit}
    assert len(people) == 2
    assert "ana" in people
    table = (await running.starter("audit", "spoken")).out
    decided = page.partition("## What people decided")[2]
    for words in ("task c1-0006", "not ours", TOLD, "concurrency 2", "c1-0002 will start again"):
        assert words in table
        assert words in decided
    assert [decision.id for decision in report.decisions].count("s1") == 1
