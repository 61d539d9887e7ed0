"""Forms a batch: the merge queue's arithmetic."""

import math
from collections.abc import Collection, Sequence

from activities.contracts.landing import Candidate
from workflows.options import MAX_BATCH


def batch_size(failure_rate: float) -> int:
    """About ln2/p: a batch then passes half the time; between 4 and 64."""
    if failure_rate <= 0:
        return MAX_BATCH
    return max(4, min(MAX_BATCH, round(math.log(2) / failure_rate)))


def form(
    waiting: Sequence[Candidate], failure_rate: float, returned: Collection[str] = ()
) -> list[Candidate]:
    """The next batch of who waits, given the oldest first.

    The order: who has the longest chain of tasks behind it, then priority, then age; who was
    bounced before comes last, so that a prefix without it can land.

    Nobody starves: who waits longest is in every batch, and is the first of it where the batch
    before did not get to it (`returned`: the ids of such). A batch always settles its first member,
    so two batches settle whoever waits longest. And nobody waits for a batch to fill: it fills
    while the one before is checked, and an idle queue has a check to offer at once
    (benchmarks/arrivals.py).
    """
    oldest, others = waiting[:1], sorted(waiting[1:], key=_urgency)
    members = [*oldest, *others][: batch_size(failure_rate)]
    overdue = [c for c in oldest if c.id in returned]
    rest = sorted(members[len(overdue) :], key=lambda c: (c.asking > 0, *_urgency(c)))
    return overdue + rest


def _urgency(candidate: Candidate) -> tuple[int, int]:
    return -candidate.chain, candidate.priority


def observe(failure_rate: float, members: int, failures: int, memory: float = 0.98) -> float:
    """The failure rate after a settled batch; the last fifty members or so count."""
    if members == 0:
        return failure_rate
    weight = 1 - memory**members
    return (1 - weight) * failure_rate + weight * failures / members
