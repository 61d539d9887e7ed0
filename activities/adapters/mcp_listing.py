"""The tools of a server as models are shown them: what the API takes, and what may be called here.

What cannot be shown is left out with the reason; a tool that the settings name and the server has
not is a mistake of theirs.
"""

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from activities.adapters.bounded_text import bounded
from activities.adapters.mcp_sessions import McpRefused, McpSession
from activities.contracts.mcp import McpTool

if TYPE_CHECKING:
    from activities.adapters.mcp_servers import McpServer

PAGES = 20
MOST = 128
"""Tools of a migration."""
TOLD = 4_000
"""Bytes of a description."""
SCHEMA, ALL = 16_000, 100_000
"""Bytes of one schema, and of all that models are shown."""
REASONS = 20
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_FIELD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""What the API takes as a field of an input."""


async def listing(
    name: str, server: "McpServer", session: McpSession
) -> tuple[list[McpTool], list[str]]:
    """What one server has. Raises McpRefused, McpAway."""
    try:
        found = await session.ask(_pages)
    finally:
        await session.close()
    by_name = {tool.name: tool for tool in found}
    wanted = dict.fromkeys(by_name if server.tools is None else server.tools)
    if missing := [tool for tool in wanted if tool not in by_name]:
        raise McpRefused(
            f"WHIMBREL_MCP lets models call {', '.join(missing)} of the MCP server {name}, which "
            f"has {', '.join(by_name) or 'no tools'}"
        )
    shown: list[McpTool] = []
    left_out: list[str] = []
    for tool in wanted:
        made = _shown(name, server, by_name[tool])
        why = _unfit(made)
        if why:
            left_out.append(f"{made.name}: {why}")
        else:
            shown.append(made)
    return shown, left_out


def fitting(tools: Sequence[McpTool], left_out: Sequence[str]) -> tuple[list[McpTool], list[str]]:
    """As many as a conversation has room for, and what is left out."""
    kept: list[McpTool] = []
    others, size = list(left_out), 0
    for tool in tools:
        size += len(tool.model_dump_json())
        if size > ALL or len(kept) == MOST:
            others.append(f"{tool.name}: there are too many tools; name fewer under `tools`")
        else:
            kept.append(tool)
    more = [f"and {len(others) - REASONS} more"] if len(others) > REASONS else []
    return kept, [*(why[:300] for why in others[:REASONS]), *more]


async def _pages(client: Any) -> list[Any]:
    tools: list[Any] = []
    cursor: str | None = None
    for _ in range(PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None:
            break
    return tools


def _shown(name: str, server: "McpServer", tool: Any) -> McpTool:
    hints = tool.annotations
    reads = server.reads(tool.name)
    idempotent = bool(hints and (hints.read_only_hint or hints.idempotent_hint))
    told = bounded(" ".join((tool.description or tool.name).split()), TOLD)
    return McpTool(
        server=name,
        tool=tool.name,
        description=f"[MCP server {name}] {told}",
        takes=tool.input_schema,
        roles=server.roles_of(tool.name),
        reads=reads,
        repeatable=reads or idempotent,
    )


def _unfit(tool: McpTool) -> str:
    """Why the API would not take it, or nobody should; empty: it is fit."""
    from activities.adapters.mcp_schemas import broken

    if not _NAME.fullmatch(tool.name):
        return "its name is not of letters, digits, _ and -, 128 at most with the server's"
    if tool.takes.get("type") != "object" or {"oneOf", "anyOf", "allOf"}.intersection(tool.takes):
        return "its input is not one plain object"
    if odd := [field for field in tool.takes.get("properties", ()) if not _FIELD.fullmatch(field)]:
        return f"its field {odd[0]!a} is not of letters, digits, _, . and -, 64 at most"
    if len(json.dumps(tool.takes)) > SCHEMA:
        return f"its schema has more than {SCHEMA} bytes"
    return broken(tool.takes)
