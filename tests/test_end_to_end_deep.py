"""What lands breaks a check behind the landings, with a budget of nothing: a program that is told
mends it, or does not.
"""

import asyncio
from pathlib import Path

from activities.contracts.migration import Stage
from activities.contracts.work import TaskStatus
from tests import invariants
from tests.adapters.repositories import git, make_repository
from tests.service import service

PARTS = 6
SPEC = """\
version: 1
name: NAME
repository: REPOSITORY
objective: Every call of old_name becomes one of new_name.
sites: {include: ["/part*.txt"], find: {regex: 'old_name'}}
split: file
ladder:
  - command:
      run: |
        if grep -q 'Turn it green again' {prompt_file}; then WITH; else
          sed -i s/old_name/new_name/ {files}
        fi
checks:
  there: {run: test -s part1.txt}
  whole: {run: sh whole.sh, results: tap, at: [landing]}
landing: {deep: [whole], budget: {reds: 0}}
limits: {concurrency: 1, attempts: 1}
"""
WHOLE = """\
echo 1..1
if grep -q new_name part1.txt && ! grep -q mended part1.txt; then
  echo 'not ok 1 - parts'
  printf '  ---\\n  at: part1.txt:1\\n  ...\\n'
else
  echo 'ok 1 - parts'
fi
"""


async def test_a_red_behind_the_landings_is_mended_by_one_task_or_told(tmp_path: Path) -> None:
    parts = {f"part{n}.txt": "old_name\n" for n in range(1, PARTS + 1)}
    make_repository(tmp_path / "upstream", {**parts, "whole.sh": WHOLE})
    upstream = str(tmp_path / "upstream")
    async with service(tmp_path / "home") as whimbrel:
        mended, never = await asyncio.gather(
            whimbrel.run(SPEC, NAME="mended", WITH="echo mended >> part1.txt", REPOSITORY=upstream),
            whimbrel.run(SPEC, NAME="never", WITH="echo tried >> part1.txt", REPOSITORY=upstream),
        )
        hub = whimbrel.hub(mended)
        invariants.assert_sound(whimbrel.home, hub, mended, deep=("whole",))
        told = await whimbrel.starter("watch", "never")
        report = await whimbrel.starter("report", "mended")

    assert (mended.outcome, mended.sites_left) == (Stage.DONE, 0)
    (fix,) = [handoff for handoff in mended.handoffs if handoff.mends]
    assert (fix.status, fix.files, fix.task[:13]) == (
        TaskStatus.LANDED,
        ("part1.txt",),
        "c2-fix-whole-",
    )
    assert git(hub, "show", f"{mended.tip}:part1.txt") == b"new_name\nmended\n"
    assert mended.deep
    assert (mended.deep.green, mended.deep.reds, mended.deep.spent) == (mended.tip, (), ())
    landed = [task for landing in mended.landings for task in landing.tasks]
    went_on = landed[landed.index(fix.task) + 1 :]
    assert went_on, "the budget held nothing"
    assert all(task.startswith("c2-") for task in went_on)
    assert len(landed) == PARTS + 1
    assert fix.task in report.out

    assert never.outcome is Stage.STOPPED
    (fix,) = [handoff for handoff in never.handoffs if handoff.mends]
    assert fix.status is TaskStatus.NEEDS_PERSON
    assert never.sites_left > 0
    assert f"{fix.task} did not mend it (starter.py show never {fix.task})" in never.reason
    assert "(c1-0001)" in never.reason
    assert told.code == 1
    assert fix.task in told.out
