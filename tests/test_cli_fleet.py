"""A fleet through the people's door: real server, worker and repositories."""

import json
from pathlib import Path

from tests.adapters.repositories import make_repository
from tests.service import service

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
        assert "# Migration better/one" in (await running.starter("report", "better/one")).out
        assert "+young" in (await running.starter("diff", "better/two")).out
        listed = json.loads((await running.starter("list", "--json")).out)["migrations"]
        assert {(row["name"], row["kind"]) for row in listed} == {
            ("better", "fleet"),
            ("better/one", "migration"),
            ("better/two", "migration"),
        }
        late = await running.starter("pause", "better")
        assert (late.code, "has ended" in late.err) == (3, True), late.err
