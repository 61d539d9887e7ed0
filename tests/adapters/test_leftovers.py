"""What a kill -9 leaves in hubs and among blobs: the dead goes, the fresh and the living stays."""

import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from activities.adapters.blobs import BlobStore
from activities.adapters.hub import Hub
from activities.adapters.hubs import Hubs
from activities.adapters.refs import References
from tests import invariants
from tests.adapters.repositories import make_repository

OLD = 2 * 3600.0
OBJECTS = (
    "objects/tmp_object_git2_9a8b7c",
    "objects/ab/tmp_obj_a1B2c3",
    "objects/tmp_objdir-incoming-Xy12Zz/pack/tmp_pack_a1B2c3",
    "objects/info/commit-graph.lock",
    "config.lock",
)
PACKS = (
    "objects/pack/tmp_pack_a1B2c3",
    "objects/pack/tmp_idx_a1B2c3",
    "objects/pack/tmp_k3qz81ab",
    "objects/pack/.tmp-4711-pack-0123456789",
    "objects/pack/pack_git2_9a8b7c",
)
OURS = ("HEAD.lock", "refs/heads/whimbrel/gone.lock", "refs/whimbrel/candidate/m/c1-0001.lock")
FETCHED = "refs/whimbrel/incoming/m.lock"
PUSHED = ("packed-refs.lock", "refs/whimbrel/host/other/m/c1-0001.lock")


def leave(home: Path, *names: str, age: float = 0.0) -> set[str]:
    """Files as a killed process leaves them, this long ago."""
    for name in names:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    touched = time.time() - age
    for path in map(Path, names):
        for inside in (path, *(above for above in path.parents if "tmp_objdir" in str(above))):
            os.utime(home / inside, (touched, touched))
    return set(names)


def left(home: Path, names: set[str]) -> set[str]:
    return {name for name in names if (home / name).exists()}


@pytest.fixture
def hubs(tmp_path: Path) -> Hubs:
    return Hubs(tmp_path / "hub")


@pytest.fixture
def hub(hubs: Hubs, tmp_path: Path) -> Iterator[Hub]:
    """A hub that has what it should have, and still has it afterwards."""
    made = hubs.of("app-1a2b3c4d")
    make_repository(tmp_path / "upstream", {"a.py": "a\n"})
    base = made.fetch_base(str(tmp_path / "upstream"), "main", "m").commit
    made.keep("refs/whimbrel/verify/a", base)
    whole = files(made.path)
    yield made
    assert whole <= files(made.path), "something whole was swept"
    made.git.run("fsck", "--full", "--no-dangling")


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_temporary_objects_that_nobody_has_touched_for_long_go_and_fresh_ones_stay(
    hubs: Hubs, hub: Hub
) -> None:
    old = leave(hub.path, *OBJECTS, *PACKS, age=OLD)
    fresh = leave(hub.path, *(f"{name}-fresh" for name in (*OBJECTS[:2], *PACKS)))
    assert len(hubs.sweep()) == len(old)
    assert left(hub.path, old) == set()
    assert left(hub.path, fresh) == fresh
    assert hubs.sweep() == []


def test_a_folder_of_incoming_objects_is_as_young_as_what_is_in_it(hubs: Hubs, hub: Hub) -> None:
    leave(hub.path, "objects/tmp_objdir-incoming-a/pack/tmp_pack_1", age=OLD)
    fresh = leave(hub.path, "objects/tmp_objdir-incoming-a/pack/tmp_pack_2")
    assert hubs.sweep() == []
    assert left(hub.path, fresh) == fresh


def test_locks_on_refs_go_at_once_but_those_of_pushes_by_age(hubs: Hubs, hub: Hub) -> None:
    dead = leave(hub.path, *OURS, FETCHED)
    pushed = leave(hub.path, *PUSHED)
    assert {str(path.relative_to(hub.path)) for path in hubs.sweep()} == dead
    assert left(hub.path, dead | pushed) == pushed
    leave(hub.path, *PUSHED, age=OLD)
    hubs.sweep()
    assert left(hub.path, pushed) == set()
    hub.keep("refs/whimbrel/candidate/m/c1-0001", hub.ref("refs/whimbrel/verify/a") or "")


