"""Trouble with storage is waited out: `status` says what stands in the way, where and what to do;
once its cause is gone, the migration ends on the tree of one that met none.

The migrations run side by side in one service, each with a trouble of its own: what they do is
mostly wait, and one that waits holds up no other.
"""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from buckets import bucket
from temporalio.service import RPCError

from activities.adapters.settings import Settings
from activities.contracts.base import BlobRef
from activities.contracts.children import AreaRow
from activities.contracts.migration import Progress, Stage
from activities.contracts.repository import repository_id
from cli.asking import Handle
from cli.session import Session
from cli.starting import begin, read_spec
from cli.trouble import trouble_of
from tests import invariants, shop
from tests.service import Service, eventually, filled, service, until
from workflows.options import area_id

SPEC = shop.SPEC.replace("{by: directory, max_files: 4}", "whole") + "approvals: [plan]\n"
SHOWN = ("plan-missing",)
"""Of these, as a process: what the others say is asked for without one."""
ON_ITS_OWN = "it goes on by itself"
ROOT = os.geteuid() == 0


class Migration(NamedTuple):
    """One that waits for the approval of its plan, and where its things are."""

    home: Path
    progress: Progress

    @property
    def hub(self) -> Path:
        return self.home / "hub" / f"{self.progress.repository}.git"

    @property
    def trees(self) -> Path:
        return self.home / "checks" / self.progress.repository

    @property
    def workspaces(self) -> Path:
        return self.home / "workspaces" / self.progress.name

    @property
    def blobs(self) -> Path:
        return self.home / "blobs" / "migration" / self.progress.name

    def blob(self, ref: BlobRef) -> Path:
        return self.blobs / "sha256" / ref.sha256[:2] / ref.sha256


Heal = Callable[[], object]
Trouble = Callable[[Migration], Heal]
"""Makes it; returns what heals it."""


def hub_away(of: Migration) -> Heal:
    elsewhere = of.hub.rename(of.hub.with_name("elsewhere"))
    return lambda: elsewhere.rename(of.hub)


def blobs_away(of: Migration) -> Heal:
    elsewhere = of.blobs.rename(of.blobs.with_name("elsewhere"))
    return lambda: elsewhere.rename(of.blobs)


def plan_missing(of: Migration) -> Heal:
    assert of.progress.plan
    plan = of.blob(of.progress.plan.plan)
    elsewhere = plan.rename(of.home / "plan")
    return lambda: elsewhere.rename(plan)


def spec_corrupt(of: Migration) -> Heal:
    kept = [path for path in of.blobs.rglob("*") if path.is_file()]
    [spec] = [path for path in kept if b'"ladder":' in path.read_bytes()]
    whole = spec.read_bytes()
    spec.write_bytes(whole.replace(b"old_name", b"OLD_NAME"))
    return lambda: spec.write_bytes(whole)


def read_only(of: Migration) -> Heal:
    disk = on_a_disk(of.blobs)
    mount(disk, "-o", "remount,ro")
    return lambda: mount(disk, "-o", "remount,rw")


def full(folder: Path) -> Heal:
    """On a file system that is full."""
    disk = on_a_disk(folder)
    with pytest.raises(OSError, match="No space left"):
        fill(disk / "filler")
    return (disk / "filler").unlink


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65536)


