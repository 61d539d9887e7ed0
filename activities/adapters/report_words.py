"""Numbers and times as a report says them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from activities.contracts.commands import HumanDecision
from activities.contracts.pilot import Pilot
from activities.contracts.wording import times
from activities.contracts.work import AgentSaid


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `5 h 7 min`, `21 d 3 h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 172_800:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def span(start: str, end: str) -> str:
    """The time between two moments as ISO 8601."""
    try:
        taken = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    except (ValueError, TypeError):
        return "unknown"
    return duration(taken.total_seconds())


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def interrupted(deaths: Mapping[str, int]) -> str:
    """`server once, worker 3 times; …`: nothing of it stopped the migration."""
    return f"{times(deaths)}; each was started again and the work went on"


def what_followed(pilot: Pilot, decisions: Iterable[HumanDecision]) -> str:
    """Who let the rest of a phase begin after its pilot, or why nobody did."""
    said = next((d for d in decisions if pilot.decision and d.id == pilot.decision), None)
    if said:
        verb = "approved" if said.verb == "approve" else "rejected"
        return f"{verb} by {said.actor}{f': {said.reason}' if said.reason else ''}"
    if pilot.decision:
        return "decided by a person, longer ago than decisions are kept"
    if pilot.asked:
        return "nobody decided before the migration ended"
    if pilot.landed:
        return "nobody had to be asked: a task of it landed, so the rest began"
    return "nobody had to be asked: no task of it landed, so the rest did not begin"


def said_words(said: AgentSaid) -> str:
    """`claude says: login: Invalid API key (12 turns, 0.12 USD)`."""
    first = said.summary.strip().splitlines()[:1]
    facts = [count(said.turns, "turn")] if said.turns is not None else []
    facts += [f"{said.usd:.2f} USD"] if said.usd is not None else []
    words = ": ".join(part for part in (f"{said.agent} says", said.error, *first) if part)
    return f"{words} ({', '.join(facts)})" if facts else words
