"""Two programs ask for one file that belongs to neither, with a worker that is killed at it."""

from pathlib import Path

from activities.contracts.migration import Stage
from activities.contracts.work import RungOutcome, TaskStatus
from tests import invariants
from tests.adapters.repositories import git, make_repository
from tests.service import service

SPEC = """\
version: 1
name: shared
repository: REPOSITORY
objective: Every call of old_name becomes one of new_name.
sites: {include: ["/part*.txt"], find: {regex: 'old_name'}}
protect: [/LICENSE]
split: file
ladder:
  - command:
      run: |
        sed -i s/old_name/new_name/ {files}
        grep -q new_name api.txt || cat ask.txt > $REQUESTS
checks:
  there: {run: test -s api.txt}
"""
ASK = """\
{"path": "api.txt", "reason": "its callers change with it"}
{"path": "LICENSE", "reason": "it could be shorter"}
{"path": "api.txt"}
"""
FILES = {
    "part1.txt": "old_name\n",
    "part2.txt": "old_name\n",
    "api.txt": "def old_name\n",
    "LICENSE": "long\n",
    "ask.txt": ASK,
}


async def test_a_file_that_two_programs_ask_for_is_changed_once_and_both_tasks_land(
    tmp_path: Path,
) -> None:
    make_repository(tmp_path / "upstream", FILES)
    faults = tmp_path / "faults"
    faults.mkdir()
    more = {"WHIMBREL_FAULTS": "crash@after:ask_for_files", "WHIMBREL_FAULTS_DIR": str(faults)}
    async with service(tmp_path / "home", **more) as whimbrel:
        report = await whimbrel.run(SPEC, REPOSITORY=str(tmp_path / "upstream"))
        told = await whimbrel.starter("report", "shared")
        invariants.assert_sound(whimbrel.home, whimbrel.hub(report), report)
    assert (faults / "0").exists(), "nobody was killed"
    assert report.outcome is Stage.DONE
    assert {handoff.status for handoff in report.handoffs} == {TaskStatus.LANDED}
    hub = whimbrel.hub(report)
    for path in ("part1.txt", "part2.txt", "api.txt"):
        assert "new_name" in git(hub, "show", f"{report.tip}:{path}").decode()
    assert git(hub, "show", f"{report.tip}:LICENSE") == b"long\n"
    granted = [handoff for handoff in report.handoffs if handoff.granted]
    assert granted
    assert {grant.path for h in granted for grant in h.granted} == {"api.txt"}
    asked = [a for h in granted for a in h.attempts if a.outcome is RungOutcome.ASKED]
    assert all("LICENSE: it is protected" in attempt.note for attempt in asked)
    assert "## Files beyond a task's claims" in told.out
    assert "api.txt: granted: its callers change with it" in told.out
