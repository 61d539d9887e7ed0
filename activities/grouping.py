"""Groups files into tasks-to-be, as a spec's split says. Pure: the same facts, the same groups.

Every file with sites is in exactly one group. A group that is too large is cut into pieces of even
size; files that stay together, and files that import each other, are never parted, so only such a
piece may be larger than the bound.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from pathspec import GitIgnoreSpec

from activities.contracts.package_roots import ROOT_MARKERS, marked_folders, nearest_root
from activities.contracts.split import Split, SplitBy
from activities.import_order import Graph, Unit, in_import_order, without_indirect
from activities.together import units

MAX_TITLE = 160


@dataclass(frozen=True)
class Facts:
    """What is known about the tree beside the files that have sites."""

    tree: Collection[str] = ()
    """Every path."""
    sites: Mapping[str, int] | None = None
    """Path → sites."""
    owners: Mapping[str, Sequence[str]] | None = None
    imports: Graph | None = None
    markers: Collection[str] = ROOT_MARKERS
    may_join: Callable[[str], bool] = lambda _: True
    """Whether a file without sites may be claimed with one that it stays together with."""

    @cached_property
    def marked(self) -> frozenset[str]:
        return marked_folders(self.tree, self.markers)


@dataclass(frozen=True)
class FileGroup:
    """The files of one task-to-be."""

    title: str
    paths: tuple[str, ...]
    needs: tuple[int, ...] = ()
    """Places, in the list, of the groups that must land first; they come before this one."""


def split_files(paths: Iterable[str], split: Split, facts: Facts | None = None) -> list[FileGroup]:
    """Every path in exactly one group; a folder's files stay neighbours."""
    facts = facts or Facts()
    bearing = sorted(set(paths), key=folder_order)
    parts = units(bearing, split.together, facts.tree, facts.may_join)
    if split.by is SplitBy.IMPORTS:
        return _by_imports(parts, split, facts)
    grouped: dict[str, list[Unit]] = {}
    for unit in parts:
        grouped.setdefault(_group(unit, split, facts), []).append(unit)
    groups = [group for name, units in grouped.items() for group in _pieces(name, units, split)]
    return _in_order(groups, split, facts)


def folder_order(path: str) -> tuple[list[str], str]:
    """A folder's own files first, then its folders, so that a cut falls between folders."""
    *folders, name = path.split("/")
    return folders, name


def _group(unit: Unit, split: Split, facts: Facts) -> str:
    """The name of the group that a unit belongs to, by its first file."""
    path = unit[0]
    if split.by is SplitBy.FILE:
        return path
    if split.by is SplitBy.WHOLE:
        return "everything"
    if split.by is SplitBy.OWNER:
        return " ".join(sorted((facts.owners or {}).get(path, ()))) or "no owner"
    if split.by is SplitBy.PACKAGE:
        root = nearest_root(path, facts.marked)
        return "no package" if root is None else f"package {root or '.'}"
    return "/".join(path.split("/")[:-1][: split.depth]) or "top level"


def _pieces(name: str, units: Sequence[Unit], split: Split) -> list[FileGroup]:
    pieces = _cut(units, split.bound)
    return [
        FileGroup(_title(name, number, len(pieces), piece, split), _paths(piece))
        for number, piece in enumerate(pieces, 1)
    ]


def _cut(units: Sequence[Unit], most: int) -> list[Sequence[Unit]]:
    """Pieces of even size, never a full one and a rest; where units differ in size, full ones."""
    if all(len(unit) == 1 for unit in units):
        count = -(-len(units) // most)
        cuts = [len(units) * i // count for i in range(count + 1)]
        return [units[a:b] for a, b in pairwise(cuts)]
    pieces: list[list[Unit]] = [[]]
    room = most
    for unit in units:
        if pieces[-1] and len(unit) > room:
            pieces.append([])
            room = most
        pieces[-1].append(unit)
        room -= len(unit)
    return list(pieces)


def _paths(piece: Iterable[Unit]) -> tuple[str, ...]:
    return tuple(path for unit in piece for path in unit)


def _title(name: str, number: int, of: int, piece: Sequence[Unit], split: Split) -> str:
    files = sum(len(unit) for unit in piece)
    if split.by is SplitBy.FILE:
        return shortened(name) + (f" and {files - 1} more" if files > 1 else "")
    part = f" {number}/{of}" if of > 1 else ""
    return f"{shortened(name)}{part} ({files} file{'s' if files != 1 else ''})"


def shortened(name: str) -> str:
    """The end of a long name: that is where names differ."""
    return name if len(name) <= MAX_TITLE else f"…{name[1 - MAX_TITLE :]}"


def _in_order(groups: list[FileGroup], split: Split, facts: Facts) -> list[FileGroup]:
    """The groups as `order` says; equal ones stay in path order."""
    if split.order == "path":
        return groups
    if split.order == "sites":
        counts = facts.sites or {}
        return sorted(groups, key=lambda group: -sum(counts.get(p, 0) for p in group.paths))
    wanted = [GitIgnoreSpec.from_lines([pattern]) for pattern in split.order]

    def place(group: FileGroup) -> int:
        hits = (n for n, spec in enumerate(wanted) if any(map(spec.match_file, group.paths)))
        return next(hits, len(wanted))

    return sorted(groups, key=place)


def _by_imports(units: Sequence[Unit], split: Split, facts: Facts) -> list[FileGroup]:
    """Layer by layer; small layers in a row share a group, which keeps the order all the same."""
    ordered = in_import_order(units, facts.imports or {})
    of_block: dict[int, int] = {}
    groups: list[tuple[str, list[int]]] = []
    for number, blocks in enumerate(_joined(ordered.layers, ordered.blocks, split.bound), 1):
        blocks = sorted(blocks, key=lambda block: folder_order(ordered.blocks[block][0]))
        at = {ordered.blocks[block]: block for block in blocks}
        pieces = _cut([ordered.blocks[block] for block in blocks], split.bound)
        for part, piece in enumerate(pieces, 1):
            title = _layer_title(number, part, len(pieces), piece)
            of_block.update((at[unit], len(groups)) for unit in piece)
            groups.append((title, [at[unit] for unit in piece]))
    needs = [
        frozenset(of_block[near] for block in blocks for near in ordered.nearest[block]) - {own}
        for own, (_, blocks) in enumerate(groups)
    ]
    return [
        FileGroup(title, _paths(ordered.blocks[block] for block in blocks), direct)
        for (title, blocks), direct in zip(groups, without_indirect(needs), strict=True)
    ]


def _joined(layers: Sequence[list[int]], blocks: Sequence[Unit], most: int) -> list[list[int]]:
    """Consecutive layers that fit one group, as one layer."""
    joined: list[list[int]] = []
    used = 0
    for layer in layers:
        size = sum(len(blocks[block]) for block in layer)
        if joined and used + size <= most:
            joined[-1] = [*joined[-1], *layer]
            used += size
        else:
            joined.append(layer)
            used = size
    return joined


def _layer_title(number: int, part: int, of: int, piece: Sequence[Unit]) -> str:
    paths = _paths(piece)
    folders = sorted({path.rpartition("/")[0] or "top level" for path in paths})
    where = folders[0] if len(folders) == 1 else f"{folders[0]} and {len(folders) - 1} more folders"
    piece_of = f" {part}/{of}" if of > 1 else ""
    files = f"{len(paths)} file{'s' if len(paths) != 1 else ''}"
    return f"layer {number}{piece_of}: {shortened(where)} ({files})"
