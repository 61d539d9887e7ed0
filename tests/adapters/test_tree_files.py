"""Single files of a tree that an agent had: whatever a path says, it ends inside."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.tree_files import (
    UnsafePath,
    delete_file,
    move_file,
    names_in,
    put_back,
    read_file,
    stat_of,
    vetted,
    write_file,
)

PARTS = (
    *("..", ".", "", "a", "d", "new", "out", "up", "loop", "victim", "fifo", "sock", ".git"),
    *(".GIT", "git~1", "\0", "\u2024\u2024", "a\n", "é", "-x", "x" * 300, "etc", "passwd"),
)
NAMES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=5).map("/".join)


def hostile(root: Path) -> tuple[Path, Path]:
    """A tree with every kind of way out, and what lies outside of it."""
    tree, outside = root / "tree", root / "outside"
    (tree / "d").mkdir(parents=True)
    outside.mkdir()
    (outside / "victim").write_text("v")
    (tree / "a").write_text("a")
    (tree / "d/a").write_text("a")
    (tree / "out").symlink_to(outside)
    (tree / "d/out").symlink_to(outside / "victim")
    (tree / "up").symlink_to("..")
    (tree / "loop").symlink_to("loop")
    os.mkfifo(tree / "fifo")
    return tree, outside


def outside_of(root: Path) -> dict[str, str]:
    """All that is beside the tree."""
    return {
        path.relative_to(root).as_posix(): path.read_text() if path.is_file() else ""
        for path in root.rglob("*")
        if not path.is_relative_to(root / "tree")
    }


@given(name=NAMES, to=NAMES)
def test_no_name_leads_out_of_the_tree_or_to_git(name: str, to: str):
    root = Path(tempfile.mkdtemp())
    try:
        tree, _ = hostile(root)
        before = outside_of(root)
        for act in (
            lambda: write_file(tree, vetted(name), b"evil", None),
            lambda: read_file(tree, vetted(name)) == b"v" and pytest.fail("it was read"),
            lambda: stat_of(tree, vetted(name)),
            lambda: names_in(tree, vetted(name)),
            lambda: move_file(tree, vetted(name), vetted(to), None),
            lambda: delete_file(tree, vetted(to)),
            lambda: put_back(tree, vetted(name), b"x", 0o100644, None),
            lambda: put_back(tree, vetted(to), b"target", 0o120000, None),
        ):
            try:
                act()
            except (UnsafePath, FileNotFoundError):
                continue
        assert outside_of(root) == before
        git = [p for p in tree.rglob("*") if p.name.lower() in (".git", "git~1")]
        assert git == []
    finally:
        shutil.rmtree(root)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path):
    tree, _ = hostile(tmp_path)
    before = sorted(tree.rglob("*"))
    for name in ("d", "out", "fifo", "a/below"):
        with pytest.raises(UnsafePath):
            write_file(tree, vetted(name), b"x", None)
    assert sorted(tree.rglob("*")) == before


def test_what_is_read_is_never_waited_for(tmp_path: Path):
    tree, _ = hostile(tmp_path)
    with pytest.raises(UnsafePath, match="no plain file"):
        read_file(tree, b"fifo")
    assert read_file(tree, b"out") == bytes(tmp_path / "outside")
    assert names_in(tree, b"nowhere") == {}
    assert stat_of(tree, b"nowhere/at/all") is None