def test_what_a_running_fetch_writes_stays_however_old_it_is(hubs: Hubs, hub: Hub) -> None:
    fetched = leave(hub.path, *PACKS, FETCHED, age=OLD)
    with hub.holding(hub.fetch_lock):
        assert hubs.sweep() == []
    assert left(hub.path, fetched) == fetched
    assert len(hubs.sweep()) == len(fetched)


def test_a_sweep_waits_for_the_orphans_of_a_killed_service(hubs: Hubs, hub: Hub) -> None:
    with hub.writing([]) as writer:
        orphan = writer.start("-c", "alias.hold=!exec cat", "hold", stdin=subprocess.PIPE)
    dead = leave(hub.path, *OURS)
    with ThreadPoolExecutor(1) as threads:
        sweeping = threads.submit(hubs.sweep)
        with pytest.raises(TimeoutError):
            sweeping.result(timeout=0.2)
        assert left(hub.path, dead) == dead
        orphan.communicate()
        assert len(sweeping.result()) == len(dead)


def test_a_half_created_hub_goes_unless_it_is_being_created(hubs: Hubs, tmp_path: Path) -> None:
    half = tmp_path / "hub" / "other-1a2b3c4d.git.tmp"
    leave(half, "config", "objects/pack/x")
    creating = References(half.with_suffix(""))
    with ThreadPoolExecutor(1) as threads:
        with creating.holding(creating.lock):
            sweeping = threads.submit(hubs.sweep)
            with pytest.raises(TimeoutError):
                sweeping.result(timeout=0.2)
            assert half.is_dir()
        assert sweeping.result() == [half]
    assert not half.exists()
    assert hubs.sweep() == []
    assert hubs.of("other-1a2b3c4d").path.is_dir()


def test_where_there_is_no_hub_yet_there_is_nothing_to_sweep(tmp_path: Path) -> None:
    assert Hubs(tmp_path / "hub").sweep() == []
    assert BlobStore(tmp_path / "blobs").sweep() == []


def test_objects_written_beside_sweeps_are_all_there(hubs: Hubs, hub: Hub) -> None:
    with ThreadPoolExecutor(4) as threads:
        writing = [threads.submit(hub.write_blob, b"%d" % number) for number in range(200)]
        while not all(written.done() for written in writing):
            hubs.sweep()
    assert [hub.read_blob(written.result()) for written in writing] == [
        b"%d" % number for number in range(200)
    ]


def test_half_written_blobs_go_by_age_and_whole_ones_stay(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    blob, key = store.put("m", b"whole"), store.put_once("m", "a/key", b"recorded")
    folders = f"migration/m/sha256/{blob.sha256[:2]}", "migration/m/keys"
    fresh = leave(tmp_path, *(f"{folder}/.tmp-fresh" for folder in folders))
    old = leave(tmp_path, *(f"{folder}/.tmp-a1b2c3d4" for folder in folders), age=OLD)
    for whole in (path for path in files(tmp_path) if not path.name.startswith(".tmp-")):
        os.utime(whole, (0, 0))
    assert len(store.sweep()) == len(old)
    assert left(tmp_path, old | fresh) == fresh
    assert (store.get(blob), store.find("m", "a/key")) == (b"whole", key)
    assert store.sweep() == []


def test_the_invariant_names_what_should_be_gone_and_bears_what_may_still_be_written(
    hub: Hub, tmp_path: Path
) -> None:
    blobs = ("blobs/migration/m/keys/.tmp-a1b2c3d4",)
    place = hub.path.relative_to(tmp_path)
    by_age = [f"{place}/{name}" for name in (*OBJECTS, *PACKS, *PUSHED)]
    leave(tmp_path, *by_age, *blobs)
    assert invariants.left_on_disk(tmp_path) == []
    leave(tmp_path, *by_age, *blobs, age=OLD)
    gone = [f"{place}/{name}" for name in (*OURS, FETCHED)] + ["hub/x-12345678.git.tmp/config"]
    leave(tmp_path, *gone)
    named = {*by_age, *blobs, *gone[:-1], "hub/x-12345678.git.tmp"}
    assert named - set(invariants.left_on_disk(tmp_path)) == set()
