"""SIGTERM in the middle of a migration, what a killed process leaves, and a server that is away.

kill -9 of everything is test_chaos.py's.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.service import RPCError

from activities.adapters.hub import Hub
from activities.adapters.orphans import VARIABLE
from activities.adapters.scratch import Scratch
from activities.adapters.workspaces import Workspaces
from activities.contracts.report import MigrationReport
from activities.contracts.repository import repository_id
from cli.asking import Handle
from cli.session import unreachable
from roles.queue import GRACE
from tests import histories, invariants, shop
from tests.service import (
    ROOT,
    Service,
    environment,
    eventually,
    kill,
    restarted,
    service,
    swept,
)

MODULE = {"loop_scope": "session", "scope": "module"}


@pytest_asyncio.fixture(**MODULE)
async def whimbrel(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    home = tmp_path_factory.mktemp("home")
    shop.make_shop(home / "upstream")
    async with service(home) as running:
        yield running


async def start(whimbrel: Service, name: str) -> Handle:
    return await whimbrel.start(shop.SPEC, NAME=name, REPOSITORY=str(whimbrel.home / "upstream"))


@pytest_asyncio.fixture(**MODULE)
async def expected(whimbrel: Service) -> str:
    """The tree that an undisturbed run ends on."""
    report = whimbrel.report(await (await start(whimbrel, "undisturbed")).result())
    return invariants.tree(whimbrel.hub(report), report.tip)


def assert_same_end(whimbrel: Service, report: MigrationReport, expected: str) -> None:
    hub = whimbrel.hub(report)
    assert invariants.tree(hub, report.tip) == expected
    invariants.assert_sound_in_git(whimbrel.home, hub, report)


@pytest.mark.chaos
async def test_a_server_that_dies_under_an_old_call_is_away_and_has_not_refused(
    tmp_path: Path,
) -> None:
    """The client tries a call again for ten seconds after it was made, then passes on what broke
    it."""
    async with service(tmp_path, worker=False) as alone:
        waiting = await alone.client.start_workflow("Anything", id="a", task_queue="nobody")
        calls = [asyncio.create_task(call) for call in (waiting.result(), waiting.query("any"))]
        await asyncio.wait(calls, timeout=11)
        kill(alone.server.pid)
        broken = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 20)
        assert [isinstance(b, RPCError) and unreachable(b) for b in broken] == [True, True], broken


STEPS = {"run_rung": "after:run_rung", "run_checks": "before:run_checks", "land": "before:ref/land"}
"""Activity → where it is held up, so that all are in their middle at once."""


@pytest.mark.timeout(300)  # what a closing poll swallows waits for a heartbeat timeout each
async def test_a_worker_that_is_told_to_stop_finishes_what_it_does(
    whimbrel: Service, expected: str, tmp_path: Path
) -> None:
    """A rung, a check and a landing. One worker takes over from another, which ends well, cuts
    nothing off and leaves nothing."""
    assert whimbrel.worker
    await whimbrel.worker.stop(45)
    held_up = (
        f"slow/{seconds}@{at}" for seconds, at in zip((16, 13, 8), STEPS.values(), strict=True)
    )
    with launched(whimbrel, tmp_path, *held_up) as first:
        handle = await start(whimbrel, "drained")
        await reached(tmp_path, len(STEPS))
        first.terminate()
        told_to = time.time()
        await whimbrel.worker.start()
        assert await asyncio.to_thread(first.wait, 45) == 0
    report = whimbrel.report(await handle.result())
    assert_same_end(whimbrel, report, expected)
    assert cut_off(whimbrel.home / "first.log") == []
    told = await histories.read(whimbrel.client, "drained")
    late = [s for s in told.steps if s.worker == str(first.pid) and s.ended > told_to]
    assert set(STEPS) <= {step.name for step in late}
    assert {(step.how, step.attempt) for step in late} == {("completed", 1)}
    await swept(whimbrel.home)


@pytest.mark.chaos
@pytest.mark.timeout(300)
async def test_a_rung_that_outlives_the_grace_period_is_done_again(
    whimbrel: Service, expected: str, tmp_path: Path
) -> None:
    """In another workspace, from the same checkpoint; what the first one did is nobody's."""
    assert whimbrel.worker
    await whimbrel.worker.stop(45)
    with launched(whimbrel, tmp_path, f"slow/{GRACE.total_seconds() + 15}@after:run_rung") as first:
        handle = await start(whimbrel, "overdue")
        await reached(tmp_path, 1)
        first.terminate()
        await whimbrel.worker.start()
        assert await asyncio.to_thread(first.wait, 45) == 0
    report = whimbrel.report(await handle.result())
    assert_same_end(whimbrel, report, expected)
    told = await histories.read(whimbrel.client, "overdue")
    rungs = [s for s in told.steps if s.name == "run_rung" and s.how != "completed"]
    # At least its own; what a closing poll swallowed of the others is cut off with it.
    assert {step.worker for step in rungs} == {str(first.pid)}
    await swept(whimbrel.home)


