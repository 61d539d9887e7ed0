"""Codemods as they are: most of them do not leave their own output alone."""

from pathlib import Path

from tests.adapters.repositories import git, make_repository
from tests.service import service

SPEC = """\
version: 1
name: twice
repository: REPOSITORY
objective: Every word is said once more, once.
sites: {include: ["/*.txt"], find: {codemod: true}}
split: file
ladder: [{codemod: "sed -i s/^/again-/ {files}"}]
checks: {read: {run: "cat {files}", expect: pass}}
phases:
  - {name: first}
  - {name: second}
"""


async def test_a_codemod_that_changes_its_own_output_runs_once_per_file_and_phase(tmp_path: Path):
    make_repository(tmp_path / "words", {"a.txt": "a\n", "b.txt": "b\n"})
    async with service(tmp_path / "home") as running:
        report = await running.run(SPEC, REPOSITORY=str(tmp_path / "words"))
    assert (report.outcome, report.cycles, report.landed_files) == ("done", 2, 2)
    shown = git(running.hub(report), "show", f"{report.tip}:a.txt")
    assert shown.strip() == b"again-again-a"
