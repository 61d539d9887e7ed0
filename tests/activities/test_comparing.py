"""A check is run on the tree that a change is based on only where that could decide."""

from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import a_spec
from temporalio.testing import ActivityEnvironment

from activities.adapters.blobs import BlobStore
from activities.checks import ChecksActivities
from activities.contracts.check_forms import Expectation, ResultKind
from activities.contracts.evidence import CheckOutcome, Evidence, Moment, ResultSet
from activities.contracts.expectations import SYNTHETIC, judge
from activities.contracts.repository import Repository
from activities.contracts.spec import Check, MigrationSpec
from activities.contracts.work_requests import RunChecks
from activities.held_against import needs_before

BASE, CHANGE = "b" * 40, "c" * 40


def ran(passed: str = "", failed: str = "", **more: Any) -> ResultSet:
    counts = {
        "passed": dict.fromkeys(passed.split(), 1),
        "failed": dict.fromkeys(failed.split(), 1),
    }
    code = 1 if failed else 0
    fields = {"tree": CHANGE, "check": "unit", "environment": "e", "exit": code, **counts, **more}
    return ResultSet.model_validate(fields)


RUNS = {
    ResultKind.EXIT: [ran("exit"), ran("", "exit"), ran("", "exit", ended="timeout")],
    ResultKind.JUNIT: [ran("a b"), ran("a"), ran("a", "b"), ran(), ran(parsed=False)],
}
CASES = [
    (kind, expect, before, after)
    for kind, runs in RUNS.items()
    for expect, before, after in product(Expectation, [None, *runs], runs)
]


def test_what_is_not_run_would_have_decided_nothing() -> None:
    unneeded = 0
    for kind, expect, before, after in CASES:
        check = Check(run="x", results=kind, expect=expect)
        if not needs_before(check, expect, after):
            unneeded += 1
            known, unknown = judge("unit", check, before, after), judge("unit", check, None, after)
            assert (known.outcome, known.new_failures) == (unknown.outcome, unknown.new_failures)
    assert unneeded


class Answering:
    """Stands where the checker does; remembers which trees it was asked for."""

    def __init__(self, base: int, *change: int) -> None:
        self._base, self._change = base, change
        self.asked: list[str] = []

    async def results(
        self, _hub: object, _spec: object, _name: str, commit: str, *_, fresh: int = 0, **__
    ):
        self.asked.append(commit)
        code = self._base if commit == BASE else self._change[fresh]
        return ran("", "exit") if code else ran("exit")


@pytest.mark.parametrize(
    ("expect", "base", "change", "asked", "outcome"),
    [
        (Expectation.NO_WORSE, 0, 0, [CHANGE], CheckOutcome.GREEN),
        (Expectation.NO_WORSE, 1, 1, [CHANGE, BASE], CheckOutcome.GREEN),
        (Expectation.NO_WORSE, 0, 1, [CHANGE, BASE], CheckOutcome.RED),
        (Expectation.PASS, 1, 1, [CHANGE], CheckOutcome.RED),
    ],
)
async def test_a_good_exit_code_is_held_against_nothing(
    tmp_path, expect: Expectation, base: int, change: int, asked: list[str], outcome: CheckOutcome
) -> None:
    checker = Answering(base, change)
    found = await evidence_of(tmp_path, Check(run="x", expect=expect), checker)
    assert checker.asked == asked
    assert [result.outcome for result in found.checks] == [outcome]


@pytest.mark.parametrize(
    ("retries", "change", "runs", "outcome"),
    [
        (0, (1, 0), 1, CheckOutcome.RED),
        (2, (0,), 1, CheckOutcome.GREEN),
        (2, (1, 0), 2, CheckOutcome.GREEN),
        (2, (1, 1, 1), 3, CheckOutcome.RED),
    ],
)
async def test_a_red_check_is_run_anew_as_often_as_it_may_be(
    tmp_path, retries: int, change: tuple[int, ...], runs: int, outcome: CheckOutcome
) -> None:
    checker = Answering(0, *change)
    found = await evidence_of(tmp_path, Check(run="x", retries=retries), checker)
    [result] = found.checks
    assert (checker.asked.count(CHANGE), result.outcome, result.runs) == (runs, outcome, runs)
    assert {*result.new_failures} <= SYNTHETIC, "a bare exit code names no failure"


async def evidence_of(root: Path, check: Check, checker: Answering) -> Evidence:
    """What a task's check says of the change."""
    given = a_spec("demo").model_dump(by_alias=True)
    spec = MigrationSpec.model_validate({**given, "checks": {"unit": check.model_dump()}})
    phase = spec.phases[0].model_copy(update={"checks": ("unit",)})
    spec = spec.model_copy(update={"phases": (phase,)})
    blobs = BlobStore(root)
    hubs = SimpleNamespace(of=lambda *_: SimpleNamespace(tree=lambda commit: commit))
    activities = ChecksActivities(blobs, cast(Any, hubs), cast(Any, checker))
    return await ActivityEnvironment().run(
        activities.run_checks,
        RunChecks(
            name=spec.name,
            repository=Repository(url="/app", id="app-1a2b3c4d"),
            spec=blobs.put_model(spec.name, spec),
            phase=phase.name,
            commit=CHANGE,
            compare_with=BASE,
            moment=Moment.TASK,
            paths=("a.py",),
        ),
    )
