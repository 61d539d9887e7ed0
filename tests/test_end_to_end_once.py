"""A codemod over everything and a program with a prompt, from the spec to the report."""

from pathlib import Path

from activities.contracts.migration import Stage
from activities.contracts.work import RungOutcome
from tests import invariants, shop
from tests.adapters.repositories import git, make_repository
from tests.service import filled, service

LEFT = "area0/m0.py"
ONCE = f"""\
  - codemod:
      apply: once
      run: |
        stamp=$(date +%s%N)
        for f in {{files}}; do
          echo "# $stamp of $(printf '%s\\n' {{files}} | wc -l)" >> "$f"
          if [ "$f" != {LEFT} ]; then sed -i s/old_name/new_name/ "$f"; fi
        done
        echo improved > README
        echo unasked > notes.txt
  - command: |
      grep -qx -- '- {LEFT}: 4' {{prompt_file}}
      sed -i s/old_name/new_name/ {{files}}
limits: {{concurrency: 3}}
"""
SPEC = filled(
    shop.SPEC,
    **{"  - codemod: sed -i s/old_name/new_name/ {files}\n": ONCE, "NAME": "over-everything"},
)


async def test_a_codemod_runs_once_over_the_whole_plan_and_a_prompt_names_the_lines(
    tmp_path: Path,
) -> None:
    files = {**shop.modules(), "run_checks.py": shop.RUNNER, "README": "as it was\n"}
    make_repository(tmp_path / "upstream", files)
    async with service(tmp_path / "home") as whimbrel:
        report = await whimbrel.run(SPEC, REPOSITORY=str(tmp_path / "upstream"))
        hub = whimbrel.hub(report)
        invariants.assert_sound(whimbrel.home, hub, report)
    assert report.outcome is Stage.DONE, report.reason
    changed = {path: git(hub, "show", f"{report.tip}:{path}").decode() for path in shop.modules()}
    assert all("new_name" in text and "old_name" not in text for text in changed.values())
    (stamp,) = {text.splitlines()[-1] for text in changed.values()}
    assert stamp.endswith(" of 24"), "every task has its slice of the same run"
    assert (report.outside, report.dropped) == (("README",), ("notes.txt",))
    outcomes = {h.task: [(a.kind, a.outcome) for a in h.attempts] for h in report.handoffs}
    both = [("codemod", RungOutcome.CHANGED), ("command", RungOutcome.CHANGED)]
    assert outcomes == {f"c1-{n:04}": both[: 2 if n == 1 else 1] for n in range(1, 7)}
