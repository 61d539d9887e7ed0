"""A guest of another starter's server runs it itself when that starter ends, and says so once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from activities.adapters.embedded import Embedded
from cli.session import session
from workflows.options import SEARCH_ATTRIBUTES

SAID = "The starter that ran the server has ended: this one runs server and worker now.\n"


@pytest_asyncio.fixture
async def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Embedded]:
    """What another starter runs, in the state directory that a session here will use."""
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv("WHIMBREL_HOME", str(tmp_path))
    server = Embedded(tmp_path, SEARCH_ATTRIBUTES)
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize("local", [True, False])
async def test_a_guest_that_waits_becomes_the_host_when_its_host_ends(
    host: Embedded, capfd: pytest.CaptureFixture[str], local: bool
) -> None:
    async with session(local=local, needs_work=False) as guest:
        assert guest.hosting
        assert (guest.hosting.guest, guest.hosting.worker) == (True, None)
        handle = await guest.client.start_workflow("Anything", id="a", task_queue="nobody")
        answered = asyncio.Event()
        waiting = asyncio.create_task(guest.outlast(answered.wait()))
        await host.stop()
        assert (await handle.describe()).id == "a"  # asked while nobody was there to answer
        answered.set()
        await waiting
        assert guest.hosting.worker
        assert guest.hosting.worker.pid is None
        await guest.need_worker()
        assert guest.hosting.worker.pid
    assert capfd.readouterr().err == SAID


async def test_a_guest_stops_nothing_as_long_as_its_host_lives(host: Embedded) -> None:
    async with session(local=True, needs_work=False) as guest:
        assert guest.hosting
        await guest.hosting.stand_in()
        assert guest.hosting.guest
    assert await Embedded(host.state, SEARCH_ATTRIBUTES).stand_in() is None
