"""What a killed worker was doing is tried again as soon as another starts on its host; what a live
one does, and what the server gave up already, is left alone."""

import asyncio
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.adapters.scratch import Scratch
from activities.held import Bereaved, HoldingInterceptor

ROOT = Path(__file__).parents[2]
TIMEOUT = timedelta(seconds=60)
"""Of heartbeats: nobody here waits for it."""


@activity.defn
async def hang_at_first(folder: str) -> int:
    """The number of the attempt that ended it; the first ends with its process."""
    attempt = activity.info().attempt
    (Path(folder) / f"attempt {attempt}").touch()
    if attempt == 1:
        await asyncio.Event().wait()
    return attempt


@workflow.defn
class Hung:
    @workflow.run
    async def run(self, folder: str) -> int:
        return await workflow.execute_activity(
            hang_at_first,
            folder,
            task_queue="held",
            start_to_close_timeout=timedelta(minutes=5),
            heartbeat_timeout=TIMEOUT,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
        )


async def serve(address: str, root: Path) -> None:
    """A worker's process of its own, until it is killed."""
    client = await Client.connect(address)
    async with (
        Scratch(root).run_folder() as mine,
        Worker(
            client,
            task_queue="held",
            activities=[hang_at_first],
            interceptors=[HoldingInterceptor(mine)],
        ),
    ):
        print("polling", flush=True)
        await asyncio.Event().wait()


async def started(address: str, root: Path) -> asyncio.subprocess.Process:
    code = "from tests.activities.test_held import *; "
    code += "asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, address, str(root)),
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    assert await process.stdout.readline() == b"polling\n"
    return process


async def there(path: Path) -> None:
    while not path.exists():  # noqa: ASYNC110, ASYNC240
        await asyncio.sleep(0.02)


@pytest.mark.timeout(50)
async def test_what_died_with_its_worker_is_tried_again_at_once(env, tmp_path: Path):
    address, root = env.client.service_client.config.target_host, tmp_path / "held"
    bereaved = Bereaved(env.client, Scratch(root))
    first = await started(address, root)
    second: asyncio.subprocess.Process | None = None
    try:
        async with Worker(
            env.client,
            task_queue="hung",
            workflows=[Hung],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            hung = await env.client.start_workflow(
                Hung.run, str(tmp_path), id="hung", task_queue="hung"
            )
            await there(tmp_path / "attempt 1")
            assert await bereaved.sweep() == [], "it lives"
            first.kill()
            await first.wait()
            second = await started(address, root)
            killed = time.monotonic()
            assert len(await bereaved.sweep()) == 1
            assert await asyncio.wait_for(hung.result(), 30) == 2
            assert time.monotonic() - killed < TIMEOUT.total_seconds() / 2
            assert await bereaved.sweep() == []
    finally:
        for process in filter(None, (first, second)):
            if process.returncode is None:
                process.kill()
            await process.wait()
    assert len(await bereaved.sweep()) == 0
    assert list(root.glob("run-*")) == []


async def test_a_token_that_was_being_written_says_nothing(env, tmp_path: Path):
    scratch = Scratch(tmp_path)
    half = tmp_path / "run-dead"
    half.mkdir()
    (half / "0").write_bytes(b"hal")
    (half / "1").touch()
    assert await Bereaved(env.client, scratch).sweep() == []
    assert not half.exists()
