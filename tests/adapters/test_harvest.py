"""Harvest of real trees: what is committed, what is only reported, and what is refused."""

import os
import shutil
import stat
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from activities.adapters.damage import damage_of
from activities.adapters.git import Git
from activities.adapters.harvest import HostileTree, Mend, harvest
from activities.adapters.tree_files import put_back
from activities.adapters.waived import NOTHING_WAIVED, Waived
from activities.adapters.workspaces import WorkspaceGone, WorkspacePaths, Workspaces
from activities.contracts.integrity import IntegrityRule as Rule
from activities.contracts.integrity import Waiver
from activities.contracts.work import Change, Checkpoint
from tests.adapters.repositories import (
    Content,
    Executable,
    Gitlink,
    Name,
    Symlink,
    commit_files,
    git,
    make_repository,
)

REF = "refs/whimbrel/host/h/m/c1-0001/0-1"
A, M, D = Change.ADDED, Change.MODIFIED, Change.DELETED


class Attempt:
    """A hub, a workspace in it, and its harvest."""

    def __init__(self, tmp_path: Path) -> None:
        self.hub = tmp_path / "hub.git"
        self.workspaces = Workspaces(tmp_path / "workspaces", None, 5)
        self.base = self.start = ""

    def begin(
        self, files: dict[Name, Content], *, start: str = "", claims: Sequence[str] = ()
    ) -> Path:
        if not self.base:
            self.base = make_repository(self.hub, files, bare=True)
        self.start = start or self.base
        return self.open(claims).tree

    def open(self, claims: Sequence[str] = ()) -> WorkspacePaths:
        self.paths = self.workspaces.open(
            self.hub,
            migration="m",
            task="c1-0001",
            attempt="0-1",
            base=self.base,
            start=self.start,
            claims=claims,
            token="t",
        )
        return self.paths

    def harvest(
        self,
        claims: Sequence[str] = (),
        creates: Sequence[str] = (),
        mend: Mend | None = None,
        waived: Waived = NOTHING_WAIVED,
    ) -> Checkpoint:
        return harvest(
            self.paths,
            hub=self.hub,
            base=self.base,
            start=self.start,
            claims=claims,
            creates=creates,
            message="c1-0001: work\n",
            when=1_700_000_000,
            ref=REF,
            mend=mend,
            waived=waived,
        )

    def listed(self, commit: str) -> dict[bytes, bytes]:
        """path → mode and blob of the commit."""
        lines = git(self.hub, "ls-tree", "-r", "-z", commit).split(b"\0")[:-1]
        return {line.split(b"\t", 1)[1]: line.split(b"\t", 1)[0] for line in lines}

    def content(self, commit: str, path: str) -> bytes:
        return git(self.hub, "cat-file", "blob", f"{commit}:{path}")


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    return Attempt(tmp_path)


def changes(checkpoint: Checkpoint) -> list[tuple[str, Change]]:
    return [(changed.path, changed.change) for changed in checkpoint.changed]


def test_edits_deletions_and_new_files_of_the_claim_become_one_commit(attempt: Attempt) -> None:
    tree = attempt.begin({"a/x": "x", "a/y": "y", "a/only/z": "z", "b": "b"})
    (tree / "a/x").write_text("x2")
    (tree / "a/y").unlink()
    (tree / "a/only/z").unlink()
    (tree / "n").mkdir()
    (tree / "n/new").write_text("n")
    (tree / "n/run").write_text("#!")
    (tree / "n/run").chmod(0o755)
    got = attempt.harvest(["a/x", "a/y", "a/only/z"], ["/n/*"])
    wanted = [("a/only/z", D), ("a/x", M), ("a/y", D), ("n/new", A), ("n/run", A)]
    assert changes(got) == wanted
    assert (got.dropped, got.outside, got.damage) == ((), (), ())
    listed = attempt.listed(got.commit)
    assert sorted(listed) == [b"a/x", b"b", b"n/new", b"n/run"]
    assert listed[b"n/run"].startswith(b"100755")
    assert attempt.content(got.commit, "a/x") == b"x2"
    parents, tree_id = git(attempt.hub, "log", "-1", "--format=%P %T", REF).decode().split()
    assert (parents, tree_id) == (attempt.base, got.tree)
    git(attempt.hub, "fsck", "--strict", "--no-dangling")


