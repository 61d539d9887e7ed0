"""Beats come by themselves from an activity that waits, in a thread or on the loop; so does a
cancellation."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.heartbeat import HeartbeatInterceptor

TIMEOUT = timedelta(seconds=1)
LONGER = 2 * TIMEOUT.total_seconds()
reached, cancelled = threading.Event(), asyncio.Event()


@activity.defn
def thread_that_says_nothing() -> str:
    threading.Event().wait(LONGER)
    return "done"


@activity.defn
async def coroutine_that_says_nothing() -> str:
    await asyncio.sleep(LONGER)
    return "done"


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
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(
            name,
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=TIMEOUT,
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
            activities=[thread_that_says_nothing, coroutine_that_says_nothing, until_cancelled],
            activity_executor=threads,
            interceptors=[HeartbeatInterceptor()],
        ):
            yield env.client


async def test_an_activity_that_is_silent_for_longer_than_its_timeout_is_not_given_up(beating):
    names = ("thread_that_says_nothing", "coroutine_that_says_nothing")
    said = await asyncio.gather(
        *(beating.execute_workflow(Silent.run, n, id=n, task_queue="beating") for n in names)
    )
    assert said == ["done", "done"]


async def test_a_cancellation_reaches_an_activity_that_never_beats_itself(beating):
    handle = await beating.start_workflow(
        Silent.run, "until_cancelled", id="until-cancelled", task_queue="beating"
    )
    await asyncio.to_thread(reached.wait, 10)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await asyncio.wait_for(handle.result(), 10)
    assert cancelled.is_set()
