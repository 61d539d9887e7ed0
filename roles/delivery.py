"""delivery: reports, and what leaves for the upstream. It alone has the code host's token."""

from functools import partial

from temporalio.client import Client

from activities.adapters import interruptions
from activities.adapters.reporting import render_report
from activities.adapters.transcripts import Transcripts
from activities.delivery import DeliveryActivities
from roles.host import Host
from roles.queue import Queue, activities_of


def queues(host: Host, _: Client) -> list[Queue]:
    settings = host.settings
    interrupted = partial(interruptions.between, settings.home)
    delivery = DeliveryActivities(
        *(host.blobs, host.hubs, render_report, settings.sandbox, interrupted),
        Transcripts(host.blobs),
    )
    return [Queue("delivery", activities_of(delivery), 4)]
