"""What a split must keep: fields that go with `by`, and patterns that can hold files together."""

from collections.abc import Iterable, Iterator
from typing import Any

from activities.adapters import spec_words as words
from activities.adapters.spec_command_rules import run_faults
from activities.adapters.spec_parts import all_judged, items, part, table
from activities.adapters.spec_problem import Fault, Path
from activities.contracts.placeholder_slots import all_slots
from activities.contracts.shorthands import as_list, as_run, as_split
from activities.contracts.split import Edges, Split, SplitBy
from activities.together import group_names

_GOES_WITH = {"depth": SplitBy.DIRECTORY, "root": SplitBy.PACKAGE, "edges": SplitBy.IMPORTS}


def split_faults(value: Any, path: Path, environments: Iterable[str]) -> Iterator[Fault]:
    """The faults of one split."""
    fields = table(as_split(value))
    split = part(Split, fields)
    by = split.by if split else None
    for name, wanted in _GOES_WITH.items():
        if by is not None and name in fields and by is not wanted:
            what = f"`{name}` says nothing with `by: {by}`"
            yield Fault((*path, name), what, f"remove it, or write `by: {wanted}`", on_key=True)
    if by is SplitBy.IMPORTS and "order" in fields:
        what = "`order` says nothing with `by: imports`: imports are the order"
        yield Fault((*path, "order"), what, "remove it", on_key=True)
    if by is SplitBy.FILE and fields.get("max_files", 1) != 1:
        what = "`max_files` says nothing with `by: file`"
        advice = "remove it, or write `by: directory`"
        yield Fault((*path, "max_files"), what, advice, on_key=True)
    here = (*path, "root")
    yield from all_judged(_listed(fields.get("root")), here, words.file_name)
    yield from all_judged(fields.get("order"), (*path, "order"), words.pattern)
    yield from _together_faults(fields.get("together"), (*path, "together"))
    yield from _edges_faults(fields.get("edges"), (*path, "edges"), environments)


def _listed(value: Any) -> list[Any]:
    """A list, of one where one thing stands for it."""
    return list(as_list(value)) if value is not None else []


def _together_faults(value: Any, path: Path) -> Iterator[Fault]:
    patterns = [p for p in items(value) if isinstance(p, str)]
    yield from all_judged(value, path, words.together_pattern)
    if any(words.together_pattern(p) for p in patterns):
        return
    if len(patterns) == 1:
        what = "one pattern holds nothing together"
        yield Fault((*path, 0), what, "name the other file's pattern too, with the same groups")
    for number, text in enumerate(patterns[1:], 1):
        if group_names(text) != group_names(patterns[0]):
            names = ", ".join(f"{{{name}}}" for name in sorted(group_names(patterns[0])))
            what = "its groups are others than those of the first pattern"
            yield Fault((*path, number), what, f"use {names} in each of them")


def _edges_faults(value: Any, path: Path, environments: Iterable[str]) -> Iterator[Fault]:
    edges = part(Edges, as_run(value)) if value is not None else None
    if edges is None:
        return
    yield from run_faults(edges, value, path, environments)
    for slot in all_slots(edges.run):
        if slot.name and not slot.name.startswith("vars."):
            what = f"a command for edges has no placeholders, such as `{{{slot.name}}}`"
            advice = f"print the whole tree's; write {{{{{slot.name}}}}} for a literal one"
            here = (*path, "run") if isinstance(value, dict) else path
            yield Fault(here, what, advice, offset=slot.start)
