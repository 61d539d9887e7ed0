"""Turns what a check's command left behind into multisets of stable ids.

Ids are what two runs are compared by, so whatever differs from run to run is taken out of them:
memory addresses, the checkout's root, and what the check's author says. Two ids are never a test's
own: `exit` stands for the command, red when it failed without a failing result to show for it, and
`plan` for a run that did not finish. Pure: the same bytes give the same answer.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from activities.adapters.bounded_regex import SECONDS, BoundedRegex, PatternTooSlow
from activities.adapters.named_files import NamedFiles
from activities.adapters.raw_result import EXIT, PLAN, RawResult, UnreadableResultsError
from activities.adapters.results_cargo import read_cargo
from activities.adapters.results_go import read_go
from activities.adapters.results_junit import read_junit
from activities.adapters.results_patterns import read_patterns
from activities.adapters.results_tap import read_tap
from activities.adapters.results_unittest import read_unittest
from activities.contracts.check_forms import Normalisation, ResultKind, ResultPatterns

MAX_ID = 500
MAX_MESSAGE = 1_000
MAX_MESSAGES = 1_000
MAX_FILES = 20
"""Per result."""
OUTPUT_SCANNED = 1024 * 1024
Reader = Callable[[bytes], list[RawResult]]
_READERS: dict[ResultKind, Reader] = {
    ResultKind.JUNIT: read_junit,
    ResultKind.TAP: read_tap,
    ResultKind.GO: read_go,
    ResultKind.CARGO: read_cargo,
    ResultKind.UNITTEST: read_unittest,
}
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,16}\b")


@dataclass(frozen=True)
class ParsedResults:
    """What ResultSet needs of a run; `parsed` is False when promised results were not readable."""

    parsed: bool
    passed: dict[str, int] = field(default_factory=dict[str, int])
    failed: dict[str, int] = field(default_factory=dict[str, int])
    skipped: dict[str, int] = field(default_factory=dict[str, int])
    messages: dict[str, str] = field(default_factory=dict[str, str])
    files: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def parse(
    kind: ResultKind | ResultPatterns,
    *,
    exit: int | None,
    ended: str,
    output: bytes,
    reports: Sequence[bytes] = (),
    promised: bool = False,
    lost: str = "",
    normalise: str = "/src",
    known: Collection[str] = (),
    ids: Sequence[Normalisation] = (),
    patience: float = SECONDS,
) -> ParsedResults:
    """Reads one run's results.

    `reports` are the files that the run wrote; `promised`: the output does not do instead;
    `lost`: why the reports are not all of them. `normalise` is where the tree was checked out;
    `known` are the tree's paths, without which no failing file is named; `patience` is how many
    seconds each pattern has. Unreadable results have the reason as the message of `exit`.
    """
    stable = stabiliser(normalise)
    files = NamedFiles(known, normalise)
    try:
        if lost:
            raise UnreadableResultsError(lost)
        raw = _read(_reader(kind, patience), output, reports, promised)
        clean = exit == 0 and ended == "exit"
        if kind is ResultKind.EXIT or (not clean and not any(r.state == "failed" for r in raw)):
            raw.append(_exit_result(exit, ended, output, clean))
        return _collected(raw, stable, files, _Naming(stable, ids, patience))
    except (UnreadableResultsError, PatternTooSlow) as why:
        named = files.in_text(_scanned(output))[:MAX_FILES]
        return ParsedResults(
            parsed=False,
            messages={EXIT: stable(str(why))[:MAX_MESSAGE]},
            files={EXIT: tuple(named)} if named else {},
        )


def stabiliser(root: str) -> Callable[[str], str]:
    """A function that takes memory addresses and the checkout's root out of a text."""
    root = root.rstrip("/")
    under = re.compile(rf"(?<![\w./-]){re.escape(root)}(?:/|(?![\w.-]))") if root else None

    def stable(text: str) -> str:
        text = _ADDRESS.sub("0x", text)
        return under.sub("", text) if under else text

    return stable


