"""What the tree around a change says: where runners look for tests, and what configures a tool
already for which there is a new file.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from activities.adapters.integrity_configuration import Said, Texts, said_in
from activities.adapters.integrity_tests import LONGEST


class Tree(NamedTuple):
    """The tree that a change is based on."""

    read: Callable[[str], bytes | None] = lambda _: None
    """What a file holds; None: there is none."""
    paths: Callable[[], Sequence[str]] = tuple
    """All its files; asked for once, where a change makes it matter."""


PYTEST = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
"""In the order in which pytest looks for its settings."""
NOTHING: Mapping[str, str] = {}
_FAMILIES = (
    ("ruff", ("ruff.toml", ".ruff.toml", "pyproject.toml")),
    ("flake8", (".flake8", "setup.cfg", "tox.ini")),
    ("mypy", ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg")),
    ("pylint", (".pylintrc", "pylintrc", "pyproject.toml", "setup.cfg")),
    ("coverage", (".coveragerc", "setup.cfg", "tox.ini", "pyproject.toml")),
    (
        "eslint",
        (
            *(".eslintrc", ".eslintrc.json", ".eslintrc.js", ".eslintrc.cjs", ".eslintrc.yml"),
            *(".eslintrc.yaml", "eslint.config.js", "eslint.config.mjs", "eslint.config.cjs"),
            *("eslint.config.ts", ".eslintignore", "package.json"),
        ),
    ),
)
"""A tool, and where it is configured; files of several tools name it."""
_SHARED = frozenset(("pyproject.toml", "setup.cfg", "tox.ini", "package.json"))


class Around:
    """The base of a change, read where it matters."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    @cached_property
    def paths(self) -> Sequence[str]:
        """All files of the base."""
        return self._tree.paths()

    def content(self, path: str) -> bytes:
        """What a file of the base holds; nothing where there is none, or far too much."""
        content = self._tree.read(path) or b""
        return b"" if len(content) > LONGEST else content

    def test_paths(self, configured: Texts) -> tuple[str, ...]:
        """Where pytest looks for tests once the change has landed; empty: everywhere."""
        found = self.pytest_says("testpaths", {path: text for path, _, text in configured})
        return tuple(said.word.removeprefix("./").rstrip("/") for _, said in found)

    def pytest_says(self, key: str, now: Mapping[str, str] = NOTHING) -> list[tuple[str, Said]]:
        """A setting of pytest's, by the first file that has it; `now`: files that are not what they
        are in the base."""
        for path in PYTEST:
            text = now[path] if path in now else self._text(path)
            found = [said for said in said_in(text, path) if said.key == key and said.word]
            if found:
                return [(path, said) for said in found]
        return []

    def configured_by(self, path: str) -> list[Said]:
        """What the base says to the tool that a new file configures, in its folder, else in the
        root; nothing: the tool is new too, or not known here."""
        folder, _, name = path.rpartition("/")
        for tool, names in _FAMILIES if name not in _SHARED else ():
            for place in (folder, "") if name in names else ():
                paths = [f"{place}/{other}".removeprefix("/") for other in names]
                if found := [said for other in paths for said in self._of_tool(other, tool)]:
                    return found
        return []

    def _of_tool(self, path: str, tool: str) -> Iterator[Said]:
        text = self._text(path)
        if path.rpartition("/")[2] not in _SHARED or tool in text:
            yield from said_in(text, path)

    def _text(self, path: str) -> str:
        return self.content(path).decode("utf-8", "surrogateescape")


def lies_below(path: str, folders: Sequence[str]) -> bool:
    """Whether a path is one of these, or in one."""
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)
