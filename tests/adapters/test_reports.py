"""Reports are what a call wrote: nothing older, nothing behind a link, nothing cut off unsaid."""

import os
from pathlib import Path

import pytest

from activities.adapters.reports import LIMIT, Reports


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree/target/reports").mkdir(parents=True)
    (tmp_path / "results").mkdir()
    return tmp_path / "tree"


def reports(tree: Path, *patterns: str) -> Reports:
    return Reports(tree, tree.parent / "results", patterns)


def write(tree: Path, **files: str) -> None:
    for name, text in files.items():
        (tree / f"target/reports/{name}.xml").write_text(text)


def test_only_reports_that_a_call_wrote_count(tree: Path) -> None:
    write(tree, committed="old", rewritten="old")
    found = reports(tree, "target/reports/*.xml")
    write(tree, rewritten="new", fresh="new too")
    found.collect()
    assert found.contents == [b"new too", b"new"]
    found.collect()
    assert len(found.contents) == 2
    assert found.silent_calls == 1


def test_a_report_that_is_rewritten_with_the_same_bytes_and_time_counts(tree: Path) -> None:
    write(tree, a="same")
    path = tree / "target/reports/a.xml"
    found = reports(tree, "/target/reports/")
    before = path.stat()
    path.write_text("same")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    found.collect()
    assert found.contents == [b"same"]


def test_each_call_writes_results_anew(tree: Path) -> None:
    found = reports(tree, "/results/*.xml")
    for text in ("one", "two"):
        (tree.parent / "results/results").write_text(text)
        (tree.parent / "results/more.xml").write_text(f"more {text}")
        (tree.parent / "results/other.txt").write_text("no report")
        found.collect()
    assert found.contents == [b"more one", b"one", b"more two", b"two"]
    assert found.silent_calls == 0


def test_what_is_in_a_folder_called_results_of_the_tree_is_of_the_tree(tree: Path) -> None:
    found = reports(tree, "results/*.xml")
    (tree / "results").mkdir()
    (tree / "results/a.xml").write_text("in the tree")
    (tree.parent / "results/a.xml").write_text("not asked for")
    found.collect()
    assert found.contents == [b"in the tree"]


def test_links_and_pipes_are_no_reports(tree: Path) -> None:
    secret = tree.parent / "secret"
    secret.write_text("secret")
    (tree.parent / "elsewhere").mkdir()
    (tree.parent / "elsewhere/b.xml").write_text("secret")
    found = reports(tree, "**/*.xml")
    (tree / "a.xml").symlink_to(secret)
    (tree / "linked").symlink_to(tree.parent / "elsewhere")
    os.mkfifo(tree / "pipe.xml")
    (tree.parent / "results/results").symlink_to(secret)
    found.collect()
    assert found.contents == []
    assert found.lost == ""


def test_more_than_is_read_is_said(tree: Path) -> None:
    found = reports(tree, "*.bin")
    with (tree / "a.bin").open("wb") as file:
        file.truncate(LIMIT)
    (tree / "b.bin").write_bytes(b"x")
    found.collect()
    assert "larger than 50 MiB" in found.lost
