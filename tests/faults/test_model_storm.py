"""A migration that agents carry out in every kind of API weather: two hundred turns of twenty of
them, with workspaces, tools and landings, with and without kill -9 of model workers and server.

What the records say is held against the account that the API itself keeps, and what landed against
what was to be done. `CHAOS_SEED` repeats the weather and the moments of an earlier run.
"""

import asyncio
import os
import random
import re
from collections import Counter
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from activities.adapters.transcripts import Transcripts
from activities.contracts.agent import AgentEnd, AgentRun
from activities.contracts.migration import Stage
from activities.contracts.money import Spend
from activities.contracts.report import MigrationReport
from activities.serving import workers_of
from tests import histories, invariants, shop
from tests.adapters.repositories import git, make_repository
from tests.fakes.messages_api import Json, MessagesApi, Request
from tests.fakes.replies import Block, Reply, call, said
from tests.fakes.weather import BREEZE, WEATHER, storm
from tests.faults.hurricane import Hurricane, Weather
from tests.service import Service, eventually, left_after, outlasting, service
from workflows.options import MODEL

SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(1_000_000)))
STEPS = 6
"""Turns of an agent beside those that edit."""
ROLES = ("control", "workspace", "checks", "integration", "delivery", "model", "model 2")
STRUCK = ("model", "model 2", "server")
LITTLE, EACH, CAP = "0.8", "6", "100"
"""USD: what some storms use up, so that the next rung goes on; enough for a task; for all."""
SPEC = f"""\
version: 1
name: storm
repository: REPOSITORY
objective: Every call of old_name becomes one of new_name.
sites: {{include: ["/area*/"], find: {{regex: 'old_name'}}}}
split: {{by: file, max_files: 1}}
ladder: [{{claude: {{usd: {LITTLE}}}}}, {{claude: {{}}}}]
checks: {{all: {{run: [/usr/bin/python3, run_checks.py], results: tap}}}}
limits: {{concurrency: 20, usd: {CAP}, task_usd: {EACH}}}
"""


def module(parts: int) -> str:
    """A module of so many places to change, each in a line of its own."""
    lines = [f"part{n} = old_name({n})\n" for n in range(parts)]
    values = " + ".join(f"part{n}" for n in range(parts))
    expected = sum(n + 1 for n in range(parts))
    return "".join(lines) + f"\n\ndef value():\n    return {values}\n\n\nEXPECTED = {expected}\n"


def works(request: Request) -> Reply:
    """Searches, reads, edits one place a turn, reads, runs, checks, ends: what it does next follows
    from what it has done and what came of it."""
    calls = [block for block in _blocks(request.body, "assistant") if block["type"] == "tool_use"]
    done = Counter(one["name"] for one in calls)
    path = _mine(request.body)
    found = _found(request.body, path)
    if not done["search"]:
        return said("Where is it?", call("search", pattern="old_name", paths=[path]))
    if not done["read"]:
        return said(call("read", path=path))
    edited = {one["input"].get("old") for one in calls if one["name"] == "edit"}
    if left := [line for line in found if line not in edited]:
        new = left[0].replace("old_name", "new_name")
        return said(f"{len(left)} to go.", call("edit", path=path, old=left[0], new=new))
    if done["read"] < 2:
        return said(call("read", path=path))
    if not done["run"]:
        return said(call("run", command=f"python3 -m py_compile {path}"))
    if not done["check"]:
        return said(call("check"))
    return said(call("finish", status="done", did="Called it by its new name.", verified="checks"))


def _blocks(body: Json, role: str) -> list[Block]:
    return [
        block
        for message in body["messages"]
        if message["role"] == role and not isinstance(message["content"], str)
        for block in message["content"]
    ]


def _mine(body: Json) -> str:
    """The file of the task, as the brief lists it."""
    brief = _blocks(body, "user")[0]["text"].partition("# Files you may change")[2]
    [path] = re.findall(r"^- (\S+?)(?::.*)?$", brief, re.MULTILINE)
    return path


def _found(body: Json, path: str) -> list[str]:
    """The lines that the first search has told of."""
    results = [str(b["content"]) for b in _blocks(body, "user") if b["type"] == "tool_result"]
    return re.findall(rf"{path}:\d+: (part\d+ = old_name\(\d+\))", results[0]) if results else []


async def _takes_turns(whimbrel: Service) -> bool:
    """Who begins before a model's worker is there goes on without it."""
    return len(await workers_of(whimbrel.client, {MODEL: False})) > 0


