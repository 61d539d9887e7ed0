"""Who is there to do a step."""

from activities.contracts.messages import CountWorkers
from activities.messages import MessageActivities
from workflows.locally import locally
from workflows.options import MODEL


async def workers_on(queue: str, summary: str) -> int:
    """How many workers ask for steps of a queue now; `summary`: why that is asked."""
    found = await locally(
        MessageActivities.count_workers, CountWorkers(queue=queue), summary=summary
    )
    return found.workers


async def has_model() -> bool:
    """Whether anybody takes turns of a model now."""
    return await workers_on(MODEL, "is there a model?") > 0
