"""workspace: where attempts work. What any host can do is on the role's queue, what only the host
of the workspace can is on its own."""

from temporalio.client import Client

from activities.adapters.briefs import Briefs
from activities.adapters.tool_harvest import ToolHarvest
from activities.adapters.transcripts import Transcripts
from activities.briefing import BriefingActivities
from activities.mcp import McpActivities
from activities.tools import ToolActivities
from activities.workspace import WorkspaceActivities
from roles.host import Host
from roles.queue import Queue, activities_of

ANYWHERE = frozenset(("open_workspace", "use_tools"))


def queues(host: Host, _: Client) -> list[Queue]:
    workspaces = WorkspaceActivities(
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
        host.planner().unfit,
    )
    briefing = BriefingActivities(host.blobs, host.hubs, Briefs())
    outside = McpActivities(host.blobs, host.tools.mcp)
    does = activities_of(workspaces, tools)
    anywhere = [one for one in does if one.__name__ in ANYWHERE]
    here = [one for one in does if one.__name__ != "open_workspace"]
    room = host.settings.workspaces_per_host
    return [
        Queue("workspace", [*anywhere, *activities_of(briefing, outside)], room),
        # More slots than workspaces: waiting here would look like a dead host.
        Queue(host.queue, here, 4 * room),
    ]
