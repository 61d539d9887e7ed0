"""MCP servers as a migration knows them: names in its spec, and their tools as they were when it
began. Which there are, and what they may do, is the worker's to say: adapters/mcp_servers.py."""

from typing import Annotated, Any

from pydantic import Field

from activities.contracts.base import BlobRef, Contract

ServerName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+){0,8}$", max_length=32)
]
"""Without `__`, which parts it from its tools' names."""


class McpTool(Contract):
    """One tool, as its server described it. A conversation keeps a copy: what the model is shown
    stays the same to the byte, in every turn and on every worker."""

    server: str
    tool: str
    """As the server calls it."""
    description: str
    takes: dict[str, Any]
    """The JSON Schema of its input."""
    roles: tuple[str, ...]
    """Who may call it."""
    reads: bool = False
    """The worker's settings say that it changes nothing."""
    repeatable: bool = False
    """Twice is no other than once, by those settings or its own annotations."""

    @property
    def name(self) -> str:
        """As the model calls it."""
        return f"mcp__{self.server}__{self.tool}"


class McpTools(Contract):
    """All that a migration's servers have for it."""

    tools: tuple[McpTool, ...] = ()


class McpAnswer(Contract):
    """What came of a call that is not made twice."""

    text: str
    is_error: bool = False


class ListMcpTools(Contract):
    """A migration begins that names servers: are they there, and what do they have?"""

    name: str
    spec: BlobRef


class McpToolsListed(Contract):
    tools: tuple[str, ...] = ()
    """By the names that models call them by, at most 128."""
    left_out: tuple[str, ...] = ()
    """What no model can be shown, and why."""
