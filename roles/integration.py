"""integration: the hubs' only writer; plans, landings, verdicts."""

from temporalio.client import Client

from activities.adapters.briefs import Briefs
from activities.adapters.reporting import undone
from activities.integration import IntegrationActivities
from activities.judging import JudgingActivities
from activities.opinions import OpinionActivities
from activities.planning import PlanningActivities
from roles.host import Host
from roles.queue import Queue, activities_of


def queues(host: Host, _: Client) -> list[Queue]:
    deciding = activities_of(
        IntegrationActivities(host.blobs, host.hubs),
        JudgingActivities(host.blobs, undone),
        PlanningActivities(host.blobs, host.hubs),
        host.planner(),
        OpinionActivities(host.blobs, host.hubs, Briefs()),
    )
    return [Queue("integration", deciding, 8)]
