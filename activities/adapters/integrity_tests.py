"""The tests of one file: which there are, how often it asserts, what it skips.

Never fails: what is no text of a known language has no tests. Bytes that are not UTF-8 are read as
something, which is alike before and after.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from activities.adapters.integrity_languages import GO, JAVASCRIPT, PYTHON, RUST, Language

LONGEST = 5 << 20
"""Bytes of a file that is looked at."""
MOST = 50_000
"""Tests of a file; what comes behind them counts as lost when there were fewer before."""
_CLASS = re.compile(r"class[ \t]++(?P<name>\w++)[ \t]*+(?P<bases>\([^)]*+\))?")
_END_OF_HEAD = re.compile(r"[^)]*+\)[^:\n]*+:")
_TITLE = re.compile(r"""\s*+(?:(["'`])(.*?)(?:(?<!\\)\1|\Z)|([^,)\n]{1,200}))""", re.DOTALL)
_RUST_TESTS = re.compile(
    r"#\[\s*+(?:cfg\(\s*+test\b|(?:\w++::)*+(?:rs|wasm_bindgen_)?test(?:_case)?\b)"
)
_BUILD = re.compile(r"//\s*+(?:go:build|\+build)\b")
_LITERAL = r"(?:\d++|[Tt]rue|not False|!false)"
_CONSTANT = re.compile(
    r"assert\s[^\n]{0,300}?\bor\s++(?:True|1)[ \t]*+(?:[,;\n]|\Z)"
    rf"|assert\s++(?P<is>{_LITERAL})(?:\s*+(?:==|is)\s*+(?P=is))?[ \t]*+(?:[,:;\n]|\Z)"
    r"|(?:assert|expect|t\.|require\.)\w*+(?:\.\w++)?!?\s*+\(\s*+(?:t\s*+,\s*+)?"
    rf"(?P<one>{_LITERAL})\s*+(?:(?:,|={{2,3}}|is)\s*+(?P=one)\s*+)?(?:,\s*+)?\)"
)
"""An assertion of constants, or one of which a constant is enough: it holds whatever happens."""
_GO_SETUP = re.compile(
    r"(?:ioutil\.Temp(?:Dir|File)|os\.(?:MkdirTemp|CreateTemp|Setenv|Unsetenv|Chdir))\([^\n]*+\n?"
    r"\s*+(?:if\s++)?err\s*+!=\s*+nil\s*+\{\s*+\w++\.Fatal\w*+\([^\n]*+"
    r"|os\.(?:Setenv|Unsetenv|Chdir)\([^\n;{]*+;\s*+err\s*+!=\s*+nil\s*+\{\s*+\w++\.Fatal\w*+\([^\n]*+"
)
"""What `t.TempDir()` and its like do by themselves: where it goes, no assertion is missed."""
_NEAR = 2_000
"""Characters between an assertion and what catches its failure."""
_LINE_START = 80
"""Characters before a head that are looked at."""


@dataclass(frozen=True)
class FoundTest:
    """One test, where its head begins."""

    name: str
    offset: int
    empty: bool


@dataclass(frozen=True)
class TestFile:
    """What counts in a file of tests."""

    __test__ = False
    text: str = ""
    tests: tuple[FoundTest, ...] = ()
    assertions: tuple[int, ...] = ()
    """Offsets."""
    skips: tuple[int, ...] = ()
    """Offsets."""
    caught: tuple[int, ...] = ()
    """Offsets of what makes nothing of a failed assertion."""
    setups: int = 0
    """Assertions that something which the test needs could be made."""
    code: str = ""
    """The text without its comments and strings, as long as it."""

    def line(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1


NO_TESTS = TestFile()


def read_tests(content: bytes, language: Language) -> TestFile:
    """What a file's content has of tests; nothing if it is binary."""
    if b"\0" in content:
        return NO_TESTS
    text = content.decode("utf-8", "surrogateescape")
    start = 0
    code = language.unseen.sub(_blank, text)
    if language is RUST:
        begin = _RUST_TESTS.search(code)
        start = begin.start() if begin else len(code)
    found = tuple(_tests(code, text, language))
    skips = [match.start() for match in language.skip.finditer(code, start)]
    if language is GO:
        skips += [match.start() for match in _BUILD.finditer(text)][:1]
    assertions = tuple(
        match.start()
        for match in language.assertion.finditer(code, start)
        if not _CONSTANT.match(code, match.start())
    )
    caught = tuple(_caught(code, language, assertions))
    setups = len(_GO_SETUP.findall(code)) if language is GO else 0
    return TestFile(text, found, assertions, tuple(skips), caught, setups, code)


def _caught(code: str, language: Language, assertions: Sequence[int]) -> Iterator[int]:
    """Where a failure that can come from an assertion is made nothing of."""
    for match in language.caught.finditer(code):
        at = match.start()
        names = match.re.groupindex
        if "before" in names and match["before"]:
            start, end = at, at + _NEAR // 10
        elif "rest" in names:
            start, end = at, at + _NEAR
        else:
            start, end = code.rfind("try", max(0, at - _NEAR), at), at
        first = bisect_left(assertions, start)
        if start >= 0 and first < len(assertions) and assertions[first] < end:
            yield at


def _tests(code: str, text: str, language: Language) -> list[FoundTest]:
    heads = [
        head
        for head in islice(language.test.finditer(code), MOST)
        if language.before.match(_line_before(code, head.start()))
    ]
    if language is PYTHON:
        classes = [c for c in _CLASS.finditer(code) if not _line_before(code, c.start()).strip()]
        return [
            FoundTest(head["name"], head.start(), _python_is_empty(code, head))
            for head in heads
            if _is_collected(code, head, classes)
        ]
    return [
        FoundTest(
            _title(text, head.end()) if language is JAVASCRIPT else head["name"],
            head.start(),
            language.empty.match(code, head.end()) is not None,
        )
        for head in heads
    ]


def _line_before(code: str, offset: int) -> str:
    start = max(code.rfind("\n", 0, offset) + 1, offset - _LINE_START)
    return code[start:offset]


def _indent(code: str, offset: int) -> int:
    before = _line_before(code, offset)
    return len(before) - len(before.lstrip())


def _is_collected(code: str, head: re.Match[str], classes: list[re.Match[str]]) -> bool:
    """Whether runners look into the class around a test: one with bases, or called Test…."""
    indent = _indent(code, head.start())
    for around in reversed(classes if indent else []):
        if around.start() < head.start() and _indent(code, around.start()) < indent:
            bases = (around["bases"] or "()")[1:-1].strip()
            return around["name"].startswith("Test") or bases not in ("", "object")
    return True


def _python_is_empty(code: str, head: re.Match[str]) -> bool:
    """Whether the first thing behind the head that does something stands outside of it."""
    end = _END_OF_HEAD.match(code, head.end())
    if end is None:
        return False
    nothing = PYTHON.empty.match(code, end.end())
    behind = nothing.end() if nothing else end.end()
    before = _line_before(code, behind)
    outside = not before.strip() and len(before) <= _indent(code, head.start())
    return behind == len(code) or outside


def _title(text: str, offset: int) -> str:
    """What a call names as the title of its test."""
    found = _TITLE.match(text, offset)
    return " ".join((found[2] or found[3] or "").split())[:200] if found else ""


def _blank(match: re.Match[str]) -> str:
    found = match[0]
    if "\n" not in found:
        return " " * len(found)
    return "\n".join(" " * len(line) for line in found.split("\n"))
