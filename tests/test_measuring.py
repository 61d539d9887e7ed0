"""The bench takes turns and times only the steps; no suite is in the next one's way."""

import asyncio
from collections.abc import Generator
from pathlib import Path

import pytest

from benchmarks.measuring import Comparison, interleave, seconds
from benchmarks.policies import Policy, halving, serial, simulated, window
from benchmarks.queue_history import Step, Told
from benchmarks.running import Suite, run
from benchmarks.simulated_queue import Weather, ours


def test_arms_take_turns_step_by_step_and_who_goes_first_alternates() -> None:
    seen: list[str] = []

    def arm(name: str, steps: int) -> Generator[None]:
        seen.append(f"{name} prepares")
        yield
        for step in range(steps):
            seen.append(f"{name}{step}")
            yield
        seen.append(f"{name} ends")

    arms = {"a": lambda _: arm("a", 2), "b": lambda _: arm("b", 1)}
    taken = interleave(2, arms)
    prepared = ["a prepares", "b prepares"]
    assert seen[:7] == [*prepared, "a0", "b0", "a1", "b ends", "a ends"]
    assert seen[7:] == [*prepared, "b0", "a0", "b ends", "a1", "a ends"]
    assert {name: len(spent) for name, spent in taken.items()} == {"a": 2, "b": 2}


def test_what_an_arm_does_before_and_after_its_steps_is_not_timed() -> None:
    prepared: list[float] = []

    def arm(_: int) -> Generator[None]:
        prepared.append(seconds(lambda: sum(range(2_000_000))))
        yield
        yield
        sum(range(2_000_000))

    (took,) = interleave(3, {"a": arm}).values()
    assert min(took) < min(prepared) / 2


def test_a_bound_is_held_against_medians() -> None:
    faster = Comparison("x", "ms", [1, 1, 50], [40, 41, 2], "y", at_least=30)
    assert faster.ratio == 40
    assert faster.holds
    assert not Comparison("x", "ms", [2.7], [2], "y", at_most=1.3).holds


def test_a_suite_that_fails_or_takes_too_long_is_told_and_the_next_one_runs(tmp_path: Path) -> None:
    ended: list[str] = []

    def broken(scratch: Path, _: int) -> list[Comparison]:
        (scratch / "left").touch()
        raise ValueError("broken on purpose")

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("its server and workers")

    def endless(_: Path, __: int) -> list[Comparison]:
        asyncio.run(wait())
        return []

    def good(scratch: Path, rounds: int) -> list[Comparison]:
        assert list(scratch.iterdir()) == []
        return [Comparison("x", "ms", [1.0] * rounds, [40], "y", at_least=30)]

    suites = {
        "broken": Suite(broken, minutes=1),
        "endless": Suite(endless, minutes=0.001),
        "good": Suite(good, minutes=1),
    }
    ran = dict(run(suites, tmp_path, rounds=2))
    assert "broken on purpose" in ran["broken"].failure
    assert "took more than" in ran["endless"].failure
    assert ended == ["its server and workers"]
    assert [name for name in ran if ran[name].holds] == ["good"]
    assert list(tmp_path.iterdir()) == []


def test_a_wait_is_told_by_what_the_queue_did_meanwhile() -> None:
    told = Told(asked={"a": 10.0}, landed={"a": 20.0}, batches=[9.0, 13.0, 20.0])
    told.steps = [
        Step("run_checks", 6.0, 12.0, attempt=1),
        Step("run_checks", 14.0, 19.0, attempt=2),
        Step("land", 19.5, 20.0, attempt=1),
        Step("land", 21.0, 22.0, attempt=1),
    ]
    assert told.meanwhile("a") == {
        "run_checks": 2.0,
        "run_checks, try 2": 5.0,
        "land": 0.5,
        "between": 2.5,
    }
    assert told.passed_over("a") == 1


@pytest.mark.parametrize("policy", [serial, halving, window])
@pytest.mark.parametrize("flaky", [0.0, 0.05])
async def test_every_way_to_land_answers_everybody_and_lands_what_is_good(
    policy: Policy, flaky: float
) -> None:
    came = await simulated(policy, Weather(0.2, flaky, seed=4), 100)
    bad = sum(asking.bad for asking in Weather(0.2, 0.0, seed=4).candidates(100))
    assert (bad, came.landed + came.innocent) == (23, 100 - bad)
    assert came.checks >= came.times >= 1
    assert came.landed == ours(Weather(0.2, 0.0, seed=4), 1, 100).landed
