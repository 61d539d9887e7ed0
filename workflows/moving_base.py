"""What a look at the base means: when to look again, and what people read. Pure."""

from activities.contracts.moving_base import BaseLook, BaseSeen, Followed
from workflows.options import LOOK_AT_BASE_AT_MOST

SHORT = 12
REASONS = 3


def patience(before: Followed, look: BaseLook, wanted: int) -> float:
    """Seconds to the next look: as long as the spec says, and longer where nothing has changed."""
    if (look.head or before.head, look.seen) != (before.head, before.seen) or not before.patience:
        return float(wanted)
    return min(before.patience * 2, float(wanted * LOOK_AT_BASE_AT_MOST))


def told(followed: Followed, stands_on: str | None) -> str:
    """Why the green branch has not all of the base; empty: it has, as far as anybody saw."""
    at, head = (stands_on or "")[:SHORT], (followed.head or "")[:SHORT]
    on = f"it goes on with {at}, the last one that is merged"
    if followed.kept:
        return f"a person said to keep the old base: {on}"
    if followed.seen is BaseSeen.REWRITTEN:
        return (
            f"the base was rewritten: {head} does not go on from {at}, so nothing of it is merged"
        )
    if followed.refused:
        why = "; ".join(followed.refused.reasons[:REASONS])
        return f"the base at {followed.refused.head[:SHORT]} could not be merged: {why}"
    if followed.seen in (BaseSeen.GONE, BaseSeen.UNREACHABLE):
        return f"{followed.text}; {on}"
    return ""


def command(name: str, followed: Followed) -> str:
    """How a person decides; empty: there is nothing to decide."""
    if not followed.undecided:
        return ""
    return f"starter.py base {name} --accept --head {(followed.head or '')[:SHORT]} (or --keep)"


def merged(followed: Followed) -> str:
    """What came with the base so far; empty: nothing."""
    if not followed.merges:
        return ""
    heads = _count(followed.merges, "head")
    said = f"{heads} of the base merged, now at {(followed.stands_on or '')[:SHORT]}"
    said += f", {_count(followed.sites, 'new site')}" if followed.sites else ""
    return said + (
        f", {_count(followed.conflicts, 'file')} taken anew" if followed.conflicts else ""
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
