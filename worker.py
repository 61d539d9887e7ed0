"""The machines' door: settings → adapters → activities → Workers; roles/ says which a role has.

`worker.py --role ROLE` polls one role's queue; `--role all` runs everything in one process. A role
that only runs tools never loads workflow code, and the model's key is in no other role's process.
SIGTERM drains: running activities get the grace period, then are handed to another worker.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import structlog
from temporalio.client import Client
from temporalio.worker import Interceptor, Worker

from activities.adapters.code_version import own_code
from activities.adapters.doing import fresh_slate
from activities.adapters.leaving import run_and_leave
from activities.adapters.logs import configure_logs
from activities.adapters.settings import Settings, WrongSettings, settings_told
from activities.faults import ACTIVITIES, FaultInterceptor
from activities.heartbeat import SENT_WITHIN, HeartbeatInterceptor, watch_loop
from activities.held import HoldingInterceptor
from activities.joining import connect, other_code
from activities.serving import Unfit
from roles.host import AT_THE_HUB, TOOLS, Host
from roles.queue import GRACE, Queue
from roles.sweeping import sweepers

ROLES = ("control", "model", "workspace", "checks", "integration", "delivery")
"""Each is a file of roles/."""
THREADS = 128
"""For all plain activities of a process: no fewer than its queues have slots."""


async def joined(roles: Sequence[str]) -> Client:
    """The service; only workflows set search attributes, and only control loads workflow code."""
    if "control" not in roles:
        return await connect({}, own_code())
    from workflows.options import SEARCH_ATTRIBUTES

    return await connect(SEARCH_ATTRIBUTES, own_code())


async def queues(roles: Sequence[str], host: Host, client: Client) -> list[Queue]:
    """What these roles poll; code of other roles is not even loaded."""
    # First: nothing that runs in this process or below it finds the key in its environment.
    may_ask = "model" in roles and host.prepare_model(alone=len(roles) == 1)
    if TOOLS.intersection(roles):
        await host.prepare_tools()
    able = [role for role in roles if role != "model" or may_ask]
    polled: list[Queue] = []
    for role in able:
        polled += import_module(f"roles.{role}").queues(host, client)
    return polled


def build(polled: Sequence[Queue], client: Client, held: Path) -> list[Worker]:
    """A Worker for each queue. `held`: the locked folder of this process."""
    interceptors: list[Interceptor] = [
        HeartbeatInterceptor(fresh_slate),
        HoldingInterceptor(held),
        *_faults(),
    ]
    threads = ThreadPoolExecutor(max_workers=THREADS)
    return [
        Worker(
            client,
            task_queue=queue.name,
            activities=queue.activities,
            activity_executor=threads,
            interceptors=interceptors,
            max_concurrent_activities=queue.slots,
            graceful_shutdown_timeout=queue.grace,
            max_heartbeat_throttle_interval=SENT_WITHIN,
            **queue.more,
        )
        for queue in polled
    ]


def _faults() -> list[Interceptor]:
    """What a test's environment orders; without one there is nothing here."""
    orders = os.environ.get("WHIMBREL_FAULTS", "")
    if not orders:
        return []
    from activities.adapters import fault_points

    fault_points.arm(orders, Path(os.environ["WHIMBREL_FAULTS_DIR"]), ACTIVITIES)
    return [FaultInterceptor(fault_points.passing_activity)]


async def serve(roles: Sequence[str]) -> None:
    """Runs until SIGTERM or SIGINT, then drains."""
    settings = settings_told()
    if AT_THE_HUB.intersection(roles):
        _ = settings.hub_here
    client, host = await joined(roles), Host(settings)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as running:
        running.enter_context(host.closing)
        held = await running.enter_async_context(host.held.run_folder())
        workers = build(await queues(roles, host, client), client, held)
        for worker in workers:
            await running.enter_async_context(worker)
        beside = [sweeper.keep_sweeping() for sweeper in sweepers(roles, host, client)]
        for kept_up in (*beside, watch_loop()):
            running.callback(asyncio.create_task(kept_up).cancel)
        await _say(roles, settings, client)
        await stop.wait()
        structlog.get_logger().info("draining", grace_seconds=GRACE.total_seconds())
        # All at once: what one finishes would become new work for those that still poll.
        await asyncio.gather(*(worker.shutdown() for worker in workers))


async def _say(roles: Sequence[str], settings: Settings, client: Client) -> None:
    """To the log: what this process is, and what other code polls beside it."""
    log = structlog.get_logger()
    log.info(
        "polling",
        roles=list(roles),
        host=settings.host,
        sandbox=settings.sandbox,
        code=own_code(),
    )
    if "control" in roles and settings.deployment:
        from roles.control import version_of

        version = version_of(settings)
        log.info("versioned", deployment=version.deployment_name, build=version.build_id)
        return
    if told := await other_code(client, {role: role == "control" for role in ROLES}, own_code()):
        log.warning(told)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parses --role, configures logs, serves."""
    parser = argparse.ArgumentParser(prog="worker.py", description=__doc__)
    parser.add_argument("--role", action="append", choices=[*ROLES, "all"], required=True)
    asked = parser.parse_args(arguments).role
    roles = ROLES if "all" in asked else tuple(dict.fromkeys(asked))
    configure_logs()
    run_and_leave(lambda: _served(roles))


def _served(roles: Sequence[str]) -> None:
    try:
        asyncio.run(serve(roles))
    except (Unfit, WrongSettings) as unfit:
        sys.exit(f"worker.py: {unfit}")


if __name__ == "__main__":
    main()
