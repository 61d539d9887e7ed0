"""The MCP servers that models may call on this worker, as WHIMBREL_MCP lists them: programs that
run in the sandbox, and services behind a URL.

The file is the operator's, in the form that MCP clients have in common, and says what each may do.
What a spec asks for and what stands here must agree: a spec only names servers. A program has an
environment of its own, no network unless it is given one, and the task's tree, which it may write
only where some tool of it is not marked as reading, and never beside a secret.
"""

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from activities.adapters.extras import INSTALL, is_installed
from activities.adapters.jobs import TMPDIR, Job, Mount
from activities.adapters.mcp_listing import fitting, listing
from activities.adapters.mcp_sessions import McpRefused, McpSession
from activities.adapters.sandbox import Sandbox
from activities.adapters.secret_values import SecretMissing, Secrets
from activities.adapters.settings import WrongSettings
from activities.contracts.base import Form
from activities.contracts.conversation import Role
from activities.contracts.environment import SECRET
from activities.contracts.mcp import McpTool, ServerName
from activities.contracts.shorthands import exactly_one

ERRORS_KEPT = 16 << 10
"""Bytes of what a program says on its standard error."""
ERRORS_KILL = 16 << 20
LONGEST = 7200.0
"""Seconds of a session: as long as the calls of one reply may take."""
_SECRET = re.compile(rf"(?<![\w:-]){SECRET}(?![\w-])")


class McpServer(Form):
    """One server: how it is reached, and what it may do here."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    type: Literal["stdio", "http", "streamable-http"] | None = None
    """As other clients want it said; what is given says it here."""
    command: Annotated[str, Field(min_length=1)] | None = None
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field(default_factory=dict[str, str])
    """All that it sees; secret:NAME is a secret of this worker."""
    url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    headers: dict[str, str] = Field(default_factory=dict[str, str])
    """As `env`, such as "Bearer secret:NAME"."""
    tools: tuple[str, ...] | None = None
    """Those that may be called; None: all."""
    roles: tuple[Role, ...] = (Role.WORKER, Role.RESOLVER)
    """Whose models may call them. Of planners and judges only what reads is called."""
    read_only: bool | tuple[str, ...] = False
    """Whether its tools change nothing anywhere, or which of them do not."""
    network: bool = False
    """Whether a program has the host's network; what is behind a URL has its own."""
    mounts: tuple[Path, ...] = ()
    """Folders of this host that a program sees, read-only, at their own path."""
    timeout: Annotated[int, Field(ge=1, le=3600)] = 60
    """Seconds of one call."""

    @model_validator(mode="after")
    def is_reached_in_one_way(self) -> "McpServer":
        exactly_one(self, "a server", ("command", "url"))
        if any(not path.is_absolute() for path in self.mounts):
            raise ValueError("mounts are absolute paths")
        return self

    def reads(self, tool: str) -> bool:
        """Whether the operator says that it changes nothing."""
        return self.read_only if isinstance(self.read_only, bool) else tool in self.read_only

    @property
    def only_reads(self) -> bool:
        return self.read_only is True or (
            bool(self.tools) and all(self.reads(tool) for tool in self.tools or ())
        )

    def roles_of(self, tool: str) -> tuple[str, ...]:
        """Who may call it."""
        works = (Role.WORKER, Role.RESOLVER)
        return tuple(r.value for r in self.roles if r in works or self.reads(tool))


class _File(Form):
    mcp_servers: dict[ServerName, McpServer] = Field(alias="mcpServers")


class Place:
    """The tree of a workspace, as a program sees it at /src."""

    def __init__(self, tree: Path, git_dir: Path, objects: Sequence[str]) -> None:
        self._tree, self._git_dir, self._objects = tree, git_dir, objects

    def mounts(self, writable: bool) -> tuple[Mount, ...]:
        """One that may not be written has no place for its git directory either."""
        if not writable:
            return (Mount(self._tree, "/src"),)
        borrowed = (Mount(Path(folder), folder) for folder in self._objects)
        return Mount(self._tree, "/src", True), Mount(self._git_dir, "/src/.git"), *borrowed


