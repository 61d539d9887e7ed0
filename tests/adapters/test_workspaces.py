"""Workspaces on real repositories: what is in them, whose they are, and what a second call does."""

import fcntl
import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from activities.adapters.check_trees import NoRoom
from activities.adapters.git import Git
from activities.adapters.objects import ObjectMissing
from activities.adapters.path_names import name_of, path_of
from activities.adapters.tree_files import UnsafePath
from activities.adapters.workspaces import WorkspacePaths, Workspaces, cone_patterns
from tests.adapters.repositories import (
    Executable,
    Gitlink,
    Symlink,
    commit_files,
    make_repository,
)

TOOL = (12345, 12346)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return tmp_path / "hub.git"


def workspaces(tmp_path: Path, capacity: int = 3, full: int = 10_000) -> Workspaces:
    return Workspaces(tmp_path / "workspaces", None, capacity, full_checkout=full)


def opened(
    pool: Workspaces,
    hub: Path,
    start: str,
    *,
    attempt: str = "0-1",
    token: str = "t1",
    claims: Sequence[str] = ("a.txt",),
    reset: bool = False,
) -> WorkspacePaths:
    return pool.open(
        hub,
        migration="m",
        task="c1-0001",
        attempt=attempt,
        base=start,
        start=start,
        claims=claims,
        token=token,
        reset=reset,
    )


def git_in(paths: WorkspacePaths) -> Git:
    return Git(paths.git_dir, work_tree=paths.tree)


def test_every_byte_mode_link_and_name_is_checked_out_as_it_was_committed(
    tmp_path: Path, hub: Path
) -> None:
    files = {
        ".gitattributes": b"* text=auto eol=crlf\n*.id ident\n*.bin filter=lfs diff=lfs -text\n"
        b"*.u16 text working-tree-encoding=UTF-16\n[attr]own text eol=crlf\n*.own own\n",
        "lf.txt": b"one\ntwo\n",
        "crlf.txt": b"one\r\ntwo\r\n",
        "mixed.own": b"one\r\ntwo\n",
        "x.id": b"$Id$\n",
        "x.u16": b"plain\n",
        "big.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
        "deep/down/run.sh": Executable("#!/bin/sh\n"),
        "link": Symlink("/etc/passwd"),
        b"caf\xe9 \n.txt": b"odd name\n",
    }
    start = make_repository(hub, files, bare=True)
    paths = opened(workspaces(tmp_path), hub, start)
    for name, content in files.items():
        at = paths.tree / os.fsdecode(name)
        if isinstance(content, bytes):
            assert at.read_bytes() == content
    assert os.access(paths.tree / "deep/down/run.sh", os.X_OK)
    assert (paths.tree / "link").readlink() == Path("/etc/passwd")
    assert git_in(paths).run("status", "--porcelain") == b""
    assert not (paths.tree / ".git").exists()


def test_a_submodule_entry_is_an_empty_directory(tmp_path: Path, hub: Path) -> None:
    start = make_repository(hub, {"a.txt": "a", "sub": Gitlink("1" * 40)}, bare=True)
    paths = opened(workspaces(tmp_path), hub, start)
    assert list((paths.tree / "sub").iterdir()) == []


def test_opening_again_with_the_same_token_keeps_the_edits(tmp_path: Path, hub: Path) -> None:
    start = make_repository(hub, {"a.txt": "a"}, bare=True)
    pool = workspaces(tmp_path)
    (opened(pool, hub, start).tree / "a.txt").write_text("edited")
    assert (opened(pool, hub, start).tree / "a.txt").read_text() == "edited"


@pytest.mark.parametrize("how", ["another token", "another start", "reset"])
def test_opening_again_otherwise_gives_a_fresh_tree(tmp_path: Path, hub: Path, how: str) -> None:
    start = make_repository(hub, {"a.txt": "a"}, bare=True)
    pool = workspaces(tmp_path, capacity=1)
    tree = opened(pool, hub, start).tree
    (tree / "a.txt").write_text("edited")
    (tree / "new").mkdir(mode=0o500)
    other = commit_files(hub, {"a.txt": "b"}) if how == "another start" else start
    token = "t2" if how == "another token" else "t1"
    paths = opened(pool, hub, other, token=token, reset=how == "reset")
    assert (paths.tree / "a.txt").read_text() == ("b" if how == "another start" else "a")
    assert sorted(p.name for p in paths.tree.iterdir()) == ["a.txt"]
    assert [p.name for p in paths.root.parent.iterdir()] == ["0-1"]


