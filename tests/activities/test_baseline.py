"""A check that cannot run on the base, or must pass and is red there, ends it at the baseline."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import a_spec
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.adapters.blobs import BlobStore
from activities.baselines import baseline_key
from activities.checks import ChecksActivities
from activities.contracts.evidence import ResultSet
from activities.contracts.repository import Repository
from activities.contracts.spec import MigrationSpec
from activities.contracts.work_requests import TakeBaseline

COMMIT = "c" * 40


class Answering:
    """Stands where the checker does: each run ends with the next exit code."""

    def __init__(self, *exits: int) -> None:
        self._exits = iter(exits)

    async def results(self, *_: object, **__: object) -> ResultSet:
        code = next(self._exits)
        state = {"passed" if code == 0 else "failed": {"exit": 1}}
        said = "bash: pyhton: command not found" if code else ""
        return ResultSet(
            tree=COMMIT, check="unit", environment="e", exit=code, tail=said, **cast(Any, state)
        )


async def take(
    blobs: BlobStore, check: dict[str, object], *exits: int, tasks: int = 2
) -> tuple[bool, tuple[str, ...]]:
    """Takes the baseline of this check; whether it was recorded, and what of it is blind."""
    given = a_spec("demo").model_dump(by_alias=True)
    spec = MigrationSpec.model_validate({**given, "checks": {"unit": check}})
    spec = spec.model_copy(
        update={"phases": (spec.phases[0].model_copy(update={"checks": ("unit",)}),)}
    )
    hubs = cast(Any, SimpleNamespace(of=lambda *_: None))
    activities = ChecksActivities(blobs, hubs, cast(Any, Answering(*exits)))
    request = TakeBaseline(
        name=spec.name,
        spec=blobs.put_model(spec.name, spec),
        repository=Repository(url="/app", id="app-1a2b3c4d"),
        commit=COMMIT,
        phase=spec.phases[0].name,
        tasks=tasks,
    )
    taken = await ActivityEnvironment().run(activities.take_baseline, request)
    return blobs.find(spec.name, baseline_key("unit")) is not None, taken.blind


NO_WORSE = {"run": "pyhton ok.py"}
PASS = {**NO_WORSE, "expect": "pass"}
LISTED = {**PASS, "run": "pyhton {files}", "whole": "."}


async def test_a_command_that_the_shell_does_not_find_ends_the_migration_at_its_baseline(
    tmp_path,
) -> None:
    with pytest.raises(
        ApplicationError, match=r"check unit did not run .* command not found"
    ) as no:
        await take(BlobStore(tmp_path), NO_WORSE, 127, 127)
    assert no.value.non_retryable


@pytest.mark.parametrize(
    "check",
    [
        PASS,
        LISTED,
        {**NO_WORSE, "at": {"task": "no_worse", "landing": "pass"}},
        {**NO_WORSE, "at": {"task": "pass", "landing": "no_worse"}},
    ],
)
async def test_a_check_that_must_pass_and_is_red_ends_the_migration_before_any_task(
    tmp_path, check: dict[str, object]
) -> None:
    with pytest.raises(ApplicationError) as no:
        await take(BlobStore(tmp_path), check, 1, 1)
    assert no.value.non_retryable
    said = no.value.message
    assert said.startswith("check unit must pass, and it is red before any task has begun")
    assert f"`{check['run']}` said: bash: pyhton: command not found\n" in said
    assert "say `expect: no_worse` under checks.unit" in said
    assert said.endswith("or mend the base and start again.")


@pytest.mark.parametrize(
    ("check", "exits", "tasks"),
    [
        (NO_WORSE, (1, 1), 2),
        (NO_WORSE, (127, 0), 2),
        (PASS, (1, 1), 1),  # what one task alone does may turn it green
        (PASS, (1, 0), 2),
        (PASS, (0, 0), 2),
        ({**LISTED, "at": {"task": "pass", "landing": "no_worse"}}, (1, 1), 2),
        ({**PASS, "at": []}, (1, 1), 2),
        ({**NO_WORSE, "expect": "report"}, (1, 1), 2),
    ],
)
async def test_a_check_that_may_become_green_or_stay_red_is_recorded(
    tmp_path, check: dict[str, object], exits: tuple[int, ...], tasks: int
) -> None:
    recorded, _ = await take(BlobStore(tmp_path), check, *exits, tasks=tasks)
    assert recorded


@pytest.mark.parametrize(
    ("check", "exits", "blind"),
    [
        (NO_WORSE, (1, 1), ("unit",)),
        (NO_WORSE, (0, 0), ()),
        ({**PASS, "at": {"task": "pass", "landing": "no_worse"}}, (1, 1), ("unit",)),
        ({**NO_WORSE, "expect": "report"}, (1, 1), ()),
    ],
)
async def test_a_baseline_says_which_checks_verify_nothing_also_when_it_was_taken_before(
    tmp_path, check: dict[str, object], exits: tuple[int, ...], blind: tuple[str, ...]
) -> None:
    blobs = BlobStore(tmp_path)
    assert await take(blobs, check, *exits, tasks=1) == (True, blind)
    assert await take(blobs, check, tasks=1) == (True, blind)