LONG = (pytest.mark.chaos, pytest.mark.timeout(1500))


@pytest.mark.parametrize(
    ("agents", "parts", "roles", "strikes"),
    [
        pytest.param(3, 1, ("all",), 0, id="breeze"),
        pytest.param(20, 6, ROLES, 0, marks=LONG, id="storm"),
        pytest.param(20, 6, ROLES, 8, marks=LONG, id="struck"),
    ],
)
async def test_no_weather_makes_a_task_end_wrong_or_a_cap_pass(
    tmp_path: Path, agents: int, parts: int, roles: tuple[str, ...], strikes: int
) -> None:
    print(f"CHAOS_SEED={SEED}")
    seen: Counter[str] = Counter()
    kinds = WEATHER if agents == 20 else BREEZE
    paths = [f"area{n // 4}/m{n % 4}.py" for n in range(agents)]
    make_repository(
        tmp_path / "upstream",
        {**dict.fromkeys(paths, module(parts)), "run_checks.py": shop.RUNNER},
    )
    home = tmp_path / "home"
    async with MessagesApi(storm(works, SEED, seen, kinds)) as api:
        reach = {"ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "k"}
        room = {"WHIMBREL_WORKSPACES_PER_HOST": str(agents)}
        async with service(home, roles=roles, **reach, **room) as whimbrel:
            await eventually(partial(_takes_turns, whimbrel))
            handle = await whimbrel.start(SPEC, REPOSITORY=str(tmp_path / "upstream"))
            weather = Weather(SEED, pause=(2.0, 8.0), most=strikes, among=STRUCK)
            hurricane = Hurricane(whimbrel, weather)
            if strikes:  # they are all at work
                await eventually(lambda: asyncio.sleep(0, len(api.requests) > agents), 120)
            blowing = asyncio.create_task(hurricane.blow())
            try:
                report = whimbrel.report(await outlasting(handle, 1200))
            finally:
                blowing.cancel()
                await asyncio.gather(blowing, return_exceptions=True)
            hub = whimbrel.hub(report)
            told = await histories.read(whimbrel.client, report.name)
            await left_after(home)
        records = Transcripts(whimbrel.blobs)
        spends = {h.task: records.spent(report.name, f"task/{h.task}") for h in report.handoffs}
        turns = sum(
            len(records.chunks(talk))
            for task in spends
            for talk in records.conversations(report.name, f"task/{task}")
        )
    print(f"{turns} turns, {len(api.account.served)} served, {hurricane.strikes}, {dict(seen)}")
    assert report.outcome is Stage.DONE, report.reason
    assert report.plan
    assert f"models may cost at most {CAP}.00 USD, {EACH}.00 a task" in report.plan.forecast.note
    right = module(parts).replace("old_name", "new_name").encode()
    assert {path: git(hub, "show", f"{report.tip}:{path}") for path in paths} == (
        dict.fromkeys(paths, right)
    )
    assert all(a.turns >= STEPS + parts for a in first_done(report))
    assert agents < 20 or turns >= 200
    assert_money_holds(report, spends)
    whole = sum(spends.values(), Spend())
    assert api.account.usd <= whole.total <= Decimal(CAP)
    unrecorded = sum(served.whole for served in api.account.served) - turns
    struck = len(hurricane.strikes)
    assert 0 <= unrecorded <= struck * agents
    assert whole.recorded <= api.account.confirmed
    assert struck or whole.recorded == api.account.confirmed
    assert strikes == 0 or struck
    assert strikes or set(seen) <= set(kinds)
    invariants.assert_sound(home, hub, report)
    invariants.assert_told(hub, report, told)


def first_done(report: MigrationReport) -> list[AgentRun]:
    """The agents that were the first at their task and ended it themselves."""
    firsts = [handoff.attempts[0].agent for handoff in report.handoffs if handoff.attempts]
    return [agent for agent in firsts if agent and agent.end is AgentEnd.DONE]


def assert_money_holds(report: MigrationReport, spends: dict[str, Spend]) -> None:
    """What was told is what is on record, and no attempt and no task passed its cap."""
    assert report.spend == sum(spends.values(), Spend())
    for handoff in report.handoffs:
        assert sum((a.spend for a in handoff.attempts), Spend()) == spends[handoff.task]
        assert handoff.spend == spends[handoff.task]
        assert handoff.spend.total <= Decimal(EACH)
        poor = [a for a in handoff.attempts if a.agent and a.agent.end is AgentEnd.BUDGET]
        assert all(attempt.spend.total <= Decimal(LITTLE) for attempt in poor)
