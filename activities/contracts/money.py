"""What model turns use and cost."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from activities.contracts.base import Contract, Lean

Usd = Annotated[Decimal, Field(ge=0)]
"""US dollars, exact: sums of thousands of turns are compared to the cent."""
NOTHING = Decimal(0)
REFUSED = "account_refused"
"""Signal, whoever takes turns → its migration, with an AccountRefused."""


class Usage(Lean):
    """Tokens of one reply, or of many."""

    input: int = 0
    """Neither read from the cache nor written to it."""
    cache_write: int = 0
    cache_read: int = 0
    output: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input=self.input + other.input,
            cache_write=self.cache_write + other.cache_write,
            cache_read=self.cache_read + other.cache_read,
            output=self.output + other.output,
        )


class Spend(Lean):
    """What was paid, and what may have been."""

    recorded: Usd = NOTHING
    """Of replies that are on record."""
    unconfirmed: Usd = NOTHING
    """Of requests whose reply was never recorded, at their worst case: nobody knows better."""

    @property
    def total(self) -> Decimal:
        """What counts against a cap."""
        return self.recorded + self.unconfirmed

    def told(self, cap: Decimal | None = None, files: int = 0) -> str:
        """For people: what was spent, of what, and what a landed file came to, those that did not
        land paid for as well. Empty where no model had a part in it."""
        if not self.total:
            return ""
        parts = [
            f"{usd_text(self.total)} USD" + (f" of at most {cap:.2f}" if cap is not None else "")
        ]
        if files:
            parts.append(f"{usd_text(self.total / files)} for each file that landed")
        if self.unconfirmed:
            parts.append(f"{usd_text(self.unconfirmed)} of it at worst, for replies that were lost")
        return ", ".join(parts)

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(
            recorded=self.recorded + other.recorded,
            unconfirmed=self.unconfirmed + other.unconfirmed,
        )


class AreaMoney(Lean):
    """What the tasks of one area, and of those in it, have cost in a cycle of what they may."""

    area: str
    cap: Usd
    spend: Spend = Spend()
    """Of those that are over."""
    unpaid: int = 0
    """Tasks that could start, if the area had money left."""

    @property
    def told(self) -> str:
        """For people."""
        waits = f", {self.unpaid} of its tasks wait for more" if self.unpaid else ""
        return f"{self.area}: {self.spend.total:.2f} of at most {self.cap:.2f} USD{waits}"


class SumSpend(Contract):
    """What was spent on something, such as a task whose workflow was lost."""

    migration: str
    scope: str
    """As in Conversation."""
    attempts: str = ""
    """Only those whose names begin so, such as `0-`; empty: all."""


class AccountRefused(Contract):
    """The model's provider takes no turns on this account before a person has seen to it."""

    asked: str
    """When the turn was begun: ISO 8601, UTC."""
    why: str
    """What the provider said."""


class GateClosed(Contract):
    """The model's provider asked for patience: nobody asks it before `until`."""

    until: float
    """Seconds since the epoch."""
    why: str
    """What it said."""
    concurrency: int
    """Requests at once of one process before it goes on slowly."""
    times: int = 1
    """Closings in a row; the more, the longer where the provider does not say."""


def usd_text(amount: Decimal) -> str:
    """To the cent, or to two digits that say something."""
    return f"{amount:.2f}" if amount >= 1 else f"{float(amount):.2g}"
