"""Beats come by themselves from an activity that waits, in a thread or on the loop; so does a
cancellation. A worker that is starved for less than the timeout loses nothing."""

import asyncio
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.adapters.doing import doing, fresh_slate
from activities.contracts.migration import Progress, Stage
from activities.heartbeat import SENT_WITHIN, HeartbeatInterceptor
from cli.trouble import trouble_of
from tests.service import eventually
from workflows.options import migration_id

TIMEOUT = timedelta(seconds=1)
LONGER = 2 * TIMEOUT.total_seconds()
ROOT = Path(__file__).parents[2]
STARVED = timedelta(seconds=3)
"""A timeout that a worker is starved for most of."""
reached, cancelled = threading.Event(), asyncio.Event()
made, drunk = asyncio.Event(), asyncio.Event()


@activity.defn
def thread_that_says_nothing() -> str:
    threading.Event().wait(LONGER)
    return "done"


@activity.defn
async def coroutine_that_says_nothing() -> str:
    await asyncio.sleep(LONGER)
    return "done"


@activity.defn
async def coroutine_that_is_starved() -> None:
    print("reached", flush=True)
    await asyncio.sleep(2 * STARVED.total_seconds())


@activity.defn
async def coroutine_that_takes_long() -> None:
    with doing("the tea is being made"):
        await made.wait()
    await drunk.wait()


@activity.defn
async def until_cancelled() -> None:
    reached.set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        cancelled.set()
        raise


@workflow.defn
class Silent:
    @workflow.run
    async def run(self, name: str) -> str | None:
        starved = name == "coroutine_that_is_starved"
        return await workflow.execute_activity(
            name,
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=STARVED if starved else TIMEOUT,
            task_queue="starved" if starved else None,
            retry_policy=RetryPolicy(maximum_attempts=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


@pytest_asyncio.fixture(loop_scope="session")
async def beating(env):
    with ThreadPoolExecutor(4) as threads:
        async with Worker(
            env.client,
            task_queue="beating",
            workflows=[Silent],
            workflow_runner=UnsandboxedWorkflowRunner(),
            activities=[
                thread_that_says_nothing,
                coroutine_that_says_nothing,
                coroutine_that_takes_long,
                until_cancelled,
            ],
            activity_executor=threads,
            interceptors=[HeartbeatInterceptor(fresh_slate)],
        ):
            yield env.client


async def test_an_activity_that_is_silent_for_longer_than_its_timeout_is_not_given_up(beating):
    names = ("thread_that_says_nothing", "coroutine_that_says_nothing")
    said = await asyncio.gather(
        *(beating.execute_workflow(Silent.run, n, id=n, task_queue="beating") for n in names)
    )
    assert said == ["done", "done"]


async def serve_the_starved(address: str) -> None:
    """A worker's process of its own, until it is killed."""
    async with Worker(
        await Client.connect(address),
        task_queue="starved",
        activities=[coroutine_that_is_starved],
        interceptors=[HeartbeatInterceptor()],
        max_heartbeat_throttle_interval=SENT_WITHIN,
    ):
        await asyncio.Event().wait()


async def test_a_worker_that_is_starved_for_less_than_the_timeout_loses_no_attempt(env, beating):
    address, name = env.client.service_client.config.target_host, "coroutine_that_is_starved"
    serve = "from tests.activities.test_heartbeats import *; import sys\n"
    serve += "asyncio.run(serve_the_starved(sys.argv[1]))"
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", serve, address),
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        handle = await beating.start_workflow(Silent.run, name, id=name, task_queue="beating")
        assert worker.stdout
        assert await worker.stdout.readline() == b"reached\n"
        await asyncio.sleep(1.05 * STARVED.total_seconds())
        worker.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.6 * STARVED.total_seconds())
        worker.send_signal(signal.SIGCONT)
        await asyncio.wait_for(handle.result(), 20)
    finally:
        worker.kill()
        await worker.wait()


async def test_what_takes_long_is_told_in_words_as_long_as_it_lasts(beating):
    handle = await beating.start_workflow(
        Silent.run, "coroutine_that_takes_long", id=migration_id("tea"), task_queue="beating"
    )
    now = Progress(name="tea", stage=Stage.SURVEY)

    async def is_told(words: str) -> bool:
        return await trouble_of(beating, now, []) == words

    host = beating.identity.partition("@")[2]
    await eventually(lambda: is_told(f"waiting: the tea is being made on {host}"))
    made.set()
    await eventually(lambda: is_told(""))
    drunk.set()
    await handle.result()


async def test_a_cancellation_reaches_an_activity_that_never_beats_itself(beating):
    handle = await beating.start_workflow(
        Silent.run, "until_cancelled", id="until-cancelled", task_queue="beating"
    )
    await asyncio.to_thread(reached.wait, 10)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await asyncio.wait_for(handle.result(), 10)
    assert cancelled.is_set()
