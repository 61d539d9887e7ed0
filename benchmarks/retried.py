"""The alternative to how we resume: one activity under Temporal's own retry, and its worker."""

import asyncio
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.heartbeat import SENT_WITHIN, HeartbeatInterceptor
from workflows.options import VERIFY

QUEUE = "retried"


@activity.defn
async def dawdle() -> None:
    await asyncio.sleep(60)


@workflow.defn
class Retried:
    """One activity with the patience that our checks have."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(dawdle, summary="dawdle", **{**VERIFY, "task_queue": QUEUE})


async def serve(address: str) -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    async with Worker(
        client,
        task_queue=QUEUE,
        activities=[dawdle],
        workflows=[Retried],
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=[HeartbeatInterceptor()],
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=3),
        max_heartbeat_throttle_interval=SENT_WITHIN,
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
