"""What `plan` says of every phase, with the real thing: server, worker, repository, sandbox."""

import json
from decimal import Decimal
from pathlib import Path

from activities.contracts.base import BlobRef
from activities.contracts.plan import Forecast, PhaseOutlook, PlanSummary
from cli.plan_text import Planned, plan_text
from tests.adapters.repositories import git, make_repository
from tests.builders import a_plan, a_spec, a_task
from tests.service import service

SPEC = """\
version: 1
name: in-steps
repository: upstream
objective: Nothing is old.
environments: {tools: {requires: [sed, grep]}}
checks:
  there: {run: "test -s a.txt"}
  fine: {run: "if grep -q new b.txt; then echo FAIL b.txt; exit 1; fi", at: [],
         results: {fail: '^FAIL (?P<id>\\S+)'}}
sites: {include: ["*.txt"], find: {regex: old}}
split: file
ladder: [{codemod: "sed -i s/old/new/ {files}"}]
approvals: [plan, pilot]
phases:
  - {name: first, creates: [made.txt], pilot: 1}
  - {name: again, sites: {include: ["*.txt"], find: [{regex: old}, {codemod: true}]}}
  - {name: unready, sites: {include: ["*.txt"], find: {command: "cat made.txt || exit 3"}}}
  - {name: mend, sites: {include: ["*.txt"], find: {failing: fine}}}
  - {name: other, sites: {include: [c.md], find: {regex: old}}}
"""
FILES: dict[str | bytes, bytes] = dict.fromkeys(("a.txt", "b.txt", "c.md"), b"old\n")


def test_what_an_area_may_cost_is_shown_before_anything_runs() -> None:
    plan = a_plan("m", "1" * 40, a_task(area="web")).model_copy(
        update={"caps": {"web": Decimal(3)}}
    )
    forecast = Forecast(waves=1, task_count=1, file_count=1, site_count=1, check_runs=2)
    blob = BlobRef(migration="m", sha256="0" * 64, size=0)
    summary = PlanSummary(plan=blob, phase="main", cycle=1, base=plan.base, forecast=forecast)
    told = plan_text(a_spec("m"), [Planned(PhaseOutlook(phase="main", plan=summary), plan)])
    assert "area web: at most 3.00 USD" in told


async def test_every_phase_is_shown_with_what_is_only_known_later(tmp_path: Path) -> None:
    make_repository(tmp_path / "upstream", {**FILES})
    (tmp_path / "home").mkdir()
    path, saved = tmp_path / "spec.yaml", tmp_path / "plan.json"
    path.write_text(SPEC)
    async with service(tmp_path / "home") as running:
        said = await running.starter("plan", str(path), "-o", str(saved))
        assert said.code == 0, said.err
        path.write_text(SPEC.replace("pilot: 1}", "pilot: 1, plan: plan.json}"))
        told = await running.starter("plan", str(path), "--json")
        as_named = await running.starter("plan", str(path))
        (hub,) = (tmp_path / "home" / "hub").glob("*.git")
        refs = git(hub, "for-each-ref", "--format=%(refname)").decode().split()
        await running.starter("start", str(path))
        await running.starter("approve", "in-steps")
        watched = await running.starter("watch", "in-steps", "--yes", "--timeout", "60")
        report = json.loads((await running.starter("report", "in-steps", "--json")).out)
    assert "(phase first); run exactly it with" in said.err
    for line in (
        "Before any work a person approves the plan: starter.py approve in-steps",
        "in-steps: 2 tasks on ",
        "pilot: c1-0001 first, then a person approves, then the others",
        "as of the base: what its codemod finds may be something else when first landed",
        "as of the base: earlier phases change 2 files of it first",
        "as of the base: what earlier phases create is not there yet: made.txt",
        "in-steps: phase unready, no plan yet",
        "known when again has landed; on the base it cannot be planned: FinderFailed",
        "in-steps: phase mend, no plan yet",
        "its sites are known when unready has landed: the red results of fine",
        "as of the base: what unready, mend will change is not known yet",
        "A later phase is planned when it begins",
    ):
        assert line in said.out, said.out
    assert not [ref for ref in refs if "owner" in ref or "in-steps/" in ref], "a plan is a reader"
    answer = json.loads(told.out)
    counts = {
        of["phase"]: of["forecast"] and of["forecast"]["task_count"] for of in answer["phases"]
    }
    assert counts == {"first": 2, "again": 2, "unready": None, "mend": None, "other": 1}
    assert answer["plan"] == json.loads(saved.read_text()) == answer["phases"][0]["plan"]
    assert f"as {saved} divides it" in as_named.out
    assert [h["task"] for h in report["handoffs"]][:2] == ["c1-0001", "c1-0002"], watched.err
