"""The pilot: the first tasks of a phase, and what they taught before the others may start."""

from decimal import Decimal

from activities.contracts.base import Contract
from activities.contracts.money import NOTHING, Spend, Usd, usd_text


class Pilot(Contract):
    """What a pilot taught."""

    phase: str
    cycle: int
    tasks: int
    landed: int
    """Partial ones and those with nothing to do included."""
    undone: tuple[str, ...] = ()
    """What did not land and why, a line each; at most 10."""
    fastest: float = 0.0
    """Seconds that a task took, waiting included: the fewest, the median, the most."""
    median: float = 0.0
    slowest: float = 0.0
    sites: int = 0
    """Of the whole cycle, the pilot's included."""
    sites_left: int = 0
    rest: int = 0
    """Tasks that wait for its end."""
    rest_waves: int = 0
    """Rounds that they take, by needs, claims and the window."""
    land_low: int = 0
    """How many of the rest land, if they are like the pilot: a 90 % interval."""
    land_high: int = 0
    spend: Spend = Spend()
    """What models cost, those that did not land included."""
    cheapest: Usd = NOTHING
    """A task of it, the whole of its attempts."""
    dearest: Usd = NOTHING
    files: int = 0
    """That landed."""
    asked: bool = False
    """A person decides about the rest."""
    decision: str = ""
    """The id of what that person said."""

    @property
    def rest_seconds(self) -> tuple[float, float]:
        """How long the rest takes: every round as fast as the fastest, or as slow as the slowest,
        task of the pilot."""
        return self.rest_waves * self.fastest, self.rest_waves * self.slowest

    @property
    def rest_usd(self) -> tuple[Decimal, Decimal]:
        """What models will cost for the rest: every task as cheap as the cheapest, or as dear as
        the dearest, task of the pilot."""
        return self.rest * self.cheapest, self.rest * self.dearest


def pilot_rows(pilot: Pilot) -> list[tuple[str, str]]:
    """What people read about it, by what it is about."""
    low, high = (span_text(seconds) for seconds in pilot.rest_seconds)
    rounds = f"{pilot.rest_waves} round{'' if pilot.rest_waves == 1 else 's'}"
    spent = f"{span_text(pilot.median)} ({span_text(pilot.fastest)} to {span_text(pilot.slowest)})"
    tasks = "1 task" if pilot.rest == 1 else f"{pilot.rest} tasks"
    rest = f"{tasks} in {rounds}: {low} to {high}; "
    return [
        ("landed", f"{pilot.landed} of {pilot.tasks} tasks of the pilot"),
        ("a task", spent),
        ("sites left", f"{pilot.sites_left} of {pilot.sites}"),
        ("the rest", f"{rest}{pilot.land_low} to {pilot.land_high} of them land"),
        *_money(pilot),
        *(("not done", line) for line in pilot.undone),
    ]


def _money(pilot: Pilot) -> list[tuple[str, str]]:
    """Nothing where no model had a part in it."""
    if not pilot.spend.total:
        return []
    low, high = (usd_text(amount) for amount in pilot.rest_usd)
    each = f"{usd_text(pilot.cheapest)} to {usd_text(pilot.dearest)} a task"
    return [
        ("cost", f"{pilot.spend.told(files=pilot.files)}; {each}"),
        ("rest costs", f"{low} to {high} USD, if the rest is like it"),
    ]


def pilot_lines(pilot: Pilot) -> list[str]:
    """The rows as aligned text."""
    return [f"{label:<12}{value}" for label, value in pilot_rows(pilot)]


def span_text(seconds: float) -> str:
    """`42 s`, `3 min`, `5.2 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
