"""A service that cannot carry migrations, or workers of two minds: told with the way out."""

import asyncio
import json
import os
import shlex
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import BINARIES
from google.protobuf.duration_pb2 import Duration
from temporalio import activity
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.adapters.code_version import ROOMS, ROOT, code_version
from activities.adapters.prices import Prices
from activities.serving import Unfit, check_service, different_code, with_code, workers_of
from cli.boundary import Code, Refused
from cli.doctor import doctor
from cli.session import session
from workflows.options import CHECKS, QUEUES, SEARCH_ATTRIBUTES


def address(client: Client) -> str:
    return client.service_client.config.target_host


async def advised(command: str, at: str) -> None:
    """Runs what somebody was told to run."""
    words = shlex.split(command)
    assert words[0] == "temporal"
    process = await asyncio.create_subprocess_exec(
        str(BINARIES / "temporal"), *words[1:], "--address", at, stdout=subprocess.DEVNULL
    )
    assert await process.wait() == 0


async def a_namespace(client: Client, name: str) -> Client:
    """A namespace that nobody has prepared."""
    kept = Duration()
    kept.FromTimedelta(timedelta(days=1))
    request = RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=kept)
    await client.workflow_service.register_namespace(request)
    own = await Client.connect(address(client), namespace=name)
    async with asyncio.timeout(30):
        while True:  # the server reads its list of namespaces now and then
            try:
                await check_service(own, {})
            except Unfit:
                await asyncio.sleep(0.1)
            else:
                return own


async def fit(client: Client) -> None:
    """Returns once the service can carry migrations: its lists are read now and then."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await check_service(client, SEARCH_ATTRIBUTES)
            except Unfit:
                await asyncio.sleep(0.1)


@pytest.fixture
async def elsewhere(
    env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> str:
    """The people's door is pointed at a namespace that is not there; its server's address."""
    monkeypatch.setenv("WHIMBREL_HOME", str(tmp_path))
    monkeypatch.setenv("TEMPORAL_ADDRESS", address(env.client))
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "nowhere")
    return address(env.client)


async def test_a_namespace_that_is_not_there_is_told_at_every_door(
    elsewhere: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = f"Temporal at {elsewhere} has no namespace 'nowhere' (it has default"
    with pytest.raises(Refused) as refused:
        async with session():
            pass
    assert refused.value.code is Code.UNREACHABLE
    assert str(refused.value).startswith(said)
    assert "temporal operator namespace create -n nowhere" in str(refused.value)
    assert await doctor(True) is Code.NOT_DONE
    findings = {f["name"]: f for f in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["connection"]["seen"].startswith(said)
    assert findings["connection"]["fix"].startswith("Set TEMPORAL_NAMESPACE")
    assert findings["prices"] == {"name": "prices", "ok": True, "seen": Prices().source, "fix": ""}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "worker.py"), "--role", "delivery"),
        env=dict(os.environ),
        stderr=subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().startswith(f"worker.py: {said}")
    assert len(err.splitlines()) == 1


async def test_search_attributes_that_are_missing_are_added_by_the_command_that_is_told(
    env: WorkflowEnvironment,
) -> None:
    bare = await a_namespace(env.client, "bare")
    with pytest.raises(Unfit) as unfit:
        await check_service(bare, SEARCH_ATTRIBUTES)
    assert all(name in str(unfit.value) for name in SEARCH_ATTRIBUTES)
    await advised(str(unfit.value).partition("Add them: ")[2], address(env.client))
    await fit(bare)


async def test_a_search_attribute_of_another_type_is_told(env: WorkflowEnvironment) -> None:
    other = await a_namespace(env.client, "other")
    command = "temporal operator search-attribute create -n other --name Stage --type Int"
    await advised(command, address(env.client))
    async with asyncio.timeout(30):
        while True:
            with pytest.raises(Unfit) as unfit:
                await check_service(other, SEARCH_ATTRIBUTES)
            if "Stage is Int, not Keyword" in str(unfit.value):
                return
            await asyncio.sleep(0.1)


async def test_a_server_without_updates_is_told_to_be_too_old() -> None:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(BINARIES / "temporal"),
        dev_server_extra_args=[
            *("--dynamic-config-value", "frontend.enableUpdateWorkflowExecution=false")
        ],
    ) as old:
        with pytest.raises(Unfit, match=r"takes no workflow updates.* Upgrade it to 1\.25"):
            await check_service(old.client, {})


@activity.defn
async def nothing() -> None:
    """Somebody has to be there."""


async def test_workers_of_different_code_are_told_with_their_names(
    env: WorkflowEnvironment,
) -> None:
    one = await Client.connect(address(env.client), identity=with_code("1@old-host", "aaa"))
    two = await Client.connect(address(env.client), identity=with_code("2@new-host", "bbb"))
    async with (
        Worker(one, task_queue=CHECKS, activities=[nothing], max_concurrent_activity_task_polls=20),
        Worker(two, task_queue=CHECKS, activities=[nothing], max_concurrent_activity_task_polls=20),
        asyncio.timeout(90),
    ):
        found = []
        while {w.code for w in found} < {"aaa", "bbb"}:
            found = [w for w in await workers_of(env.client, QUEUES) if "host" in w.identity]
    told = different_code(found)
    assert "code aaa: 1@old-host; code bbb: 2@new-host" in told
    assert "stop those of the older code" in told
    assert different_code(found[:1]) == ""


def test_code_is_told_by_its_content_alone(tmp_path: Path) -> None:
    shutil.copy(ROOT / "worker.py", tmp_path)
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room)
    assert code_version(tmp_path) == code_version()
    with (tmp_path / "workflows" / "area.py").open("a") as file:
        file.write("# changed\n")
    assert code_version(tmp_path) != code_version()
