"""What must hold after every migration, whatever was killed on the way.

Reads only git, the records and Temporal's histories, and trusts nothing that a workflow says of
itself: the green branch's first-parent chain has the shape that it was designed to have, each task
is on it once, nothing protected changed, every commit on it has a recorded result no worse than its
parent's and passed its landing checks as exactly that tree, what a task made is landed or under a
ref, and nothing is left on disk. What else a migration must not touch is in traces.py.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec

from activities.adapters.leftovers import is_abandoned
from activities.adapters.scratch import Scratch
from activities.contracts.migration import Stage
from activities.contracts.report import MigrationReport
from tests.adapters.repositories import git
from tests.histories import Told

HALF_MADE = re.compile(r"^[^/]+\.git\.tmp$|/HEAD\.lock$|^[^/]+/refs/(?!whimbrel/host/).*\.lock$")
"""Guarded by a lock: left as soon as its maker is dead."""
HALF_WRITTEN = re.compile(r"\.lock$|/(tmp_|\.tmp|pack_git2_)[^/]*$")
LARGEST = 128 << 10
"""Bytes of one event: what is larger belongs into a blob. The server takes two million."""
BASE_HEAD = re.compile(r"^Base: ([0-9a-f]{40})$", re.MULTILINE)
TASK_ID = re.compile(r"^Task-Id: (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Damage:
    """What a migration may not have, by kind: each empty where nothing stops it."""

    duplicates: tuple[str, ...] = ()
    """Tasks that landed more than once."""
    lost: tuple[str, ...] = ()
    """Tasks that ended and nobody reports, or whose work is neither landed nor under a ref."""
    reordered: tuple[str, ...] = ()
    """Commits that the branch has at another place than the queue heard of."""
    leftovers: tuple[str, ...] = ()
    """What is left on disk."""

    def __add__(self, other: "Damage") -> "Damage":
        return Damage(*(getattr(self, kind) + getattr(other, kind) for kind in vars(self)))

    def __str__(self) -> str:
        return ", ".join(f"{len(found)} {kind}" for kind, found in vars(self).items())


def damage(home: Path, hub: Path, report: MigrationReport, told: Told) -> Damage:
    """What of it there is; asserts nothing but that there is a branch."""
    chain = green_chain(hub, report)
    return Damage(
        duplicates=tuple(landed_twice(hub, chain)),
        lost=tuple(lost(hub, report, told)),
        reordered=tuple(reordered(chain, told)),
        leftovers=tuple(left_on_disk(home)),
    )


def assert_sound(
    home: Path,
    hub: Path,
    report: MigrationReport,
    protect: tuple[str, ...] = (),
    deep: tuple[str, ...] = (),
) -> None:
    """Every invariant of a migration that has ended. `deep`: checks that no landing waited for."""
    assert_sound_in_git(home, hub, report, protect, deep)
    assert_nothing_left_on_disk(home)


def assert_sound_in_git(
    home: Path,
    hub: Path,
    report: MigrationReport,
    protect: tuple[str, ...] = (),
    deep: tuple[str, ...] = (),
) -> None:
    """As much of it as holds before the sweeper came by."""
    chain = green_chain(hub, report)
    assert_chain_has_its_shape(hub, chain)
    assert_each_task_landed_once(hub, chain, report)
    assert_untouched(hub, report, protect)
    assert_each_commit_was_green(home, hub, report, chain, deep)
    if deep and report.outcome in (Stage.DONE, Stage.DONE_WITH_LEFTOVERS):
        assert_all_held_at_the_end(hub, report)
    git(hub, "fsck", "--connectivity-only", "--no-dangling", f"refs/heads/{report.branch}")


def assert_all_held_at_the_end(hub: Path, report: MigrationReport) -> None:
    """The branch beside is where the green one is, and nothing is red behind the landings."""
    beside = git(hub, "rev-parse", f"refs/heads/{report.branch}-green").decode().strip()
    assert report.deep
    assert (beside, report.deep.green, report.deep.reds) == (report.tip, report.tip, ())


def assert_told(hub: Path, report: MigrationReport, told: Told) -> None:
    """What the histories say agrees with what git has."""
    chain = green_chain(hub, report)
    assert_each_commit_passed(hub, chain, told)
    assert_landed_in_order(chain, told)
    assert_no_work_is_lost(hub, report, told)
    assert told.largest <= (LARGEST, "")


def assert_each_commit_passed(hub: Path, chain: list[str], told: Told) -> None:
    """Its landing checks, as exactly its tree, compared with exactly the commit before."""
    for before, commit in pairwise(chain):
        compared = [evidence.compared_with for evidence in told.green.get(tree(hub, commit), [])]
        assert before in compared, f"{commit} never passed on {before}"


def assert_landed_in_order(chain: list[str], told: Told) -> None:
    """The queue heard of the landings in the order in which they are on the branch."""
    assert reordered(chain, told) == []


def reordered(chain: list[str], told: Told) -> list[str]:
    """Commits of the branch that the queue heard of at another place, or not at all."""
    pairs = zip_longest(chain[1:], told.landed)
    return [commit or heard or "" for commit, heard in pairs if commit != heard]


def assert_no_work_is_lost(hub: Path, report: MigrationReport, told: Told) -> None:
    """Every task that ended is in the report; what it made landed, or a ref still leads there."""
    assert lost(hub, report, told) == []


def lost(hub: Path, report: MigrationReport, told: Told) -> list[str]:
    """Tasks of which that does not hold."""
    handoffs = {handoff.task: handoff for handoff in report.handoffs}
    chain = set(green_chain(hub, report))
    kept = set(git(hub, "rev-list", "--all").decode().split())
    gone = [
        task
        for task, handoff in handoffs.items()
        if not (handoff.landed in chain if handoff.landed else told.made.get(task, set()) <= kept)
    ]
    return sorted({*gone, *told.ended - set(handoffs)})


def green_chain(hub: Path, report: MigrationReport) -> list[str]:
    """The commits of the green branch from the base, which is the first, to the tip."""
    tip = git(hub, "rev-parse", f"refs/heads/{report.branch}").decode().strip()
    assert tip == report.tip
    between = git(hub, "rev-list", "--first-parent", "--reverse", f"{report.base}..{tip}")
    return [report.base, *between.decode().split()]


def assert_chain_has_its_shape(hub: Path, chain: list[str]) -> None:
    """First parent: the commit before. Further ones: candidates, each one commit on the chain; or
    the one head of the base that it merges."""
    for before, commit in pairwise(chain):
        first, *candidates = parents(hub, commit)
        assert first == before
        if head := merged_head(hub, commit):
            assert candidates == [head]
            continue
        assert 1 <= len(candidates) <= 64
        for candidate in candidates:
            (base,) = parents(hub, candidate)
            assert base in chain[: chain.index(commit)]


def assert_each_task_landed_once(hub: Path, chain: list[str], report: MigrationReport) -> None:
    """As many Task-Ids as candidates, none twice, and exactly those that the report says."""
    for commit in chain[1:]:
        tasks = 0 if merged_head(hub, commit) else len(parents(hub, commit)) - 1
        assert len(named_by(hub, commit)) == tasks
    assert landed_twice(hub, chain) == []
    landed = {f"{report.name}/{h.task}" for h in report.handoffs if h.status.landed}
    assert {task for commit in chain[1:] for task in named_by(hub, commit)} == landed


def landed_twice(hub: Path, chain: list[str]) -> list[str]:
    """Tasks that the branch names more than once."""
    named = Counter(task for commit in chain[1:] for task in named_by(hub, commit))
    return [task for task, times in named.items() if times > 1]


def merged_head(hub: Path, commit: str) -> str:
    """The head of the base that a commit says it merges, if any."""
    message = git(hub, "show", "-s", "--format=%B", commit).decode().rstrip()
    named = BASE_HEAD.search(message.rpartition("\n\n")[2])
    return named[1] if named else ""


def named_by(hub: Path, commit: str) -> list[str]:
    """The tasks that a commit says it lands."""
    return TASK_ID.findall(git(hub, "show", "-s", "--format=%B", commit).decode())


def assert_untouched(hub: Path, report: MigrationReport, protect: tuple[str, ...]) -> None:
    """No protected path differs between the tip and the base that is in it; nothing but landed
    files does."""
    differing = changed(hub, report.stands_on or report.base, report.tip)
    assert [path for path in differing if GitIgnoreSpec.from_lines(protect).match_file(path)] == []
    assert differing == {path for h in report.handoffs if h.status.landed for path in h.files}


def assert_each_commit_was_green(
    home: Path, hub: Path, report: MigrationReport, chain: list[str], deep: tuple[str, ...] = ()
) -> None:
    """Each tree on the chain has a result of every check (but deep ones, which may skip it) in
    which nothing fails that did not fail in its parent's (or in that of the head that it merges),
    and which is no smaller."""
    results = recorded(home, report.name)
    checks = {check for check, _ in results}.difference(deep)
    assert checks or len(chain) == 1
    for before, commit in pairwise(chain):
        for check in checks:
            had = results[check, tree(hub, before)]
            has = results[check, tree(hub, commit)]
            if head := merged_head(hub, commit):
                theirs = results[check, tree(hub, head)]
                had = [_both(ours, other) for ours in had for other in theirs]
            flaky = set(report.flaky.get(check, ()))
            assert any(_no_worse(b, a, flaky) for b in had for a in has), (check, commit)


def _both(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Ours, where what fails in the other one may fail too."""
    return {**ours, "failed": {**theirs["failed"], **ours["failed"]}, "passed": ours["passed"]}


