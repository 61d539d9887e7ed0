"""Reads results by the patterns that a spec's author gives, line by line.

A count tells how many results there were, skipped ones apart: those without a name are told under
one id. Where green results are promised, a run without any is unreadable; where only failures have
a pattern, no match means that nothing failed.
"""

from collections.abc import Sequence

from activities.adapters.bounded_regex import BoundedRegex
from activities.adapters.raw_result import UNNAMED, RawResult, State, UnreadableResultsError
from activities.adapters.result_lines import result_lines
from activities.contracts.check_forms import ResultPatterns

ID, COUNT = "id", "n"


def read_patterns(content: bytes, patterns: ResultPatterns, seconds: float) -> list[RawResult]:
    """Every result in order; one that no line names is counted.

    Raises PatternTooSlow when one of the patterns needs more than `seconds`.
    """
    named: list[tuple[State, str | None]] = [
        ("failed", patterns.failed),
        ("skipped", patterns.skipped),
        ("passed", patterns.passed),
    ]
    searches: list[tuple[State, BoundedRegex]] = [
        (state, BoundedRegex(text, seconds)) for state, text in named if text
    ]
    count = BoundedRegex(patterns.count, seconds) if patterns.count else None
    results: list[RawResult] = []
    counted: list[int] = []
    for line in result_lines(content):
        if result := _result(line, searches):
            results.append(result)
        if count and (found := count.search(line)):
            counted.append(_number(found[COUNT], line))
    if count and not counted:
        raise UnreadableResultsError("no line of the output matches `count`")
    if patterns.counted and not results and not counted:
        raise UnreadableResultsError("no line of the output matches a pattern")
    unnamed = sum(counted) - sum(result.state != "skipped" for result in results)
    if unnamed > 0:
        results.append(RawResult(UNNAMED, "passed", times=unnamed))
    return results


def _result(line: str, searches: Sequence[tuple[State, BoundedRegex]]) -> RawResult | None:
    """What the first pattern that matches makes of a line: red before anything else."""
    for state, search in searches:
        found = search.search(line)
        if found is not None and found[ID]:
            name = found[ID]
            return RawResult(name, state, message=line.strip(), detail=line, places=(name,))
    return None


def _number(text: str | None, line: str) -> int:
    digits = (text or "").replace(",", "").replace("_", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise UnreadableResultsError(f"the count is no number: {line.strip()[:200]}")
    return int(digits)