def test_a_full_host_has_no_room_but_still_opens_what_is_open(tmp_path: Path, hub: Path) -> None:
    start = make_repository(hub, {"a.txt": "a"}, bare=True)
    pool = workspaces(tmp_path, capacity=2)
    opened(pool, hub, start, attempt="0-1")
    opened(pool, hub, start, attempt="0-2")
    with pytest.raises(NoRoom):
        opened(pool, hub, start, attempt="0-3")
    opened(pool, hub, start, attempt="0-2", reset=True)
    pool.close("m", "c1-0001", "0-1")
    opened(pool, hub, start, attempt="0-3")


def test_an_unknown_commit_fails_and_leaves_nothing(tmp_path: Path, hub: Path) -> None:
    make_repository(hub, {"a.txt": "a"}, bare=True)
    pool = workspaces(tmp_path)
    with pytest.raises(ObjectMissing):
        opened(pool, hub, "0" * 39 + "1")
    assert pool.live() == []
    assert list((tmp_path / "workspaces/m/c1-0001").iterdir()) == []


def test_closing_twice_is_harmless_and_removes_what_is_hard_to_remove(
    tmp_path: Path, hub: Path
) -> None:
    start = make_repository(hub, {"a.txt": "a"}, bare=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    pool = workspaces(tmp_path)
    tree = opened(pool, hub, start).tree
    (tree / "way-out").symlink_to(outside)
    deep = tree
    for _ in range(50):
        deep = deep / "down"
    deep.mkdir(parents=True)
    deep.chmod(0)
    pool.close("m", "c1-0001", "0-1")
    pool.close("m", "c1-0001", "0-1")
    assert pool.live() == []
    assert (outside / "kept").exists()
    assert not (tmp_path / "workspaces/m").exists()


def test_names_with_slashes_come_back_as_they_were(tmp_path: Path, hub: Path) -> None:
    start = make_repository(hub, {"a.txt": "a"}, bare=True)
    pool = workspaces(tmp_path)
    pool.open(
        hub, migration="fleet/app", task="t", attempt="0-1",
        base=start, start=start, claims=["a.txt"], token="x",
    )  # fmt: skip
    assert pool.live() == [("fleet/app", "t", "0-1")]
    with pytest.raises(ValueError, match="cannot name"):
        pool.close("..", "t", "0-1")


def test_the_sweeper_removes_the_dead_and_the_half_made_and_keeps_the_rest(
    tmp_path: Path, hub: Path
) -> None:
    start = make_repository(hub, {"a.txt": "a"}, bare=True)
    pool = workspaces(tmp_path)
    kept = opened(pool, hub, start, attempt="0-1")
    opened(pool, hub, start, attempt="0-2")
    half_made = kept.root.with_name("0-3.dead.tmp")
    (half_made / "tree").mkdir(parents=True)
    in_making = kept.root.with_name("0-4.alive.tmp")
    in_making.mkdir()
    builder = os.open(in_making, os.O_RDONLY)
    fcntl.flock(builder, fcntl.LOCK_EX)
    assert pool.sweep(lambda *who: who == ("m", "c1-0001", "0-1")) == [("m", "c1-0001", "0-2")]
    os.close(builder)
    assert sorted(p.name for p in kept.root.parent.iterdir()) == ["0-1", "0-4.alive.tmp"]


def test_twins_that_open_at_once_get_the_same_whole_tree(tmp_path: Path, hub: Path) -> None:
    start = make_repository(hub, {f"d{n}/a.txt": "a" for n in range(200)}, bare=True)
    pool = workspaces(tmp_path)
    got: list[WorkspacePaths] = []
    twins = [threading.Thread(target=lambda: got.append(opened(pool, hub, start))) for _ in "abc"]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    assert len(got) == 3
    assert len(set(got)) == 1
    assert git_in(got[0]).run("status", "--porcelain") == b""
    assert [p.name for p in got[0].root.parent.iterdir()] == ["0-1"]


def test_a_builder_killed_in_the_middle_leaves_nothing_that_counts(
    tmp_path: Path, hub: Path
) -> None:
    start = make_repository(hub, {f"d{n}/a.txt": "a" for n in range(3000)}, bare=True)
    code = f"""
from pathlib import Path
from activities.adapters.workspaces import Workspaces
Workspaces(Path({str(tmp_path / "workspaces")!r}), None, 1).open(Path({str(hub)!r}), migration="m",
    task="c1-0001", attempt="0-1", base={start!r}, start={start!r}, claims=["a"], token="t1")
"""
    builder = subprocess.Popen([".venv/bin/python", "-c", code])
    task = tmp_path / "workspaces/m/c1-0001"
    while not list(task.glob("*.tmp/tree/d0")):
        assert builder.poll() is None, "it was not killed in the middle"
    builder.kill()
    builder.wait()
    pool = workspaces(tmp_path, capacity=3)
    assert pool.live() == []
    paths = opened(pool, hub, start)
    assert git_in(paths).run("status", "--porcelain") == b""


def test_a_large_repository_is_checked_out_only_around_the_claim(tmp_path: Path, hub: Path) -> None:
    files = {f"other{n}/x": "x" for n in range(30)}
    files |= {"root.txt": "r", "a/here": "h", "a/b/claimed.py": "c", "a/b/below/y": "y"}
    files |= {"a/c/z": "z", "g[1]*?\\/q": "q", "l\nf/in/w": "w", "l\nf/v": "v"}
    start = make_repository(hub, files, bare=True)
    claims = ["a/b/claimed.py", "g[1]*?\\/q", "l\nf/in/w"]
    paths = opened(workspaces(tmp_path, full=20), hub, start, claims=claims)
    there = {str(p.relative_to(paths.tree)) for p in paths.tree.rglob("*") if p.is_file()}
    assert there == {"root.txt", "a/here", "a/b/claimed.py", "a/b/below/y", "g[1]*?\\/q"}
    listed = git_in(paths).run("ls-files", "--sparse", "-t", "-z").split(b"\0")
    assert b"S other1/" in listed, "the index is sparse too"
    assert git_in(paths).run("status", "--porcelain") == b""


def test_cone_patterns_name_parents_before_children_and_nothing_twice() -> None:
    cone = cone_patterns(["a/b/x", "a/b/c/y", "top", "a/d/z"])
    assert cone == b"/*\n!/*/\n/a/\n!/a/*/\n/a/b/\n/a/d/\n"


@as_root
def test_the_tree_belongs_to_the_tool_and_git_still_trusts_its_index(
    tmp_path: Path, hub: Path
) -> None:
    start = make_repository(hub, {"a/b": "a", "l": Symlink("/etc/passwd")}, bare=True)
    pool = Workspaces(tmp_path / "workspaces", TOOL, 1)
    before = Path("/etc/passwd").stat()
    paths = opened(pool, hub, start)
    for path in (paths.tree, *paths.tree.rglob("*")):
        assert (path.lstat().st_uid, path.lstat().st_gid) == TOOL
    assert paths.git_dir.stat().st_uid == 0
    after = Path("/etc/passwd").stat()
    assert (before.st_uid, before.st_ctime_ns) == (after.st_uid, after.st_ctime_ns)
    assert git_in(paths).run("diff-files") == b""


def test_written_files_are_whole_and_keep_their_mode(tmp_path: Path, hub: Path) -> None:
    start = make_repository(hub, {"run": Executable("x"), "a.txt": "a"}, bare=True)
    pool = workspaces(tmp_path)
    paths = opened(pool, hub, start)
    for _ in range(2):
        pool.write_files(paths, {"run": b"y", "a.txt": b"\r\n", "new/er/file": b"n"})
    assert (paths.tree / "run").read_bytes() == b"y"
    assert os.access(paths.tree / "run", os.X_OK)
    assert (paths.tree / "a.txt").read_bytes() == b"\r\n"
    assert (paths.tree / "new/er/file").read_bytes() == b"n"
    assert len(list(paths.tree.rglob("*"))) == 5


@as_root
def test_written_files_and_their_directories_belong_to_the_tool(tmp_path: Path, hub: Path) -> None:
    start = make_repository(hub, {"a.txt": "a"}, bare=True)
    pool = Workspaces(tmp_path / "workspaces", TOOL, 1)
    paths = opened(pool, hub, start)
    pool.write_files(paths, {"new/file": b"n"})
    owners = {p.stat().st_uid for p in (paths.tree / "new", paths.tree / "new/file")}
    assert owners == {TOOL[0]}


@pytest.mark.parametrize(
    "name",
    [
        "link-dir/x",
        "link-file",
        "../x",
        "/x",
        "a//b",
        "",
        ".git/config",
        "d/.GIT/x",
        "./a",
        "d",
        "a/x",
    ],
)
def test_nothing_is_written_through_a_link_or_out_of_the_tree(
    tmp_path: Path, hub: Path, name: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("v")
    start = make_repository(
        hub,
        {
            "link-dir": Symlink(str(outside)),
            "link-file": Symlink(str(outside / "victim")),
            "d/e": "e",
            "a": "a",
        },
        bare=True,
    )
    pool = workspaces(tmp_path)
    paths = opened(pool, hub, start)
    with pytest.raises(UnsafePath):
        pool.write_files(paths, {name: b"evil"})
    assert [p.read_text() for p in outside.iterdir()] == ["v"]


@pytest.mark.parametrize(
    "path", [b"a b", b"caf\xe9.py", b'"x\xff\\"', "é\n".encode(), b'"q"', b'"']
)
def test_names_of_paths_survive_being_text(path: bytes) -> None:
    name = name_of(path)
    assert name.encode()
    assert path_of(name) == path
    assert path_of(os.fsdecode(path)) == path
