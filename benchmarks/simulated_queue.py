"""A merge queue, simulated: its candidates, its checks, and our way to land.

Of the candidates a share breaks the branch although they passed alone, and a check fails for no
reason now and then. What is decided is decided by the workflow's own `batching` and `PrefixSearch`.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence, Moment
from workflows import batching
from workflows.prefix_search import PrefixSearch

TREE = "0" * 40


@dataclass(frozen=True)
class Asking:
    """A candidate, as far as a check can tell it from another."""

    number: int
    bad: bool


@dataclass
class Weather:
    """What candidates come and what checks say of them; the same for the same seed."""

    rate: float
    flaky: float
    seed: int
    checks: int = 0
    innocent: int = 0
    """Good candidates that were turned down."""
    _random: random.Random = field(init=False)
    _made: int = 0
    _asked: Counter[tuple[int, int, int]] = field(default_factory=Counter[tuple[int, int, int]])

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def candidates(self, count: int) -> list[Asking]:
        self._made += count
        numbers = range(self._made - count, self._made)
        return [Asking(number, self._random.random() < self.rate) for number in numbers]

    def failures(self, members: Sequence[Asking]) -> set[str]:
        """One check of these on the tip; a flaky failure is one of a few well-known ones.

        Made of what is checked and how often it was before, so that checks which run at once may
        end in any order.
        """
        self.checks += 1
        failing = {f"test_{member.number}" for member in members if member.bad}
        if self.flaky:
            what = (members[0].number, members[-1].number, len(members))
            self._asked[what] += 1
            luck = random.Random(repr((self.seed, what, self._asked[what])))
            if luck.random() < self.flaky:
                failing.add(f"flaky_{luck.randrange(5)}")
        return failing


class Came(NamedTuple):
    """What came of one way to land, once nobody waits any more."""

    checks: int
    times: float
    """How long it took, in the time of one check."""
    landed: int
    innocent: int
    """Good ones turned down."""

    @property
    def per_time(self) -> float:
        """Landings in the time of one check."""
        return self.landed / self.times

    @property
    def per_landed(self) -> float:
        """Checks."""
        return self.checks / self.landed


def evidence_of(failing: set[str]) -> Evidence:
    """As a real check would tell it."""
    outcome = CheckOutcome.RED if failing else CheckOutcome.GREEN
    check = CheckResult(check="unit", outcome=outcome, new_failures=tuple(sorted(failing)))
    return Evidence(tree=TREE, moment=Moment.LANDING, checks=(check,))


class Ours:
    """Batches as the merge queue forms and settles them; nothing names a member's files."""

    def __init__(self, weather: Weather, verifiers: int, rate: float = 0.05) -> None:
        self.waiting: list[Asking] = []
        self.landed = self.times = 0
        self._weather = weather
        self._verifiers = verifiers
        self._rate = rate

    @property
    def size(self) -> int:
        """Of the next batch."""
        return batching.batch_size(self._rate)

    def settle_one(self) -> None:
        """Forms a batch of who waits and settles it."""
        members = self.waiting[: self.size]
        search = PrefixSearch([()] * len(members))
        while probes := search.probes(self._verifiers):
            self.times += 1
            for probe in probes:
                failing = self._weather.failures(members[: probe.length])
                search.saw(probe, evidence_of(failing))
        bounced = search.verdict is not None
        if bounced:
            self._weather.innocent += not members[search.good].bad
        self.waiting = self.waiting[search.good + bounced :]
        self.landed += search.good
        self._rate = batching.observe(self._rate, search.good + bounced, int(bounced))


def ours(weather: Weather, verifiers: int, asking: int) -> Came:
    """What the merge queue makes of so many candidates, all there when it begins; it has seen the
    rate of failures before."""
    queue = Ours(weather, verifiers, weather.rate)
    queue.waiting = weather.candidates(asking)
    while queue.waiting:
        queue.settle_one()
    return Came(weather.checks, queue.times, queue.landed, weather.innocent)
