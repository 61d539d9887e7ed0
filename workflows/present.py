"""Who is there to do a step."""

from activities.contracts.messages import CountWorkers
from activities.messages import MessageActivities
from workflows.locally import locally


async def workers_on(queue: str, summary: str) -> int:
    """How many workers ask for steps of a queue now; `summary`: why that is asked."""
    found = await locally(
        MessageActivities.count_workers, CountWorkers(queue=queue), summary=summary
    )
    return found.workers
