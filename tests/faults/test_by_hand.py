"""What people and tools do to a service that nobody foresaw: a database is lost, a workspace is
deleted, a command says megabytes. Nothing is done twice, and the migration ends as it should.
"""

import os
import shutil
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.contracts.report import MigrationReport
from activities.contracts.work import TaskStatus
from tests import histories, invariants
from tests.adapters.repositories import git, make_repository
from tests.service import Service, eventually, service, swept, until

MODULE = {"loop_scope": "session", "scope": "module"}
FILES = ("a.txt", "b.txt", "c.txt")
SPEC = """\
version: 1
name: NAME
repository: REPOSITORY
objective: What is old becomes new.
sites: {include: ["*.txt"], find: {regex: old}}
split: file
ladder:
  - codemod: |
      RUNG
      sed -i s/old/new/ {files}
checks:
  told: {run: [/bin/sh, told.sh], results: tap}
limits: {concurrency: 1}
"""
RESULTS = 5_000
"""Of a check whose names alone are a megabyte."""
TOLD = f"""\
echo 1..{RESULTS}
seq -f "ok %.0f - $(head -c 200 /dev/zero | tr '\\0' x) %.0f" {RESULTS} 2>/dev/null ||
seq -f "ok %.0f - $(head -c 200 /dev/zero | tr '\\0' x)" {RESULTS}
"""


@pytest_asyncio.fixture(**MODULE)
async def whimbrel(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    home = tmp_path_factory.mktemp("home")
    async with service(home) as running:
        yield running


def given(
    home: Path, name: str, rung: str = "true", told: str = "echo 1..1; echo ok 1"
) -> dict[str, str]:
    """A project of three files, and what the spec says of it."""
    upstream = home.parent / f"{home.name}-{name}"
    if not upstream.exists():
        make_repository(upstream, {**dict.fromkeys(FILES, "old\n"), "told.sh": told})
    return {"NAME": name, "REPOSITORY": str(upstream), "RUNG": rung}


def assert_all_landed(hub: Path, report: MigrationReport) -> None:
    for file in FILES:
        assert git(hub, "cat-file", "-p", f"{report.tip}:{file}") == b"new\n"
    assert report.sites_left == 0


async def test_a_workspace_that_somebody_deleted_is_opened_anew(whimbrel: Service) -> None:
    """Twice, in the middle of its command; it costs no attempt."""
    spec = given(whimbrel.home, "deleted", "touch begun; sleep 1; rm begun")
    handle = await whimbrel.start(SPEC, **spec)
    gone: set[Path] = set()

    async def another_begins() -> bool:
        begun = set((whimbrel.home / "workspaces" / "deleted").glob("*/*/tree/begun")) - gone
        for mark in begun:
            gone.add(mark)
            shutil.rmtree(mark.parent.parent)
        return bool(begun)

    for _ in range(2):
        await eventually(another_begins, 60)
    report = whimbrel.report(await handle.result())
    assert_all_landed(whimbrel.hub(report), report)
    assert [len(handoff.attempts) for handoff in report.handoffs] == [1, 1, 1]
    assert {handoff.status for handoff in report.handoffs} == {TaskStatus.LANDED}
    await swept(whimbrel.home)


async def test_steps_that_say_megabytes_keep_histories_small(whimbrel: Service) -> None:
    rung = "head -c 3000000 /dev/zero | tr '\\0' y"
    report = await whimbrel.run(SPEC, **given(whimbrel.home, "loud", rung, TOLD))
    assert_all_landed(whimbrel.hub(report), report)
    told = await histories.read(whimbrel.client, "loud")
    ids = {step.workflow for step in told.steps}
    sizes = {id: await history_size(whimbrel.client, id) for id in ids}
    assert len(sizes) >= 5
    assert max(sizes.values()) < 256 * 1024, sizes


CLOCKS = [*map(str, Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))]
"""Shifts the clock of one process; LIBFAKETIME says where else it is."""
FAKETIME = os.environ.get("LIBFAKETIME", CLOCKS[0] if CLOCKS else "")


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.skipif(not FAKETIME, reason="needs the Debian package libfaketime")
async def test_a_clock_that_jumps_by_days_under_a_worker_changes_nothing(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    shifted = {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(clock)}
    shifted |= {"FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    async with service(tmp_path / "home", **shifted) as running:
        handle = await running.start(SPEC, **given(running.home, "shifted", "sleep 2"))
        for landed, days in enumerate(("+1d", "-1d")):
            await until(handle, lambda progress, n=landed: progress.counts.landed >= n)
            clock.write_text(days)
        report = running.report(await handle.result())
        assert_all_landed(running.hub(report), report)
        assert [len(handoff.attempts) for handoff in report.handoffs] == [1, 1, 1]
        assert report.interruptions == {}


def lose_database(home: Path) -> None:
    parts = list(home.glob("temporal.db*"))
    assert parts
    for part in parts:
        part.unlink()


async def history_size(client: Client, id: str) -> int:
    described = await client.get_workflow_handle(id).describe()
    return described.raw_description.workflow_execution_info.history_size_bytes


@pytest.mark.timeout(180)
async def test_a_service_that_lost_its_database_goes_on_from_the_hub(tmp_path: Path) -> None:
    """The same spec, started anew: what has landed is not done again, the rest is."""
    spec = given(tmp_path, "forgotten", "sleep 1")
    async with service(tmp_path) as before:
        handle = await before.start(SPEC, **spec)
        await until(handle, lambda progress: progress.counts.landed > 0)
        assert before.worker
        await before.worker.stop(0)
    lose_database(tmp_path)
    async with service(tmp_path) as after:
        report = await after.run(SPEC, **spec)
        hub = after.hub(report)
        assert_all_landed(hub, report)
        chain = invariants.green_chain(hub, report)
        assert invariants.landed_twice(hub, chain) == []
        changed = [invariants.changed(hub, *pair) for pair in pairwise(chain)]
        assert sorted(path for paths in changed for path in paths) == sorted(FILES)
        await swept(tmp_path)
