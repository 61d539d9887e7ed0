"""A spec's nodes as plain data that remembers where everything stood.

Strict: duplicate keys, empty values and tags are faults, and so is a plain value that a comma cut
short. `{vars.x}` is replaced on the way, so that places stay true. A faulty field is left out of
the data, a faulty item of a list is None there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from activities.adapters.spec_problem import Fault, Path, Problem, spelled
from activities.adapters.spec_vars import Value, Variables, is_variable
from activities.adapters.yaml_nodes import Item, Listing, Place, Scalar, Table
from activities.contracts.placeholder_slots import FILES_FILE, LISTS, WORDS

_PLACEHOLDERS = (*LISTS, FILES_FILE, *WORDS)


@dataclass
class Source:
    """A document as data, with the place of everything in it."""

    file: str
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    values: dict[Path, Place] = field(default_factory=dict[Path, Place])
    keys: dict[Path, Place] = field(default_factory=dict[Path, Place])
    faults: list[Fault] = field(default_factory=list[Fault])

    def problem(self, fault: Fault) -> Problem:
        """The fault at its place: the nearest one around it that stands in the file."""
        place = self.keys.get(fault.path) if fault.on_key else None
        path = fault.path
        while path and path not in self.values:
            path = path[:-1]
        place = place or self.values.get(path) or Place(0, 0, "")
        if fault.at:
            place = Place(*fault.at)
        elif fault.offset is not None and path == fault.path and isinstance(place, Scalar):
            place = self._inside(place, path, fault.offset)
        line, column = place.line + 1, place.column + 1
        file = place.file or self.file
        return Problem(file, line, column, spelled(fault.path), fault.what, fault.advice)

    def _inside(self, scalar: Scalar, path: Path, offset: int) -> Place:
        """Where a character of a value stands in the file; variables may have moved it."""
        value: Any = self.data
        for step in path:
            value = value[step]
        if value == scalar.text:
            return scalar.inside(offset)
        before = str(value)[:offset]
        read, written = str(value).split("\n"), scalar.text.split("\n")
        if len(read) != len(written):
            return scalar
        row = before.count("\n")
        line = written[row]
        column = len(before) - before.rfind("\n") - 1
        if line[: column + 1] != read[row][: column + 1]:
            if scalar.indent is None:
                return scalar
            column = len(line) - len(line.lstrip())
        return scalar.inside(sum(len(above) + 1 for above in written[:row]) + column)

    def written(self, path: Path) -> str:
        """How a single value is spelled in the file."""
        place = self.values.get(path)
        return place.text if isinstance(place, Scalar) else ""


def read_source(root: Table, file: str, variables: Mapping[str, Value]) -> Source:
    """The document as data; `variables` win over its `vars`."""
    source = Source(file)
    reader = _Reader(source, Variables({**variables_of(root), **variables}))
    source.data = reader.table(root, ()) or {}
    return source


def variables_of(table: Table) -> dict[str, Value]:
    """The `vars` of a map, as they are written."""
    for key, value in table.pairs:
        if isinstance(key, Scalar) and key.text == "vars" and isinstance(value, Table):
            return {k.text: _variable(v) for k, v in value.pairs if isinstance(k, Scalar)}
    return {}


def _variable(item: Item) -> Value:
    if isinstance(item, Listing):
        return tuple(i.text for i in item.items if isinstance(i, Scalar))
    return item.text if isinstance(item, Scalar) else ""


def _bare_placeholder(table: Table) -> str:
    """The placeholder that an unquoted `{files}` was meant to be; empty for other maps."""
    key, value = table.pairs[0] if table.flow and len(table.pairs) == 1 else (None, None)
    if not isinstance(key, Scalar) or not isinstance(value, Scalar) or not value.absent:
        return ""
    known = key.text.partition("|")[0] in _PLACEHOLDERS or key.text.startswith(("vars.", "repo."))
    return key.text if known else ""


@dataclass
class _Reader:
    """Turns nodes into data; what is wrong goes to the source's faults."""

    source: Source
    variables: Variables

    def fault(self, path: Path, what: str, advice: str) -> None:
        self.source.faults.append(Fault(path, what, advice))

    def value(self, item: Item, path: Path) -> Any:
        """The data of a node; None when it is faulty."""
        self.source.values[path] = item
        if isinstance(item, Table):
            return self.table(item, path)
        return self.listing(item, path) if isinstance(item, Listing) else self.scalar(item, path)

    def table(self, table: Table, path: Path) -> dict[str, Any] | None:
        if name := _bare_placeholder(table):
            self.fault(path, f"{{{name}}} without quotes is a map", f'quote it: "{{{name}}}"')
            return None
        data: dict[str, Any] = {}
        seen: set[str] = set()
        plain: Path | None = None
        for key, item in table.pairs:
            name = self.key(key, path, seen)
            if table.flow and plain and name and isinstance(item, Scalar) and item.absent:
                self.cut_short(plain, name)
            elif name:
                here = (*path, name)
                self.source.keys[here] = key
                value = self.value(item, here)
                data |= {} if value is None else {name: value}
                plain = here if isinstance(item, Scalar) and item.plain else None
        return data

    def cut_short(self, path: Path, read: str) -> None:
        """A plain value in braces ended at a comma; said once for each value."""
        if not any(fault.path == path for fault in self.source.faults):
            what = f"the value ends at the comma, so `{read}` was read as a field"
            self.fault(path, what, f"quote the value of `{path[-1]}`")

    def key(self, item: Item, path: Path, seen: set[str]) -> str | None:
        """The name of a field; None when it is faulty."""
        place = (item.line, item.column, item.file)
        if not isinstance(item, Scalar):
            what, advice = "a field's name must be text", "quote a value that holds braces"
            self.source.faults.append(Fault(path, what, advice, at=place))
            return None
        if not item.text:
            self.source.faults.append(Fault(path, "a field has no name", "give it one", at=place))
            return None
        name = self.variables.filled(item.text, (*path, item.text), self.source.faults)
        if name not in seen:
            seen.add(name)
            return name
        first = self.source.keys.get((*path, name), item).line + 1
        what, advice = f"`{name}` is here twice", f"merge it with the one in line {first}"
        self.source.faults.append(Fault((*path, name), what, advice, at=place))
        return None

    def listing(self, listing: Listing, path: Path) -> list[Any]:
        data: list[Any] = []
        for item in listing.items:
            spliced = None
            if isinstance(item, Scalar) and not is_variable(path):
                spliced = self.variables.list_of(item.text)
            if spliced is None:
                data.append(self.value(item, (*path, len(data))))
            for value in spliced or ():
                self.source.values[(*path, len(data))] = item
                data.append(value)
        return data

    def scalar(self, scalar: Scalar, path: Path) -> Any:
        if scalar.kind == "null":
            advice = "write `claude: {}`" if path[-1] == "claude" else "give a value or remove it"
            # a value that nobody wrote has no place of its own worth showing
            fault = Fault(path, "is empty", advice, on_key=scalar.absent)
            self.source.faults.append(fault)
            return None
        if scalar.kind in ("str", "timestamp"):
            return self.text(scalar, path)
        if scalar.kind == "bool":
            return scalar.text.lower() == "true"
        if scalar.kind not in ("int", "float"):
            self.fault(
                path, f"the tag {scalar.kind} is not allowed", "quote a value that starts with !"
            )
            return None
        try:
            return int(scalar.text) if scalar.kind == "int" else float(scalar.text)
        except ValueError:  # 0x1f, .inf: nothing in a spec is such a number
            return scalar.text

    def text(self, scalar: Scalar, path: Path) -> str:
        """A text with its variables; what is wrong with them is told where they stand."""
        found: list[Fault] = []
        text = self.variables.filled(scalar.text, path, found)
        for fault in found:
            place = scalar.inside(fault.offset or 0)
            at = (place.line, place.column, place.file)
            self.source.faults.append(replace(fault, at=at))
        return text