class McpServers:
    """Those of one worker."""

    def __init__(
        self, servers: Mapping[str, McpServer], sandbox: Sandbox | None, secrets: Secrets | None
    ) -> None:
        """`secrets`: None where no program is given any, as without a sandbox."""
        self._servers, self._sandbox, self._secrets = servers, sandbox, secrets

    @classmethod
    def told(
        cls, file: Path | None, sandbox: Sandbox | None, secrets: Secrets | None
    ) -> "McpServers":
        """Raises WrongSettings for a file that cannot be, and where what it needs is missing."""
        if file is None:
            return cls({}, None, None)
        try:
            servers = TypeAdapter(_File).validate_json(file.read_bytes()).mcp_servers
        except OSError as error:
            raise WrongSettings(f"WHIMBREL_MCP={file}: {error.strerror}") from error
        except ValidationError as error:
            lines = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise WrongSettings(f"WHIMBREL_MCP={file}: {'; '.join(lines)}") from error
        if servers and not is_installed("mcp"):
            raise WrongSettings(
                f"WHIMBREL_MCP={file} names servers, and the package mcp is not installed: "
                f"{INSTALL}"
            )
        if servers:  # they take a second or two to load, in which later no beat would be sent
            for module in ("mcp_transports", "mcp_schemas"):
                importlib.import_module(f"activities.adapters.{module}")
        return cls(servers, sandbox, secrets)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._servers)

    def server(self, name: str) -> McpServer:
        """Raises McpRefused for one that this worker has not."""
        if name not in self._servers:
            known = ", ".join(self._servers) or "none"
            raise McpRefused(
                f"the spec names the MCP server {name}, and this worker has {known}: add it to the "
                "file that WHIMBREL_MCP names on every worker of the role workspace, or take it "
                "out of `mcp`"
            )
        return self._servers[name]

    def may_call(self, tool: McpTool, role: Role) -> bool:
        """By what this worker says now, whatever was recorded."""
        server = self._servers.get(tool.server)
        return bool(
            server
            and (server.tools is None or tool.tool in server.tools)
            and role.value in server.roles_of(tool.tool)
        )

    async def tools_of(self, names: Sequence[str]) -> tuple[list[McpTool], list[str]]:
        """The tools of these servers, in order, and what of them no model can be shown. Raises
        McpRefused, McpAway."""
        servers = {name: self.server(name) for name in names}
        listed: list[McpTool] = []
        left_out: list[str] = []
        for name, server in servers.items():
            tools, others = await listing(name, server, self.session(name))
            listed += tools
            left_out += others
        return fitting(listed, left_out)

    def session(self, name: str, place: Place | None = None) -> McpSession:
        """One with the server; `place`: what a program sees. Raises McpRefused."""
        server = self.server(name)
        return McpSession(name, lambda heard: self._opened(name, place, heard), server.timeout)

    def writes(self, name: str) -> bool:
        """Whether the server may change a workspace's tree."""
        server = self.server(name)
        given = any(map(_SECRET.search, server.env.values()))
        return server.command is not None and not (server.only_reads or given)

    def secrets_of(self, name: str) -> list[str]:
        """The values that the server is given. Blocking. Raises McpRefused."""
        server = self.server(name)
        told = " ".join((*server.env.values(), *server.headers.values()))
        wanted = {found[0]: found[0] for found in _SECRET.finditer(told)}
        if not wanted:
            return []
        if self._secrets is None:
            raise McpRefused(f"a worker without a sandbox gives the MCP server {name} no secret")
        try:
            return list(self._secrets.values(wanted).values())
        except SecretMissing as missing:
            raise McpRefused(f"the MCP server {name}: {missing}") from missing

    def _filled(self, values: Mapping[str, str]) -> dict[str, str]:
        """With the secrets that are named."""

        def value(found: re.Match[str]) -> str:
            assert self._secrets
            return self._secrets.values({"it": found[0]})["it"]

        return {name: _SECRET.sub(value, text) for name, text in values.items()}

    def _opened(
        self, name: str, place: Place | None, heard: Callable[[str], None]
    ) -> AbstractAsyncContextManager[Any]:
        # Only workers with servers have the SDK.
        from activities.adapters.mcp_transports import by_http, in_sandbox

        server = self.server(name)
        self.secrets_of(name)  # told in its words where one is missing
        if server.url:
            return by_http(server.url, self._filled(server.headers), server.timeout)
        assert server.command and self._sandbox  # noqa: PT018
        tree = place.mounts(self.writes(name)) if place else ()
        secret = {name: text for name, text in server.env.items() if _SECRET.search(text)}
        job = Job(
            argv=(server.command, *server.args),
            mounts=(*tree, *(Mount(path, str(path)) for path in server.mounts)),
            env={name: text for name, text in server.env.items() if name not in secret},
            cwd="/src" if place else TMPDIR,
            timeout=LONGEST,
            output_limit=ERRORS_KEPT,
            output_kill=ERRORS_KILL,
            network=server.network,
            secrets=self._filled(secret),
        )
        return in_sandbox(self._sandbox, job, heard)
