"""Two hosts without the hub's disk carry a migration to its end; one of them is lost on the way,
and the other does not reach the hub for a while.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from activities.adapters.children import Child
from activities.adapters.embedded import recorded
from activities.adapters.hub import Hub
from activities.adapters.refs import PUSHED
from activities.adapters.settings import HubElsewhere, Settings
from activities.contracts.repository import repository_id
from tests import histories, invariants, shop, traces
from tests.adapters.hub_server import free_port, serving
from tests.service import DRAIN, ROOT, Service, environment, eventually, filled, kill, service

SPEC = filled(
    shop.SPEC,
    **{
        "max_files: 4": "max_files: 2",
        "codemod: sed -i": "codemod: sleep 0.5; sed -i",
        "NAME": "hosts",
    },
)
HUB_ROLES = ("control", "integration", "delivery")


def host(running: Service, name: str, home: Path, *roles: str, **env: str) -> Child:
    """A worker process of these roles; the server and the blobs are the service's."""
    command = [sys.executable, str(ROOT / "worker.py"), *(f"--role={role}" for role in roles)]
    server = recorded(running.home)
    assert server
    shared = {
        "TEMPORAL_ADDRESS": server.address,
        "WHIMBREL_BLOBS": str(running.home / "blobs"),
        "WHIMBREL_HOST": name,
    }
    return Child(name, command, log=home / "worker.log", env=environment(home) | shared | env)


@pytest_asyncio.fixture
async def whimbrel(tmp_path: Path) -> AsyncIterator[Service]:
    async with service(tmp_path / "hub-host", worker=False) as running:
        yield running


@pytest.mark.timeout(180)
async def test_a_migration_goes_on_where_one_of_its_hosts_is_lost(
    whimbrel: Service, tmp_path: Path
) -> None:
    homes = {name: tmp_path / name for name in ("one", "two")}
    shop.make_shop(tmp_path / "upstream")
    (whimbrel.home / "hub").mkdir()
    async with contextlib.AsyncExitStack() as stack:
        hosts = {"hub": host(whimbrel, "hub", whimbrel.home, *HUB_ROLES)}
        served = stack.enter_context(contextlib.ExitStack())
        ports = {name: free_port() for name in homes}
        for name, home in homes.items():
            url = served.enter_context(serving(whimbrel.home / "hub", name, ports[name]))
            env = {"WHIMBREL_HUB": url, "WHIMBREL_WORKSPACES_PER_HOST": "3"}
            hosts[name] = host(whimbrel, name, home, "workspace", "checks", **env)
        for worker in hosts.values():
            await worker.start()
            stack.push_async_callback(worker.stop, DRAIN)
        handle = await whimbrel.start(SPEC, REPOSITORY=str(tmp_path / "upstream"))
        hub = Hub(whimbrel.home / "hub" / f"{repository_id(str(tmp_path / 'upstream'))}.git")

        async def both_have_sent_work() -> bool:
            if not hub.path.is_dir():
                return False
            refs = await asyncio.to_thread(hub.refs, PUSHED)
            return {ref.split("/")[3] for ref in refs} == homes.keys()

        await eventually(both_have_sent_work, 120)
        kill(hosts["one"].pid)
        await hosts["one"].stop(0)
        served.close()

        async def the_hub_is_missed() -> bool:
            (mirror,) = (homes["two"] / "mirrors").glob("*.git")
            waits = await asyncio.to_thread(Hub(mirror).refs, PUSHED)
            return bool(waits) or "HubUnreachable" in (homes["two"] / "worker.log").read_text()

        await eventually(the_hub_is_missed, 60)
        served.enter_context(serving(whimbrel.home / "hub", "two", ports["two"]))
        report = whimbrel.report(await handle.result())
        told = await histories.read(whimbrel.client, "hosts")
    for home in homes.values():
        traces.assert_nothing_runs(home)
        (mirror,) = (home / "mirrors").glob("*.git")
        assert not (home / "hub").exists(), "no hub is begun where there is none"
        assert invariants.git(mirror, "fsck", "--connectivity-only").count(b"missing") == 0
    assert (report.sites_left, report.landed_files) == (1, 23), report.reason
    assert invariants.damage(whimbrel.home, hub.path, report, told) == invariants.Damage()
    invariants.assert_sound_in_git(whimbrel.home, hub.path, report)


def test_who_needs_the_hubs_disk_is_told_that_it_is_elsewhere(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, hub="ssh://whimbrel@hub.example.com/")
    with pytest.raises(HubElsewhere, match=r"WHIMBREL_HUB is ssh://whimbrel@hub.example.com/"):
        _ = settings.hub_here
    assert Settings(home=tmp_path).hub_here == tmp_path / "hub"


@pytest.mark.parametrize("hub", ["git@hub.example.com:hubs", "ext::sh -c id", "rsync://hub/"])
def test_what_git_would_take_for_something_else_is_refused(tmp_path: Path, hub: str) -> None:
    with pytest.raises(ValueError, match="neither a folder nor a URL with one of ssh://"):
        Settings(home=tmp_path, hub=hub)


async def test_a_worker_without_the_hubs_disk_neither_lands_nor_delivers(tmp_path: Path) -> None:
    env = environment(tmp_path) | {"WHIMBREL_HUB": "ssh://whimbrel@hub.example.com/"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "worker.py"), "--role", "integration"),
        stderr=asyncio.subprocess.PIPE,
        env=env | {"TEMPORAL_ADDRESS": "127.0.0.1:1"},
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert b"the hubs are not on this machine" in said
