"""Each invariant notices what it is there for: a small sound migration, broken in one way each."""

import json
import os
import shutil
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import pytest

from activities.adapters.blobs import BlobStore
from activities.contracts.evidence import Evidence, Moment
from activities.contracts.migration import Stage
from activities.contracts.report import MigrationReport
from activities.contracts.work import Handoff, TaskStatus
from tests import invariants, traces
from tests.adapters.repositories import FIRST_DATE, git, make_repository
from tests.histories import Told
from tests.invariants import tree

BRANCH = "whimbrel/sound"


@dataclass
class Sound:
    """A hub and everything that was told of it, as a good migration leaves them."""

    home: Path
    hub: Path
    report: MigrationReport
    told: Told
    protect: tuple[str, ...] = ("/ci.yml",)

    def check(self) -> None:
        """Every invariant."""
        invariants.assert_sound(self.home, self.hub, self.report, self.protect)
        invariants.assert_told(self.hub, self.report, self.told)

    @property
    def chain(self) -> list[str]:
        return invariants.green_chain(self.hub, self.report)

    def move(self, tip: str) -> None:
        """The branch and the report are there now."""
        git(self.hub, "update-ref", f"refs/heads/{BRANCH}", tip)
        self.report = self.report.model_copy(update={"tip": tip})

    def measured(self, commit: str, **results: object) -> None:
        """A result of the one check, as the checker records it."""
        record = {"check": "all", "tree": tree(self.hub, commit), "parsed": True, "ended": "exit"}
        record |= {"passed": {"a": 1, "b": 1}, "failed": {}} | results
        blobs = BlobStore(self.home / "blobs")
        blobs.put_once("sound", f"result/{len(blobs.kept('sound'))}", json.dumps(record).encode())

    def passed(self, commit: str, before: str) -> None:
        """Landing checks that were green."""
        at = tree(self.hub, commit)
        evidence = Evidence(tree=at, compared_with=before, moment=Moment.LANDING)
        self.told.green.setdefault(at, []).append(evidence)

    def commit(self, files: dict[str, str], parents: list[str], message: str) -> str:
        """A commit whose tree is that of the first parent with other files."""
        base = git(self.hub, "ls-tree", "-z", parents[0]).split(b"\0")[:-1]
        entries = {line.partition(b"\t")[2].decode(): line for line in base}
        for name, text in files.items():
            blob = git(self.hub, "hash-object", "-w", "--stdin", stdin=text.encode()).decode()
            entries[name] = f"100644 blob {blob.strip()}\t{name}".encode()
        lines = b"\0".join(entries[name] for name in sorted(entries)) + b"\0"
        made = git(self.hub, "mktree", "-z", stdin=lines).decode().strip()
        who = f"W <w@localhost> {FIRST_DATE} +0000"
        head = [f"tree {made}", *(f"parent {p}" for p in parents), f"author {who}"]
        text = "\n".join([*head, f"committer {who}", "", message])
        return (
            git(self.hub, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode())
            .decode()
            .strip()
        )

    def land(self, task: str, files: dict[str, str], onto: str, *, name: str = "") -> str:
        """A candidate on `onto` and the batch of it alone."""
        candidate = self.commit(files, [onto], f"{task}\n")
        title = name or task
        return self.commit(files, [onto, candidate], f"{title}\n\nTask-Id: sound/{title}\n")


