"""Forms a batch: the merge queue's arithmetic."""

import math
from collections.abc import Sequence

from activities.contracts.landing import Candidate
from workflows.options import MAX_BATCH


def batch_size(failure_rate: float) -> int:
    """About ln2/p: a batch then passes half the time; between 4 and 64."""
    if failure_rate <= 0:
        return MAX_BATCH
    return max(4, min(MAX_BATCH, round(math.log(2) / failure_rate)))


def form(waiting: Sequence[Candidate], failure_rate: float) -> list[Candidate]:
    """The next batch: who waits longest, then by priority and age; who was bounced before comes
    last, so that a prefix without it can land.

    Who waits longest is always in it, so nobody starves behind the urgent. Nobody waits for a batch
    to fill: it fills while the one before is checked.
    """
    oldest, others = waiting[:1], sorted(waiting[1:], key=lambda c: c.priority)
    members = [*oldest, *others][: batch_size(failure_rate)]
    return sorted(members, key=lambda c: (c.asking > 0, c.priority))


def observe(failure_rate: float, members: int, failures: int, memory: float = 0.98) -> float:
    """The failure rate after a settled batch; the last fifty members or so count."""
    if members == 0:
        return failure_rate
    weight = 1 - memory**members
    return (1 - weight) * failure_rate + weight * failures / members
