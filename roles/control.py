"""control: all workflows, and what they do beside themselves. It alone loads workflow code."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.adapters.code_version import own_code
from activities.adapters.settings import Settings
from activities.adapters.transcripts import Transcripts
from activities.messages import MessageActivities
from activities.records import RecordActivities
from activities.spending import SpendingActivities
from activities.tenants import TenantActivities
from roles.host import Host
from roles.queue import Queue, activities_of
from workflows.area import AreaWorkflow
from workflows.deep_checks import DeepChecksWorkflow
from workflows.fleet import FleetWorkflow
from workflows.merge_queue import MergeQueueWorkflow
from workflows.migration import MigrationWorkflow
from workflows.parked import ParkedTaskWorkflow
from workflows.talk import TalkWorkflow
from workflows.task import TaskWorkflow

WORKFLOWS = (
    FleetWorkflow,
    MigrationWorkflow,
    AreaWorkflow,
    MergeQueueWorkflow,
    DeepChecksWorkflow,
    TaskWorkflow,
    ParkedTaskWorkflow,
    TalkWorkflow,
)
STICKY = timedelta(seconds=3)
"""How long a workflow waits for a worker that died with it in its cache."""


def workflow_runner() -> SandboxedWorkflowRunner:
    """The one sandbox of workers, tests and replayers: it passes the activities room through."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules("activities")
    )


def version_of(settings: Settings) -> WorkerDeploymentVersion:
    return WorkerDeploymentVersion(settings.deployment, settings.build or own_code())


def deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """What versions a control worker; those of activities never are: their contracts only grow."""
    if not settings.deployment:
        return None
    return WorkerDeploymentConfig(
        version=version_of(settings),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )


def queues(host: Host, client: Client) -> list[Queue]:
    transcripts = Transcripts(host.blobs)
    beside = activities_of(
        RecordActivities(host.blobs),
        MessageActivities(host.blobs, client, transcripts),
        SpendingActivities(transcripts),
        TenantActivities(host.tenants(), client, transcripts),
    )
    deciding = {
        "workflows": WORKFLOWS,
        "workflow_runner": workflow_runner(),
        "sticky_queue_schedule_to_start_timeout": STICKY,
        "deployment_config": deployment(host.settings),
    }
    return [Queue("control", beside, 50, more=deciding)]
