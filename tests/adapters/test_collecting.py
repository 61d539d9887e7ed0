"""What a migration leaves is deleted whole, nothing of its neighbours, wherever it is killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from buckets import bucket

from activities.adapters.blobs import BlobStore
from activities.adapters.collecting import BegunAgain, Remains, remains, remove
from activities.adapters.fault_points import Effect, points_of
from activities.adapters.hub import Hub
from activities.adapters.hubs import HubBusy, Hubs
from activities.contracts.repository import GreenBranch
from tests.adapters.repositories import git
from tests.service import ROOT

REPOSITORY = "shop-00000000"
SPEC = b"the spec"
NOTHING = Remains()


@pytest.fixture(params=["folder", "bucket"])
def where(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str | Path]:
    if request.param == "folder":
        yield tmp_path / "blobs"
        return
    with bucket(tmp_path / "s3") as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running.url


@pytest.fixture
def hubs(tmp_path: Path) -> Hubs:
    """One hub, in which the migrations `fleet` and `fleet/app` left all that they can."""
    hubs = Hubs(tmp_path / "hub")
    hub = hubs.begin(REPOSITORY)
    tree = git(hub.path, "mktree", stdin=b"").decode().strip()
    commit = hub.write_commit(tree, [], "work\n", 0)
    for name in ("fleet", "fleet/app"):
        branch = GreenBranch(repository=REPOSITORY, name=f"whimbrel/{name}", migration=name)
        branch = branch.model_copy(update={"name": branch.name.replace("/", "-")})
        hub.claim_branch(branch, commit)
        for ref in (
            f"checkpoint/{name}/c1-0001/{commit}",
            f"host/build-7/{name}/c1-0001/0-1-1",
            f"once/{name}/0123-0",
        ):
            hub.keep(f"refs/whimbrel/{ref}", commit)
    return hubs


def filled(where: str | Path) -> tuple[BlobStore, str]:
    """The blobs of both, and the digest of the spec of `fleet`."""
    store = BlobStore(where)
    for name in ("fleet", "fleet/app"):
        store.put(name, b"a plan")
        for key in ("baseline/unit", "base-run/unit", "once/0123-0"):
            store.put_once(name, key, b"kept")
    store.put("fleet/app", SPEC)
    return store, store.put("fleet", SPEC).sha256


def later() -> float:
    return time.time() + 60


def names(hub: Hub) -> set[str]:
    return {ref.removeprefix("refs/") for ref in hub.refs("refs/")}


def test_all_of_one_migration_goes_and_nothing_of_another(where: str | Path, hubs: Hubs) -> None:
    store, spec = filled(where)
    [hub] = hubs.all()
    before, other = names(hub), remains(store, [hub], "fleet/app")
    expected = remains(store, [hub], "fleet")
    assert (expected.blobs, expected.refs) == (5, 3)

    assert remove(store, [hub], "fleet", later(), spec) == expected
    assert remains(store, [hub], "fleet") == NOTHING
    assert store.migrations() == ["fleet/app"]
    assert remains(store, [hub], "fleet/app") == other
    gone = {ref.partition("/")[2].partition("/")[0] for ref in before - names(hub)}
    assert gone == {"checkpoint", "host", "once"}
    assert remove(store, [hub], "fleet", later(), spec) == NOTHING


def test_one_that_is_written_for_stays_whole(where: str | Path, hubs: Hubs) -> None:
    store, spec = filled(where)
    before = remains(store, hubs.all(), "fleet")
    with pytest.raises(BegunAgain, match="written just now"):
        remove(store, hubs.all(), "fleet", time.time() - 60, spec)
    assert remains(store, hubs.all(), "fleet") == before


KILLED = """\
import sys, time
from pathlib import Path
from activities.adapters.blobs import BlobStore
from activities.adapters.collecting import remove
from activities.adapters.fault_points import arm
from activities.adapters.hubs import Hubs
order, marks, where, hubs, last = sys.argv[1:]
arm(order, Path(marks), ())
remove(BlobStore(where), Hubs(Path(hubs)).all(), "fleet", time.time() + 60, last)
"""


def test_killed_anywhere_the_next_one_goes_on(
    where: str | Path, hubs: Hubs, tmp_path: Path
) -> None:
    store, spec = filled(where)
    [hub] = hubs.all()
    other = remains(store, [hub], "fleet/app")
    points = [*points_of((Effect.REF_DROP, Effect.BLOBS_GONE)), f"after:{Effect.BLOBS_GONE}"]
    left: list[Remains] = []
    for number, point in enumerate(points):
        marks = tmp_path / f"marks-{number}"
        marks.mkdir()
        given = (f"crash@{point}", marks, where, hub.path.parent, spec)
        killed = subprocess.run([sys.executable, "-c", KILLED, *map(str, given)], cwd=ROOT)
        assert killed.returncode == -signal.SIGKILL
        left.append(remains(store, [hub], "fleet"))
        assert any(spec in kept.key for kept in store.kept("fleet"))
    assert [(one.refs, one.blobs) for one in left] == [(3, 5), (0, 5), (0, 5), (0, 4), (0, 2)]
    remove(store, [hub], "fleet", later(), spec)
    assert store.migrations() == ["fleet/app"]
    assert remains(store, [hub], "fleet/app") == other


def test_a_hub_goes_whole_but_not_under_a_fetch(hubs: Hubs) -> None:
    [hub] = hubs.all()
    with hub.holding(hub.fetch_lock), pytest.raises(HubBusy, match="fetch"):
        hubs.remove(hub)
    assert hub.path.is_dir()
    hubs.remove(hub)
    hubs.remove(hub)
    assert hubs.all() == []
    assert not hub.half_made.exists()
    assert names(hubs.begin(REPOSITORY)) == set()


REMOVED = """\
import sys
from pathlib import Path
from activities.adapters.fault_points import arm
from activities.adapters.hubs import Hubs
order, marks, root = sys.argv[1:]
arm(order, Path(marks), ())
[hub] = Hubs(Path(root)).all()
Hubs(Path(root)).remove(hub)
"""


def test_what_a_killed_one_leaves_of_a_hub_is_swept(hubs: Hubs, tmp_path: Path) -> None:
    [hub] = hubs.all()
    given = (f"crash@after:{Effect.HUB_GONE}", str(tmp_path), str(hub.path.parent))
    killed = subprocess.run([sys.executable, "-c", REMOVED, *given], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    assert hub.half_made.is_dir()
    assert hubs.all() == []
    assert hubs.sweep() == [hub.half_made]
    assert not hub.half_made.exists()