@pytest.fixture
def sound(original: Sound, tmp_path: Path) -> Sound:
    """One of one's own to break."""
    home = tmp_path / "home"
    shutil.copytree(original.home, home)
    hub = home / original.hub.relative_to(original.home)
    return Sound(home, hub, original.report, deepcopy(original.told))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    home = tmp_path_factory.mktemp("home")
    hub = home / "hub/sound-0123abcd.git"
    base = make_repository(hub, {"a.py": "old", "b.py": "old", "ci.yml": "strict"}, bare=True)
    report = MigrationReport(
        name="sound",
        objective="",
        repository="",
        base=base,
        branch=BRANCH,
        tip=base,
        outcome=Stage.DONE,
        started_at="",
        finished_at="",
        sites_at_start=2,
        sites_left=0,
        cycles=1,
        handoffs=(),
    )
    made = Sound(home, hub, report, Told())
    first = made.land("c1-0001", {"a.py": "new"}, base)
    second = made.land("c1-0002", {"b.py": "new"}, first)
    made.move(second)
    handoffs = (
        Handoff(task="c1-0001", status=TaskStatus.LANDED, landed=first, files=("a.py",)),
        Handoff(task="c1-0002", status=TaskStatus.LANDED, landed=second, files=("b.py",)),
        Handoff(task="c1-0003", status=TaskStatus.NEEDS_PERSON),
    )
    made.report = made.report.model_copy(update={"handoffs": handoffs})
    unlanded = made.commit({"c.py": "half"}, [base], "c1-0003\n")
    git(hub, "update-ref", "refs/whimbrel/host/h/sound/c1-0003/0-1-0", unlanded)
    made.told = Told(
        made={"c1-0003": {unlanded}},
        landed=[first, second],
        ended={"c1-0001", "c1-0002", "c1-0003"},
    )
    for before, commit in ((base, first), (first, second)):
        made.passed(commit, before)
    for commit in (base, first, second):
        made.measured(commit)
    return made


def test_a_sound_migration_is_sound(sound: Sound):
    sound.check()


Breaking = Callable[[Sound], None]


def unchecked_commit(sound: Sound) -> None:
    del sound.told.green[tree(sound.hub, sound.chain[1])]


def checked_elsewhere(sound: Sound) -> None:
    """Green, but against another commit than the one it landed on."""
    base, first, second = sound.chain
    sound.told.green = {}
    sound.passed(first, base)
    sound.passed(second, base)


def worse_than_its_parent(sound: Sound) -> None:
    keys = sound.home / "blobs/migration/sound/keys"
    (keys / "result%2F2").unlink()
    sound.measured(sound.report.tip, passed={"a": 1}, failed={"b": 1})


def never_measured(sound: Sound) -> None:
    (sound.home / "blobs/migration/sound/keys/result%2F2").unlink()


def landed_twice(sound: Sound) -> None:
    again = sound.land("c1-0001", {"a.py": "newer"}, sound.report.tip)
    sound.measured(again)
    sound.passed(again, sound.report.tip)
    sound.told.landed.append(again)
    sound.move(again)


def landed_unreported(sound: Sound) -> None:
    handoffs = sound.report.handoffs[1:]
    sound.report = sound.report.model_copy(update={"handoffs": handoffs})


def pushed_by_hand(sound: Sound) -> None:
    """A commit with one parent: no candidate of anybody."""
    sound.move(sound.commit({"b.py": "newer"}, [sound.report.tip], "oops\n"))


def landed_in_another_order(sound: Sound) -> None:
    sound.told.landed.reverse()


def work_without_a_ref(sound: Sound) -> None:
    git(sound.hub, "update-ref", "-d", "refs/whimbrel/host/h/sound/c1-0003/0-1-0")


def landing_that_is_gone(sound: Sound) -> None:
    _, *others = sound.report.handoffs
    gone = sound.commit({"a.py": "new"}, [sound.report.base], "gone\n")
    first = sound.report.handoffs[0].model_copy(update={"landed": gone})
    sound.report = sound.report.model_copy(update={"handoffs": (first, *others)})


def task_that_nobody_reports(sound: Sound) -> None:
    sound.told.ended.add("c1-0004")


def protected_path(sound: Sound) -> None:
    sound.protect = ("/b.py",)


def file_that_no_task_claims(sound: Sound) -> None:
    _, second, third = sound.report.handoffs
    handoffs = (sound.report.handoffs[0], second.model_copy(update={"files": ()}), third)
    sound.report = sound.report.model_copy(update={"handoffs": handoffs})


