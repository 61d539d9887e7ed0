"""The hub against real git: intake, ownership, composing, landing, and what a killed one leaves."""

import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from builders import a_spec

from activities.adapters.gate import GateRules
from activities.adapters.git import Git, GitFailed
from activities.adapters.hub import BranchOwned, Hub
from activities.adapters.objects import ObjectMissing
from activities.adapters.refs import BranchMoved, RefMoved
from activities.adapters.spec_file import parse_spec
from activities.adapters.upstream import (
    BaseVanished,
    UnsupportedRepository,
    UpstreamUnreachable,
)
from activities.contracts.landing import Batch, Candidate, Outcome
from activities.contracts.repository import GreenBranch
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
from tests.contracts.specs import spec

WHEN = 1_750_000_000
BRANCH = "whimbrel/bare-asserts"
MIGRATION = "bare-asserts"
ODD = b"odd-\xff.txt".decode("utf-8", "surrogateescape")
FILES: dict[str | bytes, Content] = {
    "src/a.py": "one\ntwo\nthree\nfour\nfive\n",
    "src/b.py": "b\n",
    "README.md": "read me\n",
    "tool.sh": Executable("#!/bin/sh\n"),
    "link": Symlink("src/a.py"),
    "vendored": Gitlink("1" * 40),
    "windows.txt": "one\r\ntwo\r\n",
    ODD: "odd\n",
}


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    make_repository(tmp_path / "upstream", FILES)
    return tmp_path / "upstream"


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub.open(tmp_path / "hubs", "app-1a2b3c4d")


@pytest.fixture
def green(hub: Hub, upstream: Path) -> str:
    """The claimed green branch's first commit."""
    base = hub.fetch_base(str(upstream), "main", MIGRATION)
    return hub.claim_branch(_green(), base.commit)


Propose = Callable[..., Candidate]


@pytest.fixture
def propose(hub: Hub) -> Propose:
    """Makes a candidate of real changes; it claims what it changes unless told otherwise."""

    def make(
        task: str,
        base: str,
        files: dict[str | bytes, Content],
        delete: tuple[str, ...] = (),
        claims: tuple[str, ...] | None = None,
        modes: dict[str | bytes, str] | None = None,
    ) -> Candidate:
        work = commit_files(
            hub.path, files, delete, modes=modes, ref=f"refs/whimbrel/work/{task}", parent=base
        )
        commit = hub.write_commit(hub.tree(work), [base], f"Change {task}\n", WHEN)
        paths = tuple(str(path) for path in files) + delete
        claimed = paths if claims is None else claims
        return Candidate(
            migration=MIGRATION,
            task=task,
            commit=commit,
            base=base,
            title=f"Change {task}",
            claims=claimed,
            creates=claimed,
            reply_to="task/1",
        )

    return make


def _green(migration: str = MIGRATION) -> GreenBranch:
    return GreenBranch(repository="app-1a2b3c4d", name=BRANCH, migration=migration)


def compose(hub: Hub, tip: str, *candidates: Candidate, rules: GateRules | None = None) -> Batch:
    return hub.compose_batch(tip, candidates, rules or GateRules(), MIGRATION, WHEN)