def _no_worse(before: dict[str, Any], after: dict[str, Any], flaky: set[str]) -> bool:
    known = set(before["failed"]) | flaky
    whole = sum(after["passed"].values()) + sum(after["failed"].values())
    enough = sum(before["passed"].values()) + sum(before["failed"].values())
    done = after["parsed"] and after["ended"] == "exit"
    return done and set(after["failed"]) <= known and whole >= enough


def recorded(home: Path, migration: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(check, tree) → what was measured."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    keys = home / "blobs" / "migration" / migration / "keys"
    for record in keys.glob("result%2F*"):
        result = json.loads(record.read_bytes().partition(b"\n")[2])
        found.setdefault((result["check"], result["tree"]), []).append(result)
    return found


def assert_nothing_left_on_disk(home: Path) -> None:
    """No workspace, no scratch folder, nothing half written."""
    left = left_on_disk(home)
    assert not left, left


def left_on_disk(home: Path) -> list[str]:
    """What nobody will come back for, relative to the state directory.

    What has no lock of its own may still be being written while it is fresh.
    """
    left = [*(home / "workspaces").glob("*/*/*"), *(home / "scratch").glob("run-*")]
    left += Scratch(home / "held").dead()
    for room in ("hub", "blobs"):
        left += [path for path in _below(home / room) if _is_left(path, home / room)]
    return sorted(str(path.relative_to(home)) for path in left)


def _below(room: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(room):
        yield from (Path(folder, name) for name in (*folders, *names))


def _is_left(path: Path, room: Path) -> bool:
    inside = path.relative_to(room).as_posix()
    if HALF_MADE.search(inside):
        return True
    return bool(HALF_WRITTEN.search(inside)) and is_abandoned(path)


def parents(hub: Path, commit: str) -> list[str]:
    return git(hub, "show", "-s", "--format=%P", commit).decode().split()


def tree(hub: Path, commit: str) -> str:
    return git(hub, "rev-parse", f"{commit}^{{tree}}").decode().strip()


def changed(hub: Path, before: str, after: str) -> set[str]:
    """Paths that differ, as text."""
    listed = git(hub, "diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after)
    return {path.decode("utf-8", "surrogateescape") for path in listed.split(b"\0")[:-1]}