def on_a_disk(folder: Path) -> Path:
    """What is in it, moved to a file system of its own. That is beside the state directory, where
    whatever other sandboxes of this machine start with would count as left."""
    home = folder.parents[2] if "blobs" in folder.parts else folder.parents[1]
    disk = disks_of(home) / folder.relative_to(home)
    disk.mkdir(parents=True)
    mount(disk, "-t", "tmpfs", "-o", "size=32m,mode=755")
    if folder.exists():
        shutil.copytree(folder, disk, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(folder)
    folder.parent.mkdir(exist_ok=True)
    folder.symlink_to(disk)
    return disk


def disks_of(home: Path) -> Path:
    return home.parent / "disks"


def mount(folder: Path, *how: str) -> None:
    assert os.spawnlp(os.P_WAIT, "mount", "mount", *how, "none", str(folder)) == 0


@contextmanager
def unmounted(home: Path) -> Iterator[None]:
    """Afterwards none of its disks is mounted."""
    try:
        yield
    finally:
        for line in Path("/proc/self/mounts").read_text().splitlines():
            if Path(line.split()[1]).is_relative_to(disks_of(home)):
                os.spawnlp(os.P_WAIT, "umount", "umount", "--lazy", line.split()[1])


TROUBLES: dict[str, tuple[Trouble, str]] = {
    "hub-away": (hub_away, "waiting: the hub is away on"),
    "blobs-away": (blobs_away, "waiting: its blobs are away on"),
    "plan-missing": (plan_missing, "waiting: a blob is gone on"),
    "spec-corrupt": (spec_corrupt, "waiting: a blob is damaged on"),
}
NEEDS_ROOT: dict[str, tuple[Trouble, str]] = {
    "blobs-forbidden": (read_only, "waiting: permission is denied on"),
    "blobs-full": (lambda of: full(of.blobs), "waiting: the disk is full on"),
    "hub-full": (lambda of: full(of.hub), "waiting: the disk is full on"),
    "workspaces-full": (lambda of: full(of.workspaces), "waiting: the disk is full on"),
    "trees-full": (lambda of: full(of.trees), "waiting: the disk is full on"),
}
MODULE = {"loop_scope": "session", "scope": "module"}


@pytest_asyncio.fixture(**MODULE)
async def whimbrel(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    home = tmp_path_factory.mktemp("home")
    with unmounted(home):
        async with service(home, WHIMBREL_WORKSPACES_PER_HOST="16") as running:
            yield running


async def planned(whimbrel: Service, name: str) -> tuple[Handle, Migration]:
    """A migration of a repository of its own, once its plan waits for approval."""
    upstream = whimbrel.home / "upstreams" / name
    shop.make_shop(upstream)
    handle = await whimbrel.start(SPEC, NAME=name, REPOSITORY=str(upstream))
    progress = await until(handle, lambda now: bool(now.waiting_for), patience=100)
    assert progress.repository == repository_id(str(upstream))
    return handle, Migration(whimbrel.home, progress)


async def ended(whimbrel: Service, handle: Handle) -> str:
    """The tree that it ends on."""
    report = whimbrel.report(await handle.result())
    assert report.outcome == "done with leftovers"
    return invariants.tree(whimbrel.hub(report), report.tip)


async def migrate(whimbrel: Service, name: str, trouble: Trouble, said: str) -> str:
    """The tree of one that meets trouble once its plan is approved."""
    handle, migration = await planned(whimbrel, name)
    heal = trouble(migration)
    await handle.execute_update("approve")
    told = await told_of(whimbrel, migration, said)
    assert str(whimbrel.home) in told
    assert ON_ITS_OWN in told
    if name in SHOWN:
        status = await whimbrel.starter("status", name, "--json")
        assert json.loads(status.out)["trouble"].startswith(said)
    assert (await until(handle, lambda _: True)).report is None
    heal()
    return await ended(whimbrel, handle)


async def told_of(whimbrel: Service, migration: Migration, said: str) -> str:
    """What stands in its way, once that is this; what is said before that is waited out."""
    told = [""]

    async def is_said() -> bool:
        area = whimbrel.client.get_workflow_handle(area_id(migration.progress.name, "root"))
        try:
            rows = await area.query("rows", result_type=list[AreaRow])
        except RPCError:
            rows = []
        told.append(await trouble_of(whimbrel.client, migration.progress, rows))
        return said in told[-1]

    try:
        await eventually(is_said, 120)
    except TimeoutError:
        raise AssertionError(f"it was never {said!r}, but {dict.fromkeys(told)}") from None
    return told[-1]


@pytest.mark.timeout(300)
async def test_trouble_with_storage_is_told_and_heals_when_its_cause_goes(
    whimbrel: Service,
) -> None:
    met = TROUBLES | (NEEDS_ROOT if ROOT else {})
    undisturbed, _ = await planned(whimbrel, "undisturbed")
    await undisturbed.execute_update("approve")
    trees = await asyncio.gather(*(migrate(whimbrel, name, *met[name]) for name in met))
    assert dict(zip(met, trees, strict=True)) == dict.fromkeys(
        met, await ended(whimbrel, undisturbed)
    )


SLOW = SPEC.replace("sed -i", "sleep 3; sed -i").replace("approvals: [plan]\n", "")


@pytest.mark.timeout(300)
async def test_a_bucket_that_is_away_in_the_middle_of_the_work_costs_time_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.make_shop(tmp_path / "upstream")
    with bucket(tmp_path / "s3") as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        home = tmp_path / "home"
        async with service(home, WHIMBREL_BLOBS=running.url) as whimbrel:
            spec = home / "spec.yaml"
            spec.write_text(filled(SLOW, NAME="bucket", REPOSITORY=str(tmp_path / "upstream")))
            settings = Settings(home=home, blobs=running.url)
            session = Session(whimbrel.client, settings, local=False, ui="")
            handle = await begin(session, read_spec(spec))
            progress = await until(handle, lambda now: now.counts.running > 0, patience=100)
            running.stop()
            said = "waiting: the blob store does not answer on"
            assert running.url in await told_of(whimbrel, Migration(home, progress), said)
            running.start()
            result = await handle.result()
            assert (result.stage, result.landed, result.leftovers) == (
                Stage.DONE_WITH_LEFTOVERS,
                1,
                1,
            )
