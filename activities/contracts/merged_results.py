"""What a merge of two green trees may be expected to show: both sides' results, as one. Pure.

Per id, as git merges lines: what one side added is there, what one side took away is not, and an id
may fail as often as it failed on either side. So what is red on one of them is not the merge's.
"""

from collections.abc import Mapping

from activities.contracts.evidence import ResultSet


def merged_results(ours: ResultSet, theirs: ResultSet, base: ResultSet | None) -> ResultSet:
    """What to hold the merge against. `base`: of the tree that both began with; where nothing is
    known of it, all that either side ran is expected. A side that could not be read says nothing.
    """
    if not ours.parsed or not theirs.parsed or ours.environment != theirs.environment:
        return ours if ours.parsed else theirs
    left, right, began = _runs(ours), _runs(theirs), _runs(base)
    passed: dict[str, int] = {}
    failed: dict[str, int] = {}
    for name in sorted({*left, *right}):
        both = left.get(name, 0), right.get(name, 0)
        # Both may have added the same.
        expected = max(0, min(sum(both) - began.get(name, 0), max(both)))
        red = min(max(ours.failed.get(name, 0), theirs.failed.get(name, 0)), expected)
        failed |= {name: red} if red else {}
        passed |= {name: expected - red} if expected > red else {}
    return ours.model_copy(update={"passed": passed, "failed": failed})


def _runs(results: ResultSet | None) -> Mapping[str, int]:
    if results is None or not results.parsed:
        return {}
    names = {**results.passed, **results.failed}
    return {n: results.passed.get(n, 0) + results.failed.get(n, 0) for n in names}
