"""What tests share: a real Temporal server, and a stage where workflows meet scripted actors."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import pytest_asyncio
from builders import a_plan, a_spec, a_task
from inbox import INBOXES, Inbox
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from world import World

from activities.adapters.blobs import BlobStore, place
from activities.adapters.hubs import Hubs
from activities.adapters.reporting import render_report, undone
from activities.adapters.tenant_book import TenantBook
from activities.adapters.transcripts import Transcripts
from activities.contracts.base import digest_of
from activities.contracts.commands import Command
from activities.contracts.migration import MigrationInput, MigrationResult, Progress
from activities.contracts.report import MigrationReport
from activities.contracts.repository import Repository
from activities.delivery import DeliveryActivities
from activities.judging import JudgingActivities
from activities.messages import MessageActivities
from activities.records import RecordActivities
from activities.spending import SpendingActivities
from activities.tenants import TenantActivities
from roles.control import WORKFLOWS, workflow_runner
from roles.queue import activities_of
from tests.fakes.actors import HOST_QUEUE
from tests.fakes.minds import Minds
from tests.network import no_network
from tests.service import eventually
from workflows import options
from workflows.merge_queue import MergeQueueWorkflow
from workflows.migration import MigrationWorkflow

__all__ = ["no_network"]  # a fixture for every test
# An example may wait for the other process of this run.
hypothesis.settings.register_profile("shared", deadline=None)
hypothesis.settings.load_profile("shared")
BINARIES = Path(sys.executable).parent
OFTEN = timedelta(milliseconds=50)
THINKING, TALKING = "thinking", "talking"
SUGGEST_AT = 400
"""Events after which this server suggests to continue as new: a test can get there."""

LONGEST = (
    "test_chaos.py",
    "test_storage.py",
    "test_kills.py",
    "test_tree_environments.py",
    "test_by_hand.py",
    "test_fleet.py",
    "test_cli_fleet.py",
    "test_end_to_end_conflicts.py",
    "test_end_to_end_people.py",
    "test_following.py",
    "test_model_errors.py",
    "test_end_to_end.py",
    "test_many_hosts.py",
    "test_planned_by_models.py",
    "test_parked.py",
    "test_deploys.py",
    "test_migration.py",
    "test_continuing.py",
    "test_end_to_end_files.py",
    "test_end_to_end_base.py",
    "test_end_to_end_agent.py",
    "test_end_to_end_cancel.py",
    "test_cli_plan.py",
    "test_deep_checks.py",
    "test_agent.py",
    "test_pilot.py",
    "test_end_to_end_secrets.py",
    "test_codemods.py",
    "test_model_kills.py",
    "test_end_to_end_once.py",
    "test_people.py",
    "test_area.py",
)
"""Files that go first, so that no process is left alone with one in the end."""


# Without bytecode each start of a worker, a verb or a workflow compiles all its code again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONGEST)))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    """A dev server in memory; workflows with conversations need a real clock."""
    keys = [
        *(options.MIGRATION_NAME, options.STAGE, options.TASK_STATE, options.REPO, options.OWNER),
        *(options.MODEL_NAME, options.SITES_LEFT, options.TASKS_LEFT, options.COST_USD),
        options.NEEDS_HUMAN,
    ]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(BINARIES / "temporal"),
        data_converter=pydantic_data_converter,
        search_attributes=keys,
        dev_server_extra_args=[
            "--dynamic-config-value",
            f"limit.historyCount.suggestContinueAsNew={SUGGEST_AT}",
            *("--namespace", THINKING, "--namespace", TALKING),
        ],
    ) as running:
        yield running


class Stage:
    """Starts migrations whose activities are scripted by a World each."""

    def __init__(self, client: Client, blobs: BlobStore, caps: Path) -> None:
        self.client = client
        self.blobs = blobs
        self.caps = caps
        """A file with what tenants may cost."""
        self.worlds: dict[str, World] = {}

    def world(self, name: str, **files: str) -> World:
        """A repository in memory: `a="old"` is a file a.py with one site."""
        self.worlds[name] = World(name, {f"{n}.py": content for n, content in files.items()})
        return self.worlds[name]

    def given(
        self, world: World, *, claude: bool | dict[str, object] = False, **more: Any
    ) -> MigrationInput:
        """The input of a migration over a world; its ladder has the world's rungs, and a claude
        rung behind them where one is wanted, unless the spec's fields have one."""
        ladder: list[str | dict[str, object]] = ["codemod" for _ in world.rungs]
        if claude:
            ladder.append("claude" if claude is True else {"claude": claude})
        fields: dict[str, Any] = {"ladder": ladder, **more.pop("spec", {})}
        spec = a_spec(world.name, **fields)
        hub = f"{world.name.replace('/', '-')}-00000000"
        return MigrationInput(
            name=world.name,
            repository=Repository(url=spec.repository, id=hub),
            spec=self.blobs.put_model(world.name, spec),
            spec_digest=digest_of(spec),
            **more,
        )

    def planned(
        self, world: World, *claims: tuple[str, ...], phase: str = "main"
    ) -> dict[str, Any]:
        """A plan of the user's own, for `given`: one task per tuple of claims."""
        tasks = [a_task(f"c1-{n:04}", *paths) for n, paths in enumerate(claims, 1)]
        plan = a_plan(world.name, world.base, *tasks)
        plan = plan.model_copy(update={"phase": phase})
        return {"plans": {phase: self.blobs.put_model(world.name, plan)}}

    async def start(
        self, world: World, **more: Any
    ) -> WorkflowHandle[MigrationWorkflow, MigrationResult]:
        return await self.client.start_workflow(
            MigrationWorkflow.run,
            self.given(world, **more),
            id=options.migration_id(world.name),
            task_queue=options.CONTROL,
        )

    async def run(self, world: World, **more: Any) -> MigrationReport:
        """Runs a migration to its end; its report."""
        return self.report(await (await self.start(world, **more)).result())

    async def inbox(self, id: str) -> WorkflowHandle[Inbox, bool]:
        """Listens under a workflow id, in place of a parent, a queue or a task."""
        return await self.client.start_workflow(Inbox.run, id=id, task_queue=INBOXES)

    def report(self, result: MigrationResult) -> MigrationReport:
        assert result.report
        return self.blobs.get_model(result.report, MigrationReport)


