"""The merge engine gives what `git merge` gives in a checkout, and outlives its process."""

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from activities.adapters.merging import MergeEngine, MergeFailed
from tests.adapters.repositories import (
    ENVIRONMENT,
    Content,
    Executable,
    Gitlink,
    Symlink,
    commit_files,
    git,
    make_repository,
)

ODD = b"odd-\xff.txt"
TEXT = "".join(f"{n}\n" for n in range(10))
FILES: dict[str | bytes, Content] = {
    "a.txt": TEXT,
    "b.txt": "b\n",
    "dir/x.txt": "x\n1\n2\n3\n",
    "dir/y.txt": "y\n1\n2\n3\n",
    "changes.md": "start\n",
    "data.bin": "one\ntwo\nthree\nfour\nfive\n",
    "vendored": Gitlink("1" * 40),
    "link": Symlink("a.txt"),
    ODD: TEXT,
}
Change = tuple[dict[str | bytes, Content], tuple[str, ...]]
UNION: Change = ({".gitattributes": "*.md merge=union\n*.bin -merge\n"}, ())
CASES: dict[str, tuple[Change, Change]] = {
    "disjoint files": (({"a.txt": "x\n"}, ()), ({"b.txt": "y\n"}, ())),
    "far hunks": (({"a.txt": "A\n" + TEXT}, ()), ({"a.txt": TEXT + "Z\n"}, ())),
    "same lines": (({"a.txt": "x\n"}, ()), ({"a.txt": "y\n"}, ())),
    "identical edits": (({"a.txt": "x\n"}, ()), ({"a.txt": "x\n"}, ())),
    "mode and content": (({"a.txt": Executable(TEXT)}, ()), ({"a.txt": "A\n" + TEXT}, ())),
    "rename and edit": (({"c.txt": TEXT}, ("a.txt",)), ({"a.txt": TEXT + "Z\n"}, ())),
    "edit and delete": (({"a.txt": "x\n"}, ()), ({}, ("a.txt",))),
    "both delete": (({}, ("a.txt",)), ({}, ("a.txt",))),
    "both add": (({"n.txt": "1\n"}, ()), ({"n.txt": "2\n"}, ())),
    "file and folder": (({"n": "1\n"}, ()), ({"n/m": "2\n"}, ())),
    "folder renamed, file added": (
        ({"new/x.txt": "x\n1\n2\n3\n", "new/y.txt": "y\n1\n2\n3\n"}, ("dir/x.txt", "dir/y.txt")),
        ({"dir/z.txt": "z\n"}, ()),
    ),
    "two new names": (({"c.txt": TEXT}, ("a.txt",)), ({"d.txt": TEXT}, ("a.txt",))),
    "symlinks": (({"link": Symlink("b.txt")}, ()), ({"link": Symlink("dir")}, ())),
    "submodule bumped on both sides": (
        ({"vendored": Gitlink("2" * 40)}, ()),
        ({"vendored": Gitlink("3" * 40)}, ()),
    ),
    "line ends rewritten": (
        ({"a.txt": TEXT.replace("\n", "\r\n")}, ()),
        ({"a.txt": TEXT + "Z\n"}, ()),
    ),
    "odd names": (({ODD: "A\n" + TEXT}, ()), ({ODD: TEXT + "Z\n"}, ())),
    "union attribute": (({"changes.md": "start\nx\n"}, ()), ({"changes.md": "start\ny\n"}, ())),
    "binary attribute": (
        ({"data.bin": "ONE\ntwo\nthree\nfour\nfive\n"}, ()),
        ({"data.bin": "one\ntwo\nthree\nfour\nFIVE\n"}, ()),
    ),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    make_repository(tmp_path / "r", {**FILES, **UNION[0]})
    return tmp_path / "r"


@pytest.fixture
def engine(place: Path) -> Iterator[MergeEngine]:
    with MergeEngine(place / ".git") as opened:
        yield opened


def _sides(place: Path, case: str) -> tuple[str, str, str]:
    base = git(place, "rev-parse", "main").decode().strip()
    commits = [
        commit_files(place, files, delete, ref=f"refs/heads/{side}", parent=base)
        for side, (files, delete) in zip(("ours", "theirs"), CASES[case], strict=True)
    ]
    return base, commits[0], commits[1]


def _merged_in_a_checkout(place: Path, ours: str, theirs: str) -> str | None:
    """What `git merge` makes of it in the working tree; None when it conflicts."""
    git(place, "checkout", "-q", "-f", "--detach", ours)
    command = ["git", "-C", str(place), "-c", "user.name=T", "-c", "user.email=t@localhost"]
    command += ["merge", "-q", "--no-ff", "-m", "merge", theirs]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False)
    if done.returncode != 0:
        return None
    return git(place, "rev-parse", "HEAD^{tree}").decode().strip()


