"""Forms a batch, settles it, splits it: the merge queue's arithmetic.

A batch is green or red as a whole. A red one is searched for its first bad prefix: everything
before it is good and lands, the one that turned it red is asked once more and then bounced, the
rest goes back to the front of the queue in its order.
"""

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
    """The next batch: by priority, then age (the order of arrival)."""
    return sorted(waiting, key=lambda c: c.priority)[: batch_size(failure_rate)]


def middle(good: int, bad: int) -> int:
    """The prefix to check next, between the longest known good and the shortest known bad one.

    Lengths, not indexes: 0 (the tip itself) is good, and `bad - good > 1`.
    """
    return (good + bad) // 2


def observe(failure_rate: float, members: int, failures: int, memory: float = 0.9) -> float:
    """The failure rate after a settled batch; old batches fade."""
    if members == 0:
        return failure_rate
    weight = 1 - memory**members
    return (1 - weight) * failure_rate + weight * failures / members
