"""model: turns of agents. It alone has the key, and no repository's code."""

from datetime import timedelta

from temporalio.client import Client

from activities.agent import AgentActivities
from roles.host import Host
from roles.queue import Queue, activities_of

TO_REPLY = timedelta(seconds=80)
"""The grace of a model's reply: one that is given up was paid for."""


def queues(host: Host, _: Client) -> list[Queue]:
    turns = activities_of(AgentActivities(host.turns))
    return [Queue("model", turns, host.settings.turns_per_host, TO_REPLY)]
