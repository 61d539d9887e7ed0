"""A batch is made apart and reaches the hub as one pack, which git itself finds in order."""

import os
import subprocess
from pathlib import Path

import pytest

from activities.adapters.gate import GateRules
from activities.adapters.hub import Hub
from activities.adapters.pack_writing import PackWriter
from activities.adapters.quarantine import PREFIX, Quarantine
from activities.contracts.landing import Batch, Candidate, Outcome
from tests.adapters.repositories import ENVIRONMENT, commit_files, git, make_repository

WHEN = 1_750_000_000
TEXT = "".join(f"{n}\n" for n in range(20))


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    hub = Hub.open(tmp_path / "hubs", "app-1a2b3c4d")
    files = {f"src/{name}.py": TEXT for name in "abcd"}
    make_repository(tmp_path / "upstream", {**files, "top.py": TEXT})
    hub.fetch_base(str(tmp_path / "upstream"), "main", "m")
    return hub


def base_of(hub: Hub) -> str:
    base = hub.pinned_base("m")
    assert base is not None
    return base.commit


def a_candidate(hub: Hub, task: str, **files: str) -> Candidate:
    base = base_of(hub)
    paths = {f"src/{name}.py": content for name, content in files.items()}
    commit = commit_files(hub.path, paths, ref=f"refs/heads/{task}", parent=base)
    claims = tuple(paths)
    return Candidate(
        migration="m", task=task, commit=commit, base=base, title=task, claims=claims, reply_to=""
    )


def compose(hub: Hub, *candidates: Candidate) -> Batch:
    return hub.compose_batch(base_of(hub), candidates, GateRules(), "m", WHEN)


def objects_of(hub: Hub) -> set[str]:
    listed = git(hub.path, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return set(listed.decode().split())


def test_a_composed_batch_is_one_pack_in_which_git_finds_no_fault(hub: Hub) -> None:
    candidates = [
        a_candidate(hub, "c1-0001", a="first\n" + TEXT),
        a_candidate(hub, "c1-0002", a=TEXT + "last\n"),
    ]
    packs = set(hub.path.glob("objects/pack/*.pack"))
    batch = compose(hub, *candidates)
    assert hub.read_file(batch.prefixes[-1], "src/a.py") == f"first\n{TEXT}last\n".encode()
    (pack,) = set(hub.path.glob("objects/pack/*.pack")) - packs
    git(hub.path, "verify-pack", str(pack.with_suffix(".idx")))
    for prefix in batch.prefixes:
        git(hub.path, "fsck", "--strict", "--no-dangling", prefix)


def test_git_and_we_go_on_from_each_others_trees(hub: Hub) -> None:
    batch = compose(
        hub,
        a_candidate(hub, "c1-0001", a="first\n" + TEXT),
        a_candidate(hub, "c1-0002", b="b\n", new="new\n"),
        a_candidate(hub, "c1-0003", a=TEXT + "last\n"),
        a_candidate(hub, "c1-0004", c="c\n"),
        a_candidate(hub, "c1-0005", a=TEXT.replace("9\n", "nine\n", 1), d="d\n"),
    )
    assert not batch.refused
    landed = {"a": f"first\n{TEXT}last\n".replace("9\n", "nine\n", 1)}
    landed |= {"b": "b\n", "new": "new\n", "c": "c\n", "d": "d\n"}
    for name, content in landed.items():
        assert hub.read_file(batch.prefixes[-1], f"src/{name}.py") == content.encode()
    git(hub.path, "fsck", "--strict", "--no-dangling", batch.prefixes[-1])


def test_only_what_is_new_is_in_the_pack(hub: Hub) -> None:
    edits = [a_candidate(hub, "c1-0001", a="a\n"), a_candidate(hub, "c1-0002", b="b\n")]
    before = objects_of(hub)
    batch = compose(hub, *edits)
    mixed = {git(hub.path, "rev-parse", f"{batch.prefixes[1]}^{{tree}}").decode().strip()}
    mixed.add(git(hub.path, "rev-parse", f"{batch.prefixes[1]}:src").decode().strip())
    assert objects_of(hub) - before == {*batch.prefixes, *mixed}


def test_the_index_of_a_pack_is_byte_for_byte_the_one_that_git_writes(tmp_path: Path) -> None:
    pack = PackWriter()
    for number in range(300):
        pack.add(_id(data := b"x" * number * 40), "blob", data)
    pack.write(tmp_path)
    (written,) = tmp_path.glob("*.pack")
    subprocess.run(
        ["git", "index-pack", "-o", str(tmp_path / "theirs"), str(written)],
        check=True,
        env=ENVIRONMENT,
        capture_output=True,
    )
    assert (tmp_path / "theirs").read_bytes() == written.with_suffix(".idx").read_bytes()


def test_what_a_conflict_left_over_never_reaches_the_hub(hub: Hub) -> None:
    candidates = [a_candidate(hub, "c1-0001", b="x\n"), a_candidate(hub, "c1-0002", b="y\n")]
    before = objects_of(hub)
    batch = compose(hub, *candidates)
    assert [refusal.outcome for refusal in batch.refused] == [Outcome.CONFLICT]
    # the first prefix alone; its tree is the candidate's own
    assert objects_of(hub) - before == set(batch.prefixes)


def test_the_same_batch_twice_adds_nothing(hub: Hub) -> None:
    candidate = a_candidate(hub, "c1-0001", a="first\n" + TEXT)
    batch = compose(hub, candidate)
    files = sorted(hub.path.rglob("objects/**/*"))
    assert compose(hub, candidate) == batch
    assert sorted(hub.path.rglob("objects/**/*")) == files


def test_what_a_killed_service_left_in_memory_is_removed_and_what_is_in_use_stays(
    hub: Hub, tmp_path: Path
) -> None:
    dead = tmp_path / f"{PREFIX}dead"
    dead.mkdir()
    with Quarantine(hub.path, tmp_path) as alive:
        for folder in (dead, alive.path.parent):
            os.utime(folder, (0, 0))
        with Quarantine(hub.path, tmp_path):
            assert alive.path.is_dir()
            assert not dead.exists()
    assert not list(tmp_path.glob(f"{PREFIX}*"))


def _id(data: bytes) -> bytes:
    hashed = ["git", "hash-object", "--stdin"]
    told = subprocess.run(hashed, input=data, check=True, capture_output=True, env=ENVIRONMENT)
    return bytes.fromhex(told.stdout.decode().strip())
