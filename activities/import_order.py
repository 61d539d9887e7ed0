"""Puts what is imported before what imports it. Pure.

A cycle is one node. Files without sites are no tasks, yet what they import counts: when a imports b
and b imports c, c comes before a even where b has nothing to change. Files of one layer import
nothing of each other's, so their tasks may run at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Unit = tuple[str, ...]
Graph = Mapping[str, Sequence[str]]
"""Path → the paths it imports."""


@dataclass(frozen=True)
class Ordered:
    """The units as blocks that cannot be parted, layer by layer, and what needs what."""

    blocks: list[Unit]
    layers: list[list[int]]
    """Indices into blocks; a block imports nothing of its own layer or a later one."""
    nearest: list[frozenset[int]]
    """Per block: the blocks it imports, directly or through files without sites."""


def in_import_order(units: Sequence[Unit], graph: Graph) -> Ordered:
    """Units that import each other become one block; each block stands after what it imports."""
    nodes = _Nodes.of(units, graph)
    blocks: list[Unit] = []
    nearest: list[frozenset[int]] = []
    level: dict[int, int] = {}
    reached: dict[int, frozenset[int]] = {}
    layers: list[list[int]] = []
    for number, members in enumerate(nodes.components()):
        below = nodes.imported_by(members, number)
        depth = max((level[n] for n in below), default=0)
        seen = frozenset[int]().union(*(reached[n] for n in below))
        paths = [path for node in members if node < len(units) for path in units[node]]
        if paths:
            layers += [[] for _ in range(depth + 1 - len(layers))]
            layers[depth].append(len(blocks))
            nearest.append(seen)
            seen, depth = frozenset({len(blocks)}), depth + 1
            blocks.append(tuple(paths))
        level[number], reached[number] = depth, seen
    return Ordered(blocks, layers, nearest)


@dataclass
class _Nodes:
    """Units, then the other files of the graph, as numbers with what they import."""

    out: list[list[int]]
    _component: dict[int, int] = field(default_factory=dict[int, int])

    @classmethod
    def of(cls, units: Sequence[Unit], graph: Graph) -> "_Nodes":
        number = {path: n for n, unit in enumerate(units) for path in unit}
        count = len(units)
        for path in sorted({*graph, *(p for paths in graph.values() for p in paths)}):
            if path not in number:
                number[path] = count
                count += 1
        out: list[set[int]] = [set() for _ in range(count)]
        for path in sorted(graph):
            out[number[path]].update(number[imported] for imported in graph[path])
        return cls([sorted(found - {node}) for node, found in enumerate(out)])

    def components(self) -> list[list[int]]:
        """Strongly connected components (Tarjan's, without recursion), the imported ones first."""
        walk = _Walk(self.out)
        for node in range(len(self.out)):
            if node not in walk.index:
                walk.from_node(node)
        self._component = {n: c for c, members in enumerate(walk.found) for n in members}
        return walk.found

    def imported_by(self, members: Sequence[int], own: int) -> list[int]:
        """The other components that a component imports directly."""
        return sorted({self._component[to] for n in members for to in self.out[n]} - {own})


@dataclass
class _Walk:
    """The state of one depth-first search."""

    out: list[list[int]]
    index: dict[int, int] = field(default_factory=dict[int, int])
    low: dict[int, int] = field(default_factory=dict[int, int])
    stack: list[int] = field(default_factory=list[int])
    open: set[int] = field(default_factory=set[int])
    found: list[list[int]] = field(default_factory=list[list[int]])

    def from_node(self, start: int) -> None:
        """Visits all that can be reached from a node and was not visited yet."""
        path = [(start, iter(self.out[start]))]
        self._enter(start)
        while path:
            node, left = path[-1]
            for to in left:
                if to not in self.index:
                    self._enter(to)
                    path.append((to, iter(self.out[to])))
                    break
                if to in self.open:
                    self.low[node] = min(self.low[node], self.index[to])
            else:
                path.pop()
                if path:
                    above = path[-1][0]
                    self.low[above] = min(self.low[above], self.low[node])
                self._leave(node)

    def _enter(self, node: int) -> None:
        self.index[node] = self.low[node] = len(self.index)
        self.stack.append(node)
        self.open.add(node)

    def _leave(self, node: int) -> None:
        if self.low[node] != self.index[node]:
            return
        members: list[int] = []
        while not members or members[-1] != node:
            members.append(self.stack.pop())
            self.open.discard(members[-1])
        self.found.append(sorted(members))


def without_indirect(needs: Sequence[frozenset[int]]) -> list[tuple[int, ...]]:
    """Each one's needs without those that another need of it implies; a need has a smaller number.

    What is left says the same: landing follows needs transitively.
    """
    implied: list[int] = []
    kept: list[tuple[int, ...]] = []
    for wanted in needs:
        direct: list[int] = []
        covered = 0
        for need in sorted(wanted, reverse=True):
            if not covered >> need & 1:
                direct.append(need)
                covered |= implied[need] | 1 << need
        implied.append(covered)
        kept.append(tuple(sorted(direct)))
    return kept
