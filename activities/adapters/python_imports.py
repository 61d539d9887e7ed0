"""Who imports whom in Python, by a fast scan of the import statements.

Only what runs when a module is loaded counts: imports inside functions and under TYPE_CHECKING are
left out, for they order nothing. Works on every Python there is, since nothing is parsed. A package
is imported only by who names it; the packages above a module that is named are not.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath

_STATEMENT = re.compile(
    rb"#[^\n]*"
    rb'|"""(?:[^\\]|\\.)*?"""'
    rb"|'''(?:[^\\]|\\.)*?'''"
    rb'|"(?:[^"\\\n]|\\.)*"'
    rb"|'(?:[^'\\\n]|\\.)*'"
    rb"|^(?P<indent>[ \t]*)(?:"
    rb"from[ \t]+(?P<base>[.\w][.\w \t]*?)(?:[ \t]|\\\r?\n)*(?<!\w)import\b(?:[ \t]|\\\r?\n)*"
    rb"(?P<names>\([^)]*\)|(?:[^\n\\#;]|\\\r?\n)*)"
    rb"|import[ \t]+(?P<modules>(?:[^\n\\#;]|\\\r?\n)*)"
    rb"|(?P<block>(?:async[ \t]+def|def|class|if|elif|else|try|except|finally|with|for|while)\b)"
    rb"(?P<head>[^\n]*))",
    re.MULTILINE | re.DOTALL,
)
_LAST = re.compile(rb"\n[ \t]*(?:from|import)[ \t.]")
_COMMENT = re.compile(rb"#[^\n]*")
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|\*")
SUFFIXES = (".py", ".pyi")
INIT = ("__init__.py", "__init__.pyi")
_PROJECT = ("pyproject.toml", "setup.cfg", "setup.py")

Import = tuple[str, str]
"""The module as written, leading dots included, and a name taken from it, or nothing."""


def imported_names(source: bytes) -> list[Import]:
    """The imports that run when a module is loaded, in order, each once."""
    last = max((found.end() for found in _LAST.finditer(source)), default=0)
    if not last and not source.startswith((b"from", b"import")):
        return []
    found: list[Import] = []
    skipped: int | None = None
    for match in _STATEMENT.finditer(source):
        if match.start() > last:
            break
        if match["indent"] is None:
            continue
        indent = len(match["indent"].expandtabs())
        if skipped is not None and indent > skipped:
            continue
        skipped = None
        if match["block"] is not None:
            if b"def" in match["block"] or _is_for_types(match["block"], match["head"]):
                skipped = indent
        elif match["base"] is not None:
            base = match["base"].decode("utf-8", "replace").replace(" ", "").replace("\t", "")
            found += [(base, name) for name in _names(match["names"])]
        else:
            found += [(name, "") for name in _names(match["modules"])]
    return list(dict.fromkeys(found))


def _is_for_types(block: bytes, head: bytes) -> bool:
    return block == b"if" and b"TYPE_CHECKING" in head and b"not" not in head


def _names(text: bytes) -> Iterator[str]:
    """`a, b as c` → a, b; parentheses, comments and continued lines are nothing."""
    plain = _COMMENT.sub(b"", text).replace(b"\\", b" ").strip(b" \t\r\n()")
    for part in plain.decode("utf-8", "replace").split(","):
        words = part.split()
        if words and _NAME.fullmatch(words[0]):
            yield words[0]


class PythonModules:
    """The modules of a tree, by every name they can be imported by.

    A name begins at a source root: the repository's root, a `src` or `lib` folder, a folder with a
    project file or its `src`, and the folder above every outermost package.
    """

    def __init__(self, tree: Collection[str]) -> None:
        self._files = frozenset(path for path in tree if path.endswith(SUFFIXES))
        self._packages = {
            path.rpartition("/")[0] for path in self._files if path.rpartition("/")[2] in INIT
        }
        self._roots = self._source_roots(tree)
        self._by_name: dict[str, list[tuple[str, str]]] = {}
        for path in sorted(self._files):
            for root in self._roots_above(path):
                inside = path.removeprefix(f"{root}/") if root else path
                self._by_name.setdefault(_dotted(inside), []).append((root, path))

    def imported_by(self, path: str, names: Sequence[Import]) -> tuple[str, ...]:
        """The files of the tree that a file's imports stand for, sorted."""
        found: set[str] = set()
        for base, name in names:
            found.update(self._files_of(path, base, name))
        return tuple(sorted(found - {path}))

    def _files_of(self, path: str, base: str, name: str) -> list[str]:
        module = base.lstrip(".")
        if not base.startswith("."):
            inner = self._absolute(path, f"{module}.{name}") if name and name != "*" else []
            return inner or self._absolute(path, module)
        folder = PurePosixPath(path).parent
        for _ in range(len(base) - len(module) - 1):
            folder = folder.parent
        start = "/".join([*folder.parts, *filter(None, module.split("."))])
        inner = self._at(f"{start}/{name}".lstrip("/")) if name and name != "*" else []
        return inner or self._at(start)

    def _at(self, stem: str) -> list[str]:
        """The module or package at a path without its ending."""
        endings = (*SUFFIXES, *(f"/{init}" for init in INIT))
        return [f for e in endings if (f := f"{stem}{e}".lstrip("/")) in self._files]

    def _absolute(self, importer: str, name: str) -> list[str]:
        """The module of this name; of several, the one whose root is nearest to the importer."""
        found = self._by_name.get(name)
        if not found:
            folder = importer.rpartition("/")[0]
            script = folder not in self._packages  # a script finds its neighbours
            stem = "/".join(filter(None, [folder, *name.split(".")]))
            return self._at(stem) if script and name else []
        near = max(_shared(root, importer) for root, _ in found)
        roots = [root for root, _ in found if _shared(root, importer) == near]
        return [path for root, path in found if root == roots[0]]

    def _source_roots(self, tree: Collection[str]) -> frozenset[str]:
        roots = {""}
        for path in tree:
            folder, _, name = path.rpartition("/")
            if name in _PROJECT:
                roots |= {folder, f"{folder}/src".lstrip("/")}
            *_, last = folder.split("/")
            if last in ("src", "lib") and folder not in self._packages:
                roots.add(folder)
        outermost = (p for p in self._packages if p.rpartition("/")[0] not in self._packages)
        return frozenset({*roots, *(package.rpartition("/")[0] for package in outermost)})

    def _roots_above(self, path: str) -> Iterator[str]:
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in self._roots:
                yield folder


def _dotted(path: str) -> str:
    *folders, name = path.split("/")
    stem = name.rpartition(".")[0]
    return ".".join(folders if stem == "__init__" else [*folders, stem])


def _shared(root: str, path: str) -> int:
    """How near a source root is: deeper ones above the path first, then the outermost."""
    parts = root.split("/") if root else []
    above = path.split("/")[: len(parts)] == parts
    return len(parts) + 1 if above else -len(parts)
