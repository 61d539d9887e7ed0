"""What one tenant's migrations may cost in a month, and what they have reserved of it."""

from activities.contracts.base import Contract
from activities.contracts.money import NOTHING, Usd

NOBODY = "nobody"
"""The tenant of migrations that nobody put a name to."""


class ReserveCap(Contract):
    """A migration's whole cap, or a higher one, reserved from its tenant's."""

    tenant: str
    month: str
    """`2026-11`, UTC: in which the migration started."""
    migration: str
    workflow: str
    epoch: str
    """Its life: another one reserves anew."""
    usd: Usd | None
    """None: it has no cap, so there is no such amount."""


class Reserved(Contract):
    """What came of it."""

    refused: str = ""
    """Why not, and what to do; empty: it is reserved."""


class RefundCap(Contract):
    """A migration has ended: what it did not spend comes back."""

    tenant: str
    month: str
    migration: str
    workflow: str
    epoch: str
    spent: Usd


class CapRow(Contract):
    """One life of one migration in its tenant's book; of several the last counts."""

    migration: str
    workflow: str
    epoch: str
    reserved: Usd = NOTHING
    spent: Usd | None = None
    """None: it has not ended, as far as the book knows."""

    @property
    def counts(self) -> Usd:
        return self.reserved if self.spent is None else self.spent
