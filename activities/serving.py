"""Whether a Temporal service can carry migrations, and which workers it has: asked when a worker or
the people's door connects, so that a wrong namespace or an old server is told before anything waits
for it. Each trouble says what, where, and what to do.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from temporalio.api.enums.v1 import IndexedValueType, TaskQueueType, WorkerVersioningMode
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
    ListNamespacesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

FRESH = timedelta(seconds=75)
"""A living worker polls anew at least each minute."""
_CODE = " code "
_MAY_NOT_ASK = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED)


class Unfit(Exception):
    """The service cannot carry migrations; the text says why and what to do."""


async def check_service(client: Client, attributes: Mapping[str, str]) -> None:
    """Raises Unfit unless the namespace exists, takes updates and has the search attributes.

    What this client may not ask is taken to be well.
    """
    await _check_namespace(client)
    await _check_attributes(client, attributes)


async def _check_namespace(client: Client) -> None:
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        found = await client.workflow_service.describe_namespace(request)
    except RPCError as error:
        if error.status in _MAY_NOT_ASK:
            return
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise Unfit(
            f"Temporal at {_where(client)} has no namespace {client.namespace!r}"
            f"{await _others(client)}. Set TEMPORAL_NAMESPACE to one that it has, or make it: "
            f"temporal operator namespace create -n {client.namespace}"
        ) from error
    if not found.namespace_info.capabilities.sync_update:
        system = await client.workflow_service.get_system_info(GetSystemInfoRequest())
        raise Unfit(
            f"Temporal at {_where(client)}, version {system.server_version or 'unknown'}, takes no "
            "workflow updates, by which people steer: it is too old, or they are turned off. "
            "Upgrade it to 1.25 or later, or set frontend.enableUpdateWorkflowExecution to true"
        )


async def _others(client: Client) -> str:
    try:
        listed = await client.workflow_service.list_namespaces(ListNamespacesRequest(page_size=20))
    except RPCError:
        return ""
    names = [n.namespace_info.name for n in listed.namespaces]
    return f" (it has {', '.join(n for n in names if n != 'temporal-system')})"


async def _check_attributes(client: Client, attributes: Mapping[str, str]) -> None:
    request = ListSearchAttributesRequest(namespace=client.namespace)
    try:
        found = await client.operator_service.list_search_attributes(request)
    except RPCError as error:
        if error.status in _MAY_NOT_ASK:
            return
        raise
    kinds = {name: _kind(kind) for name, kind in found.custom_attributes.items()}
    wrong = [name for name, kind in attributes.items() if kinds.get(name, kind) != kind]
    if wrong:
        told = ", ".join(f"{name} is {kinds[name]}, not {attributes[name]}" for name in wrong)
        raise Unfit(
            f"In the namespace {client.namespace!r} of Temporal at {_where(client)} search "
            f"attributes are of other types: {told}. Use another namespace (TEMPORAL_NAMESPACE)"
        )
    missing = [name for name in attributes if name not in kinds]
    if missing:
        options = " ".join(f"--name {name} --type {attributes[name]}" for name in missing)
        raise Unfit(
            f"The namespace {client.namespace!r} of Temporal at {_where(client)} lacks search "
            f"attributes: {', '.join(missing)}. Add them: temporal operator search-attribute "
            f"create -n {client.namespace} {options}"
        )


def _kind(number: "IndexedValueType.ValueType") -> str:
    """`INDEXED_VALUE_TYPE_KEYWORD` is called Keyword in settings."""
    name = IndexedValueType.Name(number).removeprefix("INDEXED_VALUE_TYPE_")
    return "".join(part.capitalize() for part in name.split("_"))


def _where(client: Client) -> str:
    return client.service_client.config.target_host


def with_code(name: str, code: str) -> str:
    """What the service knows a worker by."""
    return f"{name}{_CODE}{code}"


class SeenWorker(NamedTuple):
    """A worker that polls."""

    identity: str
    code: str
    """Empty: it did not say."""
    versioned: bool = False
    """Of a deployment, where two versions side by side are meant."""


async def workers_of(client: Client, queues: Mapping[str, bool]) -> list[SeenWorker]:
    """Who polls these queues (with true: for workflows), each worker once, by name."""
    asked = (_pollers(client, queue, flows) for queue, flows in queues.items())
    return sorted({worker for found in await asyncio.gather(*asked) for worker in found})


async def _pollers(client: Client, queue: str, flows: bool) -> list[SeenWorker]:
    kind = (
        TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW if flows else TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    )
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    found = await client.workflow_service.describe_task_queue(request)
    since = datetime.now(UTC) - FRESH
    fresh = [p for p in found.pollers if p.last_access_time.ToDatetime(UTC) > since]
    versioned = WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
    return [
        SeenWorker(
            p.identity,
            p.identity.partition(_CODE)[2],
            p.deployment_options.worker_versioning_mode == versioned,
        )
        for p in fresh
    ]


def different_code(workers: list[SeenWorker]) -> str:
    """What to say when workers run different code; empty: they do not."""
    by_code: dict[str, list[str]] = {}
    for worker in (w for w in workers if not w.versioned):
        by_code.setdefault(worker.code or "unknown", []).append(worker.identity.partition(_CODE)[0])
    if len(by_code) < 2:
        return ""
    told = "; ".join(f"code {code}: {', '.join(names)}" for code, names in sorted(by_code.items()))
    return (
        f"workers run different code ({told}). Bring them to one: stop those of the older code "
        "(SIGTERM drains), update them, start them again; one that has stopped is seen for a minute"
    )
