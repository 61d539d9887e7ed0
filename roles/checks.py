"""checks: surveys, checks, and what agents claim measured again."""

from temporalio.client import Client

from activities.adapters.taken_anew import taken_anew
from activities.checks import ChecksActivities
from activities.hearing import HearingActivities
from activities.surveying import SurveyActivities
from roles.host import Host
from roles.queue import Queue, activities_of


def queues(host: Host, _: Client) -> list[Queue]:
    tools = host.tools
    measuring = activities_of(
        ChecksActivities(host.blobs, host.hubs, tools.checker),
        SurveyActivities(host.blobs, host.hubs, tools.surveyor, tools.remaining, taken_anew),
        HearingActivities(host.blobs, host.hubs, tools.measurer),
    )
    return [Queue("checks", measuring, host.settings.checks_per_host)]
