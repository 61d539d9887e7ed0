"""What is told to another workflow by its id."""

from collections import Counter
from collections.abc import Sequence

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.contracts.news import QUEUE_NEWS, QueueNews


async def tell(id: str, signal: str, *message: object) -> bool:
    """Whether it was there: one that is gone needs no telling, or is missed elsewhere."""
    try:
        await workflow.get_external_workflow_handle(id).signal(signal, args=message)
    except ApplicationError as error:
        workflow.logger.warning("%s is gone", id, exc_info=error)
        return False
    return True


async def tell_flaky(migration: str, checks: Sequence[str]) -> None:
    """The checks that were seen to be flaky, each as often as it was."""
    if checks:
        await tell(migration, QUEUE_NEWS, QueueNews(flaky=dict(Counter(checks))))
