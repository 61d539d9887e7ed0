"""What commands run in: how it is made, and what of it they may write."""

from typing import Annotated, Literal

from pydantic import Field

from activities.contracts.base import Form
from activities.contracts.run_form import Duration, Name

SECRET = "secret:([A-Z][A-Z0-9_]{0,99})"
"""How a spec names a secret; the group is its name."""
# For editors only: the message of a form would repeat what somebody wrote there by mistake.
SecretReference = Annotated[str, Field(json_schema_extra={"pattern": f"^{SECRET}$"})]


class Environment(Form):
    """What commands run in; prepared once per host and key, read-only afterwards."""

    python: Annotated[str, Field(pattern=r"^[23]\.[0-9]{1,2}$")] | None = None
    """Such as "3.11"; with pip."""
    pip: tuple[str, ...] = ()
    """Pinned: name==version."""
    npm: tuple[str, ...] = ()
    """Pinned: name@version."""
    toolchains: tuple[str, ...] = ()
    """The host's own, read-only and on PATH: name@version, such as go@1.26."""
    prepare: str | None = None
    """A script run once; $ENV is its folder, and where the tree stands in it too,
    it runs there."""
    inputs: tuple[str, ...] = ()
    """Patterns of files of the tree under test: another content is another environment."""
    checkout: Literal["inputs", "full"] = "inputs"
    """What of the tree `prepare` sees."""
    network: tuple[Name, ...] = ()
    """Names of what `prepare` reaches; without any it is offline. Commands always are."""
    secrets: dict[str, SecretReference] = {}
    """Variables that `prepare`, and nothing else, sees: secret:NAME, a file of the worker's."""
    writable: tuple[str, ...] = ()
    """Folders under $ENV that commands may write: each gets a copy, which is thrown away."""
    mounts: tuple[str, ...] = ()
    """Folders of the host, shown read-only at their own path where the worker allows it."""
    setup: str | None = None
    """A script run in each fresh checkout before anything else, offline."""
    env: dict[str, str] = {}
    path: tuple[str, ...] = ()
    """Folders under $ENV put before PATH."""
    requires: tuple[str, ...] = ()
    """Executables the host must have."""
    timeout: Duration = "30m"