def test_harvesting_again_gives_the_same_commit(attempt: Attempt) -> None:
    tree = attempt.begin({"a": "a"})
    (tree / "a").write_text("b")
    assert attempt.harvest(["a"]) == attempt.harvest(["a"])
    assert git(attempt.hub, "rev-parse", REF).decode().strip() == attempt.harvest(["a"]).commit


def test_an_untouched_tree_gives_an_empty_checkpoint(attempt: Attempt) -> None:
    attempt.begin({"a": "a", "d/b": Executable("b"), "l": Symlink("a"), "s": Gitlink("1" * 40)})
    got = attempt.harvest(["a", "d/b", "l"], ["/**"])
    assert (got.changed, got.dropped, got.outside, got.damage) == ((), (), (), ())
    assert git(attempt.hub, "diff-tree", "-r", attempt.base, got.commit) == b""


def test_an_edit_of_the_same_size_in_the_same_second_is_seen(attempt: Attempt) -> None:
    tree = attempt.begin({"mine": "a", "other": "a"})
    for name in ("mine", "other"):
        times = (tree / name).stat()
        (tree / name).write_text("b")
        os.utime(tree / name, ns=(times.st_atime_ns, times.st_mtime_ns))
    got = attempt.harvest(["mine"])
    assert changes(got) == [("mine", M)]
    assert got.outside == ("other",)


def test_an_edit_that_git_itself_takes_for_none_is_seen(attempt: Attempt) -> None:
    tree = attempt.begin({"mine": "a", "other": "a"})
    for name in ("mine", "other"):
        os.utime(tree / name, (1, 1))
    git_here = Git(attempt.paths.git_dir, work_tree=tree)
    git_here.run("update-index", "--refresh")
    for name in ("mine", "other"):  # within the second of the ctime that the index holds
        (tree / name).write_text("b")
        os.utime(tree / name, (1, 1))
    got = attempt.harvest(["mine"])
    assert changes(got) == [("mine", M)]
    assert got.outside == ("other",)


def test_directories_that_changed_places_are_seen_although_no_file_was_touched(
    attempt: Attempt,
) -> None:
    tree = attempt.begin({"a/x": "1", "b/x": "2"})
    (tree / "a").rename(tree / "c")
    (tree / "b").rename(tree / "a")
    (tree / "c").rename(tree / "b")
    assert changes(attempt.harvest(["a/x", "b/x"])) == [("a/x", M), ("b/x", M)]
    assert attempt.harvest().outside == ("a/x", "b/x")


def test_a_directory_moved_with_its_old_files_is_seen_at_its_new_place(attempt: Attempt) -> None:
    tree = attempt.begin({"a/x": "1", "a/y": "2"})
    (tree / "a").rename(tree / "b")
    got = attempt.harvest(["a/x", "a/y"], ["/b/x"])
    assert changes(got) == [("a/x", D), ("a/y", D), ("b/x", A)]
    assert got.dropped == ("b/y",)


def test_edits_outside_the_claim_are_reported_and_not_committed(attempt: Attempt) -> None:
    tree = attempt.begin({"a": "a", "b": "b", "c": "c", "d": "d"})
    (tree / "a").write_text("a2")
    (tree / "b").write_text("b2")
    (tree / "c").unlink()
    (tree / "d").chmod(0o755)
    (tree / "e").write_text("e")
    got = attempt.harvest(["a"])
    assert changes(got) == [("a", M)]
    assert got.outside == ("b", "c", "d")
    assert got.dropped == ("e",)
    assert attempt.listed(got.commit).keys() == attempt.listed(attempt.base).keys()


