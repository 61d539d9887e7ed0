"""YAML 1.2 text as typed nodes with places; refuses what must not even be composed.

Bombs are stopped while the text is still a stream of events: a limit on bytes, nodes and depth, and
no aliases. ruamel.yaml is untyped, so nothing of it leaves this module.
"""
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportAttributeAccessIssue=false

from collections.abc import Iterable
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    NodeEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from activities.adapters.spec_problem import Problem, SpecErrors
from activities.adapters.spec_syntax import syntax_problem
from activities.adapters.yaml_columns import column_in

MAX_BYTES = 1 << 20
MAX_NODES = 50_000
MAX_DEPTH = 32


@dataclass(frozen=True)
class Place:
    """Where something stands, lines and columns from 0."""

    line: int
    column: int
    file: str
    """Empty: the file that is being read."""


@dataclass(frozen=True)
class Scalar(Place):
    """A single value."""

    kind: str
    """str, int, float, bool, null, timestamp, or a tag somebody wrote."""
    text: str
    plain: bool
    """Written without quotes."""
    indent: int | None = None
    """How far the lines of a literal block (`|`) are indented; None for other values."""
    written: str = ""
    """As the file has it, quotes and all; empty for a value of several lines."""

    @property
    def absent(self) -> bool:
        """Nobody wrote it, as after `a` in `{a, b: 1}`."""
        return self.kind == "null" and self.text == ""

    def inside(self, offset: int) -> Place:
        """Where a character of the text stands: known in a literal block and in a value of one
        line, else where it begins."""
        if self.indent is None:
            return Place(
                self.line, self.column + column_in(self.written, self.text, offset), self.file
            )
        before = self.text[:offset]
        row, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        return Place(self.line + 1 + row, self.indent + column, self.file)


@dataclass(frozen=True)
class Listing(Place):
    """A list."""

    items: tuple["Item", ...]


@dataclass(frozen=True)
class Table(Place):
    """A map, its pairs in the order of the file, doubles included."""

    pairs: tuple[tuple["Item", "Item"], ...]
    flow: bool
    """Written in braces."""


Item = Scalar | Listing | Table


def compose(text: str, file: str) -> Table:
    """The document's root; SpecErrors when it does not parse, is too large, or is no map."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        limit = Problem(file, 1, 1, "", "the file is larger than 1 MiB", "split the migration")
        raise SpecErrors([limit])
    try:
        problems = _refused(_yaml().parse(text), file)
        if problems:
            raise SpecErrors(problems)
        root = _yaml().compose(text)
    except YAMLError as error:
        raise SpecErrors([syntax_problem(error, text, file)]) from error
    item = None if root is None else _item(root, file, text.split("\n"))
    if isinstance(item, Table):
        return item
    what = "the file is empty" if item is None else "the file is not a map"
    advice = "begin with `version: 1`; examples/minimal.yaml is a whole spec"
    raise SpecErrors([Problem(file, 1, 1, "", what, advice)])


def _yaml() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.version = (1, 2)
    return yaml


def _refused(events: Iterable[Event], file: str) -> list[Problem]:
    problems: list[Problem] = []
    nodes = depth = 0
    for event in events:
        nodes += isinstance(event, NodeEvent)
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if nodes > MAX_NODES or depth > MAX_DEPTH:
            limit = f"{MAX_NODES:,} values" if nodes > MAX_NODES else f"{MAX_DEPTH} levels"
            return [_at(event, file, f"the file has more than {limit}", "split the migration")]
        problems += _strange(event, file)
    return problems


def _strange(event: Event, file: str) -> list[Problem]:
    if isinstance(event, AliasEvent):
        advice = "quote a pattern that starts with *; for one value in two places use `vars`"
        return [_at(event, file, f"aliases such as *{event.anchor} are not allowed", advice)]
    if isinstance(event, NodeEvent) and event.anchor:
        advice = "quote a value that starts with &; for one value in two places use `vars`"
        return [_at(event, file, f"anchors such as &{event.anchor} are not allowed", advice)]
    if isinstance(event, DocumentStartEvent) and event.version not in (None, (1, 2)):
        return [_at(event, file, "the file says it is not YAML 1.2", "remove the %YAML line")]
    return []


def _at(event: Event, file: str, what: str, advice: str) -> Problem:
    mark = event.start_mark
    return Problem(file, mark.line + 1, mark.column + 1, "", what, advice)


def _item(node: Node, file: str, lines: list[str]) -> Item:
    line, column = int(node.start_mark.line), int(node.start_mark.column)
    if isinstance(node, MappingNode):
        pairs = tuple(
            (_item(key, file, lines), _item(value, file, lines)) for key, value in node.value
        )
        return Table(line, column, file, pairs, bool(node.flow_style))
    if isinstance(node, SequenceNode):
        items = tuple(_item(item, file, lines) for item in node.value)
        return Listing(line, column, file, items)
    kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
    style = str(node.style or "") if isinstance(node, ScalarNode) else ""
    # ruamel.yaml marks where a folded text was folded; nobody can write that character
    text = str(node.value).replace("\a", "") if style == ">" else str(node.value)
    indent = _indent(text, lines[line + 1 :]) if style == "|" else None
    ends = node.end_mark
    written = lines[line][column : int(ends.column)] if int(ends.line) == line else ""
    return Scalar(line, column, file, kind, text, not style, indent, written)


def _indent(block: str, written: list[str]) -> int | None:
    """Told from the first line that is not empty; None where the text is no copy of the file's."""
    for inside, outside in zip(block.split("\n"), written, strict=False):
        if inside.strip():
            whole = outside.rstrip("\r")
            return len(whole) - len(inside) if whole.endswith(inside) else None
    return None
