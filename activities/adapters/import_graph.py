"""Who imports whom in a tree, as far as the files that have sites are concerned.

A function of the tree, so that a second survey finds the same. Python is read from git's objects;
for other languages a command of the spec prints the pairs.
"""

from collections.abc import Collection, Mapping, Sequence

from activities.adapters.hub import Hub
from activities.adapters.objects import TreeFile
from activities.adapters.python_imports import SUFFIXES, PythonModules, imported_names

MAX_SCANNED = 5 << 20
"""Bytes: a bigger file is generated data, and imports nothing that anybody moves."""
Graph = dict[str, tuple[str, ...]]


def python_graph(
    hub: Hub, files: Mapping[str, TreeFile], importers: Collection[str] | None = None
) -> Graph:
    """Path → the files of the tree that a Python file (of these, or any) imports when loaded."""
    asked = files.values() if importers is None else [files[p] for p in importers if p in files]
    scanned = [f for f in asked if f.path.endswith(SUFFIXES) and f.size <= MAX_SCANNED]
    blobs = sorted({file.blob for file in scanned})
    names = {blob: imported_names(content) for blob, content in hub.read_blobs(blobs)}
    modules = PythonModules(files)
    found = ((file.path, modules.imported_by(file.path, names[file.blob])) for file in scanned)
    return {path: imported for path, imported in found if imported}


def parse_edges(output: bytes, known: Collection[str], root: str = "/src") -> Graph:
    """Lines such as `importer<TAB>imported`; a space will do where no name holds one.

    Lines that name something else than two files of the tree are ignored: tools print progress, and
    what is outside the tree orders nothing.
    """
    edges: dict[str, set[str]] = {}
    for raw in output.decode("utf-8", "replace").splitlines():
        parts = raw.strip().split("\t") if "\t" in raw else raw.split()
        names = [part.removeprefix(root.rstrip("/") + "/").removeprefix("./") for part in parts]
        if len(names) == 2 and names[0] in known and names[1] in known:
            edges.setdefault(names[0], set()).add(names[1])
    return {path: tuple(sorted(imported)) for path, imported in edges.items()}


def between(graph: Mapping[str, Sequence[str]], ends: Collection[str]) -> Graph:
    """The part of a graph that lies on ways from one of `ends` to another, sorted."""
    down = _reached(graph, ends)
    back: dict[str, list[str]] = {}
    for path, imported in graph.items():
        for other in imported:
            back.setdefault(other, []).append(path)
    kept = down & _reached(back, ends)
    return {
        path: wanted
        for path in sorted(kept)
        if (wanted := tuple(sorted(other for other in graph.get(path, ()) if other in kept)))
    }


def _reached(graph: Mapping[str, Sequence[str]], starts: Collection[str]) -> set[str]:
    seen = set(starts)
    todo = list(seen)
    while todo:
        for other in graph.get(todo.pop(), ()):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen
