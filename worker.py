"""The machines' door and the only composition root: settings → adapters → activities → Workers.

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
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Interceptor, Worker, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.adapters import orphans
from activities.adapters.code_version import own_code
from activities.adapters.doing import fresh_slate
from activities.adapters.leaving import run_and_leave
from activities.adapters.logs import configure_logs
from activities.adapters.settings import Settings, WrongSettings, settings_told
from activities.faults import ACTIVITIES, FaultInterceptor
from activities.heartbeat import SENT_WITHIN, HeartbeatInterceptor, watch_loop
from activities.held import Bereaved, HoldingInterceptor
from activities.joining import connect, other_code
from activities.serving import Unfit
from activities.sweeping import TIDIED_EVERY, DeadWorkspaces, Sweeper, files, hubs

if TYPE_CHECKING:
    from activities.planner import PlannerActivities

ROLES = ("control", "model", "workspace", "checks", "integration", "delivery")
TOOLS = frozenset(("workspace", "checks"))
"""Roles that run commands."""
AT_THE_HUB = frozenset(("integration", "delivery"))
"""Roles that work on the hubs' own disk."""
GRACE = timedelta(seconds=30)
TO_REPLY = timedelta(seconds=80)
"""The grace of a model's reply: one that is given up was paid for."""
THREADS = 128
"""For all plain activities of a process: no fewer than its queues have slots."""
STICKY = timedelta(seconds=3)
"""How long a workflow waits for a worker that died with it in its cache."""


def workflow_runner() -> SandboxedWorkflowRunner:
    """The one sandbox of workers, tests and replayers: it passes the activities room through."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules("activities")
    )


async def joined(roles: Sequence[str]) -> Client:
    """The service; only workflows set search attributes, and only control loads workflow code."""
    if "control" not in roles:
        return await connect({}, own_code())
    from workflows.options import SEARCH_ATTRIBUTES

    return await connect(SEARCH_ATTRIBUTES, own_code())


class Host:
    """The adapters of this host, built when a role first needs them."""

    def __init__(self, settings: Settings) -> None:
        from activities.adapters.blobs import BlobStore
        from activities.adapters.mirrors import hubs_of
        from activities.adapters.scratch import Scratch

        self.settings = settings
        self.held = Scratch(settings.home / "held")
        self.blobs = BlobStore(settings.blobs, begins=False)
        self.hubs = hubs_of(settings)
        self.queue = f"host/{settings.host}"
        self.closing = contextlib.ExitStack()
        """For when nothing of it is used any more."""

    def prepare_model(self, alone: bool) -> bool:
        """The model, where this process has a credential for one. Raises Unfit without one where
        there is nothing else to do."""
        from activities.adapters.model_turns import open_turns

        try:
            turns = open_turns(self.blobs, self.settings, os.environ)
        except (OSError, ValueError) as error:
            raise Unfit(f"WHIMBREL_PRICES or WHIMBREL_PROVIDER: {error}") from error
        if turns is None and alone:
            raise Unfit(
                "the role `model` needs a credential: set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL "
                "for a gateway that asks for none"
            )
        if turns is not None:
            self.turns = turns
        return turns is not None

    async def prepare_tools(self) -> None:
        """Sandbox and everything that runs in it; refuses when the sandbox does not hold."""
        from activities.adapters.tooling import Tooling

        self.tools = await Tooling.of(self.settings, self.blobs)
        self.closing.callback(self.tools.close)


def control_activities(host: Host, client: Client) -> list[Any]:
    from activities.adapters.transcripts import Transcripts
    from activities.messages import MessageActivities
    from activities.records import RecordActivities
    from activities.spending import SpendingActivities

    transcripts = Transcripts(host.blobs)
    records = RecordActivities(host.blobs)
    messages = MessageActivities(host.blobs, client, transcripts)
    spending = SpendingActivities(transcripts)
    return [*_methods(records), *_methods(messages), *_methods(spending)]


def workspace_activities(host: Host) -> list[Any]:
    from activities.adapters.tool_harvest import ToolHarvest
    from activities.adapters.transcripts import Transcripts
    from activities.tools import ToolActivities
    from activities.workspace import WorkspaceActivities

    workspace = WorkspaceActivities(
        host.blobs,
        host.hubs,
        host.tools.workspaces,
        host.tools.rungs,
        host.tools.checkpoints,
        host.settings.host,
        host.queue,
    )
    tools = ToolActivities(
        host.blobs,
        host.hubs,
        Transcripts(host.blobs),
        host.tools.toolboxes,
        ToolHarvest(host.tools.checkpoints),
        planner(host).unfit,
    )
    return [*_methods(workspace), *_methods(tools)]


def planner(host: Host) -> PlannerActivities:
    """What a planner's form is held against, wherever its tools are used."""
    from activities.adapters.briefs import Briefs
    from activities.planner import PlannerActivities

    return PlannerActivities(host.blobs, host.hubs, Briefs())


