"""Where packages begin: the nearest folder above a file that holds a root marker."""

from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

ROOT_MARKERS = (
    "Cargo.toml",
    "build.gradle",
    "build.gradle.kts",
    "go.mod",
    "package.json",
    "pom.xml",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
)


def marked_folders(tree: Iterable[str], markers: Collection[str]) -> frozenset[str]:
    """The folders of a tree that hold a marker; the repository's root is the empty name."""
    split = (path.rpartition("/") for path in tree)
    return frozenset(folder for folder, _, name in split if name in markers)


def folders_above(path: str) -> list[str]:
    """The folders that hold a path, the nearest first, down to the repository's root."""
    above = [str(parent) for parent in PurePosixPath(path).parents]
    return ["" if folder == "." else folder for folder in above]


def nearest_root(path: str, marked: Collection[str]) -> str | None:
    """The folder where the path's package begins; None under no root."""
    return next((folder for folder in folders_above(path) if folder in marked), None)


def roots_of(paths: Iterable[str], marked: Collection[str]) -> tuple[str, ...]:
    """The package roots of some paths, sorted; a path under no root has the repository's."""
    return tuple(sorted({nearest_root(path, marked) or "." for path in paths}))
