"""`{vars.x}` in a spec: replaced first, as text; an item that is exactly `{vars.x}` is spliced."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from activities.adapters.spec_problem import Fault, Path

Value = str | tuple[str, ...]

_VARIABLE = re.compile(r"\{\{[^{}\n]*\}\}|(?<!\$)\{vars\.(?P<name>[A-Za-z_][\w-]*)\}")


def is_variable(path: Path) -> bool:
    """Whether a variable's value stands there: the spec's own, or one of a repository."""
    return path[0] == "vars" or (path[0] == "repositories" and path[2:3] == ("vars",))


@dataclass(frozen=True)
class Variables:
    """The variables of one spec; a value never refers to another one."""

    values: Mapping[str, Value]

    def list_of(self, item: str) -> tuple[str, ...] | None:
        """What is spliced in place of an item that names a list alone; None for other items."""
        found = _VARIABLE.fullmatch(item)
        value = self.values.get(found["name"] or "") if found else None
        return None if value is None or isinstance(value, str) else value

    def filled(self, text: str, path: Path, faults: list[Fault]) -> str:
        """The text with its variables replaced; what cannot be replaced is added to the faults."""

        def one(found: re.Match[str]) -> str:
            name, at = found["name"], found.start()
            value = self.values.get(name) if name else None
            if name and is_variable(path):
                what = f"a variable refers to `{name}`, another one"
                faults.append(Fault(path, what, "write its value out", offset=at))
            elif isinstance(value, str):
                return value
            elif name and value is None and "write" not in path:
                what = f"unknown variable `{{vars.{name}}}`"
                faults.append(Fault(path, what, self._known(), offset=at))
            elif name and value is not None:
                what = f"`{name}` is a list, which can only be a whole item"
                advice = f'write "{{vars.{name}}}" as an item of its own'
                faults.append(Fault(path, what, advice, offset=at))
            return found[0]

        return _VARIABLE.sub(one, text)

    def _known(self) -> str:
        names = ", ".join(self.values)
        return f"define it under `vars`; there are {names}" if names else "define it under `vars`"
