"""gc against a real server: what is open stays, what is past its time goes; a dry run, nothing."""

import json
import os
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import a_spec
from temporalio import workflow
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.adapters.blobs import BlobStore
from activities.adapters.embedded import Embedded
from activities.adapters.hubs import Hubs
from activities.contracts.base import digest_of
from activities.contracts.migration import MigrationInput
from activities.contracts.repository import GreenBranch, Repository
from cli import gc
from cli.boundary import Code, Refused
from tests.adapters.repositories import git
from tests.service import eventually
from workflows import options

DAY = timedelta(days=1).total_seconds()
REPOSITORY = "shop-00000000"


@workflow.defn(name="MigrationWorkflow")
class Ends:
    """Runs until it is told to end."""

    @workflow.init
    def __init__(self, given: MigrationInput) -> None:
        self._ends = False

    @workflow.run
    async def run(self, given: MigrationInput) -> None:
        await workflow.wait_condition(lambda: self._ends)

    @workflow.signal
    def end(self) -> None:
        self._ends = True


class Place:
    """A state directory, and the server that knows its migrations."""

    def __init__(self, home: Path, client: Client) -> None:
        self.home, self._client = home, client
        self.store = BlobStore(home / "blobs")
        self.hub = Hubs(home / "hub").begin(REPOSITORY)
        tree = git(self.hub.path, "mktree", stdin=b"").decode().strip()
        self._commit = self.hub.write_commit(tree, [], "work\n", 0)

    def leave(self, name: str, days: int) -> MigrationInput:
        """What a migration leaves, so many days old."""
        spec = a_spec(name, limits={"days": 5})
        ref = self.store.put_model(name, spec)
        self.store.put_once(name, "baseline/unit", b"kept")
        self.hub.claim_branch(
            GreenBranch(repository=REPOSITORY, name=f"whimbrel/{name}", migration=name),
            self._commit,
        )
        self.hub.keep(f"refs/whimbrel/once/{name}/0123-0", self._commit)
        then = time.time() - days * DAY
        for path in (self.home / "blobs").rglob("*"):
            if path.is_file() and name in path.parts:
                os.utime(path, (then, then))
        return MigrationInput(
            name=name,
            repository=Repository(url="/nowhere", id=REPOSITORY),
            spec=ref,
            spec_digest=digest_of(spec),
        )

    async def seen(self, name: str) -> None:
        """Returns once the search, which is a moment late, knows it."""
        query = f'{options.MIGRATION_NAME.name}="{name}" AND ExecutionStatus="Running"'

        async def listed() -> bool:
            return bool([found async for found in self._client.list_workflows(query)])

        await eventually(listed)

    async def begin(self, given: MigrationInput, id: str = "") -> Any:
        return await self._client.start_workflow(
            "MigrationWorkflow",
            given,
            id=id or options.migration_id(given.name),
            task_queue=options.CONTROL,
            search_attributes=TypedSearchAttributes(
                [SearchAttributePair(options.MIGRATION_NAME, given.name)]
            ),
        )

    def all(self) -> set[str]:
        """Every blob and every ref."""
        files = {str(path) for path in (self.home / "blobs").rglob("*") if path.is_file()}
        return files | set(self.hub.refs("refs/"))


@pytest.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    home = tmp_path_factory.mktemp("home")
    embedded = Embedded(home / "server", options.SEARCH_ATTRIBUTES)
    server = await embedded.start()
    client = await Client.connect(server.address, data_converter=pydantic_data_converter)
    before = dict(os.environ)
    os.environ |= {"TEMPORAL_ADDRESS": server.address, "WHIMBREL_HOME": str(home)}
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue=options.CONTROL, workflows=[Ends], workflow_runner=runner):
        yield Place(home, client)
    os.environ.clear()
    os.environ |= before
    await embedded.stop()


async def collected(
    capsys: pytest.CaptureFixture[str], name: str = "", days: float | None = None, **how: bool
) -> dict[str, str]:
    """What was said to go (`goes: …`) or to stay, of each migration."""
    seconds = None if days is None else days * DAY
    dry_run = how.get("dry_run", False)
    capsys.readouterr()
    assert await gc.collect(name, seconds, dry_run, local=False, as_json=True) == Code.OK
    said = json.loads(capsys.readouterr().out)
    assert (said["schema"], said["dry_run"]) == ("whimbrel.gc/1", dry_run)
    gone = {
        row["name"]: f"goes: {row['blobs']} {row['refs']} {row['why']}" for row in said["removed"]
    }
    return gone | {row["name"]: row["why"] for row in said["kept"]}


async def test_only_what_is_over_and_past_its_time_goes(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, days in {"forgotten": 60, "lately": 40, "just-now": 0}.items():
        place.leave(name, days)
    running = await place.begin(place.leave("running", 400))
    closed = await place.begin(place.leave("closed", 400))
    await closed.signal("end")
    await closed.result()
    drains = await place.begin(place.leave("drains", 400), "migration/drains/task/c1-0001/0")
    await place.seen("drains")
    until = (await closed.describe()).close_time + timedelta(days=5 + 30)
    before = place.all()

    said = await collected(capsys, dry_run=True)
    assert place.all() == before
    assert said["forgotten"].startswith("goes: 2 1 unknown to the server, its newest blob is of ")
    assert "kept until" in said["lately"]
    assert said["just-now"] == "written for within the last 10 minutes"
    assert said["running"] == "migration/running is open"
    assert said["closed"].endswith(f"kept until {until:%Y-%m-%d %H:%M} UTC")
    assert said["drains"] == "migration/drains/task/c1-0001/0 is open"

    assert await collected(capsys) == said
    gone = before - place.all()
    assert all("forgotten" in one for one in gone)
    assert len(gone) == 3
    assert {
        "refs/heads/whimbrel/forgotten",
        "refs/whimbrel/owner/whimbrel/forgotten",
    } <= place.all()
    assert "forgotten" not in await collected(capsys)

    said = await collected(capsys, days=0)
    assert sorted(name for name, why in said.items() if why.startswith("goes")) == [
        "closed",
        "lately",
    ]
    with pytest.raises(Refused, match="no blobs of it") as refused:
        await collected(capsys, "closed")
    assert refused.value.code == Code.NOT_FOUND
    await drains.signal("end")
    await running.signal("end")
    await running.result()


async def test_a_hub_goes_when_nothing_open_uses_it(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    user = await place.begin(place.leave("user", 0))
    with pytest.raises(Refused, match="migration/user is open") as refused:
        await gc.remove_hub(REPOSITORY, dry_run=False, local=False, as_json=False)
    assert refused.value.code == Code.REJECTED
    await user.signal("end")
    await user.result()

    assert await gc.remove_hub(REPOSITORY, dry_run=True, local=False, as_json=True) == Code.OK
    assert "whimbrel/user" in json.loads(capsys.readouterr().out)["branches"]
    assert place.hub.path.is_dir()
    assert await gc.remove_hub(REPOSITORY, dry_run=False, local=False, as_json=False) == Code.OK
    assert not place.hub.path.exists()
    with pytest.raises(Refused, match="No hub is named"):
        await gc.remove_hub(REPOSITORY, dry_run=False, local=False, as_json=False)
