"""Where a host keeps its state and how much it may run: read from WHIMBREL_* once, by worker.py and
the people's door. How Temporal is reached is not said here: that is temporalio.envconfig's business
(TEMPORAL_ADDRESS and its kin, temporal.toml).
"""

import os
import platform
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SERVED_BY = ("ssh", "https", "http", "git", "file")
"""The protocols by which another host may serve the hubs."""


class WrongSettings(Exception):
    """WHIMBREL_* say something that cannot be; the text says what."""


class HubElsewhere(WrongSettings):
    """What needs the hubs' own disk was asked for where it is not."""


Provider = Literal["anthropic", "aws", "bedrock", "vertex", "google", "foundry"]


def default_home() -> Path:
    """The state directory by the XDG rule, ~/.local/state/whimbrel where nothing else is said."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "whimbrel"


class Settings(BaseSettings):
    """What a host may do, and where. Directories are made by whoever writes to them first."""

    model_config = SettingsConfigDict(env_prefix="WHIMBREL_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=default_home)
    hub: Path | str = Field(default_factory=lambda given: given["home"] / "hub")
    """The folder of the hubs, or where another host serves them: ssh://git@hub.example.com/."""
    blobs: Path | str = Field(default_factory=lambda given: given["home"] / "blobs")
    """A folder, or a bucket's URL such as s3://bucket/prefix: the same for starter and workers."""
    host: str = Field(default_factory=platform.node)
    """Names this host's own queue and its refs; unique among workers."""
    sandbox: str = "strict"
    """The level commands run at; a weaker one also needs the spec's consent."""
    allow_unsandboxed: bool = False
    tool_uid: int | None = None
    """The uid that commands run as when the worker is root; None: the sandbox's default."""
    workspaces_per_host: Annotated[int, Field(ge=1)] = 8
    """Live workspaces beyond which open_workspace answers NO_ROOM."""
    mounts: tuple[Path, ...] = ()
    """Folders that specs may show their commands, read-only; JSON: ["/srv/maven"]."""
    secrets: Path | None = None
    """A folder with a file for each secret that environments may name; None: in the home."""
    agent_reaches: tuple[str, ...] = ()
    """What programs of agents may reach, by the names that command rungs give; JSON: ["claude"]. A
    rung that names any of it has the host's network, and may be given secrets."""
    mcp: Path | None = None
    """A JSON file of the MCP servers that models may call on this worker; see docs/mcp.md."""
    turns_per_host: Annotated[int, Field(ge=1)] = 64
    """Model turns that a worker takes at once, where the account bears as many."""
    provider: Provider = "anthropic"
    """Whose service the models are asked through."""
    prices: Path | None = None
    """A JSON file of what models cost, before the built-in table; see docs/models.md."""
    tenants: Path | None = None
    """A JSON file of what each tenant's migrations may cost in a month; see docs/models.md."""
    checks_per_host: Annotated[int, Field(ge=1)] = 2
    deployment: Annotated[str, Field(pattern=r"^[^./]*$")] = ""
    """Names the worker deployment that control workers belong to; empty: they are not versioned."""
    build: str = ""
    """The version of their code in it; empty: a digest of the code."""
    ui_url: str = ""
    """The Web UI's address, for links; the embedded server brings its own."""

    @property
    def secret_values(self) -> Path:
        return self.secrets or self.home / "secrets"

    @field_validator("hub")
    @classmethod
    def _hub_is_a_folder_or_served(cls, hub: Path | str) -> Path | str:
        protocol, served, _ = str(hub).partition("://")
        if (served and protocol not in SERVED_BY) or (not served and ":" in protocol.split("/")[0]):
            known = ", ".join(f"{each}://" for each in SERVED_BY)
            raise ValueError(f"{hub} is neither a folder nor a URL with one of {known}")
        return str(hub) if served else Path(hub)

    @property
    def is_remote(self) -> bool:
        """Whether another host has the hubs."""
        return isinstance(self.hub, str)

    @property
    def hub_here(self) -> Path:
        """Raises HubElsewhere where another host has the hubs."""
        if isinstance(self.hub, Path):
            return self.hub
        raise HubElsewhere(
            f"WHIMBREL_HUB is {self.hub}: the hubs are not on this machine; do this where they are"
        )

    @property
    def mirrors(self) -> Path:
        return self.home / "mirrors"

    @property
    def workspaces(self) -> Path:
        return self.home / "workspaces"

    @property
    def checks(self) -> Path:
        return self.home / "checks"

    @property
    def environments(self) -> Path:
        return self.home / "environments"

    @property
    def lifelines(self) -> Path:
        return self.home / "lifelines"

    @property
    def cache(self) -> Path:
        return self.home / "cache"


def settings_told() -> Settings:
    """What WHIMBREL_* say; all that is wrong with them at once, as WrongSettings."""
    try:
        return Settings()
    except ValidationError as error:
        # What would only follow from another one's mistake is none of its own.
        wrong = (e for e in error.errors() if e["type"] != "default_factory_not_called")
        lines = (f"WHIMBREL_{str(e['loc'][0]).upper()}={e['input']}: {e['msg']}" for e in wrong)
        raise WrongSettings("\n".join(lines)) from error
