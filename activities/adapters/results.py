"""Turns what a check's command left behind into multisets of stable ids.

Ids are what two runs are compared by, so whatever differs from run to run is taken out of them:
memory addresses and the checkout's root. Two ids are never a test's own: `exit` stands for the
command, red when it failed without a failing result to show for it, and `plan` for a TAP run
that did not finish. Pure: the same bytes give the same answer.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from activities.adapters.named_files import NamedFiles
from activities.adapters.raw_result import RawResult, UnreadableResultsError
from activities.adapters.results_junit import read_junit
from activities.adapters.results_tap import PLAN, read_tap
from activities.contracts.spec import ResultKind

EXIT = "exit"
MAX_ID = 500
MAX_MESSAGE = 1_000
MAX_MESSAGES = 1_000
MAX_FILES = 20
"""Per result."""
OUTPUT_SCANNED = 1024 * 1024
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
    kind: ResultKind,
    *,
    exit: int | None,
    ended: str,
    output: bytes,
    results_file: bytes | None,
    normalise: str = "/src",
    known: Collection[str] = (),
) -> ParsedResults:
    """Reads one run's results.

    `normalise` is where the tree was checked out; `known` are the tree's paths, without which no
    failing file is named. Unreadable results have the reason as the message of `exit`.
    """
    stable = stabiliser(normalise)
    files = NamedFiles(known, normalise)
    try:
        raw = _read(kind, output, results_file)
    except UnreadableResultsError as why:
        return ParsedResults(parsed=False, messages={EXIT: stable(str(why))[:MAX_MESSAGE]})
    clean = exit == 0 and ended == "exit"
    if kind is ResultKind.EXIT or (not clean and not any(r.state == "failed" for r in raw)):
        raw.append(_exit_result(exit, ended, output, clean))
    return _collected(raw, stable, files)


def stabiliser(root: str) -> Callable[[str], str]:
    """A function that takes memory addresses and the checkout's root out of a text."""
    root = root.rstrip("/")
    under = re.compile(rf"(?<![\w./-]){re.escape(root)}(?:/|(?![\w.-]))") if root else None

    def stable(text: str) -> str:
        text = _ADDRESS.sub("0x", text)
        return under.sub("", text) if under else text

    return stable


def _read(kind: ResultKind, output: bytes, results_file: bytes | None) -> list[RawResult]:
    if kind is ResultKind.EXIT:
        return []
    if kind is ResultKind.TAP:
        return read_tap(results_file or output)
    if not results_file:
        raise UnreadableResultsError("the command wrote no results file")
    return read_junit(results_file)


def _exit_result(exit: int | None, ended: str, output: bytes, clean: bool) -> RawResult:
    """The command as a result; its last lines say most, locations may stand anywhere."""
    if clean:
        return RawResult(EXIT, "passed", synthetic=True)
    text = output[-OUTPUT_SCANNED:].decode(errors="replace")
    how = f"exit {exit}" if ended == "exit" else f"ended by {ended}"
    tail = text.rstrip()[-MAX_MESSAGE + 100 :]
    return RawResult(EXIT, "failed", message=f"{how}\n{tail}", detail=text, synthetic=True)


def _collected(
    raw: list[RawResult], stable: Callable[[str], str], files: NamedFiles
) -> ParsedResults:
    counts: dict[str, Counter[str]] = {
        "passed": Counter(),
        "failed": Counter(),
        "skipped": Counter(),
    }
    messages: dict[str, str] = {}
    named: dict[str, tuple[str, ...]] = {}
    for result in raw:
        key = _id(result, stable)
        counts[result.state][key] += 1
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


def _id(result: RawResult, stable: Callable[[str], str]) -> str:
    """A stable name on one line, bounded; a test that is called `exit` or `plan` is renamed."""
    name = " ".join(stable(result.name).split()) or "unnamed"
    if not result.synthetic and name in (EXIT, PLAN):
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
