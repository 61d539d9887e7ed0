"""A check that cannot run on the base is refused: it would hold for any change."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import a_spec
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.adapters.blobs import BlobStore
from activities.checks import ChecksActivities, baseline_key
from activities.contracts.evidence import ResultSet
from activities.contracts.repository import Repository
from activities.contracts.requests import TakeBaseline
from activities.contracts.spec import Check, Expectation, MigrationSpec

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


async def take(blobs: BlobStore, expect: Expectation, *exits: int) -> None:
    check = Check(run="pyhton ok.py", expect=expect)
    given = a_spec("demo").model_dump(by_alias=True)
    spec = MigrationSpec.model_validate({**given, "checks": {"unit": check.model_dump()}})
    spec = spec.model_copy(
        update={"phases": (spec.phases[0].model_copy(update={"checks": ("unit",)}),)}
    )
    hubs = cast(Any, SimpleNamespace(of=lambda _: None))
    activities = ChecksActivities(blobs, hubs, cast(Any, Answering(*exits)))
    request = TakeBaseline(
        name=spec.name,
        spec=blobs.put_model(spec.name, spec),
        repository=Repository(url="/app", id="app-1a2b3c4d"),
        commit=COMMIT,
        phase=spec.phases[0].name,
    )
    await ActivityEnvironment().run(activities.take_baseline, request)
    assert blobs.find(spec.name, baseline_key("unit")) is not None


async def test_a_command_that_the_shell_does_not_find_ends_the_migration_at_its_baseline(
    tmp_path,
) -> None:
    with pytest.raises(
        ApplicationError, match=r"check unit did not run .* command not found"
    ) as no:
        await take(BlobStore(tmp_path), Expectation.NO_WORSE, 127, 127)
    assert no.value.non_retryable


@pytest.mark.parametrize(
    ("expect", "exits"),
    [
        (Expectation.NO_WORSE, (1, 1)),
        (Expectation.NO_WORSE, (127, 0)),
        (Expectation.PASS, (127, 127)),
    ],
)
async def test_a_check_that_ran_or_is_compared_with_nothing_is_recorded(
    tmp_path, expect: Expectation, exits: tuple[int, ...]
) -> None:
    await take(BlobStore(tmp_path), expect, *exits)
