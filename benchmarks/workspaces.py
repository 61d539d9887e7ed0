"""Opening a workspace on a 78,000-file tree, against `git worktree add` of the same commit.

Both give a task its files to work on. Ours is a private git directory with the hub's objects and
the claim's folders checked out; a linked worktree is the whole tree.
"""

import subprocess
from pathlib import Path

from activities.adapters.workspaces import Workspaces
from benchmarks.measuring import Comparison, alternate, seconds
from benchmarks.repositories import make_hub, path_of

FILES, PER_FOLDER, LINES = 78_000, 16, 4
OPENINGS = 5
"""Workspaces a round; the median round is quoted per workspace."""


def compare(scratch: Path, rounds: int) -> list[Comparison]:
    """One comparison. No tree is removed in between: after mass deletes some file systems create
    files many times slower, which would be to the worktree's disadvantage."""
    hub, base = make_hub(scratch / "wide", "wide-00000000", FILES, PER_FOLDER, LINES)
    workspaces = Workspaces(scratch / "workspaces", None, 10_000)
    claims = [path_of(number, PER_FOLDER) for number in range(40_000, 40_020)]

    def ours(round: int) -> float:
        def open_some() -> None:
            for number in range(OPENINGS):
                workspaces.open(
                    hub.path,
                    migration="bench",
                    task=f"r{round}-{number}",
                    attempt="0-1-0",
                    base=base,
                    start=base,
                    claims=claims,
                    token="bench",
                )

        return seconds(open_some) / OPENINGS * 1000

    def worktree(round: int) -> float:
        tree = scratch / f"worktree-{round}"
        git = ["git", f"--git-dir={hub.path}"]
        add = [*git, "worktree", "add", "-q", "--detach", str(tree), base]
        return seconds(lambda: subprocess.run(add, check=True, capture_output=True)) * 1000

    taken = alternate(rounds, {"ours": ours, "worktree": worktree})
    return [
        Comparison(
            "opening a workspace",
            "ms",
            taken["ours"],
            taken["worktree"],
            f"git worktree add of {FILES:,} files",
            at_least=40,
            notes={"files": FILES, "claimed": len(claims)},
        )
    ]
