"""What commands run in: how it is made, and what of it they may write."""

from typing import Annotated

from pydantic import Field

from activities.contracts.base import Form
from activities.contracts.run_form import Duration


class Environment(Form):
    """What commands run in; prepared once per host and key, read-only afterwards."""

    python: Annotated[str, Field(pattern=r"^[23]\.[0-9]{1,2}$")] | None = None
    """Such as "3.11"; with pip."""
    pip: tuple[str, ...] = ()
    """Pinned: name==version."""
    npm: tuple[str, ...] = ()
    """Pinned: name@version."""
    prepare: str | None = None
    """A script run once, with the host's network and no secrets; $ENV is its folder."""
    env: dict[str, str] = {}
    path: tuple[str, ...] = ()
    """Folders under $ENV put before PATH."""
    requires: tuple[str, ...] = ()
    """Executables the host must have."""
    timeout: Duration = "30m"
