"""A place that is away for hours costs a record's step its time, and nothing else: no failure, no
history to speak of; and its workflow's page says why it waits."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import pytest
from conftest import BINARIES
from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from workflows import locally, options

OUTAGE = timedelta(hours=3)
AWAY, GONE = "away", "gone"


class Records:
    """Reads from a place that is away."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self.waits, self.shown = Event(), Event()

    @activity.defn
    def read(self, what: str) -> str:
        """It comes back three hours after a queue brought the question first."""
        if what == GONE:
            raise ApplicationError("nobody has it", non_retryable=True)
        info = activity.info()
        if info.is_local:
            raise FileNotFoundError("no blobs of this migration")
        if self._since is None:
            self._since = info.started_time
            self.waits.set()
            assert self.shown.wait(30)
        if info.started_time - self._since < OUTAGE:
            raise FileNotFoundError("no blobs of this migration")
        return what


@workflow.defn
class Reads:
    """Reads one record."""

    @workflow.run
    async def run(self, what: str) -> str:
        workflow.set_current_details("my page")
        read = await locally.locally(Records.read, what, summary="read it")
        return f"{read}, {workflow.get_current_details()}"

    @workflow.query
    def page(self) -> str:
        return workflow.get_current_details()


async def test_an_outage_of_hours_is_outlasted_and_what_is_gone_for_good_is_told() -> None:
    records, threads = Records(), ThreadPoolExecutor(2)
    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=str(BINARIES / "temporal-test-server"),
            data_converter=pydantic_data_converter,
        ) as env,
        Worker(
            env.client,
            task_queue=options.CONTROL,
            workflows=[Reads],
            activities=[records.read],
            activity_executor=threads,
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):
        queue = options.CONTROL
        began = await env.get_current_time()
        away = await env.client.start_workflow(Reads.run, AWAY, id=AWAY, task_queue=queue)
        assert await asyncio.to_thread(records.waits.wait, 30)
        page = await away.query(Reads.page)
        records.shown.set()
        assert page.startswith("**Waiting:** read it: FileNotFoundError: no blobs of this mig")
        assert page.endswith("it is tried again and goes on by itself\n\nmy page")
        assert await away.result() == "away, my page"
        assert await env.get_current_time() - began >= OUTAGE
        assert len((await away.fetch_history()).events) < 20

        gone = await env.client.start_workflow(Reads.run, GONE, id=GONE, task_queue=queue)
        with pytest.raises(WorkflowFailureError) as failed:
            await gone.result()
        assert isinstance(failed.value.cause, ApplicationError)
        assert len((await gone.fetch_history()).events) < 10
