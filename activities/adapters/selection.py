"""Which checks a change needs: those that do not say what they cover, and those that cover a path
which it touches.

What `covers` says is a person's word, so it is trusted as far as it goes: a change that touches a
path which none of them covers, or a file that an environment is made of, needs all of them.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from pathspec import GitIgnoreSpec

from activities.adapters.hub import Hub
from activities.adapters.orders import named_environment
from activities.adapters.tree_source import TreeSource
from activities.contracts.environment import Environment
from activities.contracts.spec import Check, MigrationSpec


def touched(spec: MigrationSpec, names: Sequence[str], changed: Iterable[str]) -> list[str]:
    """Those of the checks that a change of these paths needs, in their order."""
    paths = list(changed)
    covers = {n: _patterns(spec.checks[n].covers) for n in names if spec.checks[n].covers}
    inputs = [_patterns(found) for n in names if (found := _inputs(spec, n))]
    hit = {name: {*patterns.match_files(paths)} for name, patterns in covers.items()}
    known = set[str]().union(*hit.values())
    if not known.issuperset(paths) or any(any(i.match_files(paths)) for i in inputs):
        return list(names)
    return [name for name in names if hit.get(name, paths) or name not in covers]


def covered_digest(hub: Hub, tree: str, check: Check, environment: Environment | None) -> str:
    """Of the names, modes and contents of all that a check covers in a tree, and of what the tree
    gives to its environment: trees of one digest have one result."""
    source = TreeSource(hub, tree)
    given = source.inputs_digest(environment) if environment else ""
    return f"covered-{_digest(hub.path, tree, check.covers, given)}"


def _inputs(spec: MigrationSpec, name: str) -> tuple[str, ...]:
    named = named_environment(spec, spec.checks[name].environment)
    return named[1].inputs if named else ()


@lru_cache(maxsize=64)
def _digest(hub: Path, tree: str, covers: tuple[str, ...], given: str) -> str:
    objects = Hub(hub)
    files = objects.among(tree, filter(_patterns(covers).match_file, objects.paths(tree)))
    lines = [f"{f.path}\0{f.mode}\0{f.blob}" for f in files]
    told = "\n".join([given, *lines]).encode("utf-8", "surrogateescape")
    return hashlib.sha256(told).hexdigest()


@lru_cache(maxsize=64)
def _patterns(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(patterns)
