"""The embedded server is a real one: started, joined, refused, and started again after kill -9."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client

from activities.adapters.children import Child
from activities.adapters.embedded import Embedded, Server, ServerTrouble, answers, running

ATTRIBUTES = {"MigrationName": "Keyword", "SitesLeft": "Int"}


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[tuple[Embedded, Server]]:
    """A running server in a state directory of its own."""
    ours = Embedded(tmp_path / "state", ATTRIBUTES)
    server = await ours.start()
    yield ours, server
    await ours.stop()


async def names(server: Server) -> set[str]:
    """The search attributes that the server knows, as a client reads them."""
    client = await Client.connect(server.address)
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace="default")
    )
    return set(answer.custom_attributes)


async def test_a_free_state_directory_gets_a_server_that_a_second_starter_joins_and_never_stops(
    embedded: tuple[Embedded, Server],
) -> None:
    ours, server = embedded
    assert set(ATTRIBUTES) <= await names(server)
    guest = Embedded(ours.state, ATTRIBUTES)
    assert await guest.start() == server
    assert guest.guest
    assert not ours.guest
    await guest.stop()
    assert await answers(server)


async def test_a_killed_server_comes_back_on_the_same_ports_with_the_same_database(
    embedded: tuple[Embedded, Server],
) -> None:
    ours, server = embedded
    client = await Client.connect(server.address)
    started = await client.start_workflow("Anything", id="survivor", task_queue="nobody")
    killed = ours.pid
    assert killed
    os.kill(killed, signal.SIGKILL)
    async with asyncio.timeout(20):
        while ours.pid in (None, killed) or not await answers(server):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    again = await Client.connect(server.address)
    described = await again.get_workflow_handle("survivor").describe()
    assert described.run_id == started.result_run_id


async def test_a_held_and_silent_state_directory_is_an_error_that_names_the_holder(
    embedded: tuple[Embedded, Server],
) -> None:
    ours, _ = embedded
    assert ours.pid
    await freeze(ours.pid)
    try:
        late = Embedded(ours.state, ATTRIBUTES)
        with pytest.raises(ServerTrouble, match=f"process {os.getpid()}"):
            await late.start(patience=0.5)
    finally:
        os.kill(ours.pid, signal.SIGCONT)


async def test_stopping_frees_the_directory_and_a_later_server_has_the_same_address(
    tmp_path: Path,
) -> None:
    first = Embedded(tmp_path, ATTRIBUTES)
    server = await first.start()
    pid = first.pid
    assert pid
    assert await running(tmp_path) == server
    await first.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert await running(tmp_path) is None
    second = Embedded(tmp_path, ATTRIBUTES)
    assert await second.start() == server
    await second.stop()


async def test_a_server_that_cannot_start_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    broken = Embedded(tmp_path, {"Wrong": "NoSuchType"})
    with pytest.raises(ServerTrouble, match="NoSuchType"):
        await broken.start()
    assert broken.pid is None


async def freeze(pid: int) -> None:
    """A stop is heeded when one thread of the process next runs; until then the others go on."""
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.timeout(30):
        while not is_frozen(pid):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def is_frozen(pid: int) -> bool:
    return all(state_of(thread) in "TZX" for thread in Path(f"/proc/{pid}/task").iterdir())


def state_of(process: Path) -> str:
    """One letter, as the kernel says it; X when it is gone."""
    try:
        return (process / "stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "X"


ROBBED = """\
#!/bin/sh
if mkdir "$HOME/robbed" 2>/dev/null; then
    echo "listen tcp: bind: address already in use"
    exit 1
fi
exec TEMPORAL "$@"
"""


async def test_a_server_whose_port_was_taken_before_it_listened_is_started_on_others(
    tmp_path: Path,
) -> None:
    binary = tmp_path / "temporal"
    binary.write_text(ROBBED.replace("TEMPORAL", str(Path(sys.executable).with_name("temporal"))))
    binary.chmod(0o755)
    ours = Embedded(tmp_path / "state", ATTRIBUTES, binary)
    server = await ours.start()
    assert (tmp_path / "state/robbed").is_dir()
    assert await answers(server)
    await ours.stop()


async def test_no_outgoing_connection_can_take_the_port_of_a_server_that_is_away(
    embedded: tuple[Embedded, Server],
) -> None:
    _, server = embedded
    used = {int(at.rsplit(":", 1)[1]) for at in (server.address, server.ui, server.http)}
    assert used.isdisjoint(given_to_connections())


def given_to_connections() -> range:
    first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    return range(int(first), int(last) + 1)


STARTER = """\
import asyncio, sys
from pathlib import Path
from activities.adapters.children import Child
from activities.adapters.embedded import Embedded

async def main():
    ours = Embedded(Path(sys.argv[1]), {})
    await ours.start()
    print(ours.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_kill_9_of_the_starter_leaves_no_server_and_a_free_directory(tmp_path: Path) -> None:
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARTER, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout
    pid = int(await starter.stdout.readline())
    assert await running(tmp_path)
    starter.kill()
    await starter.wait()
    async with asyncio.timeout(10):
        while is_alive(pid):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    next_one = Embedded(tmp_path, ATTRIBUTES)
    await next_one.start()
    assert not next_one.guest
    await next_one.stop()


def is_alive(pid: int) -> bool:
    return state_of(Path(f"/proc/{pid}")) not in "ZX"


async def test_a_child_that_keeps_dying_is_reported_with_its_last_words(tmp_path: Path) -> None:
    child = Child("worker", ["/bin/sh", "-c", "echo no key; exit 3"], log=tmp_path / "log", env={})
    await child.start()
    async with asyncio.timeout(30):
        while not child.trouble:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await child.stop(1)
    assert child.trouble.startswith("the worker stops as soon as it is started:")
    assert "no key" in child.trouble


async def test_a_child_that_will_not_end_is_killed_with_its_whole_group(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 1000 & echo $!; wait; sleep 1000"
    child = Child("worker", ["/bin/sh", "-c", script], log=tmp_path / "log", env={})
    await child.start()
    async with asyncio.timeout(10):
        while not (said := (tmp_path / "log").read_text()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await child.stop(0.2)
    async with asyncio.timeout(5):
        while is_alive(int(said)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert child.pid is None
