"""A hub that got a pack with each landing: few packs, the same objects, whoever is looking."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha1
from pathlib import Path

import pygit2
import pytest

from activities.adapters import tidying
from activities.adapters.check_trees import lay_out_git_dir, try_lock
from activities.adapters.hub import Hub
from activities.adapters.hubs import Hubs
from activities.adapters.objects import open_repository
from activities.adapters.pack_writing import PackWriter
from activities.adapters.tidying import PACKS, NotTidied, tidy, without_index
from tests.adapters.repositories import git

ID = "app-1a2b3c4d"
ROOT = Path(__file__).parents[2]


def pack(hub: Hub, content: bytes) -> str:
    """A pack of one object that no ref reaches, as work on its way is."""
    id = sha1(b"blob %d\0" % len(content) + content).digest()
    writer = PackWriter()
    writer.add(id, "blob", content)
    writer.write(hub.path / "objects/pack")
    return id.hex()


@pytest.fixture
def hubs(tmp_path: Path) -> Hubs:
    return Hubs(tmp_path / "hub")


@pytest.fixture
def packed(hubs: Hubs) -> dict[str, bytes]:
    """What the hub holds: a pack more than it may, and a loose object."""
    hub = hubs.of(ID)
    contents = [b"packed %d" % number for number in range(PACKS + 1)]
    return {pack(hub, c): c for c in contents} | {hub.write_blob(b"loose"): b"loose"}


def packs(hub: Hub) -> int:
    return len(list((hub.path / "objects/pack").glob("*.pack")))


def test_many_packs_become_few_and_nothing_is_lost(hubs: Hubs, packed: dict[str, bytes]) -> None:
    hub = hubs.of(ID)
    assert hubs.tidy() == [hub.path]
    assert packs(hub) <= 2
    assert {id: hub.read_blob(id) for id in packed} == packed
    assert git(hub.path, "fsck", "--full").decode().count("missing") == 0
    assert hubs.tidy() == []


def test_who_looked_before_finds_all_of_it_afterwards(hubs: Hubs, packed: dict[str, bytes]) -> None:
    hub = hubs.of(ID)
    first, *others = packed
    early: list[pygit2.Repository] = [open_repository(hub.path) for _ in range(2)]
    assert early[0][first].read_raw() == packed[first]
    command = ["git", f"--git-dir={hub.path}", "cat-file", "--batch-check"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as asked:
        assert asked.stdin
        assert asked.stdout
        print(first, file=asked.stdin, flush=True)
        assert asked.stdout.readline().startswith(f"{first} blob")
        hubs.tidy()
        for id in others:
            print(id, file=asked.stdin, flush=True)
            assert asked.stdout.readline().startswith(f"{id} blob")
        asked.stdin.close()
    for repository in early:
        assert {id: repository[id].read_raw() for id in packed} == packed


def test_a_pack_that_is_being_written_or_fetched_is_left_alone(
    hubs: Hubs, packed: dict[str, bytes]
) -> None:
    hub = hubs.of(ID)
    fetched, written = sorted((hub.path / "objects/pack").glob("*.pack"))[:2]
    fetched.with_suffix(".keep").touch()
    index = written.with_suffix(".idx").read_bytes()
    written.with_suffix(".idx").unlink()
    more = pack(hub, b"one more"), pack(hub, b"and another")
    assert hubs.tidy() == [hub.path]
    assert fetched.exists()
    assert written.exists()
    written.with_suffix(".idx").write_bytes(index)
    assert {id: hub.read_blob(id) for id in packed} == packed
    assert hub.read_blob(more[0]) == b"one more"


def test_what_is_large_already_is_not_written_again(hubs: Hubs, packed: dict[str, bytes]) -> None:
    hub = hubs.of(ID)
    pack(hub, os.urandom(1 << 20))
    large = max((hub.path / "objects/pack").glob("*.pack"), key=lambda path: path.stat().st_size)
    assert hubs.tidy() == [hub.path]
    assert large.exists()
    assert packs(hub) == 2


def test_one_tidies_at_a_time_and_one_that_could_not_leaves_all_as_it_was(
    hubs: Hubs, packed: dict[str, bytes]
) -> None:
    hub = hubs.of(ID)
    lock = try_lock(hub.path.with_suffix(".tidy.flock"))
    assert lock is not None
    assert hubs.tidy() == []
    os.close(lock)
    broken = next((hub.path / "objects/pack").glob("*.pack"))
    broken.chmod(0o644)
    broken.write_bytes(b"no pack")
    with pytest.raises(NotTidied, match="pack-objects"):
        hubs.tidy()
    assert packs(hub) == PACKS + 1
    assert packed


TIDIES = """
import sys
from pathlib import Path
from activities.adapters.hubs import Hubs
Hubs(Path(sys.argv[1])).tidy()
"""


@pytest.mark.parametrize("seen", ["tmp_pack", "new pack", "index gone"])
def test_killed_at_any_moment_it_loses_nothing_and_leaves_nothing(
    hubs: Hubs, packed: dict[str, bytes], tmp_path: Path, seen: str
) -> None:
    hub, folder = hubs.of(ID), hubs.of(ID).path / "objects/pack"
    before = set(folder.iterdir())
    moments: dict[str, Callable[[set[Path]], bool]] = {
        "tmp_pack": lambda now: any(path.name.startswith("tmp_pack") for path in now),
        "new pack": lambda now: any(path.suffix == ".idx" for path in now - before),
        "index gone": lambda now: any(path.suffix == ".idx" for path in before - now),
    }
    borrows = tmp_path / "borrows"
    lay_out_git_dir(borrows, hub.path, "0" * 40)
    command = [sys.executable, "-c", TIDIES, str(hub.path.parent)]
    with (
        reading(borrows) as reads,
        subprocess.Popen(command, start_new_session=True, cwd=ROOT) as tidying,
    ):
        while tidying.poll() is None and not moments[seen](set(folder.iterdir())):
            pass
        with suppress(ProcessLookupError):
            os.killpg(tidying.pid, signal.SIGKILL)
        tidying.wait()
        wait_for_its_children(hub)
        assert all(reads(id) for id in packed)
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    hubs.sweep()
    assert {path.suffix for path in folder.iterdir()} <= {".idx", ".pack", ".rev"}
    assert without_index(hub) == []
    assert {id: hub.read_blob(id) for id in packed} == packed


def wait_for_its_children(hub: Hub) -> None:
    """They hold what it held; `timeout` gives git a group of its own, which outlives it a while."""
    for lock in (hub.path.with_suffix(".tidy.flock"), hub.lock):
        with hub.holding(lock):
            pass


@contextmanager
def reading(git_dir: Path) -> Iterator[Callable[[str], bool]]:
    """A git that runs meanwhile; whether it finds an object."""
    command = ["git", f"--git-dir={git_dir}", "cat-file", "--batch-check"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as asked:
        assert asked.stdin
        assert asked.stdout

        def finds(id: str) -> bool:
            print(id, file=asked.stdin, flush=True)
            return asked.stdout.readline().startswith(f"{id} blob")

        yield finds
        asked.stdin.close()


@pytest.fixture
def loose(hub_alone: Hub, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """More loose objects than a hub may have here, of which no ref reaches one."""
    monkeypatch.setattr(tidying, "LOOSE", 20)
    contents = [b"loose %d" % number for number in range(21)]
    return {hub_alone.write_blob(content): content for content in contents}


@pytest.fixture
def hub_alone(hubs: Hubs) -> Hub:
    return hubs.of(ID)


def files_of_objects(hub: Hub) -> list[Path]:
    return [path for path in (hub.path / "objects").glob("??/*") if path.is_file()]


def test_loose_objects_become_a_pack_and_their_folders_stay(
    hub_alone: Hub, hubs: Hubs, loose: dict[str, bytes]
) -> None:
    hub = hub_alone
    early = open_repository(hub.path)
    folders = {path.parent for path in files_of_objects(hub)}
    half = next(iter(folders)) / "tmp_obj_half"
    half.write_bytes(b"half")
    assert tidy(hub) == ["21 objects"]
    assert files_of_objects(hub) == [half]
    assert all(folder.is_dir() for folder in folders)
    assert packs(hub) == 1
    assert {id: hub.read_blob(id) for id in loose} == loose
    assert {id: early[id].read_raw() for id in loose} == loose
    again = next(iter(loose))
    assert hub.write_blob(loose[again]) == again
    assert tidy(hub) == []
    assert git(hub.path, "fsck", "--full").decode().count("missing") == 0


def test_a_loose_object_that_is_broken_takes_none_away(
    hub_alone: Hub, loose: dict[str, bytes]
) -> None:
    broken = files_of_objects(hub_alone)[0]
    broken.chmod(0o644)
    broken.write_bytes(b"nothing")
    with pytest.raises(NotTidied, match="pack-objects"):
        tidy(hub_alone)
    assert len(files_of_objects(hub_alone)) == len(loose)


def test_who_borrows_misses_nothing_while_all_of_it_moves(
    hubs: Hubs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workspace's git that runs on, libgit2 that is kept open, and ones that begin meanwhile read
    what is written, loose or as packs, while both are packed again and again."""
    for name, few in (("LOOSE", 5), ("PACKS", 3)):
        monkeypatch.setattr(tidying, name, few)
    hub, borrows = hubs.of(ID), tmp_path / "borrows"
    lay_out_git_dir(borrows, hub.path, "0" * 40)
    kept = open_repository(borrows)
    written: list[str] = []
    done: list[str] = []
    over = threading.Event()

    def keep_tidy() -> None:
        while not over.is_set():
            done.extend(tidy(hub))

    tidies = threading.Thread(target=keep_tidy)
    tidies.start()
    try:
        with reading(borrows) as reads:
            for number in range(400):
                content = b"object %d" % number
                written.append(pack(hub, content) if number % 5 == 0 else hub.write_blob(content))
                for id in (written[-1], written[number // 2], written[0]):
                    assert reads(id), id
                    assert kept[id].type, id
                if number % 50 == 0:
                    assert all(open_repository(borrows).get(id) for id in written)
    finally:
        over.set()
        tidies.join()
    assert {what.split()[1] for what in done} == {"objects", "packs"}
    listed = "\n".join(written).encode()
    said = git(borrows, "cat-file", "--batch-check", stdin=listed).decode()
    assert said.count(" blob ") == len(written)
