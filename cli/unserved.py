"""Steps that no worker takes: told from the server alone, for who would answer is who is missing.

A step that waits longer than a busy worker lets it is held against who polls its queue; of a
versioned control queue, against the version that the run is pinned to.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState
from temporalio.api.enums.v1 import VersioningBehavior as Behavior
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client

from activities.serving import workers_of
from workflows import options

TAKEN_WITHIN = timedelta(seconds=20)
"""How long a step waits before anybody asks why."""


async def unserved(client: Client, described: Any) -> str:
    """What no worker takes of a run that was described, and which is missing; empty: nothing."""
    raw = described.raw_description
    if raw.HasField("pending_workflow_task"):
        task = raw.pending_workflow_task
        waits = task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
        if waits and _is_long(task.scheduled_time):
            return _no_control(raw.workflow_execution_info.versioning_info)
    for step in raw.pending_activities:
        queue = step.activity_options.task_queue.name
        if _waits(step) and queue and not await workers_of(client, {queue: False}):
            role = queue if queue in options.ROLES else "workspace"
            return (
                f"no worker polls {queue} for {step.activity_type.name}: start one with "
                f"worker.py --role {role}, it goes on by itself"
            )
    return ""


def _no_control(versioning: Any) -> str:
    version: WorkerDeploymentVersion = versioning.deployment_version
    if versioning.behavior == Behavior.VERSIONING_BEHAVIOR_PINNED:
        return (
            f"no control worker of build {version.build_id} polls, on which this run began and has "
            f"to end: start it again (WHIMBREL_DEPLOYMENT={version.deployment_name})"
        )
    if version.build_id:
        return (
            f"no control worker of the current build of {version.deployment_name} polls (it ran on "
            f"{version.build_id} last): start one, or make a build that polls the current one with "
            f"temporal worker deployment set-current-version"
        )
    return "no control worker polls: start one with worker.py --role control"


def _waits(step: PendingActivityInfo) -> bool:
    scheduled = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    return step.state == scheduled and _is_long(step.scheduled_time)


def _is_long(since: Any) -> bool:
    return datetime.now(UTC) - since.ToDatetime(UTC) > TAKEN_WITHIN
