"""Reads what `go test -json` prints, in which other text may stand between the lines.

A test's id is `package::Test/subtest`. A package is a result of its own, by its name, only where
its tests do not tell: it failed without a failing test (it does not build, its TestMain gave up),
it passed without any test, or it has none. What began and never ended is red.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from activities.adapters.raw_result import (
    Detail,
    RawResult,
    State,
    UnreadableResultsError,
    did_not_finish,
)
from activities.adapters.result_lines import result_lines

_STATES: dict[str, State] = {
    "pass": "passed",
    "bench": "passed",
    "fail": "failed",
    "skip": "skipped",
}
_PLAIN_FAILURE = re.compile(r"FAIL\t(\S+) \[(?:build|setup) failed\]$")
"""Before Go 1.24, what does not build is told in plain text."""
_BUILD = re.compile(r"# (\S+)")
_NAMED = re.compile(r"(?<![\w./-])([\w.-]+\.go):\d+")
"""A file in the package's own folder, as a test's log names it."""

_FRAMES = ("===", "---", "FAIL", "PASS", "# ")

Name = tuple[str, str]
"""package, test; a package as such has no test."""


def read_go(content: bytes) -> list[RawResult]:
    """Every test in the order in which they ended, then the packages that stand for themselves."""
    reader = _Reader()
    for line in result_lines(content):
        reader.line(line)
    results = list(reader.results())
    if not results:
        raise UnreadableResultsError("no line of `go test -json` in the output")
    return results


class _Reader:
    """What ended and how, what is still open, and what each one said."""

    def __init__(self) -> None:
        self._ended: list[tuple[Name, State]] = []
        self._open: Counter[Name] = Counter()
        self._said: dict[Name, Detail] = {}
        self._named: dict[Name, dict[str, None]] = {}
        """What each one, or a test inside it, says of files of its package."""
        self._build = ""

    def line(self, line: str) -> None:
        event = _event(line)
        if event is None:
            self._plain(line)
        elif event["Action"] == "build-output":
            self._say((_package(event.get("ImportPath")), ""), _text(event.get("Output")))
        elif event.get("Package"):
            self._event((_text(event["Package"]), _text(event.get("Test"))), event)

    def _event(self, name: Name, event: dict[str, Any]) -> None:
        action = _text(event["Action"])
        if action in ("run", "start"):
            self._open[name] += 1
        elif action == "output":
            self._say(name, _text(event.get("Output")))
        elif action in _STATES:
            self._open[name] -= 1
            self._ended.append((name, _STATES[action]))

    def _plain(self, line: str) -> None:
        """A line that is no event: what the build says goes to the package it is about."""
        if found := _PLAIN_FAILURE.match(line):
            self._ended.append(((found[1], ""), "failed"))
        elif found := _BUILD.match(line):
            self._build = found[1]
        elif self._build:
            self._say((self._build, ""), f"{line}\n")

    def _say(self, name: Name, text: str) -> None:
        self._said.setdefault(name, Detail()).add(text)
        package, test = name
        for file in _NAMED.findall(text):
            for end in _ends(test):
                self._named.setdefault((package, test[:end]), {})[file] = None

    def results(self) -> Iterator[RawResult]:
        tests = [ended for ended in self._ended if ended[0][1]]
        unfinished = [name for name, count in self._open.items() if count > 0]
        # a panic ends the run of its package, and the tests that were paused with it
        told: dict[str, set[State]] = {}
        for (package, _), state in tests:
            told.setdefault(package, set()).add(state)
        for package, test in unfinished:
            if test:
                told.setdefault(package, set()).add("failed")
        yield from (self._result(name, state) for name, state in tests)
        for name in unfinished:
            yield self._unfinished(name)
        for (package, test), state in dict.fromkeys(self._ended):
            if not test and _speaks_for_itself(state, told.get(package, set())):
                yield self._result((package, test), state)

    def _result(self, name: Name, state: State) -> RawResult:
        package, test = name
        spelled = f"{package}::{test}" if test else package
        if state != "failed":
            return RawResult(spelled, state)
        said = _without_frames(self._said.get(name, Detail()).text(""))
        places = tuple(f"{package}/{file}" for file in self._named.get(name, ()))
        # a bare name would be taken for a file of the root
        said = _NAMED.sub(lambda found: f"{package}/{found[0]}", said)
        return RawResult(spelled, "failed", detail=said, places=places)

    def _unfinished(self, name: Name) -> RawResult:
        package, test = name
        if not test:
            return did_not_finish(f"{package} did not finish")
        result = self._result(name, "failed")
        return RawResult(result.name, "failed", "did not finish", result.detail, result.places)


def _speaks_for_itself(state: State, tests: set[State]) -> bool:
    return "failed" not in tests if state == "failed" else not tests


def _ends(test: str) -> list[int]:
    """Where the names of a test and of those around it end: `a/b` → 3, 1."""
    return [len(test), *(at for at, char in enumerate(test) if char == "/")]


def _event(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or "Action" not in event:
        return None
    return cast("dict[str, Any]", event)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _package(import_path: Any) -> str:
    """`example.com/a [example.com/a.test]` → `example.com/a`."""
    return _text(import_path).partition(" ")[0]


def _without_frames(said: str) -> str:
    """What the test itself said, without the lines that only frame it."""
    lines = (line for line in said.split("\n") if line.strip())
    return "\n".join(line for line in lines if not line.lstrip().startswith(_FRAMES))
