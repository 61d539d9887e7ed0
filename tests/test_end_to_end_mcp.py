"""A model asks an MCP server of the workers, where its spec and their settings agree."""

from pathlib import Path

from mcp_programs import program, settings

from activities.adapters.fault_points import points_of
from activities.contracts.migration import Stage
from tests.adapters.repositories import git, make_repository
from tests.fakes.messages_api import MessagesApi, Request
from tests.fakes.replies import Reply, call
from tests.service import service

SPEC = """\
version: 1
name: NAME
repository: REPOSITORY
objective: Every old_name is called as the docs say.
sites: {include: ["/src/*.py"], find: {regex: old_name}}
ladder: [{claude: {}}]
mcp: [SERVER]
limits: {usd: 2}
checks: {compiles: {run: "python3 -m py_compile {files}"}}
"""
PATH = "src/a.py"

KILLED_AT = points_of(["list_mcp_tools", "reserve_cap", "refund_cap"])


def mind(request: Request) -> Reply:
    """Looks the name up, renames, ends."""
    turn = sum(message["role"] == "assistant" for message in request.body["messages"]) + 1
    heard = "\n".join(str(block) for block in request.last)
    if turn == 1:
        return Reply((call("mcp__docs__lookup", term="new_name"),))
    if turn == 2:
        assert "new_name is the old name" in heard
        return Reply((call("edit", path=PATH, old="old_name", new="new_name"),))
    return Reply((call("finish", status="done", did="Renamed it.", verified="checks"),))


async def test_a_model_calls_a_tool_that_spec_and_worker_agree_on(tmp_path: Path) -> None:
    make_repository(tmp_path / "upstream", {PATH: "def old_name():\n    return 1\n"})
    servers = settings(tmp_path, docs=program(tools=["lookup"], readOnly=True))
    where = {"REPOSITORY": str(tmp_path / "upstream")}
    caps, faults = tmp_path / "caps.json", tmp_path / "faults"
    caps.write_text('{"*": 3}')
    faults.mkdir()
    orders = ",".join(f"crash@{point}" for point in KILLED_AT)
    more = {"WHIMBREL_FAULTS": orders, "WHIMBREL_FAULTS_DIR": str(faults)}
    more |= {"WHIMBREL_MCP": str(servers), "WHIMBREL_TENANTS": str(caps)}
    async with MessagesApi(mind) as api:
        more |= {"ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "k"}
        async with service(tmp_path / "home", **more) as whimbrel:
            refused = await whimbrel.run(SPEC, NAME="refused", SERVER="tickets", **where)
            report = await whimbrel.run(SPEC, NAME="asks", SERVER="docs", **where)
            hub = whimbrel.hub(report)
    killed = sorted(int(mark.name) for mark in faults.iterdir())
    assert killed == list(range(len(KILLED_AT))), "nobody was killed somewhere"
    assert refused.outcome is Stage.FAILED
    assert "names the MCP server tickets, and this worker has docs: add it" in refused.reason
    assert report.outcome is Stage.DONE, report.reason
    assert git(hub, "show", f"{report.tip}:{PATH}") == b"def new_name():\n    return 1\n"
    shown = [[tool["name"] for tool in request.body["tools"]] for request in api.requests]
    assert [names[-1] for names in shown] == ["mcp__docs__lookup"] * 3
    assert len({str(request.body["tools"]) for request in api.requests}) == 1
