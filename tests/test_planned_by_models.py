"""A migration that models plan, by the way people take: worker.py as a process, real git, the real
sandbox, and a local Messages API whose planner explores, errs, mends its plan and opens an area.
"""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from activities.adapters.prices import Prices
from activities.adapters.reporting import render_report
from activities.contracts.agent import AgentEnd
from activities.contracts.migration import Stage
from activities.contracts.plan import Plan
from tests import shop
from tests.fakes.messages_api import MessagesApi, Request
from tests.fakes.replies import Reply, call, said
from tests.service import Service, eventually, filled, service
from workflows.migration import MigrationWorkflow
from workflows.options import NEEDS_HUMAN

MODULE = {"loop_scope": "session", "scope": "module"}
SPEC = filled(
    shop.SPEC,
    **{"split: {by: directory, max_files: 4}": "plan: claude\njudge: claude\nlimits: {usd: 9}"},
)
CORE = {"key": "core", "title": "the first ones", "files": ["area0/"], "instructions": "Mind m3."}
REST = {"key": "rest", "title": "areas 1 to 3", "files": ["area1/", "area2/", "area3/"]}
AREA = {**REST, "decisions": ["new_name stands alone."], "needs": ["core"], "usd": 5}
HALF = {"summary": "Half of it.", "tasks": [CORE]}
WHOLE = {
    "summary": "The first ones show the way.",
    "tasks": [CORE],
    "areas": [AREA],
    "take_static": True,
    "first": ["core"],
    "notes": "run_checks.py compiles each module.",
}


def answer(request: Request) -> Reply:
    """What a planner does: it looks around, forgets files, mends that; its area's takes the
    split."""
    brief = request.body["messages"][0]["content"][0]["text"]
    names = {tool["name"] for tool in request.body["tools"]}
    if "finish" in names:
        return worked(request)
    if "give_verdict" in names:
        return judged(request)
    assert "submit_plan" in names
    assert not names & {"edit", "write", "run", "finish"}
    if "# Your area: rest" in brief:
        return said(call("submit_plan", summary="As proposed.", take_static=True))
    if "NEVER FIT" in brief:
        return said(call("submit_plan", **HALF))
    turn = len(request.body["messages"]) // 2
    looks = [call("find_files", pattern="area0/*"), call("read", path="area0/m3.py")]
    return [said(*looks), said(call("submit_plan", **HALF)), said(call("submit_plan", **WHOLE))][
        turn
    ]


def worked(request: Request) -> Reply:
    """A worker does its one file, and claims more than holds; another one never ends."""
    if "NO END" in request.body["messages"][0]["content"][0]["text"]:
        return said("I wonder.")
    if len(request.body["messages"]) == 1:
        change = {"path": "area0/m0.py", "old": "old_name", "new": "new_name"}
        site = {"path": "area1/m0.py", "line": 4, "why": "old too"}
        return said(call("edit", **change), call("report_site", **site))
    counted = {"what": "modules", "command": "ls area0 | wc -l", "value": 4}
    grown = {"what": "lines", "command": "wc -l < area0/m0.py", "value": 99}
    lost = {"what": "speed", "command": "false", "value": 1}
    form = {"status": "done", "did": "Renamed it.", "verified": "nothing"}
    form |= {"measurements": [counted, grown, lost], "concerns": ["The alias stays."]}
    return said(call("finish", **form, follow_ups=["Drop the alias."]))


def judged(request: Request) -> Reply:
    """A judge looks at one file, which is at the green tip, and has a concern."""
    if len(request.body["messages"]) == 1:
        return said(call("read", path="area0/m0.py"))
    assert "return new_name(0)" in json.dumps(request.last)
    sites = [
        {"path": shop.TRAP, "why": "old"},
        {"path": "run_checks.py", "line": 3, "why": "alias"},
    ]
    reasons = [{"path": "area0/m0.py", "what": "The name says little."}]
    return said(
        call("give_verdict", verdict="concerns", summary="As asked.", reasons=reasons, sites=sites)
    )


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


