"""Python tests that stay in the text and do not run: another of the same name behind them in the
same scope, the name given to something else, a `return` before the rest of the test.

Read as Python reads it. What this Python cannot read, such as Python 2, is let go.
"""

import ast
from collections.abc import Callable, Iterator, Sequence

from activities.adapters.integrity_losses import ChangedTests

LONGEST = 1 << 20
"""Characters of a file that is read."""
_Body = Sequence[ast.stmt]
_Find = Callable[[list[_Body]], list[tuple[int, str]]]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def shadowed(files: Sequence[ChangedTests]) -> Iterator[tuple[str, int, str]]:
    """Path, line and name of each test that another one hides now, and none did before."""
    yield from _more(files, _hidden)


def cut_short(files: Sequence[ChangedTests]) -> Iterator[tuple[str, int, str]]:
    """Path, line and name of each test that ends before its last statements now."""
    yield from _more(files, _returning)


def _more(files: Sequence[ChangedTests], find: _Find) -> Iterator[tuple[str, int, str]]:
    found = [(file.path, *one) for file in files for one in find(_parsed(file, file.after.text))]
    if found:
        had = {name for file in files for _, name in find(_parsed(file, file.before.text))}
        yield from (one for one in found if one[2] not in had)


def _parsed(file: ChangedTests, text: str) -> list[_Body]:
    """The bodies of the module and of its classes."""
    if not file.path.endswith(".py") or len(text) > LONGEST:
        return []
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]


def _hidden(bodies: list[_Body]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for body in bodies:
        tests: dict[str, int] = {}
        for statement in body:
            for name in _named(statement):
                if name in tests:
                    found.append((tests.pop(name), name))
            if isinstance(statement, _FUNCTIONS) and statement.name.startswith("test"):
                tests[statement.name] = statement.lineno
    return found


def _named(statement: ast.stmt) -> list[str]:
    """What a statement gives a meaning to."""
    if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _returning(bodies: list[_Body]) -> list[tuple[int, str]]:
    return [
        (inner.lineno, statement.name)
        for body in bodies
        for statement in body
        if isinstance(statement, _FUNCTIONS) and statement.name.startswith("test")
        for inner in statement.body[:-1]
        if isinstance(inner, ast.Return)
    ]
