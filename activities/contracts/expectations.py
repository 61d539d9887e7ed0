"""Judges a check's results against those of the tree it is based on: pure, the same everywhere.

Results are compared as multisets. No worse means: no id fails more often than before, and no
fewer results than before. Failures that were there before are not the task's; a result set that
cannot be read, a run that did not end by itself, or nothing to compare with (then everything must
pass) never turns into green by default. Skipped results count as not run.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from activities.contracts.evidence import CheckOutcome, CheckResult, ResultSet
from activities.contracts.spec import Allowed, Check, Expectation, ResultKind

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
}


def judge(
    check_name: str,
    check: Check,
    before: ResultSet | None,
    after: ResultSet,
    flaky: frozenset[str] = frozenset(),
) -> CheckResult:
    """What `after` means, given `before` from the tree it is based on (None: nothing known).

    Reasons may also stand on a green result: there they are notes, such as a renamed test.
    """
    base = _comparable(before, after)
    strict = check.expect is Expectation.PASS or base is None
    held_against = None if strict else base
    tolerated = frozenset[str]() if strict else flaky
    new = _newly_failing(after, held_against, check.allow, tolerated)
    broken = _broken(after)
    if held_against is None:
        notes = _nothing_ran(check, after)
        short = bool(notes)
    else:
        short, notes = _shrinking(check, held_against, after, tolerated)
    red = (bool(broken) or bool(new) or short) and check.expect is not Expectation.REPORT
    if base is None and before is not None and (broken or new):
        notes = ["nothing to compare with: the base has no readable results", *notes]
    return CheckResult(
        check=check_name,
        outcome=CheckOutcome.RED if red else CheckOutcome.GREEN,
        reasons=_bounded([*broken, *(_failing(n, after, held_against) for n in new), *notes]),
        new_failures=tuple(new[:MAX_LISTED]),
        failing_files=_files(after, new),
        count_before=_count(check, base) if base else 0,
        count_after=_count(check, after),
        failed_before=sum(base.failed.values()) if base else 0,
        exit=after.exit,
        ended=after.ended,
        seconds=after.seconds,
        output=after.output,
        tail=after.tail[-MAX_TAIL:],
    )


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
    why = after.messages.get(name, "").strip().split("\n")[0][:200]
    return f"{word}: {name}{often}" + (f": {why}" if why else "")


def _nothing_ran(check: Check, after: ResultSet) -> list[str]:
    """A check that must pass and shows no result at all has shown nothing."""
    silent = check.results is not ResultKind.EXIT and not after.total and not after.skipped
    return ["no results at all"] if silent and after.parsed else []


def _shrinking(
    check: Check, base: ResultSet, after: ResultSet, flaky: frozenset[str]
) -> tuple[bool, list[str]]:
    """Whether there are fewer results than before, and which ids no longer run."""
    if not after.parsed:
        return False, []
    had, has = _runs(check, base, flaky), _runs(check, after, flaky)
    count_had, count_has = sum(had.values()), sum(has.values())
    shrunk = count_has < count_had and not check.may_shrink
    notes = [f"fewer results: {count_had} → {count_has}"] if shrunk else []
    for name in sorted(had):
        if has.get(name, 0) < had[name] and (shrunk or name in base.passed):
            notes.append(_gone(name, had[name], has.get(name, 0), after))
    return shrunk, notes


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
    return tuple(sorted({path for name in new for path in after.files.get(name, ())})[:MAX_FILES])


def _bounded(reasons: list[str]) -> tuple[str, ...]:
    if len(reasons) <= MAX_LISTED:
        return tuple(reasons)
    return (*reasons[:MAX_LISTED], f"and {len(reasons) - MAX_LISTED} more")
