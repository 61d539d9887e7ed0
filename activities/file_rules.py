"""Which files no task is ever granted beyond its claims. Pure."""

from functools import cache

from pathspec import GitIgnoreSpec

from activities.contracts.file_requests import MAX_PATH
from activities.contracts.spec import MigrationSpec, Phase

_spec = cache(GitIgnoreSpec.from_lines)


def is_inside(path: str) -> bool:
    """Whether it can be a file of the repository's."""
    return "\0" not in path and not {"", ".", "..", ".git"}.intersection(path.split("/"))


def is_protected(path: str, spec: MigrationSpec, phase: Phase) -> bool:
    """Whether nobody may change it in this phase."""
    return _spec(spec.protect).match_file(path) and not _spec(phase.claims).match_file(path)


def refusal(path: str, spec: MigrationSpec, phase: Phase) -> str:
    """Why it is granted to nobody; empty: it may be."""
    if len(path) > MAX_PATH or not is_inside(path):
        return "it is not a path inside the repository"
    return "it is protected" if is_protected(path, spec, phase) else ""