def model_activities(host: Host) -> list[Any]:
    from activities.agent import AgentActivities

    return _methods(AgentActivities(host.turns))


def briefing_activities(host: Host) -> list[Any]:
    from activities.adapters.briefs import Briefs
    from activities.briefing import BriefingActivities

    return _methods(BriefingActivities(host.blobs, host.hubs, Briefs()))


def sweeper(roles: Sequence[str], host: Host, client: Client) -> Sweeper:
    """Each role looks after what it writes; blobs, which all write, are integration's to sweep."""
    places: list[Any] = []
    if TOOLS.intersection(roles):
        # First: who still writes to a folder ends before anybody else uses or deletes it.
        places.append(files(lambda: orphans.sweep(host.settings.lifelines)))
    places.append(Bereaved(client, host.held).sweep)
    if "workspace" in roles:
        from workflows.options import task_id

        places.append(DeadWorkspaces(client, host.tools.workspaces, task_id).sweep)
    if TOOLS.intersection(roles):
        places.append(files(host.tools.scratch.sweep))
    if owns_hubs(roles, host.settings):
        places.append(files(host.hubs.sweep))
    if "integration" in roles:
        places.append(files(host.blobs.sweep))
    return Sweeper(places)


def owns_hubs(roles: Sequence[str], settings: Settings) -> bool:
    """Whether these look after the hubs, or after the mirrors of a host that has none."""
    return "integration" in roles or bool(settings.is_remote and TOOLS.intersection(roles))


def check_activities(host: Host) -> list[Any]:
    from activities.adapters.taken_anew import taken_anew
    from activities.checks import ChecksActivities
    from activities.hearing import HearingActivities
    from activities.surveying import SurveyActivities

    surveys = SurveyActivities(
        host.blobs, host.hubs, host.tools.surveyor, host.tools.remaining, taken_anew
    )
    return [
        *_methods(ChecksActivities(host.blobs, host.hubs, host.tools.checker)),
        *_methods(surveys),
        *_methods(HearingActivities(host.blobs, host.hubs, host.tools.measurer)),
    ]


def integration_activities(host: Host) -> list[Any]:
    from activities.adapters.briefs import Briefs
    from activities.adapters.reporting import undone
    from activities.integration import IntegrationActivities
    from activities.judging import JudgingActivities
    from activities.opinions import OpinionActivities
    from activities.planning import PlanningActivities

    return [
        *_methods(IntegrationActivities(host.blobs, host.hubs)),
        *_methods(JudgingActivities(host.blobs, undone)),
        *_methods(PlanningActivities(host.blobs, host.hubs)),
        *_methods(planner(host)),
        *_methods(OpinionActivities(host.blobs, host.hubs, Briefs())),
    ]


def delivery_activities(host: Host) -> list[Any]:
    from activities.adapters import interruptions
    from activities.adapters.reporting import render_report
    from activities.delivery import DeliveryActivities

    settings = host.settings
    interrupted = partial(interruptions.between, settings.home)
    delivery = DeliveryActivities(
        host.blobs, host.hubs, render_report, settings.sandbox, interrupted
    )
    return _methods(delivery)


def _methods(of: object) -> list[Any]:
    """The activity methods of an object, by name."""
    named = [getattr(of, name) for name in sorted(dir(of)) if not name.startswith("_")]
    return [method for method in named if hasattr(method, "__temporal_activity_definition")]


def workflows() -> list[type]:
    """Loaded by the control role alone."""
    from workflows.area import AreaWorkflow
    from workflows.deep_checks import DeepChecksWorkflow
    from workflows.fleet import FleetWorkflow
    from workflows.merge_queue import MergeQueueWorkflow
    from workflows.migration import MigrationWorkflow
    from workflows.parked import ParkedTaskWorkflow
    from workflows.talk import TalkWorkflow
    from workflows.task import TaskWorkflow

    planners = [FleetWorkflow, MigrationWorkflow, AreaWorkflow]
    planners += [MergeQueueWorkflow, DeepChecksWorkflow]
    return [*planners, TaskWorkflow, ParkedTaskWorkflow, TalkWorkflow]


def deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """What versions a control worker; those of activities never are: their contracts only grow."""
    if not settings.deployment:
        return None
    version = WorkerDeploymentVersion(settings.deployment, settings.build or own_code())
    return WorkerDeploymentConfig(
        version=version,
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )


async def build(roles: Sequence[str], host: Host, client: Client, held: Path) -> list[Worker]:
    """The Workers of these roles; a host with workspaces also polls its own queue. `held`: the
    locked folder of this process."""
    settings = host.settings
    # First: nothing that runs in this process or below it finds the key in its environment.
    may_ask = "model" in roles and host.prepare_model(alone=len(roles) == 1)
    if TOOLS.intersection(roles):
        await host.prepare_tools()
    interceptors: list[Interceptor] = [
        HeartbeatInterceptor(fresh_slate),
        HoldingInterceptor(held),
        *_faults(),
    ]
    threads = ThreadPoolExecutor(max_workers=THREADS)

    def worker(
        queue: str, activities: list[Any], slots: int, grace: timedelta = GRACE, **more: Any
    ) -> Worker:
        return Worker(
            client,
            task_queue=queue,
            activities=activities,
            activity_executor=threads,
            interceptors=interceptors,
            max_concurrent_activities=slots,
            graceful_shutdown_timeout=grace,
            max_heartbeat_throttle_interval=SENT_WITHIN,
            **more,
        )

    workers: list[Worker] = []
    for role in roles:
        if role == "control":
            workers.append(
                worker(
                    role,
                    control_activities(host, client),
                    50,
                    workflows=workflows(),
                    workflow_runner=workflow_runner(),
                    sticky_queue_schedule_to_start_timeout=STICKY,
                    deployment_config=deployment(settings),
                )
            )
        elif role == "workspace":
            tools = workspace_activities(host)
            anywhere = [t for t in tools if t.__name__ in ("open_workspace", "use_tools")]
            room = settings.workspaces_per_host
            briefing = briefing_activities(host)
            workers.append(worker(role, [*anywhere, *briefing], room))
            # More slots than workspaces: waiting here would look like a dead host.
            here = [tool for tool in tools if tool.__name__ != "open_workspace"]
            workers.append(worker(host.queue, here, 4 * room))
        elif role == "checks":
            workers.append(worker(role, check_activities(host), settings.checks_per_host))
        elif role == "integration":
            workers.append(worker(role, integration_activities(host), 8))
        elif role == "model" and may_ask:
            turns = model_activities(host)
            workers.append(worker(role, turns, settings.turns_per_host, TO_REPLY))
        elif role == "delivery":
            workers.append(worker(role, delivery_activities(host), 4))
    return workers


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
    log = structlog.get_logger()
    async with contextlib.AsyncExitStack() as running:
        running.enter_context(host.closing)
        held = await running.enter_async_context(host.held.run_folder())
        workers = await build(roles, host, client, held)
        for worker in workers:
            await running.enter_async_context(worker)
        sweeping = asyncio.create_task(sweeper(roles, host, client).keep_sweeping())
        running.callback(sweeping.cancel)
        if owns_hubs(roles, settings):
            tidier = Sweeper([hubs(host.hubs.tidy)], TIDIED_EVERY)
            running.callback(asyncio.create_task(tidier.keep_sweeping()).cancel)
        running.callback(asyncio.create_task(watch_loop()).cancel)
        log.info(
            "polling",
            roles=list(roles),
            host=settings.host,
            sandbox=settings.sandbox,
            code=own_code(),
        )
        versioned = deployment(settings) if "control" in roles else None
        if versioned:
            version = versioned.version
            log.info("versioned", deployment=version.deployment_name, build=version.build_id)
        queues = {role: role == "control" for role in ROLES}
        if not versioned and (told := await other_code(client, queues, own_code())):
            log.warning(told)
        await stop.wait()
        log.info("draining", grace_seconds=GRACE.total_seconds())
        # All at once: what one finishes would become new work for those that still poll.
        await asyncio.gather(*(worker.shutdown() for worker in workers))


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
