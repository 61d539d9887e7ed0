"""Fits out a conversation's tools for one reply: in its workspace, or at a commit that it reads."""

from collections.abc import Callable, Sequence

from pydantic import BaseModel

from activities.adapters.allowed_paths import AllowedPaths
from activities.adapters.blobs import BlobStore
from activities.adapters.commands import Commands
from activities.adapters.git import borrowed
from activities.adapters.hub import Hub
from activities.adapters.mcp_calls import McpCalls
from activities.adapters.mcp_servers import McpServers, Place
from activities.adapters.tool_edits import Edits
from activities.adapters.tool_runs import Shell
from activities.adapters.tool_views import CommitView, TreeView
from activities.adapters.toolbox import Toolbox
from activities.adapters.tree_source import TreeSource
from activities.adapters.workspaces import Workspaces
from activities.contracts.conversation import Conversation, FileAnswer
from activities.contracts.plan import Task
from activities.contracts.spec import MigrationSpec
from activities.contracts.tools import tools_of
from activities.contracts.work import Workspace


class Toolboxes:
    """Makes them on this host; one that only reads needs neither commands nor workspaces."""

    def __init__(
        self, blobs: BlobStore, commands: Commands, workspaces: Workspaces, servers: McpServers
    ) -> None:
        self._blobs = blobs
        self._commands = commands
        self._workspaces = workspaces
        self._servers = servers

    def reading(
        self, hub: Hub, talk: Conversation, turn: int, unfit: Callable[[BaseModel], Sequence[str]]
    ) -> Toolbox:
        """For a planner or judge; `unfit`: what is wrong with the form it wants to end with."""
        view, outside = CommitView(hub, talk.commit), self._outside(talk, turn)
        return Toolbox(view, tools_of(talk.role), outside=outside, unfit=unfit)

    def _outside(
        self, talk: Conversation, turn: int, place: Place | None = None
    ) -> McpCalls | None:
        if not talk.mcp:
            return None
        return McpCalls(self._blobs, self._servers, talk, turn, place)

    def working(
        self,
        hub: Hub,
        talk: Conversation,
        turn: int,
        spec: MigrationSpec,
        task: Task,
        where: Workspace,
        answers: Sequence[FileAnswer],
    ) -> Toolbox:
        """For a worker or resolver; `task` has the claims that it holds now. Blocking. Raises
        WorkspaceGone."""
        paths = self._workspaces.paths(where.migration, where.task, where.attempt)
        self._workspaces.widen(paths, task.claims)
        phase, base = spec.phase(talk.phase), CommitView(hub, where.base)
        allowed = AllowedPaths(task.claims, task.creates)
        sparse = (paths.git_dir / "info/sparse-checkout").exists()
        view = TreeView(paths.tree, CommitView(hub, where.start), allowed, sparse=sparse)
        edits = Edits(
            view,
            base,
            allowed,
            creates=task.creates,
            protect=spec.protect,
            lifted=phase.claims,
            owner=self._workspaces.tool_ids,
        )
        source = TreeSource(hub, where.base)
        shell = Shell(self._commands, spec, phase, paths, source, sparse=sparse)
        place = Place(paths.tree, paths.git_dir, borrowed(paths.git_dir))
        outside = self._outside(talk, turn, place)
        return Toolbox(
            view, tools_of(talk.role), edits=edits, shell=shell, answers=answers, outside=outside
        )
