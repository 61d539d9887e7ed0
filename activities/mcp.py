"""What MCP servers have for a migration: asked once when it begins, then read by conversations.

The list is a record of the migration; a conversation keeps its part of it. So a server that
changes, or is away, changes no conversation that has begun, and every worker shows a model the
same.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

from temporalio import activity

from activities.contracts.base import BlobRef
from activities.contracts.conversation import Role
from activities.contracts.mcp import ListMcpTools, McpTool, McpTools, McpToolsListed
from activities.contracts.rungs import ClaudeRung
from activities.contracts.spec import MigrationSpec

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.mcp_servers import McpServers


class McpActivities:
    """Asks the servers of this worker."""

    def __init__(self, blobs: BlobStore, servers: McpServers) -> None:
        self._blobs = blobs
        self._servers = servers

    @activity.defn
    async def list_mcp_tools(self, request: ListMcpTools) -> McpToolsListed:
        """Raises McpRefused for a server that this worker has not, or that is not what its settings
        say, and McpAway for one that does not answer. A second run asks again, before anybody has
        read what the first one recorded."""
        spec = await asyncio.to_thread(self._blobs.get_model, request.spec, MigrationSpec)
        listed, left_out = await self._servers.tools_of(spec.mcp_servers)
        await asyncio.to_thread(_keep, self._blobs, request, McpTools(tools=tuple(listed)))
        return McpToolsListed(tools=tuple(tool.name for tool in listed), left_out=tuple(left_out))


def mcp_tools(
    blobs: BlobStore,
    migration: str,
    ref: BlobRef,
    spec: MigrationSpec,
    role: Role,
    rung: ClaudeRung | None = None,
) -> tuple[McpTool, ...]:
    """What a conversation that begins now may call, in the order of the record. `ref`: of the
    spec; `rung`: a worker's or resolver's. Blocking."""
    named = spec.mcp if rung is None or rung.mcp is None else rung.mcp
    if not named:
        return ()
    kept = [*_kept(blobs, migration, ref)]
    tools = McpTools.model_validate_json(kept[-1]).tools if kept else ()
    return tuple(tool for tool in tools if tool.server in named and role.value in tool.roles)


def _keep(blobs: BlobStore, request: ListMcpTools, tools: McpTools) -> None:
    """A list that is not the last one goes after it: who is started again asks anew."""
    data = tools.model_dump_json().encode()
    kept = [*_kept(blobs, request.name, request.spec)]
    for number in count(len(kept)):
        if kept and kept[-1] == data:
            return
        kept.append(blobs.put_once(request.name, _key(request.spec, number), data))


def _kept(blobs: BlobStore, migration: str, spec: BlobRef) -> list[bytes]:
    """Every list so far, oldest first."""
    kept: list[bytes] = []
    while (found := blobs.find(migration, _key(spec, len(kept)))) is not None:
        kept.append(found)
    return kept


def _key(spec: BlobRef, number: int) -> str:
    return f"mcp/{spec.sha256[:16]}/tools-{number}"
