"""Reads what `cargo test` prints: the tests of several binaries, then those in documentation.

Each binary has names of its own, so an id is `binary (its source)::test`. The harness says how many
tests it runs and how they ended: a binary that says one and not the other died on the way. Names
that the output lost (`-q`, a test that prints into its own line) are counted from what it says.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from activities.adapters.raw_result import (
    UNNAMED,
    Detail,
    RawResult,
    State,
    UnreadableResultsError,
    did_not_finish,
)
from activities.adapters.result_lines import result_lines

_BINARY = re.compile(r"\s+Running (?:(?:unittests )?(\S+\.rs) |unittests )?\(?([^()`\s]+)\)?$")
_DOCUMENTATION = re.compile(r"\s+Doc-tests (\S+)$")
_HASH = re.compile(r"-[0-9a-f]{16}$")
_BEGIN = re.compile(r"running (\d+) tests?$")
_TEST = re.compile(r"test (.+?) \.\.\. ?(.*)$")
_VERDICT = re.compile(r"(ok|FAILED|ignored|bench:)(?:,? .*)?$")
_LINE = re.compile(r" \(line \d+\)")
"""Of a test in documentation: it moves with every edit above it."""
_FAILURE = re.compile(r"---- (.+) (?:stdout|stderr) ----$")
_END = re.compile(
    r"test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored; (\d+) measured"
)
_STATES: dict[str, State] = {
    "ok": "passed",
    "bench:": "passed",
    "FAILED": "failed",
    "ignored": "skipped",
}


def read_cargo(content: bytes) -> list[RawResult]:
    """Every test in order; `plan` for each binary that did not finish."""
    reader = _Reader()
    for line in result_lines(content):
        reader.line(line)
    reader.close()
    if not reader.results:
        raise UnreadableResultsError("no test result of cargo in the output")
    return reader.results


@dataclass
class _Run:
    """What one binary said so far."""

    target: str
    announced: int
    states: list[tuple[str, State]] = field(default_factory=list[tuple[str, State]])
    details: dict[str, Detail] = field(default_factory=dict[str, Detail])
    pending: str | None = None
    """A test whose verdict has not been seen: it prints into its own line."""
    speaking: Detail | None = None
    """The failure whose output follows."""
    listed: list[str] = field(default_factory=list[str])
    """Failures by the list at the end, since the last heading."""

    def ended(self, name: str, verdict: str) -> None:
        self.states.append((name, _STATES[verdict]))
        self.pending = None


class _Reader:
    """The binary whose output is read, and the results so far."""

    def __init__(self) -> None:
        self.results: list[RawResult] = []
        self._target = ""
        self._run: _Run | None = None

    def line(self, line: str) -> None:
        if found := _BINARY.match(line):
            self._next(_target(found[2], found[1]))
        elif found := _DOCUMENTATION.match(line):
            self._next(f"{found[1]} (doc)")
        elif found := _BEGIN.match(line):
            self.close()
            self._run = _Run(self._target, int(found[1]))
        elif self._run is not None:
            self._inside(self._run, line)

    def _next(self, target: str) -> None:
        self.close()
        self._target = target

    def _inside(self, run: _Run, line: str) -> None:
        if found := _END.match(line):
            self._finish(run, [int(n) for n in found.groups()])
        elif (found := _TEST.match(line)) and run.speaking is None:
            self._begun(run, found[1], found[2])
        elif found := _FAILURE.match(line):
            run.speaking = run.details.setdefault(found[1], Detail())
        elif line == "failures:":
            run.speaking, run.listed = None, []
        elif run.speaking is not None:
            run.speaking.add(line)
        elif line.startswith("    "):
            run.listed.append(line.strip())
        elif run.pending is not None and (found := _VERDICT.fullmatch(line)):
            run.ended(run.pending, found[1])

    def _begun(self, run: _Run, name: str, rest: str) -> None:
        name = name.removesuffix(" - should panic")
        run.pending = name
        if verdict := _VERDICT.fullmatch(rest):
            run.ended(name, verdict[1])

    def _finish(self, run: _Run, counts: list[int]) -> None:
        """Ends a binary; what has no name is counted from what the binary says of itself."""
        self._run = None
        passed, failed, ignored, measured = counts
        for name in _unseen(run.listed, run.states):
            run.states.append((name, "failed"))
        named = Counter(state for _, state in run.states)
        self.results += [_result(run, name, state) for name, state in run.states]
        said: dict[State, int] = {
            "passed": passed + measured,
            "failed": failed,
            "skipped": ignored,
        }
        for state, count in said.items():
            if count > named[state]:
                more = count - named[state]
                self.results.append(RawResult(_spelled(run, UNNAMED), state, times=more))

    def close(self) -> None:
        """The binary that is being read has said all it will: it should have said how it ended."""
        run, self._run = self._run, None
        if run is None:
            return
        self.results += [_result(run, name, state) for name, state in run.states]
        what = f"{run.target}: {run.announced} tests began, {len(run.states)} ended"
        self.results.append(did_not_finish(f"{what}: the run did not finish"))


def _target(binary: str, source: str | None) -> str:
    """`target/debug/deps/clap-0a1b…` → `clap (src/lib.rs)`."""
    name = _HASH.sub("", PurePosixPath(binary).name)
    return f"{name} ({source})" if source else name


def _unseen(listed: list[str], states: list[tuple[str, State]]) -> list[str]:
    """Failures that only the list at the end names."""
    missing = Counter(listed) - Counter(name for name, state in states if state == "failed")
    return list(missing.elements())


def _result(run: _Run, name: str, state: State) -> RawResult:
    spelled = _spelled(run, _LINE.sub("", name))
    if state != "failed":
        return RawResult(spelled, state)
    detail = run.details.get(name, Detail()).text()
    return RawResult(spelled, state, _why(detail), detail, _places(name))


def _spelled(run: _Run, name: str) -> str:
    return f"{run.target}::{name}" if run.target else name


def _why(detail: str) -> str:
    """What a panic said: the line after the place where it happened."""
    _, found, rest = detail.partition(" panicked at ")
    return rest.partition("\n")[2].partition("\n")[0] if found else ""


def _places(name: str) -> tuple[str, ...]:
    """A test in documentation is named by its file: `src/lib.rs - add (line 9)`."""
    path, found, _ = name.partition(" - ")
    return (path,) if found else ()
