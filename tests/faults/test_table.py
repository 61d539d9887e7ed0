"""Every fault that we know of has its line in README.md, and every test that it names is there."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent.parent
ROW = re.compile(r"^\| (\d+) [^|]*\|([^|]*)\|([^|]*)\|$", re.MULTILINE)
NAMED = re.compile(r"[\w/]+\.py::\w+")
FAULTS = 48


def rows() -> dict[int, tuple[str, str]]:
    """Number → the right behaviour, the tests."""
    text = (Path(__file__).parent / "README.md").read_text()
    return {int(number): (right, tests) for number, right, tests in ROW.findall(text)}


def test_every_fault_has_a_line_with_a_test_or_with_the_reason_why_not() -> None:
    assert list(rows()) == list(range(1, FAULTS + 1))
    empty = [number for number, (_, tests) in rows().items() if not tests.strip()]
    assert empty == []
    without = [
        n for n, (right, tests) in rows().items() if right.strip() and not NAMED.search(tests)
    ]
    assert without == []


def test_every_test_that_is_named_is_there() -> None:
    named = {name for _, tests in rows().values() for name in NAMED.findall(tests)}
    assert {name for name in named if name not in functions_of(name.split("::")[0])} == set()


@cache
def functions_of(file: str) -> set[str]:
    """file::function of every test in it, those in classes too."""
    path = TESTS / file
    tree = ast.parse(path.read_text()) if path.exists() else ast.Module([], [])
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return {f"{file}::{node.name}" for node in ast.walk(tree) if isinstance(node, kinds)}