def object_that_is_gone(sound: Sound) -> None:
    blob = git(sound.hub, "rev-parse", f"{sound.report.tip}:b.py").decode().strip()
    (sound.hub / "objects" / blob[:2] / blob[2:]).unlink()


def workspace_left(sound: Sound) -> None:
    (sound.home / "workspaces/sound/c1-0001/0-1-0").mkdir(parents=True)


def scratch_left(sound: Sound) -> None:
    (sound.home / "scratch/run-1").mkdir(parents=True)


def lock_left(sound: Sound) -> None:
    (sound.hub / "refs/heads/whimbrel/sound.lock").touch()


def blob_half_written(sound: Sound) -> None:
    half = sound.home / "blobs/migration/sound/keys/.tmp-1"
    half.touch()
    os.utime(half, (time.time() - 7200,) * 2)


NOTICED: dict[Breaking, str] = {
    unchecked_commit: "assert_each_commit_passed",
    checked_elsewhere: "assert_each_commit_passed",
    worse_than_its_parent: "assert_each_commit_was_green",
    never_measured: "assert_each_commit_was_green",
    landed_twice: "assert_each_task_landed_once",
    landed_unreported: "assert_each_task_landed_once",
    pushed_by_hand: "assert_chain_has_its_shape",
    landed_in_another_order: "assert_landed_in_order",
    work_without_a_ref: "assert_no_work_is_lost",
    landing_that_is_gone: "assert_no_work_is_lost",
    task_that_nobody_reports: "assert_no_work_is_lost",
    protected_path: "assert_untouched",
    file_that_no_task_claims: "assert_untouched",
    object_that_is_gone: "assert_sound_in_git",
    workspace_left: "assert_nothing_left_on_disk",
    scratch_left: "assert_nothing_left_on_disk",
    lock_left: "assert_nothing_left_on_disk",
    blob_half_written: "assert_nothing_left_on_disk",
}


@pytest.mark.parametrize("broken", NOTICED, ids=lambda broken: broken.__name__)
def test_a_broken_one_is_noticed(sound: Sound, broken: Breaking):
    broken(sound)
    with pytest.raises((AssertionError, KeyError)) as noticed:
        sound.check()
    assert NOTICED[broken] in [entry.name for entry in noticed.traceback]


COUNTED: dict[str, dict[Breaking, list[str]]] = {
    "duplicates": {landed_twice: ["sound/c1-0001"]},
    "lost": {work_without_a_ref: ["c1-0003"], task_that_nobody_reports: ["c1-0004"]},
    "leftovers": {workspace_left: ["workspaces/sound/c1-0001/0-1-0"]},
}


@pytest.mark.parametrize(
    ("kind", "broken"),
    [(kind, broken) for kind, breakings in COUNTED.items() for broken in breakings],
)
def test_what_is_broken_is_counted(sound: Sound, kind: str, broken: Breaking):
    broken(sound)
    damage = invariants.damage(sound.home, sound.hub, sound.report, sound.told)
    assert list(getattr(damage, kind)) == COUNTED[kind][broken]
    assert f"1 {kind}" in str(damage)


def test_commits_in_another_order_are_counted(sound: Sound):
    whole = invariants.damage(sound.home, sound.hub, sound.report, sound.told)
    assert whole == invariants.Damage()
    landed_in_another_order(sound)
    found = invariants.damage(sound.home, sound.hub, sound.report, sound.told)
    assert set(found.reordered) == set(sound.chain[1:])
    assert str(whole + found + found) == "0 duplicates, 0 lost, 4 reordered, 0 leftovers"


def test_a_secret_is_found_wherever_it_went(sound: Sound):
    canary = b"canary-1234"
    assert traces.where_found(sound.home, canary) == []
    (sound.home / "worker.log").write_bytes(b"x" * (traces.CHUNK - 3) + canary)
    git(sound.hub, "hash-object", "-w", "--stdin", stdin=b"key = canary-1234")
    assert traces.where_found(sound.home, canary) == [
        "an object of sound-0123abcd.git",
        "worker.log",
    ]
