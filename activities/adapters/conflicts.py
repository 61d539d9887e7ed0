"""What a resolver is given of a conflict, and whether it settled it.

It works in the merge as git left it. Beside the tree stand whole versions of each file, because
markers show only hunks, and say nothing of a file that one side deleted. What is as git left it, or
still has a marker line that neither side has, is not settled.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from activities.adapters.objects import Objects
from activities.contracts.conflict import Conflict

FOLDER = "/conflict"
"""Where a resolver's commands see the versions."""
VERSIONS = ("base", "landed", "mine")
"""base/PATH, landed/PATH, mine/PATH; a side that has no such file has none there."""
FILES = 200
LARGEST = 4 << 20
"""Bytes of one version."""
_MARKER = re.compile(rb"^(?:<{7,}|>{7,}|\|{7,})(?: .*)?$", re.MULTILINE)


def lay_out(objects: Objects, conflict: Conflict, folder: Path) -> None:
    """Writes the versions of the files in conflict, the first of them; again writes the same."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, commit in zip(VERSIONS, (conflict.base, conflict.tip, conflict.work), strict=True):
        for path in _safe(conflict.paths[:FILES]):
            content = objects.read_file(commit, path)
            if content is not None and len(content) <= LARGEST:
                target = folder / name / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)


def unsettled(objects: Objects, commit: str, conflict: Conflict) -> tuple[str, ...]:
    """What the resolver's commit leaves to settle, as `path: what`."""
    found: list[str] = []
    for path in conflict.paths:
        content = objects.read_file(commit, path)
        if content == objects.read_file(conflict.merged, path):
            found.append(f"{path}: as git left it")
        elif lines := _markers(objects, content, conflict, path):
            found.append(f"{path}: conflict marker in line {lines[0]}")
    return tuple(found)


def _markers(objects: Objects, content: bytes | None, conflict: Conflict, path: str) -> list[int]:
    """Numbers of the marker lines that neither side has."""
    if not content or not _MARKER.search(content):
        return []
    sides = (objects.read_file(at, path) or b"" for at in (conflict.tip, conflict.work))
    known = {found[0] for side in sides for found in _MARKER.finditer(side)}
    new = (found for found in _MARKER.finditer(content) if found[0] not in known)
    return [content.count(b"\n", 0, found.start()) + 1 for found in new]


def _safe(paths: tuple[str, ...]) -> Iterator[str]:
    for path in paths:
        if not {"", ".", "..", ".git"}.intersection(path.split("/")) and "\0" not in path:
            yield path