async def test_a_model_plans_and_what_it_planned_is_carried_out(
    whimbrel: Service, api: MessagesApi
) -> None:
    spec = filled(SPEC, NAME="thought", REPOSITORY=str(whimbrel.home / "upstream"))
    handle = await whimbrel.start(spec)

    async def wrote() -> bool:
        return bool((await handle.query(MigrationWorkflow.progress)).notes)

    await eventually(wrote, 60)
    notes = await whimbrel.starter("show", "thought", "--notes")
    result = await handle.result()
    again = await whimbrel.starter("show", "thought", "--notes")
    assert notes.out == again.out == "run_checks.py compiles each module.\n"
    assert result.stage is Stage.DONE_WITH_LEFTOVERS  # the trap, and nothing else
    assert result.plan
    assert "The first ones show the way." in result.plan.forecast.note
    plan = whimbrel.blobs.get_model(result.plan.plan, Plan)
    areas = {task.id: task.area for task in plan.tasks}
    assert areas["c1-0001"] == "root"
    assert areas["c1-a1-0001"] == "rest"
    assert plan.caps == result.plan.caps == {"rest": 5}
    assert plan.pilot == ("c1-0001",)
    assert plan.tasks[0].instructions == "Mind m3."
    assert all(t.needs == ("c1-0001",) for t in plan.tasks if t.area == "rest")
    assert plan.notes == "run_checks.py compiles each module."
    landed = [h for h in whimbrel.report(result).handoffs if h.status.landed]
    assert sum(len(h.files) for h in landed) == 23
    bodies = [json.dumps(request.body) for request in api.requests]
    assert any("area1/m0.py: has sites and no task claims it" in body for body in bodies)
    for most in ("9.0", "5.0"):
        assert any(f"that you plan may cost {most} USD at most" in body for body in bodies)
    below = next(body for body in bodies if "# Your area: rest" in body)
    assert "new_name stands alone." in below
    assert "area4/m0.py" not in below
    (opinion,) = whimbrel.report(result).opinions
    prompts = {"judge.md", "planner.md", "sub_planner.md", "summarise.md"}
    report = whimbrel.report(result)
    assert set(report.prompts) == prompts
    assert report.prices == (Prices().source,)
    assert f"- Prices: {Prices().source}" in render_report(report)
    assert (opinion.verdict, opinion.cycle, opinion.reasons) == (
        "concerns",
        1,
        ("area0/m0.py: The name says little.",),
    )
    assert opinion.confirmed == (f"{shop.TRAP}: old",)
    assert opinion.unconfirmed == ("run_checks.py:3: alias",)
    brief = next(body for body in bodies if "What was counted after cycle 1" in body)
    assert "return new_name(0)" in brief
    assert "Mind m3." not in brief
    described = await handle.describe()
    assert described.typed_search_attributes[NEEDS_HUMAN] is True
    for words in (("status", "thought"), ("report", "thought")):
        told = await whimbrel.starter(*words)
        assert "The first ones show the way." in told.out
        assert "The name says little." in told.out, told.out
    assert result.spend.unconfirmed == 0
    assert result.spend.total == api.account.usd


async def test_a_plan_that_never_fits_is_the_splits_and_the_plan_says_so(whimbrel: Service) -> None:
    never = {"Every call of": "NEVER FIT, but every call of", "NAME": "unfit"}
    spec = whimbrel.home / "unfit.yaml"
    spec.write_text(filled(SPEC, **never, REPOSITORY=str(whimbrel.home / "upstream")))
    shown = await whimbrel.starter("plan", str(spec))
    assert shown.code == 0, shown.err
    assert "it is divided by the split: its planner ended by: unfit" in shown.out
    assert "6 tasks" in shown.out


async def test_what_an_agent_claims_is_measured_again_and_how_it_died_is_told(
    whimbrel: Service,
) -> None:
    ladder = {"codemod: sed -i s/old_name/new_name/ {files}": "claude: {turns: 8}"}
    one = {'include: ["/area*/"]': 'include: ["/area0/m0.py"]', **ladder, "NAME": "claims"}
    upstream = str(whimbrel.home / "upstream")
    report = await whimbrel.run(filled(shop.SPEC, **one, REPOSITORY=upstream))
    (handoff,) = report.handoffs
    assert handoff.status.landed
    assert handoff.agent
    assert (handoff.agent.did, handoff.agent.verified) == ("Renamed it.", "nothing")
    assert [m.drifts for m in handoff.agent.measured] == [False, True, True]
    none = await whimbrel.starter("show", "claims", "--notes")
    assert (none.code, "claims has no field notes" in none.err) == (3, True)
    told = (await whimbrel.starter("report", "claims")).out
    for words in (
        "modules: 4",
        "DRIFT: lines: 7, 99 claimed",
        "NOT MEASURED: speed",
        "Drop the alias",
    ):
        assert words in told
    assert "reported: area1/m0.py:4: old too" in told
    never = {"Every call of": "NO END, but every call of"}
    one |= {"NAME": "endless", **never, "checks:": "limits: {attempts: 1}\nchecks:"}
    report = await whimbrel.run(filled(shop.SPEC, **one, REPOSITORY=upstream))
    (handoff,) = report.handoffs
    assert handoff.agent
    assert handoff.agent.end is AgentEnd.STUCK
    assert handoff.agent.lines == ["its agent ended by: stuck"]
