"""Judges a check's results against those of the tree it is based on: pure, the same everywhere.

Results are compared as multisets. No worse means: no id fails more often than before, and no
fewer results than before. Failures that were there before are not the task's; a result set that
cannot be read, a run that did not end by itself, or nothing to compare with (then everything must
pass) never turns into green by default. Skipped results count as not run. The same as another
check means: whatever passed in that check's run passes here, and nothing else is asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from activities.contracts.check_forms import (
    Allowed,
    Expectation,
    ResultKind,
    ResultPatterns,
    SameAs,
)
from activities.contracts.evidence import CheckOutcome, CheckResult, ResultSet
from activities.contracts.spec import Check, Expect

MAX_LISTED = 50
MAX_FILES = 200
MAX_TAIL = 1_500
SYNTHETIC = frozenset({"exit", "plan"})
"""Ids that stand for the run itself, red or absent: they are no results to count."""

_ENDED = {
    "timeout": "timed out",
    "output": "stopped: too much output",
    "memory": "stopped: out of memory",
    "cancelled": "cancelled before it finished",
    "disk": "stopped: it filled the disk",
}


def judge(
    check_name: str,
    check: Check,
    before: ResultSet | None,
    after: ResultSet,
    flaky: frozenset[str] = frozenset(),
    expect: Expect | None = None,
) -> CheckResult:
    """What `after` means, given `before` from the tree it is based on (None: nothing known).

    `expect`: what is expected at this moment; None: what the check says of all. For `same_as`,
    `before` is the other check's run on the base, and `flaky` its flaky ids. Reasons may also
    stand on a green result: there they are notes, such as a renamed test.
    """
    expect = check.expect if expect is None else expect
    if isinstance(expect, SameAs):
        base = before if before is not None and before.parsed else None
        finding = _same_as(check, expect.same_as, base, after, flaky)
    else:
        base = _comparable(before, after)
        finding = _no_worse(check, expect is Expectation.PASS, base, after, flaky)
        if base is None and before is not None and (_broken(after) or finding.new):
            note = "nothing to compare with: the base has no readable results"
            finding = replace(finding, notes=(note, *finding.notes))
    broken = _broken(after)
    red = (bool(broken) or finding.red) and expect is not Expectation.REPORT
    return CheckResult(
        check=check_name,
        outcome=CheckOutcome.RED if red else CheckOutcome.GREEN,
        reasons=_bounded([*broken, *finding.failing, *finding.notes]),
        new_failures=finding.new[:MAX_LISTED],
        failing_files=_files(after, finding.new),
        count_before=_count(check, base) if base else 0,
        count_after=_count(check, after),
        failed_before=sum(base.failed.values()) if base else 0,
        exit=after.exit,
        ended=after.ended,
        seconds=after.seconds,
        output=after.output,
        tail=after.tail[-MAX_TAIL:],
    )


@dataclass(frozen=True)
class _Finding:
    """What a comparison says: ids that should have passed, and why it is red beside them."""

    new: tuple[str, ...]
    failing: tuple[str, ...]
    """A reason for each of them."""
    notes: tuple[str, ...]
    short: bool = False

    @property
    def red(self) -> bool:
        return bool(self.new) or self.short


def _no_worse(
    check: Check, strict: bool, base: ResultSet | None, after: ResultSet, flaky: frozenset[str]
) -> _Finding:
    """Without a base, or where everything must pass, no failure is forgiven for being old."""
    held_against = None if strict else base
    tolerated = flaky if held_against else frozenset[str]()
    new = _newly_failing(after, held_against, check.allow, tolerated)
    if held_against is None:
        notes = _nothing_ran(check, after)
        short = bool(notes)
    else:
        short, notes = _shrinking(check, held_against, after, tolerated)
    failing = tuple(_failing(name, after, held_against) for name in new)
    return _Finding(tuple(new), failing, tuple(notes), short)


def _same_as(
    check: Check, name: str, base: ResultSet | None, after: ResultSet, flaky: frozenset[str]
) -> _Finding:
    """The run itself must hold as well: a crash is red unless the other check's run crashed too."""
    if base is None or not base.passed:
        what = "no results" if base is None else "nothing passed"
        return _Finding((), (), (f"nothing to compare with: {what} in {name} on the base",), True)
    globs = [allowed.id for allowed in check.allow]
    missing = [
        result
        for result, times in sorted(base.passed.items())
        if after.parsed
        and after.passed.get(result, 0) < times
        and result not in flaky
        and not _matches(result, globs)
    ]
    crashed = [n for n in sorted(SYNTHETIC) if after.failed.get(n, 0) > base.failed.get(n, 0)]
    reasons = [_failing(result, after, base) for result in crashed]
    reasons += [_not_the_same(result, name, after) for result in missing]
    return _Finding((*crashed, *missing), tuple(reasons), ())


def _not_the_same(result: str, name: str, after: ResultSet) -> str:
    states = (
        (after.failed, "failing"),
        (after.skipped, "skipped"),
        (after.passed, "passing less often"),
    )
    how = next((word for ids, word in states if result in ids), "not run")
    why = _first_line(after, result)
    return f"passed in {name}, now {how}: {result}" + (f": {why}" if why else "")