def _fingerprint(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


class TestIntake:
    def test_the_base_is_upstreams_head_and_upstream_stays_byte_identical(
        self, hub: Hub, upstream: Path
    ) -> None:
        before = _fingerprint(upstream)
        base = hub.fetch_base(str(upstream), "main", MIGRATION)
        assert base.commit == git(upstream, "rev-parse", "main").decode().strip()
        assert base.branch == "main"
        assert hub.files(base.commit) == hub.files(base.tree)
        assert _fingerprint(upstream) == before

    def test_a_pinned_base_stays_until_it_is_pinned_again(self, hub: Hub, upstream: Path) -> None:
        first = hub.fetch_base(str(upstream), "main", MIGRATION)
        moved = commit_files(upstream, {"new.py": "new\n"})
        assert hub.fetch_base(str(upstream), "main", MIGRATION) == first
        assert hub.pinned_base(MIGRATION) == first
        again = hub.fetch_base(str(upstream), "main", MIGRATION, repin=True)
        assert again.commit == moved
        assert hub.pinned_base("another") is None

    def test_a_migration_and_one_of_a_fleet_of_its_name_have_refs_beside_each_other(
        self, hub: Hub, upstream: Path
    ) -> None:
        names = [f"{MIGRATION}/app", MIGRATION, f"{MIGRATION}/app-2"]
        bases = {hub.fetch_base(str(upstream), "main", name).commit for name in names}
        assert len(bases) == 1
        assert [hub.pinned_base(name) is not None for name in names] == [True] * 3
        branches = [
            GreenBranch(repository="x-00000000", name=a_spec(name).branch, migration=name)
            for name in names
        ]
        assert [hub.claim_branch(branch, *bases) for branch in branches] == [*bases] * 3

    def test_a_file_url_is_read_like_a_path(self, hub: Hub, upstream: Path) -> None:
        assert hub.fetch_base(upstream.as_uri(), "main", MIGRATION).branch == "main"

    def test_a_repository_of_another_user_is_read(self, hub: Hub, upstream: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can give files away")
        for path in (upstream, *upstream.rglob("*")):
            os.lchown(path, 65534, 65534)
        assert hub.fetch_base(str(upstream), "main", MIGRATION).branch == "main"

    def test_a_branch_that_is_gone_is_told_from_an_upstream_that_is_silent(
        self, hub: Hub, upstream: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(BaseVanished, match="no branch gone"):
            hub.fetch_base(str(upstream), "gone", MIGRATION)
        with pytest.raises(UpstreamUnreachable):
            hub.fetch_base(str(tmp_path / "nowhere"), "main", MIGRATION)

    def test_a_folder_that_is_no_repository_is_not_asked_again(
        self, hub: Hub, tmp_path: Path
    ) -> None:
        with pytest.raises(UnsupportedRepository, match="no git repository"):
            hub.fetch_base(str(tmp_path), "main", MIGRATION)

    def test_a_sha256_repository_is_unsupported(self, hub: Hub, tmp_path: Path) -> None:
        where = tmp_path / "sha256"
        init = ["git", "init", "-q", "--bare", "--object-format=sha256", "--template="]
        subprocess.run([*init, "--initial-branch=main", str(where)], check=True, env=ENVIRONMENT)
        commit_files(where, {"a": "a"}, message="initial")
        with pytest.raises(UnsupportedRepository, match="sha256"):
            hub.fetch_base(str(where), "main", MIGRATION)

    def test_a_shallow_repository_is_unsupported(
        self, hub: Hub, upstream: Path, tmp_path: Path
    ) -> None:
        commit_files(upstream, {"src/b.py": "b2\n"})
        shallow = tmp_path / "shallow"
        clone = ["git", "clone", "-q", "--bare", "--depth=1", "--template="]
        subprocess.run([*clone, upstream.as_uri(), str(shallow)], check=True, env=ENVIRONMENT)
        with pytest.raises(UnsupportedRepository, match="shallow"):
            hub.fetch_base(str(shallow), "main", MIGRATION)

    def test_a_tree_with_a_git_directory_in_it_is_refused(self, hub: Hub, tmp_path: Path) -> None:
        hostile = tmp_path / "hostile"
        make_repository(hostile, {"a": "a"}, bare=True)
        blob = git(hostile, "hash-object", "-w", "--stdin", stdin=b"x").decode().strip()
        inner = git(hostile, "mktree", stdin=f"100644 blob {blob}\tconfig\n".encode())
        outer = git(
            hostile, "mktree", stdin=f"040000 tree {inner.decode().strip()}\t.git\n".encode()
        )
        git(hostile, "config", "user.name", "T")
        git(hostile, "config", "user.email", "t@localhost")
        commit = git(hostile, "commit-tree", outer.decode().strip(), "-m", "x").decode().strip()
        git(hostile, "update-ref", "refs/heads/main", commit)
        with pytest.raises(UnsupportedRepository, match="Dotgit"):
            hub.fetch_base(str(hostile), "main", MIGRATION)

    def test_a_helper_transport_or_an_option_is_no_url(self, hub: Hub, tmp_path: Path) -> None:
        for url in (f"ext::touch {tmp_path}/owned", f"--upload-pack=touch {tmp_path}/owned"):
            with pytest.raises(UpstreamUnreachable):
                hub.fetch_base(url, "main", MIGRATION)
        assert not (tmp_path / "owned").exists()

    def test_a_password_in_a_url_is_not_in_the_error(self, hub: Hub) -> None:
        with pytest.raises(UpstreamUnreachable) as caught:
            hub.fetch_base("https://me:s3cret@127.0.0.1:1/x.git", "main", MIGRATION)
        told = f"{caught.value} {caught.value.__cause__}"
        assert "s3cret" not in told
        assert "127.0.0.1" in told


class TestReading:
    def test_files_come_with_modes_sizes_and_odd_names(self, hub: Hub, green: str) -> None:
        files = {file.path: file for file in hub.files(green)}
        assert files["tool.sh"].mode == "100755"
        assert files["link"].mode == "120000"
        assert (files["vendored"].mode, files["vendored"].size) == ("160000", 0)
        assert files[ODD].size == 4
        assert hub.read_file(green, ODD) == b"odd\n"
        assert hub.read_file(green, "link") == b"src/a.py"
        assert hub.read_file(green, "vendored") is None
        assert hub.read_file(green, "src") is None
        assert hub.read_file(green, "no/such") is None

    def test_what_a_commit_holds_of_some_paths_is_what_it_lists(self, hub: Hub, green: str) -> None:
        files = {f.path: f for f in hub.files(green)}
        listed = hub.paths(green)
        assert listed == list(files)
        assert {"link", "vendored", ODD} <= set(listed)
        asked = [*listed, "src", "no/such", "src/a.py/below", "link/below", *reversed(listed)]
        assert hub.present(green, asked) == [path for path in asked if path in listed]
        assert hub.among(green, asked) == [files[path] for path in asked if path in listed]

    def test_blobs_are_read_in_order_by_one_process(self, hub: Hub, green: str) -> None:
        blobs = [f.blob for f in hub.files(green) if f.mode != "160000"] * 50
        read = list(hub.read_blobs(blobs))
        assert [blob for blob, _ in read] == blobs
        assert all(data == hub.read_blob(blob) for blob, data in read)

    def test_a_tree_is_big_when_it_has_more_files_than_the_limit(
        self, hub: Hub, green: str
    ) -> None:
        count = len(hub.files(green))
        answers = {limit: hub.has_more_files_than(limit, green) for limit in range(count + 2)}
        assert answers == {limit: limit < count for limit in range(count + 2)}

    def test_a_missing_blob_is_named(self, hub: Hub, green: str) -> None:
        with pytest.raises(ObjectMissing, match="2222"):
            list(hub.read_blobs(["2" * 40]))

    def test_a_reader_that_stops_early_leaves_no_process(self, hub: Hub, green: str) -> None:
        blobs = [f.blob for f in hub.files(green) if f.mode != "160000"]
        reading = hub.read_blobs(blobs)
        next(reading)
        reading.close()

    def test_a_diff_names_modes_and_blobs_and_takes_a_rename_apart(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        work = propose(
            "t1",
            green,
            {"src/c.py": FILES["src/a.py"], "vendored": Gitlink("2" * 40), ODD: "x\n"},
            delete=("src/a.py",),
            modes={"tool.sh": "100644"},
        )
        entries = {entry.path: entry for entry in hub.diff(green, work.commit)}
        assert {path: entry.status for path, entry in entries.items()} == {
            "src/a.py": "D",
            "src/c.py": "A",
            "vendored": "M",
            ODD: "M",
        }
        assert entries["src/c.py"].new_blob == entries["src/a.py"].old_blob
        assert entries["vendored"].new_blob == "2" * 40
        stat = {stat.path: (stat.added, stat.deleted) for stat in hub.stat(green, work.commit)}
        assert stat[ODD] == (1, 1)
        assert stat["src/a.py"] == (0, 5)

    def test_a_patch_is_limited_to_literal_paths(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        work = propose("t1", green, {"src/b.py": "bb\n", "src/[ab].py": "odd\n"})
        patch = hub.patch(green, work.commit, ["src/[ab].py"]).decode()
        assert "src/[ab].py" in patch
        assert "src/b.py" not in patch


class TestOwnership:
    def test_a_second_migration_is_refused_by_name_and_the_same_one_is_harmless(
        self, hub: Hub, green: str
    ) -> None:
        assert hub.claim_branch(_green(), green) == green
        with pytest.raises(BranchOwned, match=MIGRATION) as caught:
            hub.claim_branch(_green("intruder"), green)
        assert caught.value.owner == MIGRATION

    def test_claiming_again_after_a_landing_returns_the_present_tip(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        batch = compose(hub, green, propose("t1", green, {"src/b.py": "b2\n"}))
        hub.land(BRANCH, green, batch.prefixes[-1])
        assert hub.claim_branch(_green(), green) == batch.prefixes[-1]

    def test_opening_twice_and_over_a_half_built_hub_gives_one_hub(self, tmp_path: Path) -> None:
        root = tmp_path / "root"
        (root / "app-00000000.git.tmp").mkdir(parents=True)
        (root / "app-00000000.git.tmp" / "HEAD").write_text("half")
        first, second = (Hub.open(root, "app-00000000") for _ in range(2))
        assert first.path == second.path
        assert first.git.text("rev-parse", "--is-bare-repository") == "true"
        assert first.git.text("config", "gc.auto") == "0"
        assert not (root / "app-00000000.git.tmp").exists()


class TestKeeping:
    def test_a_kept_ref_moves_by_compare_and_swap_only(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        one = propose("t1", green, {"src/b.py": "1\n"}).commit
        two = propose("t2", green, {"src/b.py": "2\n"}).commit
        ref = "refs/whimbrel/verify/x/0"
        assert hub.keep(ref, one) == one
        assert hub.keep(ref, one) == one
        with pytest.raises(RefMoved):
            hub.keep(ref, two)
        assert hub.keep(ref, two, one) == two
        with pytest.raises(RefMoved):
            hub.keep(ref, one, green)
        with pytest.raises(ValueError, match="not under"):
            hub.keep("refs/heads/main", one)
        with pytest.raises(ValueError, match="no name"):
            hub.keep("refs/whimbrel/../../x", one)

    def test_dropping_takes_what_is_there_and_leaves_the_rest(self, hub: Hub, green: str) -> None:
        for name in ("a", "b", "c"):
            hub.keep(f"refs/whimbrel/verify/{name}", green)
        hub.git.run("pack-refs", "--all")
        hub.drop(["refs/whimbrel/verify/a", "refs/whimbrel/verify/b", "refs/whimbrel/verify/gone"])
        hub.drop(["refs/whimbrel/verify/a"])
        assert hub.refs("refs/whimbrel/verify/") == {"refs/whimbrel/verify/c": green}
        with pytest.raises(ValueError, match="not under"):
            hub.drop([f"refs/heads/{BRANCH}"])

    def test_a_put_back_path_is_as_it_was_and_an_added_one_is_gone(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        work = propose(
            "t1",
            green,
            {"src/a.py": "x\n", "new/deep/n.py": "n\n", ODD: "x\n", "tool.sh": "plain\n"},
            delete=("src/b.py",),
        )
        everything = ["src/a.py", "src/b.py", "new/deep/n.py", ODD, "tool.sh", "never/was"]
        assert hub.put_back(work.commit, green, everything) == hub.tree(green)
        some = hub.put_back(work.commit, green, ["src/b.py", "new/deep/n.py"])
        assert {e.path for e in hub.diff(green, some)} == {"src/a.py", ODD, "tool.sh"}

    def test_a_folder_comes_back_where_a_file_took_its_place(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        work = propose("t1", green, {"src": "a file now\n"}, delete=("src/a.py", "src/b.py"))
        assert hub.put_back(work.commit, green, ["src/a.py", "src/b.py"]) == hub.tree(green)


class TestComposing:
    def test_each_prefix_carries_its_members_on_the_tip_with_their_trailers(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        one = propose("t1", green, {"src/a.py": "one!\ntwo\nthree\nfour\nfive\n"})
        two = propose("t2", green, {"src/a.py": "one\ntwo\nthree\nfour\nfive!\n", ODD: "o\n"})
        two = two.model_copy(update={"claims": ("src/a.py", ODD)})
        batch = compose(hub, green, one, two)
        assert batch.members == (one.id, two.id)
        assert batch.refused == ()
        first, second = batch.prefixes
        assert hub.parents(first) == (green, one.commit)
        assert hub.parents(second) == (green, one.commit, two.commit)
        assert hub.read_file(second, "src/a.py") == b"one!\ntwo\nthree\nfour\nfive!\n"
        message = hub.git.text("log", "-1", "--format=%(trailers)", second)
        assert message.split() == ["Task-Id:", "bare-asserts/t1", "Task-Id:", "bare-asserts/t2"]

    def test_the_same_inputs_give_the_same_ids(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        one = propose("t1", green, {"src/a.py": "x\n"})
        assert propose("t1", green, {"src/a.py": "x\n"}) == one
        two = propose("t2", green, {"src/b.py": "y\n"})
        assert compose(hub, green, one, two) == compose(hub, green, one, two)

    def test_a_conflict_names_its_paths_and_the_next_goes_on(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        one = propose("t1", green, {"src/a.py": "x\n"})
        two = propose("t2", green, {"src/a.py": "y\n", "src/b.py": "y\n"})
        three = propose("t3", green, {}, delete=("src/b.py",))
        batch = compose(hub, green, one, two, three)
        assert batch.members == (one.id, three.id)
        (refusal,) = batch.refused
        assert refusal.candidate == two.id
        assert refusal.outcome is Outcome.CONFLICT
        assert refusal.reasons == ("conflict: src/a.py: contents",)
        assert refusal.paths == ("src/a.py",)

    def test_deletions_symlinks_and_submodule_bumps_land_as_they_are(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        changed: dict[str | bytes, Content] = {
            "link": Symlink("src/b.py"),
            "vendored": Gitlink("2" * 40),
        }
        batch = compose(hub, green, propose("t1", green, changed, delete=("README.md",)))
        files = {file.path: file for file in hub.files(batch.prefixes[0])}
        assert "README.md" not in files
        assert files["vendored"].blob == "2" * 40
        assert hub.read_file(batch.prefixes[0], "link") == b"src/b.py"

    def test_a_silent_revert_of_what_landed_is_caught_by_the_claim(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        landed = compose(hub, green, propose("t1", green, {"src/a.py": "better\n"}))
        tip = hub.land(BRANCH, green, landed.prefixes[-1])
        stale = propose("t2", tip, {"src/b.py": "b2\n", "src/a.py": FILES["src/a.py"]})
        stale = stale.model_copy(update={"claims": ("src/b.py",)})
        (refusal,) = compose(hub, tip, stale).refused
        assert refusal.outcome is Outcome.VIOLATION
        assert refusal.reasons == ("outside-claim: src/a.py: changed but not claimed",)
        assert refusal.paths == ("src/a.py",)

    def test_a_weakened_test_is_named_alone_and_the_rest_lands_once_it_is_put_back(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        tests: dict[str | bytes, Content] = {
            "tests/test_a.py": "def test_a():\n    assert 1 == 1\n",
            "tests/test_b.py": "def test_b():\n    assert 2 == 2\n",
        }
        added = compose(hub, green, propose("t1", green, tests))
        tip = hub.land(BRANCH, green, added.prefixes[-1])
        work = propose(
            "t2",
            tip,
            {
                "src/a.py": "new\n",
                "tests/test_a.py": "def test_a():\n    assert 1 is 1\n",
                "tests/test_b.py": "def test_b():\n    pass\n",
            },
        )
        (refusal,) = compose(hub, tip, work).refused
        assert refusal.outcome is Outcome.VIOLATION
        assert refusal.paths == ("tests/test_b.py",)
        assert refusal.reasons[0] == (
            "tests-emptied: tests/test_b.py:1: test_b does nothing any more"
        )
        tree = hub.put_back(work.commit, tip, refusal.paths)
        rest = hub.carry_on(work.commit, tree, tip, "t2", MIGRATION, WHEN)
        batch = compose(hub, tip, work.model_copy(update={"commit": rest}))
        assert batch.refused == ()
        assert hub.read_file(batch.prefixes[0], "src/a.py") == b"new\n"
        assert (
            hub.read_file(batch.prefixes[0], "tests/test_b.py")
            == b"def test_b():\n    assert 2 == 2\n"
        )

    def test_what_a_spec_waives_is_let_pass(self, hub: Hub, green: str, propose: Propose) -> None:
        snapshot = "ui/__snapshots__/a.snap"
        added = compose(hub, green, propose("t1", green, {snapshot: "old\n"}))
        tip = hub.land(BRANCH, green, added.prefixes[-1])
        work = propose("t2", tip, {snapshot: "new\n"})
        waived = "integrity: [{rule: expectations-rewritten, paths: [/ui/], reason: new format}]"
        strict, lenient = (parse_spec(spec(*more), "spec.yaml") for more in ((), (waived,)))
        refused = [
            compose(hub, tip, work, rules=hub.rules(read, read.phases[0])).refused
            for read in (strict, lenient)
        ]
        assert [len(refusals) for refusals in refused] == [1, 0]

    def test_a_candidate_of_an_older_base_is_merged_from_that_base(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        batch = compose(hub, green, propose("t1", green, {"src/b.py": "b2\n"}))
        tip = hub.land(BRANCH, green, batch.prefixes[-1])
        late = compose(hub, tip, propose("t2", green, {"src/a.py": "late\n"}))
        assert hub.read_file(late.prefixes[0], "src/b.py") == b"b2\n"
        assert hub.read_file(late.prefixes[0], "src/a.py") == b"late\n"

    def test_a_change_is_carried_onto_a_new_base_or_says_what_conflicts(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        work = propose("t2", green, {"src/a.py": "mine\n"})
        other = compose(hub, green, propose("t1", green, {"src/b.py": "b2\n"})).prefixes[0]
        carried = hub.carry(work.commit, green, other)
        assert carried.tree is not None
        assert {entry.path for entry in hub.diff(other, carried.tree)} == {"src/a.py"}
        rival = compose(hub, green, propose("t3", green, {"src/a.py": "theirs\n"})).prefixes[0]
        assert hub.carry(work.commit, green, rival).conflicts == ("src/a.py: contents",)

    def test_work_that_is_carried_on_stays_one_commit_of_the_same_words_and_is_kept(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        work = propose("t1", green, {"src/a.py": "1\n"})
        other = compose(hub, green, propose("t2", green, {"src/b.py": "2\n"})).prefixes[0]
        tree = hub.carry(work.commit, green, other).tree
        made = {hub.carry_on(work.commit, tree, other, "t1", MIGRATION, WHEN + 1) for _ in range(2)}
        kept = hub.refs("refs/whimbrel/checkpoint/bare-asserts/t1/")
        assert set(kept.values()) == made
        (commit,) = made
        assert hub.parents(commit) == (other,)
        assert hub.message(commit) == hub.message(work.commit) == "Change t1\n"

    def test_an_edit_follows_a_file_that_was_renamed_on_the_tip(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        moved = propose("t1", green, {"src/moved.py": FILES["src/a.py"]}, delete=("src/a.py",))
        edit = propose("t2", green, {"src/a.py": "one\ntwo\nthree\nfour\nFIVE\n"})
        batch = compose(hub, green, moved, edit)
        content = hub.read_file(batch.prefixes[1], "src/moved.py")
        assert content == b"one\ntwo\nthree\nfour\nFIVE\n"

    def test_two_names_that_differ_by_case_do_not_land_together(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        one = propose("t1", green, {"src/Foo.py": "F\n"})
        two = propose("t2", green, {"src/foo.py": "f\n"})
        three = propose("t3", green, {"readme.md": "r\n"})
        batch = compose(hub, green, one, two, three)
        assert batch.members == (one.id,)
        assert [refusal.reasons for refusal in batch.refused] == [
            ("case-collision: src/foo.py: only case tells it from src/Foo.py",),
            ("case-collision: readme.md: only case tells it from README.md",),
        ]

    def test_a_candidate_whose_content_is_there_lands_empty_for_its_trailer(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        one = propose("t1", green, {"src/b.py": "same\n"})
        two = propose("t2", green, {"src/b.py": "same\n"})
        batch = compose(hub, green, one, two)
        assert batch.empty == (two.id,)
        tip = hub.land(BRANCH, green, batch.prefixes[-1])
        assert hub.landed(BRANCH, green, MIGRATION) == {"t1": tip, "t2": tip}

    def test_only_one_commit_on_the_green_branch_may_be_proposed(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        fine = propose("t1", green, {"src/b.py": "1\n"})
        side = propose("t2", fine.commit, {"src/b.py": "2\n"})
        lying = side.model_copy(update={"task": "t3", "base": green})
        absent = fine.model_copy(update={"commit": "3" * 40})
        refused = compose(hub, green, side, lying, absent).refused
        assert [refusal.outcome for refusal in refused] == [Outcome.VIOLATION] * 3
        assert "not on the green branch" in refused[0].reasons[0]
        assert "parents" in refused[1].reasons[0]
        assert "not in the hub" in refused[2].reasons[0]

    def test_a_candidate_that_brings_attributes_changes_how_the_next_is_merged(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        first = propose("t1", green, {".gitattributes": "*.md merge=union\n"})
        second = propose("t2", green, {"README.md": "two\n"})
        third = propose("t3", green, {"README.md": "three\n"})
        assert len(compose(hub, green, second, third).members) == 1
        batch = compose(hub, green, first, second, third)
        assert batch.refused == ()
        assert hub.read_file(batch.prefixes[-1], "README.md") == b"two\nthree\n"

    def test_a_title_cannot_forge_a_trailer(self, hub: Hub, green: str, propose: Propose) -> None:
        title = "Fix\n\nTask-Id: bare-asserts/other\ntask-id: bare-asserts/third"
        work = propose("t1", green, {"src/b.py": "1\n"})
        commit = hub.write_commit(work.commit, [green], title, WHEN)
        forged = work.model_copy(update={"commit": commit, "title": title})
        batch = compose(hub, green, forged)
        tip = hub.land(BRANCH, green, batch.prefixes[-1])
        assert hub.landed(BRANCH, green, MIGRATION) == {"t1": tip}

    def test_more_than_64_candidates_are_a_mistake_of_the_caller(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        with pytest.raises(ValueError, match="64"):
            compose(hub, green, *[propose("t1", green, {"src/b.py": "1\n"})] * 65)


class TestLanding:
    def test_landing_twice_is_harmless_also_when_others_landed_since(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        one = compose(hub, green, propose("t1", green, {"src/a.py": "1\n"})).prefixes[0]
        assert hub.land(BRANCH, green, one) == one
        assert hub.land(BRANCH, green, one) == one
        two = compose(hub, one, propose("t2", green, {"src/b.py": "2\n"})).prefixes[0]
        assert hub.land(BRANCH, one, two) == two
        assert hub.land(BRANCH, green, one) == two
        assert hub.landed(BRANCH, green, MIGRATION) == {"t1": one, "t2": two}
        assert hub.landed(BRANCH, green, "another") == {}

    def test_what_landed_is_told_with_its_time_and_size_oldest_first(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        pair = [
            propose("t1", green, {"src/a.py": "1\n"}),
            propose("t2", green, {"src/b.py": "2\n", "src/c.py": "3\n"}),
        ]
        one = hub.land(BRANCH, green, compose(hub, green, *pair).prefixes[-1])
        same = propose("t3", green, {"src/a.py": "1\n"})
        two = hub.land(BRANCH, one, compose(hub, one, same).prefixes[-1])
        foreign = hub.write_commit(hub.tree(two), [two], "Somebody else's\n", WHEN)
        hub.land(BRANCH, two, foreign)
        assert [
            (landed.commit, landed.at, landed.tasks, landed.files)
            for landed in hub.landings(BRANCH, green, MIGRATION)
        ] == [
            (one, "2025-06-15T15:06:40+00:00", ("t1", "t2"), 3),
            (two, "2025-06-15T15:06:40+00:00", ("t3",), 0),
        ]
        assert hub.landings(BRANCH, green, "another") == ()

    def test_a_branch_that_moved_is_not_overwritten(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        one = compose(hub, green, propose("t1", green, {"src/a.py": "1\n"})).prefixes[0]
        two = compose(hub, green, propose("t2", green, {"src/b.py": "2\n"})).prefixes[0]
        hub.land(BRANCH, green, one)
        with pytest.raises(BranchMoved) as caught:
            hub.land(BRANCH, green, two)
        assert caught.value.tip == one
        assert hub.tip(BRANCH) == one

    def test_a_commit_that_does_not_continue_the_branch_is_refused(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        one = compose(hub, green, propose("t1", green, {"src/a.py": "1\n"})).prefixes[0]
        with pytest.raises(ValueError, match="does not continue"):
            hub.land(BRANCH, one, green)

    def test_locks_left_by_a_killed_service_do_not_stop_a_landing(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        one = compose(hub, green, propose("t1", green, {"src/a.py": "1\n"})).prefixes[0]
        for lock in (f"refs/heads/{BRANCH}.lock", "HEAD.lock"):
            (hub.path / lock).touch()
        assert hub.land(BRANCH, green, one) == one

    def test_an_old_lock_on_the_packed_refs_is_removed(self, hub: Hub, green: str) -> None:
        hub.keep("refs/whimbrel/verify/a", green)
        lock = hub.path / "packed-refs.lock"
        lock.touch()
        os.utime(lock, (time.time() - 3600,) * 2)
        hub.drop(["refs/whimbrel/verify/a"])
        assert hub.ref("refs/whimbrel/verify/a") is None

    def test_nobody_writes_while_an_orphaned_git_still_holds_the_lock(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        one = compose(hub, green, propose("t1", green, {"src/a.py": "1\n"})).prefixes[0]
        with hub.writing([]) as writer:
            orphan = writer.start("-c", "alias.hold=!exec cat", "hold", stdin=subprocess.PIPE)
        probe = ["flock", "--nonblock", str(hub.path.with_suffix(".flock")), "true"]
        assert subprocess.run(probe, check=False).returncode == 1
        with ThreadPoolExecutor(1) as threads:
            landing = threads.submit(hub.land, BRANCH, green, one)
            assert hub.tip(BRANCH) == green
            orphan.communicate()
            assert landing.result() == one

    def test_of_two_landings_at_once_exactly_one_wins(
        self, hub: Hub, green: str, propose: Propose
    ) -> None:
        batches = [
            compose(hub, green, propose(f"t{n}", green, {"src/a.py": f"{n}\n"})) for n in range(4)
        ]
        with ThreadPoolExecutor(4) as threads:
            landings = [threads.submit(hub.land, BRANCH, green, b.prefixes[0]) for b in batches]
        won = [landing.result() for landing in landings if landing.exception() is None]
        assert won == [hub.tip(BRANCH)]
        assert all(isinstance(x.exception(), BranchMoved) for x in landings if x.exception())


class TestGit:
    def test_the_process_environment_does_not_get_in(
        self, hub: Hub, green: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GIT_DIR", "/nowhere")
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "intruder")
        assert hub.git.text("rev-parse", f"refs/heads/{BRANCH}") == green
        with pytest.raises(GitFailed):
            hub.git.run("config", "user.name")

    def test_a_command_over_its_time_is_ended_with_its_children(self, hub: Hub) -> None:
        started = time.monotonic()
        with pytest.raises(GitFailed) as caught:
            Git(hub.path).run("-c", "alias.nap=!sleep 30 & sleep 30", "nap", timeout=0.3)
        assert caught.value.timed_out
        assert time.monotonic() - started < 10

    def test_only_a_fetch_may_use_the_network(self, hub: Hub) -> None:
        with pytest.raises(ValueError, match="push"):
            Git(hub.path).run("push", "file:///x", network=True)
