"""Maps a task's paths to what a check is given for them: sources to tests, files to packages.

The first rule that matches the whole path, and whose `exists` the tree has, gives the target; a
path that no rule matches has none.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from activities.adapters.bounded_regex import BoundedRegex
from activities.contracts.check_forms import Target

_GROUP = re.compile(r"\{(\w+)\}")


def targets(
    rules: Sequence[Target], paths: Iterable[str], exists: Callable[[str], bool]
) -> tuple[str, ...]:
    """The targets of some paths: sorted, unique. `exists`: whether the tree has a path."""
    compiled = [(rule, BoundedRegex(rule.source, over_paths=True)) for rule in rules]
    found = (_target(compiled, path, exists) for path in paths)
    return tuple(sorted({target for target in found if target}))


def named_groups(template: str) -> list[str]:
    """The groups that a template names."""
    return _GROUP.findall(template)


def _target(
    rules: Sequence[tuple[Target, BoundedRegex]], path: str, exists: Callable[[str], bool]
) -> str:
    for rule, pattern in rules:
        match = pattern.fullmatch(path)
        if match is None:
            continue
        held = {name: value or "" for name, value in match.groupdict().items()}
        if rule.exists is None or exists(_filled(rule.exists, held)):
            return _filled(rule.to, held)
    return ""


def _filled(template: str, held: dict[str, str]) -> str:
    return _GROUP.sub(lambda group: held[group[1]], template)
