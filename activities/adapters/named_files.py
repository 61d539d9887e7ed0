"""Finds the repository files that a failure names: in tracebacks, locations, class names.

Only paths that the tree really has are ever answered, so text under the control of the code that
was tested can point at a wrong file of the repository, and at nothing else.
"""

import re
from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import PurePosixPath

_BREAKS = re.compile(r"[\s\"'`()<>\[\]{},;]+")
_PYTHON_FRAME = re.compile(r"File \"([^\"\n]{1,1000})\", line \d+")
_CLASS = re.compile(r"[\w.$/-]{1,1000}")


class NamedFiles:
    """Looks names up among the known paths of a tree that was checked out at `root`."""

    def __init__(self, known: Collection[str], root: str) -> None:
        self._known = known if isinstance(known, set | frozenset) else frozenset(known)
        self._root = root.rstrip("/") + "/"

    def __bool__(self) -> bool:
        return bool(self._known)

    def in_text(self, text: str) -> list[str]:
        """Paths of `path:line` words and Python frames, in order of appearance, once each."""
        found = [p for f in _PYTHON_FRAME.findall(text) if (p := self._path(f))]
        for word in _BREAKS.split(text):
            name, colon, rest = word.removeprefix("file://").partition(":")
            if colon and rest[:1].isdigit() and (path := self._path(name)):
                found.append(path)
        return list(dict.fromkeys(found))

    def in_places(self, places: Iterable[str]) -> list[str]:
        """Paths of a runner's own `file` and `classname`, once each."""
        found = (self._path(p) or self._tail(p) or self._class(p) for p in places)
        return list(dict.fromkeys(path for path in found if path))

    def _path(self, name: str) -> str | None:
        """A known path, or the only one that ends with it (a check may run in a subfolder)."""
        name = name.removeprefix(self._root).removeprefix("./")
        if name in self._known:
            return name
        if "/" not in name or name.startswith("/"):
            return None
        return self._only(name, PurePosixPath(name).suffix)

    def _tail(self, name: str) -> str | None:
        """The longest known path that ends the name: `example.com/mod/a/b.go` → a/b.go."""
        _, found, rest = name.partition("/")
        while found and rest not in self._known:
            _, found, rest = rest.partition("/")
        return rest if found else None

    def _class(self, name: str) -> str | None:
        """`tests.sub.test_a.TestX` → tests/sub/test_a.py: the longest lead that is a file."""
        if not _CLASS.fullmatch(name):
            return None
        parts = name.partition("$")[0].replace("/", ".").split(".")
        for length in range(len(parts), 0, -1):
            stem = "/".join(parts[:length])
            if stem + ".py" in self._known:
                return stem + ".py"
            if stem and (path := self._only(stem, "")):
                return path
        return None

    def _only(self, tail: str, suffix: str) -> str | None:
        """The one known path that ends with these parts; of several, none is meant for certain."""
        stem = tail.removesuffix(suffix)
        matches = [
            path
            for path in self._by_stem.get(stem.rpartition("/")[2], ())
            if path.endswith(suffix)
            and f"/{path.removesuffix(PurePosixPath(path).suffix)}".endswith(f"/{stem}")
        ]
        return matches[0] if len(matches) == 1 else None

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        stems: dict[str, list[str]] = {}
        for path in self._known:
            name = path.rpartition("/")[2]
            stems.setdefault(name.rpartition(".")[0] or name, []).append(path)
        return stems
