"""The state of a workflow, as the server knows it."""

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts.messages import RunStatus


async def described(client: Client, id: str) -> RunStatus:
    """Of its latest run, by id."""
    try:
        found = await client.get_workflow_handle(id).describe()
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return RunStatus(id=id, status="NOT_FOUND")
        raise
    status = found.status.name if found.status else "UNKNOWN"
    first_run = found.raw_description.workflow_execution_info.first_run_id
    return RunStatus(id=id, status=status, first_run=first_run)
