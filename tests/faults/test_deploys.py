"""New code under a running migration: tasks end on the code they began on, unless they were paused;
planners go over to the new one, and the migration ends as if nothing had happened. Stopping the old
code too early costs time, and people are told.

Each version is a checkout of its own with a control worker of its own; the workers of activities
are one process for both. What the new code changes would break a replay of the old histories: of a
task without a word, of a migration guarded by `patched`.
"""

import contextlib
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import VersioningBehavior as Behavior
from temporalio.api.workflow.v1 import WorkflowExecutionVersioningInfo
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.adapters.children import Child
from activities.adapters.code_version import ROOMS, code_version
from activities.contracts.children import AreaRow
from activities.contracts.commands import Aimed
from activities.contracts.migration import Progress
from activities.contracts.report import MigrationReport
from activities.contracts.work import TaskStatus
from activities.serving import different_code, workers_of
from cli import unserved
from cli.asking import Handle
from cli.trouble import trouble_of
from tests import invariants, shop
from tests.service import DRAIN, ROOT, Service, environment, eventually, service, until
from workflows.options import QUEUES, area_id, migration_id, task_id
from workflows.parked import ParkedTaskWorkflow

DEPLOYMENT = "whimbrel"
SLOW = shop.SPEC.replace("sed -i", "sleep 1; sed -i") + "limits: {concurrency: 2}\n"
PAUSED = "c1-0001"
TASK, PLANNER = "workflows/task.py", "workflows/migration.py"
READS_TASK = "        order = await locally(\n"
JUDGES = "        self._enter(Stage.JUDGE)\n"


def new_code(into: Path) -> Path:
    """A checkout whose tasks and planner command something else than before."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, into / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "worker.py", into / "worker.py")
    rest = "await workflow.sleep(0.001)\n"
    edit(into / TASK, READS_TASK, f"        {rest}{READS_TASK}")
    edit(
        into / PLANNER, JUDGES, f'{JUDGES}        if workflow.patched("rest"):\n            {rest}'
    )
    return into


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def a_worker(whimbrel: Service, name: str, checkout: Path, *roles: str, **env: str) -> Child:
    words = [word for role in roles for word in ("--role", role)]
    address = {"TEMPORAL_ADDRESS": whimbrel.client.service_client.config.target_host}
    return Child(
        name,
        [sys.executable, str(checkout / "worker.py"), *words],
        log=whimbrel.home / f"{name}.log",
        env=environment(whimbrel.home) | address | env,
    )


@asynccontextmanager
async def working(worker: Child) -> AsyncIterator[Child]:
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop(DRAIN)


async def make_current(client: Client, checkout: Path) -> str:
    """Makes the checkout's version the current one, once its worker polls."""
    build = code_version(checkout)
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=DEPLOYMENT, build_id=build
    )

    async def is_current() -> bool:
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
        except RPCError as error:
            if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION):
                raise
            return False
        return True

    await eventually(is_current)
    return build


async def ran_on(client: Client, id: str) -> WorkflowExecutionVersioningInfo:
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=id)
    )
    described = await client.workflow_service.describe_workflow_execution(request)
    return described.workflow_execution_info.versioning_info


async def is_told(client: Client, handle: Handle, words: str) -> bool:
    """Whether people are told so of the migration."""
    progress = await handle.query("progress", result_type=Progress)
    area = client.get_workflow_handle(area_id(progress.name, "root"))
    rows: list[AreaRow] = []
    with contextlib.suppress(RPCError):  # before there is an area
        rows = await area.query("rows", result_type=list[AreaRow])
    return words in await trouble_of(client, progress, rows)


async def is_parked(client: Client, name: str, build: str) -> bool:
    """Whether the paused task waits: on this code, but pinned to none."""
    described = await client.get_workflow_handle(task_id(name, PAUSED, 0)).describe()
    if described.workflow_type != ParkedTaskWorkflow.__name__:
        return False
    where = await ran_on(client, described.id)
    upgrades = where.behavior == Behavior.VERSIONING_BEHAVIOR_AUTO_UPGRADE
    return upgrades and where.deployment_version.build_id == build


async def has_landed(client: Client, name: str) -> bool:
    area = client.get_workflow_handle(area_id(name, "root"))
    rows = await area.query("rows", result_type=list[AreaRow])
    return any(row.task.id == PAUSED and row.state == TaskStatus.LANDED for row in rows)


@pytest.mark.timeout(150)
async def test_new_code_under_a_running_migration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unserved, "TAKEN_WITHIN", timedelta(seconds=1))
    shop.make_shop(tmp_path / "upstream")
    new = new_code(tmp_path / "new")
    async with service(tmp_path / "home", worker=False) as whimbrel, AsyncExitStack() as workers:
        client = whimbrel.client
        versioned = {"WHIMBREL_DEPLOYMENT": DEPLOYMENT}
        async with working(a_worker(whimbrel, "old", ROOT, "control", **versioned)):
            old_build = await make_current(client, ROOT)
            started = {"NAME": "deployed", "REPOSITORY": str(tmp_path / "upstream")}
            handle = await whimbrel.start(SLOW, **started)
            await eventually(lambda: is_told(client, handle, "asked for work of integration"))
            tools = ("workspace", "checks", "integration", "delivery")
            await workers.enter_async_context(working(a_worker(whimbrel, "tools", ROOT, *tools)))
            await until(handle, lambda progress: progress.counts.running > 0)
            await handle.execute_update("pause", Aimed(task=PAUSED))
            await eventually(lambda: is_parked(client, "deployed", old_build))
            await workers.enter_async_context(
                working(a_worker(whimbrel, "new", new, "control", **versioned))
            )
            new_build = await make_current(client, new)
        await eventually(lambda: is_told(client, handle, f"no control worker of build {old_build}"))
        await handle.execute_update("resume", Aimed(task=PAUSED))
        await eventually(lambda: has_landed(client, "deployed"))
        async with working(a_worker(whimbrel, "old", ROOT, "control", **versioned)):
            workers_now = await workers_of(client, QUEUES)
            assert len({worker.code for worker in workers_now}) == 2
            assert different_code(workers_now) == ""
            report = whimbrel.report(await handle.result())
        await assert_versions(client, report, old_build, new_build)
        hub = whimbrel.hub(report)
        invariants.assert_sound_in_git(whimbrel.home, hub, report)


async def assert_versions(client: Client, report: MigrationReport, old: str, new: str) -> None:
    planner = await ran_on(client, migration_id(report.name))
    assert planner.behavior == Behavior.VERSIONING_BEHAVIOR_AUTO_UPGRADE
    assert planner.deployment_version.build_id == new
    tasks = {h.task: await ran_on(client, task_id(report.name, h.task, 0)) for h in report.handoffs}
    assert {t.behavior for t in tasks.values()} == {Behavior.VERSIONING_BEHAVIOR_PINNED}
    assert {t.deployment_version.build_id for t in tasks.values()} == {old, new}
    assert tasks[PAUSED].deployment_version.build_id == new
    (paused,) = (h for h in report.handoffs if h.task == PAUSED)
    assert [a.number for a in paused.attempts] == [1]
