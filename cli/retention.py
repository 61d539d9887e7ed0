"""How long the embedded server keeps what has ended."""

from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest

from cli.session import Session

KEPT_AFTER_END = timedelta(days=30)


async def keep_history(connected: Session, wished: timedelta) -> None:
    """Raises the embedded namespace's retention to what the migration needs; never lowers it."""
    service, name = connected.client.workflow_service, connected.client.namespace
    found = await service.describe_namespace(DescribeNamespaceRequest(namespace=name))
    if found.config.workflow_execution_retention_ttl.ToTimedelta() >= wished:
        return
    ttl = Duration()
    ttl.FromTimedelta(wished)
    config = NamespaceConfig(workflow_execution_retention_ttl=ttl)
    await service.update_namespace(UpdateNamespaceRequest(namespace=name, config=config))