@contextlib.asynccontextmanager
async def staging(
    client: Client, blobs: BlobStore, hubs: Path, *, thinks: bool = False
) -> AsyncGenerator[Stage]:
    """All workflows on a worker, with fakes of everything that touches git or runs commands; the
    report finds no branch in a hub. `thinks`: there is a model."""
    caps, books = hubs / "tenants.json", hubs / "books"
    caps.write_text("{}")
    acting = Stage(client, blobs, caps)
    fakes = Minds(acting.worlds, blobs)
    transcripts = Transcripts(blobs)
    spending = SpendingActivities(transcripts)
    tenants = TenantActivities(TenantBook(place(books), caps), client, transcripts)
    records, messages = (
        RecordActivities(blobs),
        MessageActivities(blobs, client, transcripts),
    )
    delivery = DeliveryActivities(
        blobs, Hubs(hubs), render_report, "strict", lambda *_: {}, transcripts
    )
    on_queue = {
        options.CONTROL: activities_of(records, messages, spending, tenants),
        options.WORKSPACE: fakes.on("open_workspace", "open_worker_talk"),
        HOST_QUEUE: fakes.on("run_rung", "close_workspace", "use_tools", "conclude_attempt"),
        options.CHECKS: [
            *fakes.on("run_checks", "take_baseline", "take_survey", "count_left"),
            *fakes.on("hear_agent"),
        ],
        options.INTEGRATION: [
            *fakes.on("take_base", "make_plan", "claim_branch", "find_landed", "put_back"),
            *fakes.on("rework", "compose_batch", "land", "look_at_base", "compose_base_merge"),
            *fakes.on("find_deep", "find_push", "settle_push"),
            *activities_of(JudgingActivities(blobs, undone)),
        ],
        options.DELIVERY: [delivery.write_report],
    }
    if thinks:
        on_queue[options.MODEL] = fakes.on("take_turn")
    threads = ThreadPoolExecutor(max_workers=100)
    async with contextlib.AsyncExitStack() as running:
        for queue, activities in on_queue.items():
            more: dict[str, Any] = {}
            if queue == options.CONTROL:
                more = {
                    "workflows": WORKFLOWS,
                    "workflow_runner": workflow_runner(),
                }
            await running.enter_async_context(
                Worker(
                    client,
                    task_queue=queue,
                    activities=activities,
                    activity_executor=threads,
                    # A held activity beats often, so that a cancellation arrives at once.
                    max_heartbeat_throttle_interval=OFTEN,
                    default_heartbeat_throttle_interval=OFTEN,
                    **more,
                )
            )
        stands_in = Worker(
            client,
            task_queue=INBOXES,
            workflows=[Inbox],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        await running.enter_async_context(stands_in)
        yield acting
    threads.shutdown()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(
    env: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """The stage on the dev server."""
    blobs, hubs = BlobStore(tmp_path_factory.mktemp("blobs")), tmp_path_factory.mktemp("hubs")
    async with staging(env.client, blobs, hubs) as acting:
        yield acting


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def thinking(
    env: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A stage with a model, in a namespace of its own: on the other one nobody takes turns."""
    target = env.client.service_client.config.target_host
    client = await Client.connect(
        target, namespace=THINKING, data_converter=pydantic_data_converter
    )
    kinds = {name: KINDS[kind] for name, kind in options.SEARCH_ATTRIBUTES.items()}
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=THINKING, search_attributes=kinds)
    )
    blobs, hubs = BlobStore(tmp_path_factory.mktemp("blobs")), tmp_path_factory.mktemp("hubs")
    async with staging(client, blobs, hubs, thinks=True) as acting:
        yield acting


KINDS = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "Bool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
}


@contextlib.asynccontextmanager
async def patient_stage(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[tuple[Stage, WorkflowEnvironment]]:
    """A stage on a server whose clock the test moves; left alone it would jump over our talks."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(BINARIES / "temporal-test-server"),
        data_converter=pydantic_data_converter,
    ) as env:
        kinds = {name: KINDS[kind] for name, kind in options.SEARCH_ATTRIBUTES.items()}
        await env.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(search_attributes=kinds)
        )
        with env.auto_time_skipping_disabled():
            blobs = BlobStore(tmp_path_factory.mktemp("patient"))
            hubs = tmp_path_factory.mktemp("patient-hubs")
            async with staging(env.client, blobs, hubs) as acting:
                yield acting, env


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def patient(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[tuple[Stage, WorkflowEnvironment]]:
    """One for all tests that move the clock by hours; they share it."""
    async with patient_stage(tmp_path_factory) as stage:
        yield stage


async def until(handle: Any, holds: Any, patience: float = 20.0) -> Progress:
    """The first progress of a migration that satisfies."""
    async with asyncio.timeout(patience):
        while True:
            progress = await handle.query(MigrationWorkflow.progress)
            if holds(progress):
                return progress
            await asyncio.sleep(0.05)


async def asking(stage: Stage, world: World, count: int) -> WorkflowHandle[Any, Any]:
    """A migration's queue, once so many candidates are waiting or in its first batch."""
    id = options.queue_id(f"{world.name}-00000000", f"whimbrel/{world.name}")
    queue = stage.client.get_workflow_handle_for(MergeQueueWorkflow.run, id)
    async with asyncio.timeout(20):
        while True:
            waiting = (await queue.query(MergeQueueWorkflow.state)).waiting
            composed = [asked.candidates for asked in world.asked("compose_batch")[:1]]
            if len(waiting) + sum(map(len, composed)) >= count:
                return queue
            await asyncio.sleep(0.05)


async def rested(world: World) -> None:
    """Returns when no workspace is open: everybody has come to rest."""

    async def all_closed() -> bool:
        return not world.workspaces

    await eventually(all_closed)


def a_command(id: str, reason: str = "") -> Command:
    return Command(id=id, actor="ana@desk", reason=reason)
