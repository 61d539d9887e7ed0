"""What people say to a migration or a fleet, and what is kept of it."""

from activities.contracts.base import Contract


class Command(Contract):
    """What a person asked, with who, why and a client-chosen id: a resent one is applied once."""

    id: str
    actor: str
    reason: str = ""


class HumanDecision(Contract):
    """A command that was applied, for the report and the audit."""

    id: str
    verb: str
    actor: str
    reason: str = ""
    at: str
    """ISO 8601, UTC."""