@pytest.mark.parametrize("case", CASES)
def test_a_merge_is_what_git_merge_makes_in_a_checkout(
    place: Path, engine: MergeEngine, case: str
) -> None:
    _, ours, theirs = _sides(place, case)
    merge = engine.merge(ours, theirs, attributes=ours)
    assert merge.tree == _merged_in_a_checkout(place, ours, theirs)
    assert bool(merge.conflicts) == bool(merge.paths) == (merge.tree is None)


def test_a_conflict_names_path_and_kind(place: Path, engine: MergeEngine) -> None:
    _, ours, theirs = _sides(place, "edit and delete")
    assert engine.merge(ours, theirs, ours).conflicts == ("a.txt: modify/delete",)
    _, ours, theirs = _sides(place, "binary attribute")
    assert engine.merge(ours, theirs, ours).conflicts[0] == "data.bin: binary"


def test_one_process_answers_many_requests_and_conflicts_between_them(
    place: Path, engine: MergeEngine
) -> None:
    clean, red = _sides(place, "far hunks")[1:], _sides(place, "same lines")[1:]
    first = engine.merge(*clean, attributes=clean[0])
    process = engine._process
    for _ in range(10):
        assert engine.merge(*red, attributes=clean[0]).tree is None
        assert engine.merge(*clean, attributes=clean[0]) == first
    assert engine._process is process


def test_attributes_are_read_anew_when_they_change(place: Path, engine: MergeEngine) -> None:
    _, ours, theirs = _sides(place, "union attribute")
    assert engine.merge(ours, theirs, ours).tree is not None
    bare = commit_files(place, {}, (".gitattributes",), ref="refs/heads/bare", parent=ours)
    assert engine.merge(ours, theirs, bare).conflicts == ("changes.md: contents",)
    assert engine.merge(ours, theirs, ours).tree is not None


def test_attributes_in_a_folder_hold_for_that_folder(place: Path, engine: MergeEngine) -> None:
    base = commit_files(place, {"dir/.gitattributes": "x.txt merge=union\n"})
    ours = commit_files(place, {"dir/x.txt": "o\n"}, ref="refs/heads/o", parent=base)
    theirs = commit_files(place, {"dir/x.txt": "t\n"}, ref="refs/heads/t", parent=base)
    assert engine.merge(ours, theirs, base).tree is not None


def test_a_killed_process_is_replaced(place: Path, engine: MergeEngine) -> None:
    _, ours, theirs = _sides(place, "far hunks")
    before = engine.merge(ours, theirs, ours)
    assert engine._process is not None
    os.kill(engine._process.pid, signal.SIGKILL)
    assert engine.merge(ours, theirs, ours) == before


def test_an_unknown_id_is_refused_before_git_dies_of_it(place: Path, engine: MergeEngine) -> None:
    _, ours, theirs = _sides(place, "far hunks")
    engine.merge(ours, theirs, ours)
    process = engine._process
    with pytest.raises(MergeFailed, match="not a commit"):
        engine.merge(ours, "4" * 40, ours)
    engine.merge(ours, theirs, ours)
    assert engine._process is process


def test_threads_take_turns(place: Path, engine: MergeEngine) -> None:
    clean, red = _sides(place, "far hunks")[1:], _sides(place, "same lines")[1:]
    with ThreadPoolExecutor(4) as threads:
        pairs = [clean, red] * 10
        trees = list(threads.map(lambda pair: engine.merge(*pair, clean[0]).tree, pairs))
    assert set(trees[0::2]) == {engine.merge(*clean, clean[0]).tree}
    assert set(trees[1::2]) == {None}


def test_closing_ends_the_process_and_leaves_no_folder(place: Path) -> None:
    engine = MergeEngine(place / ".git")
    _, ours, theirs = _sides(place, "far hunks")
    engine.merge(ours, theirs, ours)
    process, folder = engine._process, engine._tree
    engine.close()
    engine.close()
    assert process is not None
    assert process.poll() is not None
    assert not folder.exists()
