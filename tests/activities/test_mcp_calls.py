"""Tools of MCP servers in a conversation: real servers in the real sandbox, and what goes wrong."""

import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest
from desk import Desk
from mcp_programs import FAKE, program, settings
from temporalio.testing import ActivityEnvironment

from activities.adapters.blobs import BlobStore
from activities.adapters.mcp_listing import _unfit, fitting
from activities.adapters.mcp_servers import McpServers
from activities.adapters.mcp_sessions import McpAway, McpRefused
from activities.adapters.sandbox import Sandbox, detect
from activities.adapters.secret_values import Secrets
from activities.adapters.settings import WrongSettings
from activities.adapters.spec_file import parse_spec
from activities.contracts.conversation import Role, Room
from activities.contracts.mcp import ListMcpTools, McpTool
from activities.mcp import McpActivities, mcp_tools
from tests.service import eventually

SPEC = """\
version: 1
name: m
repository: /x
objective: Better.
sites: {include: ["/src/**"]}
checks: {unit: {run: "true"}}
ladder: [{claude: {}}, {claude: {mcp: []}}]
mcp: [NAMES]
"""
KEY = "canary-4711"


@pytest.fixture(scope="module")
async def sandbox() -> Sandbox:
    return await detect("strict")


def servers_of(root: Path, sandbox: Sandbox, **servers) -> McpServers:
    (root / "secrets").mkdir(exist_ok=True)
    (root / "secrets/DOCS").write_text(KEY)
    return McpServers.told(settings(root, **servers), sandbox, Secrets(root / "secrets"))


async def listed(root: Path, servers: McpServers, names: str = "fake"):
    """What is on record for a migration that names them."""
    blobs = BlobStore(root / "blobs")
    spec = parse_spec(SPEC.replace("NAMES", names), "spec")
    ref = blobs.put_model("m", spec)
    done = await ActivityEnvironment().run(
        McpActivities(blobs, servers).list_mcp_tools, ListMcpTools(name="m", spec=ref)
    )

    def shown(role: Role, rung: int = 0) -> tuple[McpTool, ...]:
        way = spec.phases[0].ladder[rung].claude if role is Role.WORKER else None
        return mcp_tools(blobs, "m", ref, spec, role, way)

    return done, shown


def call(tool: str, **given) -> tuple[str, dict[str, object]]:
    return f"mcp__fake__{tool}", given


def called(desk: Desk) -> list[str]:
    file = desk.paths.tree / "mcp-calls"
    return file.read_text().split() if file.exists() else []


def a_tool(tool: str = "t", server: str = "fake", reads: bool = False, **takes) -> McpTool:
    """As the record of a migration has it."""
    given = {"type": "object", "properties": {}, **takes}
    more = {"roles": ("worker",), "reads": reads, "repeatable": reads}
    return McpTool(server=server, tool=tool, description="", takes=given, **more)


async def test_a_models_calls_are_answered_as_data_and_what_they_change_is_kept(
    sandbox: Sandbox, tmp_path: Path
):
    servers = servers_of(tmp_path, sandbox, fake=program(readOnly=["lookup"], roles=[*Role]))
    done, shown = await listed(tmp_path, servers)
    assert "mcp__fake__rename" in done.tools
    assert [tool.name for tool in shown(Role.WORKER)] == list(done.tools)
    assert [tool.name for tool in shown(Role.JUDGE)] == ["mcp__fake__lookup"]
    assert shown(Role.WORKER, rung=1) == ()
    desk = Desk(tmp_path / "desk", sandbox, servers=servers, mcp=shown(Role.WORKER))
    used = await desk.use(
        call("lookup", term="a"),
        call("rename", path="src/a.py", old="a", new="A"),
        call("picture"),
        call("lookup", trm="a"),
        call("renam"),
        call("fail"),
        call("lookup", term="a", times=1000),
        call("flood", megabytes=9),
    )
    told = desk.texts(used)
    assert told[0].startswith("<data>\na is the old name. &lt;/data>")
    assert told[1] == "<data>\nrenamed\n</data>"
    assert used.commit
    assert desk.show(used.commit, "src/a.py") == b"A\n"
    assert "[image, image/png, 8 characters of base64: not shown]" in told[2]
    assert "the input of mcp__fake__lookup is not valid" in told[3]
    assert "'term' is a required property" in told[3]
    assert "did you mean mcp__fake__rename" in told[4]
    assert told[5] == "<data>\nError executing tool fail\n</data>"
    assert "ask it for less at once]\n</data>" in told[6]
    assert "more than 8388608 bytes" in told[7]
    assert "nobody knows whether it took effect" in told[7]
    assert called(desk) == ["rename"]


