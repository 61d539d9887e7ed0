"""Fields and values that the spec language has and this version cannot carry out yet.

They are told apart from mistakes: the message says so and names what to use instead. They are taken
out of the data, so that they are reported once.
"""

from collections.abc import Mapping
from typing import Any, cast

from activities.adapters.spec_problem import Fault, Path

WHAT = "not supported yet by this version"

_FIELDS: Mapping[str, str] = {
    "delivery.pull_requests": "open one by hand from the green branch",
}

_VALUES: Mapping[str, Mapping[str, str]] = {
    "approvals": {"delivery": "only `plan` and `pilot` can be approved"},
}


def without_unsupported(data: Any, faults: list[Fault], path: Path = ()) -> Any:
    """The data without what is not supported; what was taken out is added to the faults.

    An item of a list becomes None, so that the others keep their places.
    """
    if isinstance(data, dict):
        table = cast("dict[str, Any]", data)
        kept = [n for n, value in table.items() if not _is_taken(value, faults, (*path, n))]
        return {name: without_unsupported(table[name], faults, (*path, name)) for name in kept}
    if isinstance(data, list):
        items = enumerate(cast("list[Any]", data))
        return [
            None
            if _is_taken(item, faults, (*path, number))
            else without_unsupported(item, faults, (*path, number))
            for number, item in items
        ]
    return data


def _is_taken(value: Any, faults: list[Fault], path: Path) -> bool:
    name = _name(path)
    if name in _FIELDS:
        faults.append(Fault(path, WHAT, _FIELDS[name], on_key=True))
        return True
    advice = _VALUES.get(name, {}).get(value) if isinstance(value, str) else None
    if advice is not None:
        faults.append(Fault(path, f"`{value}` is {WHAT}", advice))
    return advice is not None


def _name(path: Path) -> str:
    """`("checks", "unit", "at")` → `checks.at`: without indices, given names and the phase."""
    parts = [part for part in path if isinstance(part, str)]
    if parts[0] == "phases":
        parts = parts[1:]
    if parts and parts[0] in ("checks", "environments"):
        parts[1:2] = []
    return ".".join(parts)
