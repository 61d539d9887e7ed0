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
from temporalio.client import Client, WorkflowExecutionDescription

from activities.serving import workers_of
from workflows import options

SCHEDULED = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
STARTED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
TAKEN_WITHIN = timedelta(seconds=20)
"""How long a step waits before anybody asks why."""


async def unserved(client: Client, *described: WorkflowExecutionDescription) -> str:
    """What no worker takes of these runs, and which is missing; empty: nothing.

    Workers whose slots are all taken do not poll: where a step of the same queue is under way,
    another one only waits for its turn.
    """
    raws: list[Any] = [run.raw_description for run in described]
    for raw in raws:
        if raw.HasField("pending_workflow_task"):
            task = raw.pending_workflow_task
            waits = task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED
            if waits and _is_long(task.scheduled_time):
                return _no_control(raw.workflow_execution_info.versioning_info)
    steps = [step for raw in raws for step in raw.pending_activities]
    served = {_queue(step) for step in steps if step.state == STARTED}
    for step in steps:
        queue = _queue(step)
        alone = _waits(step) and queue and queue not in served
        if alone and not await workers_of(client, {queue: False}):
            role = queue if queue in options.ROLES else "workspace"
            return (
                f"{step.activity_type.name} waits and nobody has asked for work of {queue} lately; "
                f"unless all its workers are busy, start one with worker.py --role {role}"
            )
    return ""


def _queue(step: PendingActivityInfo) -> str:
    return step.activity_options.task_queue.name


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
    return step.state == SCHEDULED and _is_long(step.scheduled_time)


def _is_long(since: Any) -> bool:
    return datetime.now(UTC) - since.ToDatetime(UTC) > TAKEN_WITHIN