async def test_what_dead_processes_left_is_swept_at_worker_start(
    whimbrel: Service, expected: str
) -> None:
    """The workspace of an open run stays, those of a closed and of an unknown one go."""
    assert whimbrel.worker
    await whimbrel.client.start_workflow(
        "TaskWorkflow", id="migration/undisturbed/task/c1-0002/7", task_queue="nobody"
    )
    hub = Hub.open(whimbrel.home / "hub", repository_id(str(whimbrel.home / "upstream")))
    at = hub.tip("whimbrel/undisturbed")
    pool = Workspaces(whimbrel.home / "workspaces", None, 8)
    for migration, task, attempt in (
        ("undisturbed", "c1-0001", "0-9-0"),
        ("undisturbed", "c1-0002", "7-1-0"),
        ("never", "c1-0001", "0-1-0"),
    ):
        pool.open(
            hub.path,
            migration=migration,
            task=task,
            attempt=attempt,
            base=at,
            start=at,
            claims=["run_checks.py"],
            token=attempt,
        )
    keys = whimbrel.home / "blobs/migration/undisturbed/keys"
    (whimbrel.home / "scratch" / "run-dead" / "results").mkdir(parents=True)
    (whimbrel.home / "workspaces" / "undisturbed" / "c1-0001" / "0-8-0.abc.tmp").mkdir()
    (whimbrel.home / "hub" / "other-1a2b3c4d.git.tmp").mkdir()
    (hub.path / "refs/heads/whimbrel/gone.lock").touch()
    for half in (hub.path / "objects/tmp_object_git2_1", keys / ".tmp-1"):
        half.touch()
        os.utime(half, (0, 0))
    lifeline = whimbrel.home / "lifelines" / "worker-dead"
    lifeline.touch()
    orphan = await asyncio.create_subprocess_exec("sleep", "600", env={VARIABLE: f"{lifeline}:1"})
    with Scratch(whimbrel.home / "scratch").folder() as live:
        await restarted(whimbrel.worker)
        await swept(
            whimbrel.home,
            but=(f"scratch/{live.name}", "workspaces/undisturbed/c1-0002/7-1-0"),
        )
    assert await asyncio.wait_for(orphan.wait(), 30) == -signal.SIGKILL
    pool.close("undisturbed", "c1-0002", "7-1-0")
    await swept(whimbrel.home)


async def reached(marks: Path, orders: int) -> None:
    """Returns once all of so many orders are being carried out."""

    async def all_are() -> bool:
        return all((marks / str(number)).exists() for number in range(orders))

    await eventually(all_are, 90)


@contextlib.contextmanager
def launched(whimbrel: Service, marks: Path, *orders: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that nobody starts again, with orders at fault points."""
    env = environment(whimbrel.home)
    env |= {"WHIMBREL_FAULTS": ",".join(orders), "WHIMBREL_FAULTS_DIR": str(marks)}
    env["TEMPORAL_ADDRESS"] = whimbrel.client.service_client.config.target_host
    command = [sys.executable, str(ROOT / "worker.py"), "--role", "all"]
    with (whimbrel.home / "first.log").open("ab") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def cut_off(log: Path) -> list[str]:
    """What the worker logged of activities that it began and did not finish.

    Not read from history: a task that the server handed to a poll that was just closing is tried
    again too, and nothing of it had begun.
    """
    lines = log.read_text().splitlines()
    assert any('"draining"' in line for line in lines)
    return [line for line in lines if "Completing activity as failed" in line]
