"""How an attempt stands in the handoff. Pure."""

from activities.contracts.climb import Climb, Work
from activities.contracts.work import Attempt, RungOutcome, RungRun

NAMED = 5


def told(kind: str, at: Climb) -> str:
    """How people are told of a rung."""
    return f"resolver {kind}" if at.conflict else kind


def attempt(
    number: int,
    at: Climb,
    kind: str,
    outcome: RungOutcome,
    ran: RungRun | None = None,
    note: str = "",
    sites_left: int | None = None,
    work: Work | None = None,
) -> Attempt:
    """One run of the rung at which the climb stands."""
    return Attempt(
        number=number,
        rung=at.rung,
        kind=told(kind, at),
        outcome=outcome,
        run=ran.run if ran else None,
        checkpoint=ran.checkpoint.commit if ran else None,
        sites_left=sites_left,
        evidence=work.evidence if work else None,
        note=note or (_note(outcome, ran) or _said(ran) if ran else ""),
        once=ran.once if ran else None,
        agent=ran.agent if ran else None,
    )


def _note(outcome: RungOutcome, ran: RungRun) -> str:
    checkpoint = ran.checkpoint
    if outcome is RungOutcome.OUTSIDE:
        return "it changed files outside the claim: " + ", ".join(checkpoint.outside[:NAMED])
    if outcome is RungOutcome.UNRESOLVED:
        return "; ".join(checkpoint.unresolved[:NAMED])
    if outcome is RungOutcome.DAMAGED:
        return "damaged: " + "; ".join(checkpoint.damage[:NAMED])
    if ran.unclear:
        return "not understood in $REQUESTS: " + "; ".join(ran.unclear)
    if checkpoint.dropped:
        return "not committed: " + ", ".join(checkpoint.dropped[:NAMED])
    return ""


def _said(ran: RungRun) -> str:
    """Why an agent stopped, in its words where it has any."""
    if ran.agent is None:
        return ""
    finished = ran.agent.finished
    return finished.summary if finished else f"it {ran.agent.told}"