def _read(
    read: Reader | None, output: bytes, reports: Sequence[bytes], promised: bool
) -> list[RawResult]:
    if read is None:
        return []
    if not any(reports) and (promised or read is read_junit):
        raise UnreadableResultsError("the command wrote no results file")
    return [result for content in _sources(output, reports) for result in read(content)]


def _reader(kind: ResultKind | ResultPatterns, patience: float) -> Reader | None:
    """What reads results of a kind; an exit code needs no reader."""
    if isinstance(kind, ResultPatterns):
        return lambda content: read_patterns(content, kind, patience)
    return _READERS.get(kind)


def _sources(output: bytes, reports: Sequence[bytes]) -> Sequence[bytes]:
    """The reports; the output where there is none, or nothing in them."""
    return reports if any(reports) else (output,)


def _exit_result(exit: int | None, ended: str, output: bytes, clean: bool) -> RawResult:
    """The command as a result; its last lines say most, locations may stand anywhere."""
    if clean:
        return RawResult(EXIT, "passed", synthetic=True)
    text = _scanned(output)
    how = f"exit {exit}" if ended == "exit" else f"ended by {ended}"
    tail = text.rstrip()[-MAX_MESSAGE + 100 :]
    return RawResult(EXIT, "failed", message=f"{how}\n{tail}", detail=text, synthetic=True)


def _scanned(output: bytes) -> str:
    return output[-OUTPUT_SCANNED:].decode(errors="replace")


def _collected(
    raw: list[RawResult], stable: Callable[[str], str], files: NamedFiles, naming: "_Naming"
) -> ParsedResults:
    counts: dict[str, Counter[str]] = {
        "passed": Counter(),
        "failed": Counter(),
        "skipped": Counter(),
    }
    messages: dict[str, str] = {}
    named: dict[str, tuple[str, ...]] = {}
    for result in raw:
        key = naming.id(result)
        counts[result.state][key] += result.times
        if result.state != "failed":
            continue
        if key not in messages and len(messages) < MAX_MESSAGES:
            messages[key] = _message(result, stable)
        if files and (found := _named(result, files)):
            named[key] = tuple(dict.fromkeys([*named.get(key, ()), *found]))[:MAX_FILES]
    return ParsedResults(
        parsed=True,
        passed=dict(counts["passed"]),
        failed=dict(counts["failed"]),
        skipped=dict(counts["skipped"]),
        messages=messages,
        files=named,
    )


class _Naming:
    """Makes ids of names: what differs from run to run is taken out, by the author's rules too."""

    def __init__(
        self, stable: Callable[[str], str], ids: Sequence[Normalisation], seconds: float
    ) -> None:
        self._stable = stable
        self._rules = [(BoundedRegex(rule.replace, seconds), rule.replacement) for rule in ids]

    def id(self, result: RawResult) -> str:
        """On one line, bounded; a test that is called `exit` or `plan` is renamed."""
        if result.synthetic:
            return result.name
        name = self._stable(result.name)
        for pattern, replacement in self._rules:
            name = pattern.replace(replacement, name)
        name = " ".join(name.split()) or "unnamed"
        if name in (EXIT, PLAN):
            name = f"test {name}"
        if len(name) > MAX_ID:
            digest = hashlib.sha256(name.encode(errors="replace")).hexdigest()[:12]
            name = f"{name[: MAX_ID - 13]}~{digest}"
        return name


def _message(result: RawResult, stable: Callable[[str], str]) -> str:
    """The first lines; the command's own message is its last ones already."""
    parts = [result.message.strip()]
    if not result.synthetic:
        parts.append(result.detail.strip())
    text = stable("\n".join(part for part in parts if part))
    return "\n".join(text.split("\n")[:20])[:MAX_MESSAGE]


def _named(result: RawResult, files: NamedFiles) -> list[str]:
    in_text = files.in_text(f"{result.message}\n{result.detail}")
    return [*files.in_places(result.places), *in_text]