def flaky_ids(first: ResultSet, second: ResultSet) -> frozenset[str]:
    """Ids that came out differently in two runs on the same tree.

    Two runs of which one was cut short differ in everything that it did not reach: they say
    nothing about flakiness. The run's own ids are never flaky, or no crash would ever be red.
    """
    runs = (first, second)
    if any(not run.parsed or run.ended != "exit" for run in runs):
        return frozenset()
    if any(first.failed.get(name) != second.failed.get(name) for name in SYNTHETIC):
        return frozenset()
    counts = ("passed", "failed", "skipped")
    names = {name for run in runs for kind in counts for name in getattr(run, kind)}
    return frozenset(
        name
        for name in names - SYNTHETIC
        if any(getattr(first, k).get(name, 0) != getattr(second, k).get(name, 0) for k in counts)
    )


def red_results(check: Check, results: ResultSet) -> list[str]:
    """Ids that are red and not allowed to be; `exit` where the run could not be read at all."""
    if not results.parsed:
        return ["exit"]
    return _newly_failing(results, None, check.allow, frozenset())


def _comparable(before: ResultSet | None, after: ResultSet) -> ResultSet | None:
    """Results that could not be read, or come from another environment, say nothing."""
    if before is None or not before.parsed or before.environment != after.environment:
        return None
    return before


def _broken(after: ResultSet) -> list[str]:
    """Why the run as such cannot be trusted, whatever its results."""
    reasons: list[str] = []
    if after.ended != "exit":
        reasons.append(_ENDED.get(after.ended, f"did not finish: {after.ended}"))
    if not after.parsed:
        why = after.messages.get("exit", "")
        reasons.append(f"no readable results; exit {after.exit}" + (f": {why}" if why else ""))
    return reasons


def _newly_failing(
    after: ResultSet,
    base: ResultSet | None,
    allow: Iterable[Allowed],
    flaky: frozenset[str],
) -> list[str]:
    known = base.failed if base else {}
    globs = [allowed.id for allowed in allow]
    return sorted(
        name
        for name, times in after.failed.items()
        if times > known.get(name, 0) and name not in flaky and not _matches(name, globs)
    )


def _matches(name: str, globs: Iterable[str]) -> bool:
    """By glob or literally: a parametrised id has brackets, which a glob reads otherwise."""
    return any(name == glob or fnmatchcase(name, glob) for glob in globs)


def _failing(name: str, after: ResultSet, base: ResultSet | None) -> str:
    times = base.failed.get(name, 0) if base else 0
    word = "failing" if base is None else "failing more often" if times else "newly failing"
    often = f" ({times} → {after.failed[name]} times)" if times else ""
    why = _first_line(after, name)
    return f"{word}: {name}{often}" + (f": {why}" if why else "")


def _first_line(after: ResultSet, name: str) -> str:
    return after.messages.get(name, "").strip().split("\n")[0][:200]


def _nothing_ran(check: Check, after: ResultSet) -> list[str]:
    """A check that must pass and shows no result at all has shown nothing."""
    expected = check.results is not ResultKind.EXIT and _counted(check)
    silent = expected and not after.total and not after.skipped
    return ["no results at all"] if silent and after.parsed else []


def _shrinking(
    check: Check, base: ResultSet, after: ResultSet, flaky: frozenset[str]
) -> tuple[bool, list[str]]:
    """Whether there are fewer results than before, and which ids no longer run."""
    if not after.parsed or not _counted(check):
        return False, []
    had, has = _runs(check, base, flaky), _runs(check, after, flaky)
    count_had, count_has = sum(had.values()), sum(has.values())
    shrunk = count_has < count_had and not check.may_shrink
    notes = [f"fewer results: {count_had} → {count_has}"] if shrunk else []
    for name in sorted(had):
        if has.get(name, 0) < had[name] and (shrunk or name in base.passed):
            notes.append(_gone(name, had[name], has.get(name, 0), after))
    return shrunk, notes


def _counted(check: Check) -> bool:
    """Whether green results are told: where only failures are, fewer results are better."""
    return not isinstance(check.results, ResultPatterns) or check.results.counted


def _gone(name: str, had: int, has: int, after: ResultSet) -> str:
    if has:
        return f"runs less often: {name} ({had} → {has} times)"
    return f"now skipped: {name}" if name in after.skipped else f"no longer run: {name}"


def _runs(check: Check, results: ResultSet, flaky: frozenset[str]) -> dict[str, int]:
    """id → how often it passed or failed; skipped and flaky ones are left out."""
    ignored = flaky if check.results is ResultKind.EXIT else flaky | SYNTHETIC
    names = {**results.passed, **results.failed}
    return {
        name: results.passed.get(name, 0) + results.failed.get(name, 0)
        for name in names
        if name not in ignored
    }


def _count(check: Check, results: ResultSet) -> int:
    return sum(_runs(check, results, frozenset()).values())


def _files(after: ResultSet, new: Iterable[str]) -> tuple[str, ...]:
    names = new if after.parsed else ("exit",)
    return tuple(sorted({path for name in names for path in after.files.get(name, ())})[:MAX_FILES])


def _bounded(reasons: list[str]) -> tuple[str, ...]:
    if len(reasons) <= MAX_LISTED:
        return tuple(reasons)
    return (*reasons[:MAX_LISTED], f"and {len(reasons) - MAX_LISTED} more")
