"""A conversation whose turns are scripted, at its desk: a real workspace on one host."""

from pathlib import Path

from temporalio.testing import ActivityEnvironment

from activities.adapters.hubs import Hubs
from activities.adapters.mcp_servers import McpServers
from activities.adapters.sandbox import Sandbox
from activities.adapters.tool_harvest import ToolHarvest
from activities.adapters.toolboxes import Toolboxes
from activities.adapters.transcripts import Transcripts
from activities.adapters.workspaces import Workspaces
from activities.contracts.conversation import (
    Conversation,
    Role,
    Room,
    ToolsUsed,
    TurnEnd,
    UseTools,
)
from activities.contracts.mcp import McpTool
from activities.contracts.money import NOTHING, Usage
from activities.contracts.plan import Task
from activities.contracts.transcript import Chunk, ToolResults
from activities.contracts.work import Workspace
from activities.tools import ToolActivities
from tests.adapters.one_host import OneHost, one_host
from tests.adapters.repositories import Content, Name, git

SPEC = """\
sites: {include: ["/src/**"]}
checks: {unit: {run: "true"}}
ladder: [{claude: {}}]
"""
FILES: dict[Name, Content] = {
    "src/a.py": "a\n", "src/b.py": "b\n", "src/crlf": "1\r\n2\r\n", "lib/c.py": "c\n",
    **{f"far/{n}/f.py": f"needle {n}\n" for n in range(5)},
}  # fmt: skip
TASK = Task(
    id="c1-0001", title="Tidy up", claims=("src/a.py", "src/b.py", "src/crlf"), creates=("/new/*",)
)


class Desk:
    """A conversation whose turns are scripted, and its workspace."""

    def __init__(
        self,
        root: Path,
        sandbox: Sandbox,
        full_checkout: int = 10_000,
        servers: McpServers | None = None,
        mcp: tuple[McpTool, ...] = (),
    ) -> None:
        self.host: OneHost = one_host(root, sandbox, SPEC, FILES)
        if full_checkout < 10_000:
            sparse = Workspaces(root / "sparse", sandbox.tool_ids, 8, full_checkout=full_checkout)
            self.host.checkpoints._workspaces = self.host.workspaces = sparse
        self.servers, self.mcp = servers or McpServers({}, None, None), mcp
        self.repository = self.host.hub.path.stem
        self.transcripts = Transcripts(self.host.blobs)
        self.activities = self.restarted()
        self.turn = 0
        self.where = self.opened("0-1-0", self.host.commit)
        self.talk = self.began(Role.WORKER)

    def restarted(self) -> ToolActivities:
        """As a worker has it that was just started."""
        host = self.host
        return ToolActivities(
            host.blobs,
            Hubs(host.hub.path.parent),
            Transcripts(host.blobs),
            Toolboxes(host.blobs, host.commands, host.workspaces, self.servers),
            ToolHarvest(host.checkpoints),
            lambda talk, form: [],
        )

    def began(self, role: Role):
        host = self.host
        self.conversation = Conversation(
            migration="m", scope=f"{role}/c1-0001", attempt="0-1", role=role, model="m",
            max_tokens=1, system="", brief="", repository=self.repository, commit=host.commit,
            spec=host.blobs.put_model("m", host.spec), phase=host.spec.phases[0].name, task=TASK,
            mcp=self.mcp,
        )  # fmt: skip
        return host.blobs.put_model("m", self.conversation)

    def opened(self, attempt: str, start: str) -> Workspace:
        self.paths = self.host.workspaces.open(
            self.host.hub.path, migration="m", task=TASK.id, attempt=attempt,
            base=self.host.commit, start=start, claims=TASK.claims, token=attempt,
        )  # fmt: skip
        return Workspace(
            migration="m", repository=self.repository, task=TASK.id, attempt=attempt, host="h",
            queue="q", base=self.host.commit, start=start,
        )  # fmt: skip

    def says(self, *calls: tuple[str, dict[str, object]]) -> UseTools:
        """The next turn's reply, on record; the request for its calls."""
        self.turn += 1
        reply = tuple(
            {"type": "tool_use", "id": f"t{n}", "name": name, "input": given}
            for n, (name, given) in enumerate(calls)
        )
        chunk = Chunk(
            turn=self.turn, asked=(), reply=reply, end=TurnEnd.CALLS, stop="tool_use",
            usage=Usage(), usd=NOTHING, model="m",
        )  # fmt: skip
        self.transcripts.turn(self.conversation, self.turn).keep(chunk)
        return UseTools(talk=self.talk, turn=self.turn, room=Room.of(self.where), when=1)

    async def use(self, *calls: tuple[str, dict[str, object]]) -> ToolsUsed:
        return await self.run(self.says(*calls))

    async def run(self, request: UseTools) -> ToolsUsed:
        return await ActivityEnvironment().run(self.activities.use_tools, request)

    def texts(self, used: ToolsUsed) -> list[str]:
        return [r.text for r in self.host.blobs.get_model(used.results, ToolResults).results]

    def show(self, commit: str, path: str) -> bytes:
        return git(self.host.hub.path, "show", f"{commit}:{path}")


def edit(path: str, old: str, new: str) -> tuple[str, dict[str, object]]:
    return "edit", {"path": path, "old": old, "new": new}


def run(command: str) -> tuple[str, dict[str, object]]:
    return "run", {"command": command}
