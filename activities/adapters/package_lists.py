"""The values of a command's list placeholders, for a tree on disk and for a commit.

`{roots}` needs to know where packages begin, which costs a look at the tree: it is only taken for
commands that use it.
"""

from collections.abc import Sequence
from pathlib import Path

from activities.adapters.hub import Hub
from activities.contracts.package_roots import folders_above, roots_of
from activities.contracts.placeholder_slots import all_slots
from activities.contracts.placeholders import path_lists
from activities.contracts.spec import Command

Lists = dict[str, tuple[str, ...]]


def lists_in(tree: Path, run: Command, paths: Sequence[str], markers: Sequence[str]) -> Lists:
    """The lists of some paths of a checked-out tree."""
    lists = path_lists(paths)
    if not _asks(run):
        return lists
    folders = {folder for path in paths for folder in folders_above(path)}
    marked = {f for f in folders if any((tree / f / marker).is_file() for marker in markers)}
    return {**lists, "roots": roots_of(paths, marked)}


def lists_at(
    hub: Hub, commit: str, run: Command, paths: Sequence[str], markers: Sequence[str]
) -> Lists:
    """The lists of those paths that a commit has: a deleted file is no argument."""
    present = hub.present(commit, paths)
    lists = path_lists(present)
    if not _asks(run):
        return lists
    named = (path for marker in markers for path, _ in hub.named(commit, marker))
    return {**lists, "roots": roots_of(present, {path.rpartition("/")[0] for path in named})}


def _asks(run: Command) -> bool:
    return any(slot.name == "roots" for slot in all_slots(run))
