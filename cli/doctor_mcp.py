"""The doctor's look at MCP servers: each is asked for its tools, as a worker asks it."""

import contextlib
from typing import cast

from activities.adapters.mcp_servers import McpServers
from activities.adapters.mcp_sessions import McpAway, McpRefused
from activities.adapters.sandbox import Level, Sandbox, tool_ids
from activities.adapters.secret_values import Secrets
from activities.adapters.settings import Settings, WrongSettings
from cli.finding import Finding


async def mcp(settings: Settings) -> Finding:
    """Of the file that WHIMBREL_MCP names here; the workers' may be another one."""
    if settings.mcp is None:
        return Finding("mcp", True, "no servers: WHIMBREL_MCP is not set")
    level = cast(Level, settings.sandbox)
    secrets = Secrets(settings.secret_values) if level != "none" else None
    with contextlib.closing(Sandbox(level, tool_ids(settings.tool_uid))) as sandbox:
        try:
            servers = McpServers.told(settings.mcp, sandbox, secrets)
            tools, left_out = await servers.tools_of(servers.names)
        except (WrongSettings, McpRefused, McpAway) as wrong:
            return Finding("mcp", False, str(wrong), "see docs/mcp.md")
    counts = {name: sum(tool.server == name for tool in tools) for name in servers.names}
    seen = "; ".join(f"{name}: {count} tools" for name, count in counts.items())
    return Finding("mcp", True, "; ".join((seen or "no servers", *left_out)))