def test_what_the_spec_lets_pass_is_no_damage(attempt: Attempt) -> None:
    tree = attempt.begin({"a": "a\n", "b": "b\nb\n"})
    (tree / "a").chmod(0o755)
    (tree / "b").write_text("b\r\nb\r\n")
    got = attempt.harvest(["a", "b"])
    assert got.damage == ("a: executable bit gained", "b: line ends flipped from LF to CRLF")
    rules = (Rule.MODE_FLIP, Rule.EOL_FLIP)
    waivers = [Waiver(rule=rule, paths=("*",), reason="we mean to") for rule in rules]
    got = attempt.harvest(["a", "b"], waived=Waived(waivers))
    assert (got.damage, changes(got)) == ((), [("a", M), ("b", M)])
    assert attempt.listed(got.commit)[b"a"].startswith(b"100755")


def test_a_file_that_was_only_touched_is_no_change(attempt: Attempt) -> None:
    tree = attempt.begin({"a": "a", "b": "b"})
    for name in ("a", "b"):
        (tree / name).unlink()
        (tree / name).write_text(name)
    got = attempt.harvest(["a"])
    assert (got.changed, got.outside) == ((), ())


def test_new_files_that_the_tree_itself_ignores_are_harvested(attempt: Attempt) -> None:
    tree = attempt.begin({".gitignore": "/*\n", "net/a.c": "a"})
    (tree / "net/a.c").write_text("b")
    (tree / "net/new.c").write_text("n")
    (tree / "out.h").write_text("o")
    (tree / "junk").write_text("j")
    got = attempt.harvest(["net/a.c"], ["/net/*.c", "out.h"])
    assert changes(got) == [("net/a.c", M), ("net/new.c", A), ("out.h", A)]
    assert got.dropped == ("junk",)


def test_byte_code_is_dropped_unless_it_is_named(attempt: Attempt) -> None:
    tree = attempt.begin({"p/a.py": "a"})
    (tree / "p/__pycache__").mkdir()
    (tree / "p/__pycache__/a.cpython-311.pyc").write_bytes(b"\0")
    (tree / "p/b.pyc").write_bytes(b"\0")
    got = attempt.harvest(["p/a.py"], ["/p/**", "p/b.pyc"])
    assert changes(got) == [("p/b.pyc", A)]
    assert got.dropped == ("p/__pycache__/a.cpython-311.pyc",)


def test_a_pattern_of_creates_gives_no_right_to_a_file_that_is_there(attempt: Attempt) -> None:
    tree = attempt.begin({"src/a": "a", "src/b": "b"})
    (tree / "src/a").write_text("2")
    (tree / "src/b").unlink()
    assert attempt.harvest([], ["/src/**"]).outside == ("src/a", "src/b")


def test_what_is_dropped_is_named_up_to_a_bound(attempt: Attempt) -> None:
    tree = attempt.begin({"a": "a"})
    for n in range(300):
        (tree / f"junk{n:03}").touch()
    assert attempt.harvest(["a"]).dropped == tuple(f"junk{n:03}" for n in range(200))


