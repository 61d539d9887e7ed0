"""What is told to another workflow by its id."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError


async def tell(id: str, signal: str, *message: object) -> bool:
    """Whether it was there: one that is gone needs no telling, or is missed elsewhere."""
    try:
        await workflow.get_external_workflow_handle(id).signal(signal, args=message)
    except ApplicationError as error:
        workflow.logger.warning("%s is gone", id, exc_info=error)
        return False
    return True
