"""A codemod that weakens a test on its way, from the spec to the report."""

from pathlib import Path

from activities.contracts.migration import Stage
from tests import invariants
from tests.adapters.repositories import git, make_repository
from tests.service import service

TEST = "from app import new_name, old_name\n\n\ndef test_names():\n    assert old_name(1) == 2\n"
FILES = {
    "app.py": "def new_name(n):\n    return n + 1\n\n\nold_name = new_name\n",
    "use.py": "from app import old_name\n\nprint(old_name(1))\n",
    "test_use.py": TEST,
}
SPEC = """\
version: 1
name: weakened
repository: REPOSITORY
objective: Every call of old_name becomes one of new_name.
sites: {include: [/use.py, /test_use.py], find: {regex: 'old_name\\('}}
split: whole
ladder:
  - codemod: sed -i -e 's/old_name/new_name/' -e 's/    assert.*/    pass/' {files}
limits: {cycles: 1}
checks:
  runs: {run: [/usr/bin/python3, use.py], at: [task, landing]}
"""


async def test_a_task_that_weakens_a_test_lands_without_it_and_the_report_says_why(
    tmp_path: Path,
) -> None:
    make_repository(tmp_path / "upstream", FILES)
    async with service(tmp_path / "home") as whimbrel:
        report = await whimbrel.run(SPEC, REPOSITORY=str(tmp_path / "upstream"))
        hub = whimbrel.hub(report)
        invariants.assert_sound(whimbrel.home, hub, report)
    assert report.outcome is Stage.DONE_WITH_LEFTOVERS, report.reason
    assert "new_name(1)" in git(hub, "show", f"{report.tip}:use.py").decode()
    assert git(hub, "show", f"{report.tip}:test_use.py").decode() == TEST
    (put_back,) = (put for handoff in report.handoffs for put in handoff.put_back)
    assert put_back.path == "test_use.py"
    assert "tests-emptied: test_use.py:4: test_names does nothing any more" in put_back.reason
