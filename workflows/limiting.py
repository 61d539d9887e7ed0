"""What a person's word about limits changes, and why it cannot be. Pure."""

from pydantic import ValidationError

from activities.contracts.commands import ChangedLimits, SetLimits
from activities.contracts.spec import Limits


def changed(command: SetLimits) -> dict[str, object]:
    """The limits that are named."""
    said = {name: getattr(command, name) for name in ChangedLimits.model_fields}
    return {name: value for name, value in said.items() if value is not None}


def refusal(command: SetLimits) -> str:
    """Why these limits cannot be; the spec's bounds hold for people too."""
    named = changed(command)
    if command.area and set(named) != {"usd"}:
        return "an area has one limit of its own, usd: name that and no other"
    if not named:
        names = ", ".join(ChangedLimits.model_fields)
        return f"no limit is named; there are {names}"
    try:
        Limits.model_validate(named)
    except ValidationError as error:
        found = [f"{entry['loc'][0]} {named[str(entry['loc'][0])]}" for entry in error.errors()]
        whys = [entry["msg"].removeprefix("Input ") for entry in error.errors()]
        return "; ".join(f"{what}: it {why}" for what, why in zip(found, whys, strict=True))
    return ""
