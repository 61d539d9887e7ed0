"""What every command of a spec has, and the words its values are made of."""

from typing import Annotated

from pydantic import ConfigDict, Field, StrictBool, StrictInt

from activities.contracts.base import Form

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Duration = Annotated[str, Field(pattern=r"^[1-9][0-9]*[smhd]$")]
Size = Annotated[str, Field(pattern=r"^[1-9][0-9]*(KiB|MiB|GiB)$")]
Whole = StrictInt
"""A number that somebody wrote as one: true, 1.0 and "1" are none."""
Flag = StrictBool
Reason = Annotated[str, Field(pattern=r"\S")]
Command = str | Annotated[tuple[str, ...], Field(min_length=1)]
"""Text is run by bash -euo pipefail; a list is an argv."""


def seconds(duration: str) -> int:
    """`90s`, `10m`, `2h`, `3d` → seconds."""
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[duration[-1]]


def size_bytes(size: str) -> int:
    """`4GiB` → bytes."""
    return int(size[:-3]) * {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[size[-3:]]


class RunForm(Form):
    """A form whose environment is spelled `in`, in files and in JSON."""

    model_config = ConfigDict(
        validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    run: Command
    environment: Annotated[str | None, Field(alias="in")] = None