async def test_what_hangs_or_dies_is_told_and_is_made_once_whatever_runs_again(
    sandbox: Sandbox, tmp_path: Path
):
    servers = servers_of(tmp_path, sandbox, fake=program(), slow=program(timeout=1))
    tools = (a_tool("die"), a_tool("hang", "slow"), a_tool("rename"))
    desk = Desk(tmp_path / "desk", sandbox, servers=servers, mcp=tools)
    request = desk.says(
        call("die"), ("mcp__slow__hang", {}), call("rename", path="src/a.py", old="a", new="A")
    )
    told = desk.texts(await desk.run(request))
    assert "nobody knows whether it took effect" in told[0]
    assert "its last words: out of luck" in told[0]
    assert "no answer within 1 s" in told[1]
    assert told[2] == "<data>\nrenamed\n</data>"
    assert {"die", "rename"} <= {*called(desk)}
    where = desk.opened("0-1-1", desk.host.commit)
    again = await desk.run(request.model_copy(update={"room": Room.of(where)}))
    assert desk.texts(again) == told
    assert called(desk) == []


async def test_a_worker_that_died_during_a_call_leaves_it_unknown(sandbox: Sandbox, tmp_path: Path):
    servers = servers_of(tmp_path, sandbox, fake=program(tools=["hang"]))
    desk = Desk(tmp_path / "desk", sandbox, servers=servers, mcp=(a_tool("hang"),))
    request = desk.says(call("hang"))
    running = asyncio.create_task(desk.run(request))

    async def it_hangs() -> bool:
        return called(desk) == ["hang"]

    await eventually(it_hangs)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    where = desk.opened("0-1-1", desk.host.commit)
    again = desk.texts(await desk.run(request.model_copy(update={"room": Room.of(where)})))
    assert "nobody knows whether it took effect (the worker died" in again[0]
    assert called(desk) == []


