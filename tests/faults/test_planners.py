"""Planners that are paused, killed, cancelled and refused, by the way people take."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable

import pytest
import pytest_asyncio
from temporalio.client import WorkflowExecutionStatus

from activities.contracts.migration import Stage
from tests import shop
from tests.fakes.messages_api import MessagesApi, Request
from tests.fakes.replies import Failure, Reply, call, said
from tests.service import Service, eventually, filled, kill, service

MODULE = {"loop_scope": "session", "scope": "module"}
SPEC = filled(shop.SPEC, **{"split: {by: directory, max_files: 4}": "plan: claude"})
GATE = asyncio.Event()
"""What a planner waits for whose objective says HELD."""


async def held(request: Request) -> Reply:
    """It looks around at once, and then for ever, each time when the gate is open."""
    if len(request.body["messages"]) > 1:
        await GATE.wait()
        GATE.clear()
    return said(call("read", path=f"area0/m{len(request.body['messages']) // 2 % 4}.py"))


def answer(request: Request) -> Failure | Awaitable[Reply]:
    """By the objective."""
    if "REFUSED" in request.body["messages"][0]["content"][0]["text"]:
        return Failure(401, "authentication_error", "invalid x-api-key")
    return held(request)


@pytest_asyncio.fixture(**MODULE)
async def api() -> AsyncIterator[MessagesApi]:
    async with MessagesApi(answer) as serving:
        yield serving


@pytest_asyncio.fixture(**MODULE)
async def whimbrel(
    api: MessagesApi, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    key = {"ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "k"}
    home = tmp_path_factory.mktemp("home")
    shop.make_shop(home / "upstream")
    async with service(home, **key) as running:
        yield running


@pytest.mark.chaos
async def test_a_planner_stands_still_with_its_migration_survives_its_worker_and_ends_when_told(
    whimbrel: Service, api: MessagesApi
) -> None:
    words = {"Every call of": "HELD: every call of", "objective: ": "objective: |\n  "}
    spec = filled(SPEC, NAME="held", **words, REPOSITORY=str(whimbrel.home / "upstream"))
    handle = await whimbrel.start(spec)
    talk = whimbrel.client.get_workflow_handle("migration/held/plan/c1/root")

    def asked() -> int:
        return sum("HELD" in json.dumps(request.body) for request in api.requests)

    async def stands_still() -> bool:
        metadata = await talk.query("__temporal_workflow_metadata")
        return "paused with its migration; 2 turns" in metadata.current_details

    await eventually(lambda: came(asked() == 2))
    assert (await whimbrel.starter("pause", "held", "-m", "lunch")).code == 0
    GATE.set()
    await eventually(stands_still)
    assert whimbrel.worker
    kill(whimbrel.worker.pid)
    assert asked() == 2
    assert (await whimbrel.starter("resume", "held")).code == 0
    await eventually(lambda: came(asked() == 3))
    assert (await whimbrel.starter("cancel", "held", "-m", "enough", "--yes")).code == 0
    result = await handle.result()
    assert (result.stage, asked()) == (Stage.CANCELLED, 3)
    assert result.spend.recorded
    assert (await talk.describe()).status is WorkflowExecutionStatus.CANCELED


async def came(holds: bool) -> bool:
    return holds


@pytest.mark.chaos
async def test_a_planner_whose_key_is_refused_stands_still_and_status_says_what_to_see_to(
    whimbrel: Service,
) -> None:
    words = {"Every call of": "REFUSED: every call of", "objective: ": "objective: |\n  "}
    spec = filled(SPEC, NAME="refused", **words, REPOSITORY=str(whimbrel.home / "upstream"))
    handle = await whimbrel.start(spec)

    async def told() -> bool:
        status = await whimbrel.starter("status", "refused")
        return "paused by the model's provider" in status.out and "KeyRefused" in status.out

    await eventually(told, 60)
    assert (await whimbrel.starter("cancel", "refused", "-m", "enough", "--yes")).code == 0
    assert (await handle.result()).stage is Stage.CANCELLED
