"""A command that fills the disk by itself has a result; one that met a disk others filled waits."""

import asyncio
import errno
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.adapters.filling import DISK, TICK_NS, Filling, Footprint
from activities.adapters.hubs import Hubs
from activities.adapters.prepare_failed import PrepareFailed
from activities.adapters.sandbox import detect
from activities.checks import ChecksActivities
from activities.contracts.evidence import CheckOutcome
from activities.contracts.expectations import judge
from activities.contracts.repository import Repository
from activities.contracts.work_requests import TakeBaseline
from tests.adapters.one_host import OneHost, one_host
from tests.adapters.test_room import disk, needs_root
from tests.adapters.test_rungs import a_task, kept, ran

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
MIB = 1 << 20
Result = TypeVar("Result")
FILLS = "head -c 64M /dev/zero > 'build log'"
SPEC = f"""\
sites: {{find: [{{regex: old}}]}}
checks: {{unit: {{run: "{FILLS}"}}}}
ladder: [{{codemod: {{run: "{FILLS}"}}}}]
"""


def filling(folder: Path) -> Filling:
    return Filling(folder / "filling.lock")


def grown(folder: Path) -> None:
    how = ["-t", "tmpfs", "-o", "remount,size=256m"]
    subprocess.run(["mount", *how, "none", folder], check=True)


async def ends(of: Filling, name: str, place: Path, wrote: int, *, beside: int = 0) -> str:
    """What becomes of a command that writes so much of a disk's 4 MiB, while another does."""
    footprint = Footprint(place)
    files = {place / "its own": wrote, place.parent / "another's": beside}
    for file, size in files.items():
        file.write_bytes(b"x" * size)
    why = await of.convicted(name, footprint, FULL)
    for file in files:
        file.unlink(missing_ok=True)
    return why


@needs_root
async def test_the_second_time_in_a_row_is_its_own_doing(tmp_path: Path) -> None:
    with disk(tmp_path / "disk") as root:
        place, of = root / "tree", filling(tmp_path)
        place.mkdir()
        assert not await ends(of, "a", place, 4 * MIB - 8192)
        assert not await ends(of, "b", place, 4 * MIB - 8192)
        said = await ends(of, "a", place, 4 * MIB - 8192)
        assert "4 MiB where 4 MiB of 4 MiB were free, 4 MiB of it to 'its own'" in said
        of.acquitted("a")
        assert not await ends(of, "a", place, 4 * MIB - 8192)


@needs_root
@pytest.mark.parametrize(
    ("before", "wrote", "beside"),
    [(0, 2 * MIB, 2 * MIB - 8192), (3 * MIB + 4096, MIB // 2, 0), (0, 4096, 3 * MIB)],
    ids=["another wrote as much", "others left little room", "others wrote it"],
)
async def test_a_disk_that_others_filled_is_nobodys_result(
    tmp_path: Path, before: int, wrote: int, beside: int
) -> None:
    with disk(tmp_path / "disk") as root:
        place, of = root / "tree", filling(tmp_path)
        place.mkdir()
        (root / "theirs").write_bytes(b"x" * before)
        for _ in range(3):
            assert not await ends(of, "a", place, wrote, beside=beside)


@needs_root
def test_what_it_wrote_makes_room_the_largest_first_and_what_was_there_stays(
    tmp_path: Path,
) -> None:
    with disk(tmp_path / "disk") as place:
        (place / "there").write_bytes(b"x" * MIB)
        while time.time_ns() < (place / "there").stat().st_ctime_ns + 2 * TICK_NS:
            pass
        footprint = Footprint(place)
        (place / "small").write_bytes(b"x" * 8192)
        (place / "large").write_bytes(b"x" * 2 * MIB)
        assert footprint.much()
        assert sorted(path.name for path in place.iterdir()) == ["small", "there"]


@needs_root
async def test_one_beside_it_has_no_result_though_there_is_room_when_it_ends(
    tmp_path: Path,
) -> None:
    with disk(tmp_path / "disk") as place:
        of = filling(tmp_path)
        with (
            of.watched(place) as beside,
            of.watched(tmp_path) as elsewhere,
            of.watched(place) as runaway,
        ):
            beside.check_room()
            await of.convicted("runaway", runaway, FULL)
            with pytest.raises(OSError, match="No space left on device"):
                beside.check_room()
            elsewhere.check_room()


@pytest.fixture
async def host(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[OneHost]:
    """All that a host has, on a disk of 32 MiB."""
    sandbox = await detect("strict")
    with disk(tmp_path / "disk", "32m") as root:
        spec = getattr(request, "param", SPEC)
        yield one_host(root, sandbox, spec, {"a.py": "old", "b.py": "old"})
    sandbox.close()


async def patiently(measure: Callable[[], Awaitable[Result]], times: int = 4) -> Result:
    """What comes of it once it is more than trouble."""
    for _ in range(times - 1):
        with suppress(OSError):
            return await measure()
    return await measure()


@needs_root
async def test_a_check_that_fills_the_disk_is_red_until_the_disk_is_larger(
    host: OneHost, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="No space left on device"):
        await host.check()
    found = await host.check()
    assert (found.ended, found.exit) == (DISK, None)
    assert "of it to 'build log' in" in found.tail
    check = host.spec.checks["unit"]
    judged = judge("unit", check, found, found)
    assert judged.outcome is CheckOutcome.RED
    assert judged.reasons[0] == "stopped: it filled the disk"
    grown(tmp_path / "disk")
    assert (await host.check()).exit == 0


@needs_root
async def test_of_two_at_once_each_is_found_out(
    host: OneHost,
) -> None:
    runaways = [host.commit, host.change({"b.py": "new"})]
    found = await asyncio.gather(*(patiently(lambda c=c: host.check(c)) for c in runaways))
    assert [one.ended for one in found] == [DISK, DISK]


@needs_root
async def test_a_codemod_that_fills_the_disk_has_failed_and_the_hub_has_room_for_what_is_left(
    host: OneHost,
) -> None:
    task = a_task(1, "a.py")
    climbed = await patiently(lambda: ran(host, task), 2)
    assert (climbed.ran.ended, climbed.allowed) == (DISK, False)
    assert kept(host, task).changed == ()


@needs_root
async def test_a_check_that_fills_the_disk_on_the_base_ends_the_migration(
    host: OneHost, tmp_path: Path
) -> None:
    hubs = Hubs(tmp_path / "disk/hub")
    [hub] = hubs.all()
    asked = TakeBaseline(
        name="m",
        repository=Repository(url="/x", id=hub.path.stem),
        spec=host.blobs.put_model("m", host.spec),
        phase="main",
        commit=host.commit,
    )
    take = ChecksActivities(host.blobs, hubs, host.checker).take_baseline
    with pytest.raises(ApplicationError, match=r"unit would be red on every tree: .* it filled"):
        await patiently(lambda: ActivityEnvironment().run(take, asked), 2)


PREPARED = """\
environments: {default: {prepare: "head -c 64M /dev/zero > $ENV/big"}}
checks: {unit: {run: "true"}}
ladder: [{codemod: {run: "true"}}]
sites: {find: [{regex: old}]}
"""


@needs_root
@pytest.mark.parametrize("host", [PREPARED], indirect=True)
async def test_an_environment_that_fills_the_disk_cannot_be_prepared_and_leaves_it_free(
    host: OneHost, tmp_path: Path
) -> None:
    for error in (OSError, PrepareFailed):
        with pytest.raises(error, match=r"No space left|filled the disk by itself"):
            await host.check()
        assert shutil.disk_usage(tmp_path / "disk").free > 16 * MIB
