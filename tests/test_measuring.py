"""The bench takes turns and times only the steps."""

from collections.abc import Generator

from benchmarks.measuring import Comparison, interleave, seconds


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
