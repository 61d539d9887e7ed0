"""Check trees of real repositories: nothing a check did reaches the next one."""

import os
import shutil
import subprocess
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.adapters.check_trees import CheckTree, CheckTrees, NoRoom
from activities.adapters.git import Git, GitFailed
from tests.adapters.repositories import (
    Content,
    Executable,
    Gitlink,
    Name,
    Symlink,
    commit_files,
    make_repository,
)

TOOL = (12345, 12346)
FILES: dict[Name, Content] = {
    ".gitignore": "*.cache\nbuild/\n",
    ".gitattributes": "* text=auto eol=crlf ident\n*.bin filter=lfs\n",
    "a.txt": "aaaa",
    "lf.txt": b"1\n$Id$\n",
    "crlf.txt": b"1\r\n2\r\n",
    "big.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    "src/one/x.py": "x1",
    "src/two/x.py": "x2",
    "run": Executable("#!/bin/sh\n"),
    "link": Symlink("src/one"),
    "sub": Gitlink("1" * 40),
    b"caf\xe9": "c",
    "l\nf": "n",
}


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    return tmp_path / "hub.git"


@pytest.fixture
def trees(tmp_path: Path) -> CheckTrees:
    return CheckTrees(tmp_path / "checks", None, 1)


def picture(tree: Path) -> dict[str, tuple[int, bytes]]:
    """Every path with its mode and content, so that two trees can be told apart."""
    seen: dict[str, tuple[int, bytes]] = {}
    for path in (tree, *tree.rglob("*")):
        found = path.lstat()
        content = b""
        if path.is_symlink():
            content = os.fsencode(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        seen[str(path.relative_to(tree))] = (found.st_mode, content)
    return seen


def clean(tree: CheckTree) -> bool:
    git = Git(tree.git_dir, work_tree=tree.path)
    return git.run("status", "--porcelain", "--ignored") == b""


def inode(tree: CheckTree, name: str) -> int:
    return (tree.path / name).lstat().st_ino


def test_a_tree_holds_the_commit_byte_for_byte_and_no_git(trees: CheckTrees, hub: Path) -> None:
    commit = make_repository(hub, FILES, bare=True)
    tree = trees.lease(hub, "app-1", commit)
    for name, content in FILES.items():
        if isinstance(content, str | bytes):
            wanted = content.encode() if isinstance(content, str) else content
            assert (tree.path / os.fsdecode(name)).read_bytes() == wanted
    assert list((tree.path / "sub").iterdir()) == []
    assert not (tree.path / ".git").exists()
    assert clean(tree)


def test_a_released_tree_is_used_again_at_the_same_path_and_only_what_differs_is_written(
    trees: CheckTrees, hub: Path
) -> None:
    first = make_repository(hub, FILES, bare=True)
    second = commit_files(hub, {"a.txt": "bbbb", "src/new/y.py": "y"}, delete=["src/one/x.py"])
    tree = trees.lease(hub, "app-1", first)
    kept, clean_picture = inode(tree, "src/two/x.py"), picture(tree.path)
    trees.release(tree, reusable=True)
    again = trees.lease(hub, "app-1", second)
    assert again.path == tree.path
    assert inode(again, "src/two/x.py") == kept
    assert (again.path / "a.txt").read_text() == "bbbb"
    assert not (again.path / "src/one").exists()
    assert clean(again)
    trees.release(again, reusable=True)
    back = trees.lease(hub, "app-1", first)
    assert picture(back.path) == clean_picture


def test_mtimes_are_those_of_the_checkout_not_of_the_commit(trees: CheckTrees, hub: Path) -> None:
    commit = make_repository(hub, FILES, bare=True)
    before = hub.stat().st_mtime
    assert (trees.lease(hub, "app-1", commit).path / "a.txt").stat().st_mtime >= before - 1


def spoil(tree: Path, outside: Path) -> None:
    """What a check must not be able to leave behind, each kind once."""
    times = (tree / "a.txt").stat()
    (tree / "a.txt").write_text("evil")
    os.utime(tree / "a.txt", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tree / "run").chmod(0o600)
    (tree / "lf.txt").unlink()
    (tree / "lf.txt").symlink_to(outside / "victim")
    (tree / "x.cache").write_text("ignored")
    (tree / "build").mkdir()
    (tree / "build/read-only").mkdir()
    (tree / "build/read-only/f").touch()
    (tree / "build/read-only").chmod(0o500)
    shutil.rmtree(tree / "src/one")
    (tree / "src/one").symlink_to(outside)
    (tree / "src/two").chmod(0o500)
    (tree / "way-out").symlink_to(outside)
    (tree / "sub/junk").write_text("j")
    (tree / "empty/er").mkdir(parents=True)
    (tree / os.fsdecode(b"caf\xe9")).write_text("d")
    (tree / os.fsdecode(b"new\xe8")).write_text("d")
    (tree / "l\nf").unlink()
    os.mkfifo(tree / "l\nf")
    (tree / ".gitignore").write_text("*\n")
    tree.chmod(0o555)
    tree.chmod(0o777)
    git_here = tree / "nested/.git"
    subprocess.run(["git", "init", "-q", "--bare", str(git_here)], check=True)
    with (git_here / "config").open("a") as config:
        config.write(f"[core]\nfsmonitor = touch {outside}/ran\n")
    (tree / ".git").mkdir()


def test_nothing_a_check_did_reaches_the_next_one(
    trees: CheckTrees, hub: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("v")
    (outside / "x.py").write_text("o")
    untouched = picture(outside)
    commit = make_repository(hub, FILES, bare=True)
    tree = trees.lease(hub, "app-1", commit)
    wanted, kept = picture(tree.path), inode(tree, "crlf.txt")
    spoil(tree.path, outside)
    trees.release(tree, reusable=True)
    again = trees.lease(hub, "app-1", commit)
    assert picture(again.path) == wanted
    assert picture(outside) == untouched
    assert inode(again, "crlf.txt") == kept, "it was reset, not built anew"


def test_moved_directories_cannot_carry_old_files_past_the_reset(
    trees: CheckTrees, hub: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    (outside / "sub").mkdir(parents=True)
    (outside / "sub/precious").write_text("p")
    commit = make_repository(
        hub,
        {
            "d1/a": Symlink("../d3"),
            "d2/a/file": "f",
            "e1/m": Symlink(str(outside)),
            "e2/m/sub": Gitlink("1" * 40),
            "s": Gitlink("2" * 40),
            "p/x": "1",
            "q/x": "2",
        },
        bare=True,
    )
    tree = trees.lease(hub, "app-1", commit)
    wanted = picture(tree.path)
    (tree.path / "d2/a").rename(tree.path / "d3")
    (tree.path / "d2").rmdir()
    (tree.path / "d1").rename(tree.path / "d2")
    shutil.rmtree(tree.path / "e2")
    (tree.path / "e1").rename(tree.path / "e2")
    (tree.path / "p").rename(tree.path / "s/p")
    (tree.path / "q").rename(tree.path / "p")
    trees.release(tree, reusable=True)
    again = trees.lease(hub, "app-1", commit)
    assert picture(again.path) == wanted
    assert (outside / "sub/precious").read_text() == "p"


def test_an_edit_in_the_second_of_the_reset_with_its_times_restored_is_undone(
    trees: CheckTrees, hub: Path
) -> None:
    commit = make_repository(hub, {"a": "1111"}, bare=True)
    for _ in range(3):
        tree = trees.lease(hub, "app-1", commit)
        assert (tree.path / "a").read_text() == "1111"
        times = (tree.path / "a").stat()
        (tree.path / "a").write_text("2222")
        os.utime(tree.path / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
        trees.release(tree, reusable=True)


def test_a_tree_that_is_not_reusable_is_deleted(trees: CheckTrees, hub: Path) -> None:
    commit = make_repository(hub, FILES, bare=True)
    tree = trees.lease(hub, "app-1", commit)
    old = inode(tree, ".")
    trees.release(tree, reusable=False)
    assert not tree.path.exists()
    again = trees.lease(hub, "app-1", commit)
    assert (again.path, clean(again)) == (tree.path, True)
    assert old != 0


def test_busy_slots_are_refused_and_each_repository_has_its_own(tmp_path: Path, hub: Path) -> None:
    commit = make_repository(hub, {"a": "a"}, bare=True)
    trees = CheckTrees(tmp_path / "checks", None, 2)
    first, second = (trees.lease(hub, "app-1", commit) for _ in range(2))
    assert (first.slot, second.slot) == (0, 1)
    with pytest.raises(NoRoom):
        trees.lease(hub, "app-1", commit)
    with pytest.raises(NoRoom):
        CheckTrees(tmp_path / "checks", None, 2).lease(hub, "app-1", commit)
    assert trees.lease(hub, "app-2", commit).slot == 0
    trees.release(first, reusable=True)
    assert trees.lease(hub, "app-1", commit).slot == 0


def test_a_late_release_does_not_free_the_next_lease(trees: CheckTrees, hub: Path) -> None:
    commit = make_repository(hub, {"a": "a"}, bare=True)
    first = trees.lease(hub, "app-1", commit)
    trees.release(first, reusable=True)
    second = trees.lease(hub, "app-1", commit)
    trees.release(first, reusable=False)
    assert second.path.exists()
    with pytest.raises(NoRoom):
        trees.lease(hub, "app-1", commit)


def test_an_unknown_commit_spoils_nothing_and_holds_nothing(trees: CheckTrees, hub: Path) -> None:
    commit = make_repository(hub, {"a": "a"}, bare=True)
    tree = trees.lease(hub, "app-1", commit)
    kept = inode(tree, "a")
    trees.release(tree, reusable=True)
    with pytest.raises(GitFailed):
        trees.lease(hub, "app-1", "0" * 39 + "1")
    assert inode(trees.lease(hub, "app-1", commit), "a") == kept


def test_a_process_that_dies_with_a_lease_frees_it_and_its_tree_is_not_trusted(
    trees: CheckTrees, hub: Path, tmp_path: Path
) -> None:
    commit = make_repository(hub, FILES, bare=True)
    code = f"""
import sys
from pathlib import Path
from activities.adapters.check_trees import CheckTrees
tree = CheckTrees(Path({str(tmp_path / "checks")!r}), None, 1).lease(
    Path({str(hub)!r}), "app-1", {commit!r})
(tree.path / "a.txt").write_text("half")
print(tree.path, flush=True)
sys.stdin.read()
"""
    holder = subprocess.Popen(
        [".venv/bin/python", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    path = Path(holder.stdout.readline().decode().strip())
    old = path.stat().st_ino
    with pytest.raises(NoRoom):
        trees.lease(hub, "app-1", commit)
    held = os.open(path, os.O_RDONLY)  # keeps the inode number from being given out again
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()
    tree = trees.lease(hub, "app-1", commit)
    assert tree.path == path
    assert path.stat().st_ino != old, "it was built anew"
    assert clean(tree)
    os.close(held)
    assert [p.name for p in path.parent.parent.iterdir() if p.name.endswith(".gone")] == []


def test_threads_never_share_a_tree(tmp_path: Path, hub: Path) -> None:
    commit = make_repository(hub, {f"d{n}/a": "a" for n in range(20)}, bare=True)
    trees = CheckTrees(tmp_path / "checks", None, 3)
    inside: set[Path] = set()
    shared: list[Path] = []
    guard = threading.Lock()

    def work() -> None:
        for _ in range(3):
            try:
                tree = trees.lease(hub, "app-1", commit)
            except NoRoom:
                continue
            with guard:
                shared.extend(inside & {tree.path})
                inside.add(tree.path)
            (tree.path / "d1/a").write_text("mine")
            with guard:
                inside.remove(tree.path)
            trees.release(tree, reusable=True)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shared == []
    assert clean(trees.lease(hub, "app-1", commit))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_tree_belongs_to_the_tool_before_and_after_a_reset(tmp_path: Path, hub: Path) -> None:
    commit = make_repository(hub, FILES, bare=True)
    trees = CheckTrees(tmp_path / "checks", TOOL, 1)
    for _ in range(2):
        tree = trees.lease(hub, "app-1", commit)
        for path in (tree.path, *tree.path.rglob("*")):
            assert (path.lstat().st_uid, path.lstat().st_gid) == TOOL
        assert Git(tree.git_dir, work_tree=tree.path).run("diff-files") == b""
        kept = inode(tree, "crlf.txt")
        (tree.path / "a.txt").unlink()
        (tree.path / "src/two/x.py").write_text("changed")
        trees.release(tree, reusable=True)
    assert inode(trees.lease(hub, "app-1", commit), "crlf.txt") == kept


@pytest.fixture
def readable() -> Iterator[Path]:
    """A directory that others may enter, which tmp_path is not."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def unprivileged(place: Path, hub: Path, commit: str) -> None:
    """Leases, makes a mess that only chmod can undo, and leases again; not for root."""
    trees = CheckTrees(place, None, 1)
    tree = trees.lease(hub, "app-1", commit)
    kept = inode(tree, "b")
    (tree.path / "d/a").write_text("z")
    (tree.path / "new").mkdir()
    (tree.path / "new/f").touch()
    for name in ("new", "d", "."):
        (tree.path / name).chmod(0)
    trees.release(tree, reusable=True)
    tree = trees.lease(hub, "app-1", commit)
    assert (tree.path / "d/a").read_text() == "a"
    assert {p.name for p in tree.path.iterdir()} == {"b", "d"}
    assert inode(tree, "b") == kept
    (tree.path / "d").chmod(0)
    trees.release(tree, reusable=False)
    assert [p.name for p in (place / "app-1").iterdir()] == ["0.lock"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_service_that_is_not_root_can_reset_what_was_made_unreadable(
    readable: Path,
) -> None:
    place, hub = readable / "checks", readable / "hub.git"
    place.mkdir()
    os.chown(place, *TOOL)
    commit = make_repository(hub, {"d/a": "a", "b": "b"}, bare=True)
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(TOOL[1])
            os.setuid(TOOL[0])
            unprivileged(place, hub, commit)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
