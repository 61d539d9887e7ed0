"""How a worker comes to its service: under a name that tells its code, where it is of use."""

import os
import platform
from collections.abc import Mapping

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

from activities.failures import CONVERTER
from activities.serving import (
    SeenWorker,
    Unfit,
    check_service,
    different_code,
    with_code,
    workers_of,
)


async def connect(attributes: Mapping[str, str], code: str) -> Client:
    """Where TEMPORAL_* or temporal.toml say; Unfit when nothing there can carry migrations."""
    config = ClientConfig.load_client_connect_config()
    where = config.setdefault("target_host", "localhost:7233")
    identity = with_code(f"{os.getpid()}@{platform.node()}", code)
    try:
        client = await Client.connect(**config, identity=identity, data_converter=CONVERTER)
    except RuntimeError as error:
        raise Unfit(
            f"Temporal at {where} does not answer: {error}. Set TEMPORAL_ADDRESS"
        ) from error
    await check_service(client, attributes)
    return client


async def other_code(client: Client, queues: Mapping[str, bool], code: str) -> str:
    """What to say when workers of the service run another code than this one; empty: they do not,
    or we may not ask."""
    try:
        seen = await workers_of(client, queues)
    except RPCError:
        return ""
    own = SeenWorker(client.identity, code)
    return different_code([own, *(w for w in seen if w.identity != own.identity)])