def test_links_are_stored_as_links_and_never_followed(attempt: Attempt, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("s3cret")
    tree = attempt.begin({"l": Symlink("old"), "d/key": "mine", "e/key": "s3cret"})
    (tree / "l").unlink()
    (tree / "l").symlink_to(secret / "key")
    for name in ("d", "e"):
        shutil.rmtree(tree / name)
        (tree / name).symlink_to(secret)
    got = attempt.harvest(["l", "d/key"], ["/d"])
    assert changes(got) == [("d", A), ("d/key", D), ("l", M)]
    assert attempt.content(got.commit, "l") == os.fsencode(secret / "key")
    assert attempt.listed(got.commit)[b"d"].startswith(b"120000")
    assert got.outside == ("e/key",)
    assert got.dropped == ("e",)


def test_a_link_cannot_take_the_place_of_a_directory_whose_files_are_not_claimed(
    attempt: Attempt,
) -> None:
    tree = attempt.begin({"d/mine": "1", "d/other": "2", "f": "f"})
    shutil.rmtree(tree / "d")
    (tree / "d").symlink_to("/etc")
    (tree / "f").unlink()
    (tree / "f").mkdir()
    (tree / "f/new").write_text("n")
    got = attempt.harvest(["d/mine"], ["/d", "/f/new"])
    assert changes(got) == [("d/mine", D)]
    assert got.dropped == ("d", "f/new")
    assert got.outside == ("d/other", "f")
    assert sorted(attempt.listed(got.commit)) == [b"d/other", b"f"]


def test_a_claimed_file_may_become_a_directory(attempt: Attempt) -> None:
    tree = attempt.begin({"mod.py": "m"})
    (tree / "mod.py").unlink()
    (tree / "mod.py").mkdir()
    (tree / "mod.py/a").write_text("a")
    got = attempt.harvest(["mod.py"], ["/mod.py/**"])
    assert changes(got) == [("mod.py", D), ("mod.py/a", A)]
    assert list(attempt.listed(got.commit)) == [b"mod.py/a"]


def test_a_file_that_became_a_link_and_the_reverse_are_damage(attempt: Attempt) -> None:
    tree = attempt.begin({"f": "f", "l": Symlink("f")})
    (tree / "f").unlink()
    (tree / "f").symlink_to("l")
    (tree / "l").unlink()
    (tree / "l").write_text("text")
    assert attempt.harvest(["f", "l"]).damage == (
        "f: file became symbolic link",
        "l: symbolic link became file",
    )


def test_an_x_bit_lost_or_gained_is_damage_and_the_base_mode_stays(attempt: Attempt) -> None:
    tree = attempt.begin({"run": Executable("r"), "text": "t"})
    (tree / "run").write_text("r2")
    (tree / "run").chmod(0o644)
    (tree / "text").chmod(0o755)
    got = attempt.harvest(["run", "text"])
    assert got.damage == ("run: executable bit lost", "text: executable bit gained")
    assert changes(got) == [("run", M)]
    assert attempt.listed(got.commit)[b"run"].startswith(b"100755")


def test_damage_is_noted_with_its_path(attempt: Attempt) -> None:
    tree = attempt.begin({"a": "1\n2\n", "b": b"caf\xe9\n", "c": "full"})
    (tree / "a").write_bytes(b"1\r\n3\r\n")
    (tree / "b").write_bytes("caf\N{REPLACEMENT CHARACTER}\n".encode())
    (tree / "c").write_bytes(b"")
    assert attempt.harvest(["a", "b", "c"]).damage == (
        "a: line ends flipped from LF to CRLF",
        "b: bytes were replaced by U+FFFD",
        "c: truncated to nothing",
    )


REPLACED = "\N{REPLACEMENT CHARACTER}".encode()


@pytest.mark.parametrize(
    ("before", "after", "damage"),
    [
        (b"a\nb\n", b"a\nc\n", []),
        (b"a\r\nb\r\n", b"a\nb\n", ["line ends flipped from CRLF to LF"]),
        (b"a\r\nb\r\nc\n", b"a\r\nb2\r\nc\nd\n", []),
        (b"one line", b"one\r\n", []),
        (b"\x89PNG\0\xff", b"\x89PNG\0\xfe\xff", []),
        (b"\x89PNG\0\xff", b"text\n", ["binary file became text"]),
        (b"\x89PNG\0\xff", REPLACED + b"PNG\0" + REPLACED, ["bytes were replaced by U+FFFD"]),
        (b"text\n", b"te\0xt\n", ["text now contains NUL"]),
        (b"x" * 9000, b"x" * 9000 + b"\0", ["text now contains NUL"]),
        (b"caf\xe9 a\n", b"caf\xe9 b\n", []),
        (b"caf\xe9\n", b"cafe\n", []),
        (b"caf\xe9\n", "café\n".encode(), ["encoding changed to UTF-8"]),
        ("café\n".encode(), b"caf\xe9\n", ["encoding changed from UTF-8"]),
        (b"\xe9 \xe8\n", b"\xe9 " + REPLACED, ["bytes were replaced by U+FFFD"]),
        (b"plain\n", "café\n".encode(), []),
        (b"a", b"", ["truncated to nothing"]),
        (b"", b"a\r\n", []),
    ],
)
def test_damage_is_told_apart_from_change(before: bytes, after: bytes, damage: list[str]) -> None:
    assert list(damage_of(before, after)) == damage


@pytest.mark.parametrize("kind", ["directory", "file", "link", "at the top", "other case"])
def test_a_git_directory_of_the_trees_own_is_refused(
    attempt: Attempt, kind: str, tmp_path: Path
) -> None:
    tree = attempt.begin({"v/x/a": "a"})
    (tree / "v/x/a").write_text("b")
    at = tree / {"at the top": ".git", "other case": "v/.GIT"}.get(kind, "v/x/.git")
    if kind == "file":
        at.write_text("gitdir: /tmp\n")
    elif kind == "link":
        at.symlink_to(attempt.hub)
    else:
        subprocess.run(["git", "init", "-q", "--bare", at], check=True)
        with (at / "config").open("a") as config:
            config.write(f"[core]\n\tfsmonitor = touch {tmp_path}/ran\n")
    with pytest.raises(HostileTree) as refused:
        attempt.harvest(["v/x/a"])
    assert refused.value.path == str(at.relative_to(tree))
    assert not (tmp_path / "ran").exists()
    assert git(attempt.hub, "for-each-ref", REF) == b""


def test_the_empty_mount_point_of_the_sandbox_is_removed(attempt: Attempt) -> None:
    tree = attempt.begin({"a": "a"})
    (tree / ".git").mkdir()
    assert attempt.harvest(["a"]).changed == ()
    assert not (tree / ".git").exists()


def test_no_attribute_or_filter_of_the_tree_changes_a_byte(
    attempt: Attempt, tmp_path: Path
) -> None:
    attributes = "* text=auto eol=lf ident filter=evil working-tree-encoding=UTF-16\n"
    tree = attempt.begin({"a": b"1\r\n", "b": b"$Id$\r\n", "p.bin": "version lfs\n"})
    (tree / ".gitattributes").write_text(attributes)
    (tree / "a").write_bytes(b"2\r\n$Id: no$\r\n")
    (tree / "p.bin").write_bytes(b"version lfs 2\r\n")
    got = attempt.harvest(["a", "b", "p.bin", ".gitattributes"])
    assert changes(got) == [(".gitattributes", A), ("a", M), ("p.bin", M)]
    assert attempt.content(got.commit, "a") == b"2\r\n$Id: no$\r\n"
    assert attempt.content(got.commit, "p.bin") == b"version lfs 2\r\n"


def test_special_files_are_reported_and_never_opened(attempt: Attempt) -> None:
    tree = attempt.begin({"a": "a", "b": "b"})
    for name in ("a", "b"):
        (tree / name).unlink()
        os.mkfifo(tree / name)
    os.mkfifo(tree / "new")
    os.mknod(tree / "junk", stat.S_IFSOCK | 0o644)
    got = attempt.harvest(["a"], ["/new"])
    what = "is no file that can be committed"
    assert got.damage == (f"a: {what}", f"new: {what}")
    assert got.outside == ("b",)
    assert got.dropped == ("junk",)
    assert attempt.listed(got.commit) == attempt.listed(attempt.base)


def test_submodule_entries_stay_whatever_happened_to_their_directory(attempt: Attempt) -> None:
    tree = attempt.begin(
        {"s1": Gitlink("1" * 40), "s2": Gitlink("2" * 40), "s3": Gitlink("3" * 40)}
    )
    (tree / "s1").rmdir()
    (tree / "s2/junk").write_text("j")
    (tree / "s3").rmdir()
    (tree / "s3").write_text("f")
    got = attempt.harvest([], ["/s2/**", "/s3"])
    assert (got.changed, got.dropped, got.outside) == ((), ("s2/junk",), ("s3",))
    assert attempt.listed(got.commit) == attempt.listed(attempt.base)


def test_odd_names_are_harvested_as_any_other(attempt: Attempt) -> None:
    files: dict[Name, Content] = {
        b"d/caf\xe9": "1",
        b"d/gone\xe9": "1",
        b"\xff/in": "1",
        "l\nf": "1",
    }
    tree = attempt.begin({**files, "d/plain": "p", "d/sub/x": "x", "é": "é"})
    (tree / os.fsdecode(b"d/caf\xe9")).write_text("2")
    (tree / os.fsdecode(b"d/gone\xe9")).unlink()
    (tree / os.fsdecode(b"\xff/in")).write_text("2")
    (tree / os.fsdecode(b"d/new\xe8")).write_text("n")
    (tree / os.fsdecode(b"junk\xe8")).write_text("n")
    (tree / "l\nf").write_text("2")
    (tree / "é").write_text("2")
    claims = ['"d/caf\\351"', '"d/gone\\351"', os.fsdecode(b"\xff/in"), "l\nf", "é"]
    got = attempt.harvest(claims, ["/d/new*"])
    assert changes(got) == [
        ('"d/caf\\351"', M),
        ('"d/gone\\351"', D),
        ('"d/new\\350"', A),
        ("l\nf", M),
        ("é", M),
        ('"\\377/in"', M),
    ]
    assert got.dropped == ('"junk\\350"',)
    assert got.model_dump_json()
    listed = attempt.listed(got.commit)
    names = [b"d/caf\xe9", b"d/new\xe8", b"d/plain", b"d/sub/x", b"l\nf", "é".encode(), b"\xff/in"]
    assert list(listed) == names
    git(attempt.hub, "fsck", "--strict", "--no-dangling")


def test_an_attempt_that_goes_on_from_a_checkpoint_is_held_against_the_base(
    attempt: Attempt,
) -> None:
    tree = attempt.begin({"a": "a", "b": "b", "c": "c", "other": "o"})
    (tree / "a").write_text("a2")
    (tree / "b").unlink()
    (tree / "new").write_text("n")
    (tree / "new2").write_text("n2")
    claims, creates = ["a", "b", "c"], ["/new*"]
    first = attempt.harvest(claims, creates)
    tree = attempt.begin({}, start=first.commit)
    assert attempt.harvest(claims, creates).changed == first.changed
    (tree / "c").write_text("c2")
    (tree / "a").write_text("a")
    (tree / "new2").unlink()
    (tree / "other").write_text("o2")
    got = attempt.harvest(claims, creates)
    assert changes(got) == [("b", D), ("c", M), ("new", A)]
    assert got.outside == ("other",)
    assert got.base == attempt.base
    assert git(attempt.hub, "log", "-1", "--format=%P", got.commit).decode().strip() == attempt.base


def test_outside_the_cone_nothing_is_changed_and_what_is_made_there_is_seen(
    attempt: Attempt, tmp_path: Path
) -> None:
    attempt.workspaces = Workspaces(tmp_path / "sparse", None, 5, full_checkout=2)
    files: dict[Name, Content] = {f"far{n}/f": "f" for n in range(5)}
    tree = attempt.begin({**files, "near/a": "a", "near/b": "b"}, claims=["near/a"])
    (tree / "near/a").write_text("a2")
    for n, text in ((1, "f"), (2, "other")):
        (tree / f"far{n}").mkdir()
        (tree / f"far{n}/f").write_text(text)
    (tree / "far3").mkdir()
    (tree / "far3/new").write_text("n")
    (tree / "far4").symlink_to("/etc")
    (tree / "near/b").rename(tree / "far3/f")
    got = attempt.harvest(["near/a"], ["/far3/new"])
    assert changes(got) == [("far3/new", A), ("near/a", M)]
    assert got.outside == ("far2/f", "far3/f", "near/b")
    assert got.dropped == ("far4",)
    listed = attempt.listed(got.commit)
    assert len(listed) == 8
    assert b"far4/f" in listed


def test_all_of_a_tree_may_be_deleted(attempt: Attempt) -> None:
    tree = attempt.begin({"d/a": "a"})
    (tree / "d/a").unlink()
    got = attempt.harvest(["d/a"])
    assert attempt.listed(got.commit) == {}
    assert changes(got) == [("d/a", D)]


def test_a_tree_too_deep_to_read_is_refused(attempt: Attempt) -> None:
    tree = attempt.begin({"a": "a"})
    script = "for i in $(seq 60); do mkdir -p $0 && cd -P $0 || exit; done"
    subprocess.run(["bash", "-c", script, "d" * 100], cwd=tree, check=True)
    with pytest.raises(HostileTree):
        attempt.harvest(["a"])
    attempt.workspaces.close("m", "c1-0001", "0-1")
    assert not tree.exists()


def test_a_real_git_sees_the_harvest_as_an_ordinary_commit(attempt: Attempt) -> None:
    base = make_repository(attempt.hub, {"a": "a", "d/b": "b", "d/e/f": "f"}, bare=True)
    attempt.base = base
    tip = commit_files(attempt.hub, {"d/b": "b2", "d/g": "g"}, delete=["d/e/f"])
    tree = attempt.begin({})
    (tree / "d/b").write_text("b2")
    (tree / "d/g").write_text("g")
    (tree / "d/e/f").unlink()
    got = attempt.harvest(["d/b", "d/e/f"], ["d/g"])
    assert Git(attempt.hub).text("rev-parse", f"{tip}^{{tree}}") == got.tree


@pytest.mark.parametrize("what", ["", "tree"])
def test_what_a_deleted_workspace_lacks_is_no_edit(attempt: Attempt, what: str) -> None:
    tree = attempt.begin({"a": "a"})
    shutil.rmtree(tree.parent / what)
    with pytest.raises(WorkspaceGone, match="somebody deleted"):
        attempt.harvest(["a"], [])


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file needs root")
def test_a_file_that_the_storage_cannot_give_is_no_hostile_tree(tmp_path: Path) -> None:
    attempt = Attempt(tmp_path)
    at = attempt.begin({"a.py": "a\n"}) / "a.py"
    # Nothing is mapped at a process's address 0: what asks for it gets EIO, as of a broken disk.
    subprocess.run(["mount", "--bind", f"/proc/{os.getpid()}/mem", at], check=True)
    try:
        with pytest.raises(OSError, match=r"Input/output error: '.*a\.py'"):
            attempt.harvest(["a.py"])
    finally:
        subprocess.run(["umount", at], check=True)
    assert attempt.harvest(["a.py"]).changed == ()


def test_what_was_changed_outside_is_put_back_whatever_was_made_of_it(
    attempt: Attempt, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "f").write_text("v")
    files: dict[Name, Content] = {
        **{f"many/{n}": "m" for n in range(250)},
        "mine": "m", "edited": "e", "gone": "g", "run": Executable("x"), "link": Symlink("edited"),
        "d/f": "f", "e/f": "f", "file": "f",
    }  # fmt: skip
    tree = attempt.begin(files)
    for n in range(250):
        (tree / f"many/{n}").write_text("other")
    (tree / "mine").write_text("m2")
    (tree / "edited").write_text("other")
    (tree / "gone").unlink()
    (tree / "run").chmod(0o644)
    (tree / "link").unlink()
    (tree / "link").mkdir()
    shutil.rmtree(tree / "d")
    (tree / "d").symlink_to(victim)
    shutil.rmtree(tree / "e")
    (tree / "e").write_text("a file now")
    (tree / "file").unlink()
    os.mkfifo(tree / "file")
    got = attempt.harvest(["mine"], mend=partial(put_back, tree, owner=None))
    assert len(got.outside) == 200
    again = attempt.harvest(["mine"])
    assert (again.outside, again.dropped) == ((), ())
    assert (again.commit, changes(again)) == (got.commit, [("mine", M)])
    assert (tree / "link").readlink() == Path("edited")
    assert (victim / "f").read_text() == "v"


def test_claims_that_come_later_are_brought_into_a_sparse_tree(
    attempt: Attempt, tmp_path: Path
) -> None:
    attempt.workspaces = Workspaces(tmp_path / "sparse", None, 5, full_checkout=2)
    files: dict[Name, Content] = {f"far{n}/f": "f" for n in range(5)}
    tree = attempt.begin({**files, "near/a": "a", "near/b": "b"}, claims=["near/a"])
    (tree / "near/a").write_text("a2")
    (tree / "near/b").unlink()
    for _ in range(2):
        attempt.workspaces.widen(attempt.paths, ["near/a", "near/b", "far1/f", "far2/f"])
    assert (tree / "far1/f").read_text() == "f"
    assert not (tree / "far3").exists()
    (tree / "far1/f").unlink()
    got = attempt.harvest(["near/a", "near/b", "far1/f", "far2/f"])
    assert changes(got) == [("far1/f", D), ("near/a", M), ("near/b", D)]
    assert got.outside == ()
