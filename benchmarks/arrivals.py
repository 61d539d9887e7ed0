"""How long a candidate waits for its answer: batches at once, and batches that wait to be filled.

Candidates arrive by chance; batches are formed and settled by the workflow's own code, as in
`simulated_queue`. A queue that waits gives a batch up to half of the time of a check to fill.
"""

import random
import statistics
from typing import NamedTuple

from benchmarks.measuring import Comparison
from benchmarks.simulated_queue import Ours, Weather

PER_CHECK = (0.5, 2, 4, 6)
"""Arrivals in the time of one check; one verifier lands some six at this rate of failures."""
WAITING = 0.5
"""Check times; what measurements of other queues recommend at most."""
CANDIDATES = 8_000
RATE = 0.02


class Waited(NamedTuple):
    """What came of one way to begin a batch."""

    median: float
    """Check times from asking to the answer."""
    late: float
    """The same, of the slowest one in twenty at best."""
    checks: float
    """Per landed candidate."""


def simulated(arrivals: float, waits: float, seed: int = 1) -> Waited:
    """`waits`: how long a batch that is not full is held back, from when it could begin."""
    chance = random.Random(seed)
    weather = Weather(RATE, 0.0, seed)
    queue = Ours(weather, 1)
    coming: list[float] = []
    at = 0.0
    for _ in range(CANDIDATES):
        at += chance.expovariate(arrivals)
        coming.append(at)
    asked: dict[int, float] = {}
    took: list[float] = []
    now, next_one = 0.0, 0
    while len(took) < CANDIDATES:
        if not queue.waiting:
            now = max(now, coming[next_one])
        begins, missing = now, queue.size - len(queue.waiting)
        if waits and missing > 0:
            filled = coming[min(next_one + missing, CANDIDATES) - 1]
            begins = min(now + waits, max(now, filled))
        while next_one < CANDIDATES and coming[next_one] <= begins:
            (one,) = weather.candidates(1)
            asked[one.number] = coming[next_one]
            queue.waiting.append(one)
            next_one += 1
        before, times = [one.number for one in queue.waiting], queue.times
        queue.settle_one()
        now = begins + queue.times - times
        left = {one.number for one in queue.waiting}
        took += [now - asked[number] for number in before if number not in left]
    took.sort()
    return Waited(
        statistics.median(took), took[len(took) * 19 // 20], weather.checks / queue.landed
    )


def compare() -> list[Comparison]:
    """Prints both for every rate of arrivals; the comparison is the median wait at each."""
    print(f"{'arrivals per V':>14}{'at once: median, late, checks':>32}{'waiting: the same':>26}")
    found: list[Comparison] = []
    for arrivals in PER_CHECK:
        ours, other = simulated(arrivals, 0.0), simulated(arrivals, WAITING)
        told = "".join(f"{w.median:>12.2f}{w.late:>7.2f}{w.checks:>7.2f}" for w in (ours, other))
        print(f"{arrivals:>14g}{told}")
        found.append(
            Comparison(
                f"wait for an answer, {arrivals:g} candidates per check time, batches at once",
                "V",
                [ours.median],
                [other.median],
                f"batches that wait up to {WAITING:g} V to be filled",
                at_most=1.0,
            )
        )
    return found
