"""A round serves all who asked before it began."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from activities.adapters.rounds import Rounds


class Slow:
    """Work whose first round waits until the test opens the gate."""

    def __init__(self) -> None:
        self.rounds: list[list[str]] = []
        self.begun, self.gate = threading.Event(), threading.Event()

    def __call__(self, items: Sequence[str]) -> Mapping[str, Exception]:
        self.rounds.append(sorted(items))
        self.begun.set()
        assert self.gate.wait(10)
        if "broken" in items:
            raise OSError("no connection")
        return {item: ValueError(item) for item in items if item.startswith("bad")}


def test_whoever_asks_during_a_round_is_served_by_the_next_one_together() -> None:
    slow = Slow()
    rounds = Rounds(slow)
    with ThreadPoolExecutor(21) as threads:
        first = threads.submit(rounds.ask, ["first"])
        assert slow.begun.wait(10)
        others = [threads.submit(rounds.ask, [f"n{n:02}", "same"]) for n in range(20)]
        while len(rounds._waiting) < 20:  # pyright: ignore[reportPrivateUsage]
            threading.Event().wait(0.005)
        assert not first.done()
        slow.gate.set()
        for asked in (first, *others):
            asked.result(10)
    assert slow.rounds == [["first"], sorted([*(f"n{n:02}" for n in range(20)), "same"])]


def test_what_failed_is_told_to_those_who_asked_for_it() -> None:
    slow = Slow()
    slow.gate.set()
    rounds = Rounds(slow)
    rounds.ask(["good"])
    with pytest.raises(ValueError, match="bad2"):
        rounds.ask(["good", "bad2", "bad3"])


def test_a_round_that_failed_failed_for_all_and_the_next_one_is_anew() -> None:
    slow = Slow()
    slow.gate.set()
    rounds = Rounds(slow)
    with pytest.raises(OSError, match="no connection"):
        rounds.ask(["good", "broken"])
    rounds.ask(["good"])