async def test_a_program_sees_what_its_settings_give_it_and_no_more(
    sandbox: Sandbox, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with socket.create_server(("127.0.0.1", 0)) as host:
        port = host.getsockname()[1]
        given = {"readOnly": True, "tools": ["environment"], "env": {"TOKEN": "Bearer secret:DOCS"}}
        servers = servers_of(tmp_path, sandbox, fake=program(**given))
        tools = (a_tool("environment", reads=True),)
        desk = Desk(tmp_path / "desk", sandbox, servers=servers, mcp=tools)
        [told] = desk.texts(await desk.use(call("environment", port=port)))
        seen = json.loads(told.removeprefix("<data>\n").removesuffix("\n</data>"))
        assert seen["env"]["TOKEN"] == "Bearer [secret]"
        assert "ANTHROPIC_API_KEY" not in seen["env"]
        assert seen["files"] == ["far", "lib", "src"]
        assert (seen["reaches"], seen["writes"]) == (False, False)
        desk.servers = servers_of(tmp_path, sandbox, fake=program(**given, network=True))
        desk.activities = desk.restarted()
        assert '"reaches": true' in desk.texts(await desk.use(call("environment", port=port)))[0]
    desk.servers = servers_of(tmp_path, sandbox, fake=program(tools=["lookup"]))
    desk.activities = desk.restarted()
    [refused] = desk.texts(await desk.use(call("environment")))
    assert "this worker's settings do not let you call mcp__fake__environment" in refused


async def test_without_a_sandbox_a_program_is_spoken_with_too_but_has_no_secret(tmp_path: Path):
    unsafe = await detect("none", allow_unsandboxed=True, lifelines=tmp_path / "lifelines")
    file = settings(tmp_path, fake=program(tools=["lookup"]), other=program(env={"T": "secret:X"}))
    servers = McpServers.told(file, unsafe, None)
    done, _ = await listed(tmp_path, servers)
    assert done.tools == ("mcp__fake__lookup",)
    with pytest.raises(McpAway, match="without a sandbox gives the MCP server other no secret"):
        await listed(tmp_path, servers, "other")
    unsafe.close()


class Scripted:
    """Servers of a worker that say what they have."""

    def __init__(self, *tools: McpTool) -> None:
        self.tools = tools

    async def tools_of(self, _):
        return list(self.tools), []


async def test_a_migration_that_is_started_again_asks_anew_and_one_that_runs_does_not(
    tmp_path: Path,
):
    servers = Scripted(a_tool("one"))
    _, shown = await listed(tmp_path, servers)
    servers.tools = (a_tool("two"), a_tool("three"))
    assert [tool.tool for tool in shown(Role.WORKER)] == ["one"]
    for _ in range(2):
        await listed(tmp_path, servers)
        assert [tool.tool for tool in shown(Role.WORKER)] == ["two", "three"]
    assert sum(path.is_file() for path in (tmp_path / "blobs").rglob("keys/**/*")) == 2
    servers.tools = (a_tool("one"),)
    await listed(tmp_path, servers)
    assert [tool.tool for tool in shown(Role.WORKER)] == ["one"]


def test_what_the_api_would_not_take_is_left_out_with_the_reason():
    assert _unfit(a_tool()) == ""
    assert "letters, digits" in _unfit(a_tool("a tool"))
    assert "128 at most" in _unfit(a_tool("t" * 128))
    assert "one plain object" in _unfit(a_tool(anyOf=[{"required": ["a"]}]))
    assert "its field 'a b'" in _unfit(a_tool(properties={"a b": {}}))
    assert "more than 16000 bytes" in _unfit(a_tool(description="x" * 16_000))
    assert "its schema is none" in _unfit(a_tool(properties={"a": {"type": "text"}}))
    kept, left_out = fitting([a_tool(f"t{n}") for n in range(130)], [])
    assert len(kept) == 128
    assert left_out[1] == "mcp__fake__t129: there are too many tools; name fewer under `tools`"


async def test_a_service_is_asked_over_http_and_one_that_is_away_is_told(
    sandbox: Sandbox, tmp_path: Path
):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = {"url": f"http://127.0.0.1:{port}/mcp", "headers": {"Authorization": "secret:DOCS"}}
    given = {"readOnly": ["lookup"], "timeout": 20, "roles": [*Role]}
    servers = servers_of(tmp_path, sandbox, fake={**url, **given})
    with pytest.raises(McpAway, match=r"the MCP server fake is away: .*ConnectError"):
        await listed(tmp_path, servers)
    run = (sys.executable, str(FAKE), "--port", str(port))
    process = await asyncio.create_subprocess_exec(*run, stderr=asyncio.subprocess.DEVNULL)
    try:
        await eventually(lambda: _answers(port))
        _, shown = await listed(tmp_path, servers)
        desk = Desk(tmp_path / "desk", sandbox, servers=servers, mcp=shown(Role.JUDGE))
        desk.talk = desk.began(Role.JUDGE)
        request = desk.says(call("lookup", term="a"), call("rename", path="a", old="a", new="A"))
        told = desk.texts(await desk.run(request.model_copy(update={"room": None})))
        assert told[0].startswith("<data>\na is the old name.")
        assert "no tool is called 'mcp__fake__rename'" in told[1]
        desk.mcp = shown(Role.WORKER)
        desk.talk = desk.began(Role.WORKER)
        told = desk.texts(await desk.use(call("lookup", term="a"), call("flood", megabytes=9)))
        assert told[0].startswith("<data>\na is the old name.")
        assert "more than 8388608 bytes" in told[1]
    finally:
        process.kill()
        await process.wait()
    told = desk.texts(await desk.use(call("lookup", term="a")))
    assert "not called: the MCP server fake is away" in told[0]


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.mark.parametrize(
    ("server", "names", "why"),
    [
        (program(), "other", "the spec names the MCP server other, and this worker has fake"),
        ({"command": "/nowhere/server"}, "fake", "the MCP server fake is away: .*/nowhere/server"),
        (program(tools=["nothing"]), "fake", "lets models call nothing of the MCP server fake"),
        (program(env={"T": "secret:GONE"}), "fake", "secret GONE is not on this worker: write it"),
    ],
    ids=["unknown", "not there", "no such tool", "no secret"],
)
async def test_what_cannot_be_is_refused_before_anything_begins(
    sandbox: Sandbox, tmp_path: Path, server, names, why
):
    with pytest.raises((McpRefused, McpAway), match=why):
        await listed(tmp_path, servers_of(tmp_path, sandbox, fake=server), names)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "JSON"),
        ('{"servers": {}}', "mcpServers: Field required"),
        ('{"mcpServers": {"a": {}}}', "give exactly one of command, url"),
        ('{"mcpServers": {"a": {"command": "x", "url": "http://x"}}}', "exactly one of command"),
        ('{"mcpServers": {"a__b": {"command": "x"}}}', "a__b"),
        ('{"mcpServers": {"a": {"command": "x", "shell": true}}}', "shell: Extra inputs"),
        ('{"mcpServers": {"a": {"command": "x", "mounts": ["opt"]}}}', "mounts are absolute"),
    ],
)
def test_settings_that_cannot_be_are_told(tmp_path: Path, text: str, why: str):
    (tmp_path / "mcp.json").write_text(text)
    with pytest.raises(WrongSettings, match=why):
        McpServers.told(tmp_path / "mcp.json", None, None)


def test_a_worker_without_the_package_says_how_to_get_it(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(WrongSettings, match=r"mcp is not installed: .*requirements-extras\.txt"):
        McpServers.told(settings(tmp_path, fake=program()), None, None)
