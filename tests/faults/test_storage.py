"""Trouble with storage is waited out: `status` says what stands in the way, where and what to do;
once its cause is gone, the migration ends on the tree of one that met none. The services run side
by side: what they do is mostly wait.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from activities.contracts.migration import Progress
from tests import invariants, shop
from tests.service import Service, service, until

Trouble = Callable[[Path], Callable[[], None]]
"""Makes it in a state directory; returns what heals it."""


def away(name: str) -> Trouble:
    """A folder whose file system is gone."""

    def make(home: Path) -> Callable[[], None]:
        here, elsewhere = home / name, home / f"{name}-elsewhere"
        here.rename(elsewhere)
        here.mkdir()
        (here / "mount-point").touch()

        def heal() -> None:
            (here / "mount-point").unlink()
            here.rmdir()
            elsewhere.rename(here)

        return heal

    return make


def read_only(home: Path) -> Callable[[], None]:
    """Blobs on a file system that lets nobody write."""
    disk = on_a_disk(home)
    mount(disk, "-o", "remount,ro")
    return lambda: mount(disk, "-o", "remount,rw")


def full(home: Path) -> Callable[[], None]:
    """Blobs on a file system that is full."""
    filler = on_a_disk(home) / "filler"
    with pytest.raises(OSError, match="No space left"):
        fill(filler)
    return filler.unlink


def on_a_disk(home: Path) -> Path:
    """The blobs, moved to a file system of their own. It is beside the state directory: whatever
    else this machine's sandboxes start with would count as left in it."""
    disk = disk_of(home)
    disk.mkdir(parents=True)
    mount(disk, "-t", "tmpfs", "-o", "size=32m")
    shutil.copytree(home / "blobs", disk, dirs_exist_ok=True)
    shutil.rmtree(home / "blobs")
    (home / "blobs").symlink_to(disk)
    return disk


def disk_of(home: Path) -> Path:
    return home.parent / "disks" / home.name


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65536)


def mount(folder: Path, *how: str) -> None:
    code = os.spawnlp(os.P_WAIT, "mount", "mount", *how, "none", str(folder))
    assert code == 0


def unmount(home: Path) -> None:
    os.spawnlp(os.P_WAIT, "umount", "umount", "--lazy", "--quiet", str(disk_of(home)))


TROUBLES: dict[str, tuple[Trouble, str]] = {
    "hub": (away("hub"), "waiting: the hub is away on"),
    "blobs": (away("blobs"), "waiting: its blobs are away on"),
}
if os.geteuid() == 0:
    TROUBLES["forbidden"] = (read_only, "waiting: permission is denied on")
    TROUBLES["full"] = (full, "waiting: the disk is full on")
SPEC = f"{shop.SPEC}approvals: [plan]\n"


async def migrate(home: Path, trouble: Trouble | None, said: str) -> str:
    """The tree that a migration ends on which meets trouble once its plan is approved."""
    shop.make_shop(home / "upstream")
    try:
        async with service(home) as whimbrel:
            return await _tree_after(whimbrel, trouble, said)
    finally:
        unmount(home)


async def _tree_after(whimbrel: Service, trouble: Trouble | None, said: str) -> str:
    given = {"NAME": "troubled", "REPOSITORY": str(whimbrel.home / "upstream")}
    handle = await whimbrel.start(SPEC, **given)
    await until(handle, lambda now: bool(now.waiting_for), patience=100)
    heal = trouble(whimbrel.home) if trouble else None
    approved = await whimbrel.starter("approve", "troubled")
    assert approved.code == 0, approved.err
    if heal:
        told = await shown(whimbrel, said)
        assert str(whimbrel.home) in told
        assert "it goes on by itself" in told
        assert (await progress(handle)).report is None
        heal()
    report = whimbrel.report(await handle.result())
    assert report.outcome == "done with leftovers"
    return invariants.tree(whimbrel.hub(report), report.tip)


async def progress(handle) -> Progress:
    return await until(handle, lambda _: True)


async def shown(whimbrel: Service, said: str, patience: float = 90.0) -> str:
    """What `status` says stands in the way; whatever it says before that is waited out."""
    status = None
    try:
        async with asyncio.timeout(patience):
            while True:
                status = await whimbrel.starter("status", "troubled", "--json")
                trouble = json.loads(status.out)["trouble"] if status.out else ""
                if said in trouble:
                    return trouble
    except TimeoutError:
        raise AssertionError(f"status never said {said!r}, but {status}") from None


@pytest.mark.timeout(300)
async def test_trouble_with_storage_is_told_and_heals_when_its_cause_goes(tmp_path: Path) -> None:
    runs = [migrate(tmp_path / name, *what) for name, what in TROUBLES.items()]
    undisturbed, *others = await asyncio.gather(migrate(tmp_path / "none", None, ""), *runs)
    assert others == [undisturbed] * len(TROUBLES)
