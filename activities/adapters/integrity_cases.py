"""One for many: tests of several cases, and functions that assert for those that call them.

Both only excuse what a change seems to lose, so what cannot be told counts as one case and as no
assertion.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from activities.adapters.integrity_tests import FoundTest, TestFile

_FARTHEST = 20_000
"""Characters around a test's head that are looked at."""
_DECORATOR = re.compile(r"parametrize\s*+(?=\()")
_ATTRIBUTE = re.compile(r"#\[\s*+(?:test_)?case\s*+\(")
_TABLE = re.compile(
    r"(?:it|test)\.each\s*+\(\s*+(?=\[)|@(?:Value|Csv|Enum)Source\([^{)]{0,200}(?=\{)"
    r"|\]\s*+(?P<type>struct)\s*+(?=\{)"
)
_FUNCTION = re.compile(r"\b(?:def|func|function|fn|void)\s++(\w++)\s*+(?:<[^>\n]{0,100}>)?\(")
_COMMENT = re.compile(r"(?:#|//)[^\n]*+")


def cases(file: TestFile, test: FoundTest) -> int:
    """How many cases a test has, by the tables at its head and the first one in its body."""
    code, at = file.code, test.offset
    start = max(code.rfind("def ", max(0, at - _FARTHEST), at), at - _FARTHEST, 0)
    end = min(_end_of(file, test), at + _FARTHEST)
    found = len(_ATTRIBUTE.findall(code, at, end)) or 1
    for decorator in _DECORATOR.finditer(code, start, at):
        values = _elements(file, decorator.end())[1:2]
        found *= len(_elements(file, values[0])) if values else 1
    if table := _TABLE.search(code, at, end):
        opens = code.find("{", _end(code, table.end())) if table["type"] else table.end()
        found *= len(_elements(file, opens))
    return max(1, found)


def assertions_of(file: TestFile, test: FoundTest) -> int:
    """How often one test asserts."""
    return _between(file.assertions, test.offset, _end_of(file, test))


def helpers(file: TestFile) -> Iterator[str]:
    """The functions of a file that assert and are no tests."""
    heads = list(_FUNCTION.finditer(file.code))
    ends = [*(head.start() for head in heads[1:]), len(file.code)]
    tests = {test.name for test in file.tests}
    for head, end in zip(heads, ends, strict=False):
        if head[1] not in tests and _between(file.assertions, head.end(), end):
            yield head[1]


def calls(file: TestFile, name: str) -> int:
    """How often a function is called."""
    there = len(re.findall(rf"\b{name}\s*+\(", file.code))
    return there - sum(head[1] == name for head in _FUNCTION.finditer(file.code))


def _end_of(file: TestFile, test: FoundTest) -> int:
    """Where the next test begins."""
    behind = bisect_right(file.tests, test.offset, key=lambda one: one.offset)
    return file.tests[behind].offset if behind < len(file.tests) else len(file.code)


def _between(offsets: Sequence[int], start: int, end: int) -> int:
    return bisect_left(offsets, end) - bisect_left(offsets, start)


def _elements(file: TestFile, opens: int) -> list[int]:
    """Where each element of a bracket begins; none where there is no bracket."""
    if not 0 <= opens < len(file.code) or file.code[opens] not in "([{":
        return []
    commas = [opens, *_commas(file.code, opens), _end(file.code, opens)]
    found: list[int] = []
    for before, behind in pairwise(commas):
        element = _COMMENT.sub("", file.text[before + 1 : behind])
        if element.strip():
            code = file.code[before + 1 : behind]
            found.append(before + 1 + len(code) - len(code.lstrip()))
    return found


def _commas(code: str, opens: int) -> Iterator[int]:
    return (at for at, depth, char in _nested(code, opens) if char == "," and depth == 1)


def _end(code: str, opens: int) -> int:
    """Where the bracket ends that opens there, or the look at it."""
    closing = (at for at, depth, _ in _nested(code, opens) if depth == 0)
    return next(closing, min(len(code), opens + _FARTHEST))


def _nested(code: str, opens: int) -> Iterator[tuple[int, int, str]]:
    """Each character of a bracket with how deep it is; the last is its end, which is at 0."""
    depth = 0
    for at, char in enumerate(code[opens : opens + _FARTHEST], opens):
        depth += (char in "([{") - (char in ")]}")
        yield at, depth, char
        if depth == 0:
            return
