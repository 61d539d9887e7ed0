"""A fleet through the people's door: real server, worker and repositories."""

import json
from pathlib import Path

from activities.contracts.migration import Stage
from tests.adapters.repositories import make_repository
from tests.service import eventually, service, until

SPEC = """\
version: 1
name: better
repositories: [one, {url: two, vars: {word: young}}, {url: two, name: twice, base: gone}]
fleet: {concurrency: 2}
vars: {word: new}
objective: Nothing is old.
sites: {include: ["*.txt"], find: {regex: old}}
ladder: [{codemod: "sed -i s/old/{vars.word}/ {files}"}]
environments: {tools: {requires: [sed]}}
approvals: [plan]
checks: {there: {run: "test -s {repo.name}.txt"}}
"""


async def test_a_fleet_is_started_followed_listed_and_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("one", "two"):
        make_repository(tmp_path / name, {f"{name}.txt": b"old\n"})
    path = tmp_path / "fleet.yaml"
    async with service(home) as running:
        path.write_text(SPEC)
        refused = await running.starter("start", str(path))
        assert (refused.code, "has no branch 'gone'" in refused.err) == (2, True), refused.err
        planned = await running.starter("plan", str(path), "--json")
        assert (planned.code, "better: 2 of 3 plans made" in planned.err) == (1, True), planned.err
        one, two, twice = json.loads(planned.out)["plans"]
        tasks = [of["phases"][0]["forecast"]["task_count"] for of in (one, two)]
        assert (tasks, "has no branch 'gone'" in twice["error"]) == ([1, 1], True)
        saving = await running.starter("plan", str(path), "-o", str(tmp_path / "plan.json"))
        assert (saving.code, "is a fleet" in saving.err) == (2, True)
        path.write_text(SPEC.replace(", {url: two, name: twice, base: gone}", ""))
        done = await running.starter("start", str(path), "--watch", "--yes")
        assert done.code == 0, done.err
        assert "better: done" in done.out
        report = json.loads((await running.starter("report", "better/two", "--json")).out)
        assert [decision["verb"] for decision in report["decisions"]] == ["approve"]
        assert "better/one done" in done.err
        status = json.loads((await running.starter("status", "better", "--json")).out)
        assert [(row["name"], row["state"], row["landed"]) for row in status["rows"]] == [
            ("better/one", "done", 1),
            ("better/two", "done", 1),
        ]
        assert "| better/two | done | 1 | 0 |" in (await running.starter("report", "better")).out
        page = (await running.starter("report", "better", "--html")).out
        assert "2 file changes landed in 2 commits" in page
        assert "+young" in (await running.starter("diff", "better/two")).out
        listed = json.loads((await running.starter("list", "--json")).out)["migrations"]
        assert {(row["name"], row["kind"]) for row in listed} == {
            ("better", "fleet"),
            ("better/one", "migration"),
            ("better/two", "migration"),
        }
        late = await running.starter("pause", "better")
        assert (late.code, "has ended" in late.err) == (3, True), late.err


HELD = SPEC.replace(
    "[one, {url: two, vars: {word: young}}, {url: two, name: twice, base: gone}]", "[one]"
)


async def test_a_fleet_is_paused_resumed_and_cancelled_as_a_whole(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    make_repository(tmp_path / "one", {"one.txt": b"old\n"})
    path = tmp_path / "fleet.yaml"
    path.write_text(HELD)
    async with service(home) as running:
        begun = await running.starter("start", str(path))
        assert begun.code == 0, begun.err
        member = running.client.get_workflow_handle("migration/better/one")

        async def has_begun() -> bool:
            return (await running.client.count_workflows(f"WorkflowId = '{member.id}'")).count == 1

        await eventually(has_begun)
        waiting = await until(member, lambda progress: progress.stage is Stage.APPROVAL)
        assert not waiting.holds
        told = [
            await running.starter("pause", "better", "-m", "holidays"),
            await running.starter("pause", "better"),
            await running.starter("resume", "better", "--task", "c1-0001"),
        ]
        assert [said.code for said in told] == [0, 5, 2], [said.err for said in told]
        await until(member, lambda progress: bool(progress.holds))
        assert (await running.starter("resume", "better")).code == 0
        await until(member, lambda progress: not progress.holds)
        assert (await running.starter("cancel", "better", "--yes", "-m", "enough")).code == 0
        assert (await member.result())["stage"] == Stage.CANCELLED
        audit = json.loads((await running.starter("audit", "better", "--json")).out)["entries"]
        assert [(entry["verb"], entry["reason"]) for entry in audit] == [
            ("pause", "holidays"),
            ("resume", ""),
            ("cancel", "enough"),
        ]
        report = json.loads((await running.starter("report", "better/one", "--json")).out)
        said = [decision["verb"] for decision in report["decisions"]]
        assert said == ["pause", "resume", "cancel"]
