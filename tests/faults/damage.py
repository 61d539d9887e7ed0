"""What was struck in a hurricane, what is damaged, and how long work waited that was cut off."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from activities.contracts.report import MigrationReport
from tests import invariants
from tests.histories import Told
from tests.invariants import Damage
from tests.test_wiring import registered

ROLES = ("control", "workspace", "checks", "integration", "delivery")


@dataclass(frozen=True)
class Strike:
    """One process, struck once."""

    at: float
    """Seconds since the epoch."""
    who: str
    """Its role, or `server`."""
    pid: int
    how: str
    """`kill`, `freeze`, or the order that it carried out."""

    @property
    def deadly(self) -> bool:
        return self.how == "kill" or self.how.startswith("crash")


@dataclass
class Outcome:
    """What became of a migration."""

    home: Path
    hub: Path
    report: MigrationReport
    told: Told
    damage: Damage
    protect: tuple[str, ...] = ()
    deep: tuple[str, ...] = ()
    """Checks that no landing waited for."""
    strikes: list[Strike] = field(default_factory=list[Strike])
    unreached: list[str] = field(default_factory=list[str])
    """Orders that nobody came to carry out."""

    @property
    def tree(self) -> str:
        return invariants.tree(self.hub, self.report.tip)

    def assert_sound(self) -> None:
        """Every invariant."""
        invariants.assert_sound(self.home, self.hub, self.report, self.protect, self.deep)
        invariants.assert_told(self.hub, self.report, self.told)

    @property
    def kills(self) -> list[Strike]:
        return [strike for strike in self.strikes if strike.deadly]

    def __str__(self) -> str:
        who = Counter(strike.who.split()[0] for strike in self.kills)
        waits = sorted(resumed(self.told, self.strikes))
        waited = (
            f"{statistics.median(waits):.1f} s median, {waits[-1]:.1f} s at worst, of {len(waits)}"
            if waits
            else "nothing was cut off"
        )
        return (
            f"{len(self.kills)} kills {dict(sorted(who.items()))}, "
            f"{len(self.strikes) - len(self.kills)} other faults, "
            f"{len(self.report.handoffs)} tasks, {self.damage}, resumed after {waited}"
        )


def in_all(outcomes: Sequence[Outcome]) -> str:
    """What several come to, in one line."""
    damage = sum((outcome.damage for outcome in outcomes), Damage())
    waits = sorted(w for outcome in outcomes for w in resumed(outcome.told, outcome.strikes))
    return (
        f"{sum(len(outcome.kills) for outcome in outcomes)} kills, "
        f"{sum(len(outcome.report.handoffs) for outcome in outcomes)} tasks, {damage}; "
        f"resumed after {statistics.median(waits):.1f} s median, {waits[-1]:.1f} s at worst"
    )


def carried_out(
    orders: Sequence[str], marks: Path, seen: dict[int, str]
) -> tuple[list[Strike], list[str]]:
    """The orders that were, by whom and when, and those that were not."""
    done = {number: marks / str(number) for number in range(len(orders))}
    strikes: list[Strike] = []
    for number, mark in done.items():
        if mark.exists():
            pid = int(mark.read_text())
            # One that died in its first moments nobody has looked at.
            role = seen.get(pid, "short-lived")
            strikes.append(Strike(mark.stat().st_mtime, role, pid, orders[number]))
    return strikes, [orders[n] for n, mark in done.items() if not mark.exists()]


def resumed(told: Told, strikes: Sequence[Strike]) -> list[float]:
    """Seconds from a kill until what it had cut off was begun again, where it was struck once.

    An activity is tried again; on a host's queue the workflow does something else instead; a
    workflow task is given to another worker.
    """
    where = registered()
    where["workspace"] |= where.pop("host")

    def only_kill(role: str, after: float, before: float) -> float | None:
        there = [s for s in strikes if s.who.split()[0] == role and after < s.at < before]
        return there[0].at if len(there) == 1 and there[0].deadly else None

    waits: list[float] = []
    for step in told.steps:
        [role] = [role for role in ROLES if step.name in where[role]]
        again = step.started
        if step.how == "timed_out" and step.worker:
            later = [s.started for s in told.steps if s.workflow == step.workflow and s.started]
            again = min((at for at in later if at > step.ended), default=0.0)
            at = only_kill(role, step.started, again)
        else:
            at = only_kill(role, step.scheduled, again) if step.attempt == 2 else None
        waits += [again - at] if at else []
    for thought in told.thoughts:
        at = only_kill("control", thought.asked, thought.decided) if thought.again else None
        waits += [thought.decided - at] if at else []
    return waits
