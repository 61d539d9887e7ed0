"""Which checks said two things of one tree. Pure."""

from activities.contracts.evidence import CheckOutcome, Evidence
from activities.contracts.expectations import SYNTHETIC


def refuted(evidence: Evidence) -> list[str]:
    """The checks that were red in a run of a tree that is known to be green."""
    return [c.check for c in evidence.checks if c.binding and c.outcome is CheckOutcome.RED]


def retried(evidence: Evidence) -> list[str]:
    """The checks that were green only when they were run again, as their own `retries` allow."""
    return [c.check for c in evidence.checks if c.outcome is CheckOutcome.GREEN and c.runs > 1]


def failures(evidence: Evidence) -> set[tuple[str, str]]:
    """What failed by name. That a run as a whole failed names nothing: any failure does that."""
    return {
        (check.check, id)
        for check in evidence.checks
        for id in check.new_failures
        if id not in SYNTHETIC
    }
