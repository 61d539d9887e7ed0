"""Landings per check time, and checks per landed task: the merge queue's batches against others.

Three figures for every way and every weather: simulated, with so many candidates that chance evens
out; simulated with the candidates of the real run; and that run, of the real merge queue and of the
real alternatives (`batches_real`). What ours decides is decided by the workflow's own code; the
others (`policies`) are the same code in all three.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path

from benchmarks import arrivals, batches_real
from benchmarks.batches_real import CANDIDATES, CHECK_SECONDS, OURS, SEED, Case, simulate
from benchmarks.measuring import Comparison
from benchmarks.policies import VERIFIERS
from benchmarks.simulated_queue import Came

RATES = (0.005, 0.02, 0.05, 0.1, 0.2)
FLAKY = (0.0, 0.05)
WAYS = ("ours", "serial", "halving", f"ours, {VERIFIERS} at once", f"window of {VERIFIERS}")
MANY = 20_000
SEEDS = range(1, 6)
"""Of what is held against a bound: with one, how many are bad happens to differ by a twentieth."""
AGAINST = (
    ("ours", "serial", 5.0),
    ("ours", "halving", 1.0),
    (f"ours, {VERIFIERS} at once", f"window of {VERIFIERS}", 2.0),
)
"""Ours and another, and how many times less check time a landed task takes at 2 %."""
FIGURES: dict[str, Callable[[Came], float]] = {
    "landings per check time": lambda came: came.per_time,
    "checks per landed task": lambda came: came.per_landed,
    "good ones turned down, of 1,000 landed": lambda came: 1000 * came.innocent / came.landed,
}


def compare(scratch: Path, _: int) -> list[Comparison]:
    """Prints the tables; the comparisons are those at 2 %, and the real queue's worst case."""
    cases = [Case(*each) for each in product(RATES, FLAKY, WAYS)]
    many = {case: simulate(case, MANY, 1) for case in cases}
    few = {case: simulate(case, CANDIDATES, SEED) for case in cases}
    real = batches_real.run(scratch, cases)
    for title, figure in FIGURES.items():
        _print(title, figure, (many, few, real))
    return [*_simulated(), *arrivals.compare(), *_real(few, real)]


def _print(
    title: str, figure: Callable[[Came], float], columns: tuple[dict[Case, Came], ...]
) -> None:
    """A row for each weather: each way simulated, simulated with the real candidates, and real."""
    print(f"{title}: {MANY:,} candidates simulated; {CANDIDATES} simulated; the same {CANDIDATES}")
    print(f"on real branches, checks of {CHECK_SECONDS:g} s")
    print(f"{'bad':>6} {'flaky':>6}" + "".join(f"{way:>24}" for way in WAYS))
    for rate, flaky in product(RATES, FLAKY):
        told = [
            f"{figure(column[Case(rate, flaky, way)]):>{width}.2f}"
            for way in WAYS
            for column, width in zip(columns, (10, 7, 7), strict=True)
        ]
        print(f"{rate:>6.1%} {flaky:>6.0%}" + "".join(told))


def _simulated() -> list[Comparison]:
    """At 2 %, of several seeds."""
    at = {way: [simulate(Case(0.02, 0.0, way), MANY, seed) for seed in SEEDS] for way in WAYS}
    checks = Comparison(
        "checks per landed task at 2 %, one verifier, simulated",
        "checks",
        [came.per_landed for came in at["ours"]],
        [1.0],
        "one for each",
        at_most=0.16,
    )
    return [
        checks,
        *(
            Comparison(
                f"check time per landed task at 2 %, {way}, simulated",
                "V",
                [1 / came.per_time for came in at[way]],
                [1 / came.per_time for came in at[other]],
                other,
                at_least=bound,
            )
            for way, other, bound in AGAINST
        ),
    ]


def _real(few: dict[Case, Came], real: dict[Case, Came]) -> list[Comparison]:
    """The real queue against its simulation, and at 2 % against the real alternatives."""
    cases = [case for case in real if case.way in OURS]
    of = f"the worst of {len(cases)} cases"
    return [
        Comparison(
            f"checks of the real queue, {of}",
            "simulated",
            [max(real[case].checks / few[case].checks for case in cases)],
            [1.0],
            "as many",
            at_most=1,
        ),
        Comparison(
            f"good ones that it turned down, {of}",
            "more than simulated",
            [1.0 + max(real[case].innocent - few[case].innocent for case in cases)],
            [1.0],
            "as many",
            at_most=1,
        ),
        Comparison(
            "its time, all cases",
            "checks",
            [sum(real[case].times for case in cases)],
            [sum(few[case].times for case in cases)],
            "simulated",
            at_most=1.5,
        ),
        *(
            Comparison(
                f"check time per landed task at 2 %, {way}, real",
                "V",
                [1 / real[Case(0.02, flaky, way)].per_time for flaky in FLAKY],
                [1 / real[Case(0.02, flaky, other)].per_time for flaky in FLAKY],
                f"{other}, real",
                at_least=bound,
            )
            for way, other, bound in AGAINST
        ),
    ]
