"""Each role looks after what it writes; blobs, which all write, are integration's to sweep."""

from collections.abc import Sequence
from typing import Any

from temporalio.client import Client

from activities.adapters import orphans
from activities.held import Bereaved
from activities.sweeping import TIDIED_EVERY, DeadWorkspaces, Sweeper, files, hubs
from roles.host import TOOLS, Host


def sweepers(roles: Sequence[str], host: Host, client: Client) -> list[Sweeper]:
    """What sweeps, and what tidies the hubs now and then, for as long as the process serves."""
    sweeping = [Sweeper(_places(roles, host, client))]
    if host.owns_hubs(roles):
        sweeping.append(Sweeper([hubs(host.hubs.tidy)], TIDIED_EVERY))
    return sweeping


def _places(roles: Sequence[str], host: Host, client: Client) -> list[Any]:
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
    if host.owns_hubs(roles):
        places.append(files(host.hubs.sweep))
    if "integration" in roles:
        places.append(files(host.blobs.sweep))
    return places
