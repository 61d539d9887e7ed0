"""What checks found, in words for an agent: what is red, why, and what was said. Bounded."""

from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence
from activities.contracts.marking import in_data

TOLD = 6_000
"""Characters of what is told within a conversation: it goes through history."""
REASONS_NAMED = 20


def quoted(text: str) -> str:
    """A block of text that cannot end its fence."""
    return "\n".join(["```", text.strip().replace("```", "` ` `"), "```"])


def red_ones(evidence: Evidence | None) -> list[str]:
    """A section for each check that is red."""
    red = [c for c in evidence.checks if c.outcome is CheckOutcome.RED] if evidence else []
    return [_finding(check) for check in red]


def told(evidence: Evidence) -> str:
    """What an agent hears that asked for its checks."""
    red = red_ones(evidence)
    others = ", ".join(
        f"{c.check}: {c.outcome.replace('_', ' ')}"
        for c in evidence.checks
        if c.outcome is not CheckOutcome.RED
    )
    verdict = "Your checks pass." if evidence.passed else "Your checks do not pass."
    verdict = f"{verdict} {others}".strip()
    if not red:
        return verdict
    said = "\n".join(red).strip()
    rest = "\n[the rest does not fit: run the command to see it]" if len(said) > TOLD else ""
    return f"{verdict}\n\n{in_data(said[:TOLD])}{rest}"


def _finding(check: CheckResult) -> str:
    reasons = [f"- {reason}" for reason in check.reasons[:REASONS_NAMED]]
    said = ["", "It said:", "", quoted(check.tail)] if check.tail.strip() else []
    return "\n".join([f"## Check {check.check}", "", *reasons, *said, ""])
