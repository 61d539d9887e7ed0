"""Landings per check time, and checks per landed task: the merge queue's batches against others.

Simulated (`simulated_queue`), with checks that are flaky or not. Ours is decided by the workflow's
own code; the others are one candidate after the other, batches that are halved while red, and a
window of builds that each assume those before it land. All ask once more before they turn a
candidate down. Beside it the real merge queue settles candidates under the same circumstances
(`batches_real`).
"""

from collections import deque
from itertools import product
from pathlib import Path

from benchmarks import arrivals, batches_real
from benchmarks.batches_real import Case
from benchmarks.measuring import Comparison
from benchmarks.simulated_queue import Asking, Figures, Policy, Weather, ours

RATES = (0.005, 0.02, 0.05, 0.1, 0.2)
FLAKY = (0.0, 0.05)
LANDINGS = 20_000
SEEDS = range(1, 6)
"""Of what is held against a bound: with one, how many are bad happens to differ by a twentieth."""
VERIFIERS = 4
HALVED_AT_MOST = 64


def measured(policy: Policy, rate: float, flaky: float, seed: int = 1) -> Figures:
    weather = Weather(rate, flaky, seed)
    landed, times = policy(weather, LANDINGS)
    return Figures(weather.checks / landed, landed / times, weather.innocent / landed * 1000)


def serial(weather: Weather, enough: int) -> tuple[int, int]:
    """One candidate after the other."""
    landed = 0
    while landed < enough:
        (one,) = weather.candidates(1)
        if weather.failures([one]) and weather.failures([one]):
            weather.innocent += not one.bad
        else:
            landed += 1
    return landed, weather.checks


def halving(weather: Weather, enough: int) -> tuple[int, int]:
    """Everything that waits, halved while it is red."""
    landed = 0
    batches: deque[list[Asking]] = deque()
    while landed < enough:
        members = batches.popleft() if batches else weather.candidates(HALVED_AT_MOST)
        if not weather.failures(members):
            landed += len(members)
        elif len(members) > 1:
            middle = len(members) // 2
            batches.extendleft([members[middle:], members[:middle]])
        elif weather.failures(members):
            weather.innocent += not members[0].bad
        else:
            landed += 1
    return landed, weather.checks


def window(weather: Weather, enough: int) -> tuple[int, int]:
    """As many builds as there are verifiers, each on top of all before it; behind one that is
    turned down all start anew."""
    landed = times = 0
    building: list[Asking] = []
    while landed < enough:
        building += weather.candidates(VERIFIERS - len(building))
        times += 1
        reds = [bool(weather.failures(building[: n + 1])) for n in range(len(building))]
        good = reds.index(True) if True in reds else len(building)
        landed += good
        rest = building[good:]
        if rest:
            times += 1
            if weather.failures(rest[:1]):
                weather.innocent += not rest[0].bad
            else:
                landed += 1
            rest = rest[1:]
        building = rest
    return landed, times


POLICIES: dict[str, Policy] = {
    "ours": ours(1),
    "serial": serial,
    "halving": halving,
    f"ours, {VERIFIERS} at once": ours(VERIFIERS),
    f"window of {VERIFIERS}": window,
}


def compare(scratch: Path, _: int) -> list[Comparison]:
    """Prints both tables; the comparisons are those at 2 %, and the real queue's worst case."""
    cases = [Case(*each) for each in product(RATES, FLAKY, (1, VERIFIERS))]
    print(f"{'bad':>6} {'flaky':>6}" + "".join(f"{name:>24}" for name in POLICIES))
    print(f"{'':>13}" + f"{'per V  checks  innocent':>24}" * len(POLICIES))
    for rate in RATES:
        for flaky in FLAKY:
            row = [measured(policy, rate, flaky) for policy in POLICIES.values()]
            told = (f"{f.per_time:>9.2f}{f.checks:>8.3f}{f.innocent:>7.2f}" for f in row)
            print(f"{rate:>6.1%} {flaky:>6.0%}" + "".join(told))
    at = {
        name: [measured(policy, 0.02, 0.0, seed) for seed in SEEDS]
        for name, policy in POLICIES.items()
    }
    against = [
        ("ours", "serial", 5.0),
        ("ours", "halving", 1.0),
        (f"ours, {VERIFIERS} at once", f"window of {VERIFIERS}", 2.0),
    ]
    return [
        Comparison(
            "checks per landed task at 2 %, one verifier",
            "checks",
            [figures.checks for figures in at["ours"]],
            [1.0],
            "one for each",
            at_most=0.16,
        ),
        *(
            Comparison(
                f"check time per landed task at 2 %, {name}",
                "V",
                [1 / figures.per_time for figures in at[name]],
                [1 / figures.per_time for figures in at[other]],
                other,
                at_least=bound,
            )
            for name, other, bound in against
        ),
        *arrivals.compare(),
        *batches_real.compare(scratch, cases),
    ]
