"""All on one host that runs commands: the sandbox, and what is put together around it."""

import os

from activities.adapters.agent_programs import Trust
from activities.adapters.blobs import BlobStore
from activities.adapters.check_trees import CheckTrees
from activities.adapters.checking import Checker
from activities.adapters.checkpoints import Checkpoints
from activities.adapters.commands import Commands
from activities.adapters.environments import Environments
from activities.adapters.finders import SiteCache
from activities.adapters.mcp_servers import McpServers
from activities.adapters.measuring import Measurer
from activities.adapters.once import OnceCodemods
from activities.adapters.remaining import Remaining
from activities.adapters.rungs import Rungs
from activities.adapters.sandbox import Sandbox, detect
from activities.adapters.scanning import Scanner
from activities.adapters.scratch import Scratch
from activities.adapters.secret_values import Secrets
from activities.adapters.settings import Settings
from activities.adapters.surveying import Surveyor
from activities.adapters.toolboxes import Toolboxes
from activities.adapters.workspaces import Workspaces


class Tooling:
    """What the roles that run commands share in one process."""

    @classmethod
    async def of(cls, settings: Settings, blobs: BlobStore) -> "Tooling":
        """Raises where the sandbox does not hold what the settings ask of it."""
        sandbox = await detect(
            settings.sandbox,
            tool_uid=settings.tool_uid,
            allow_unsandboxed=settings.allow_unsandboxed,
            lifelines=settings.lifelines,
        )
        return cls(settings, blobs, sandbox)

    def __init__(self, settings: Settings, blobs: BlobStore, sandbox: Sandbox) -> None:
        self.close = sandbox.close
        secrets = Secrets(settings.secret_values)
        given = secrets if sandbox.level != "none" else None
        trust = Trust(given, settings.agent_reaches)
        environments = Environments(
            settings.environments,
            sandbox,
            dict(os.environ),
            mountable=settings.mounts,
            secrets=secrets,
        )
        self.scratch = Scratch(settings.home / "scratch")
        commands = Commands(sandbox, environments, self.scratch)
        trees = CheckTrees(settings.checks, sandbox.tool_ids, settings.checks_per_host)
        self.workspaces = Workspaces(
            settings.workspaces, sandbox.tool_ids, settings.workspaces_per_host
        )
        self.checker = Checker(blobs, trees, commands)
        self.measurer = Measurer(trees, commands)
        scanner = Scanner(SiteCache(settings.cache))
        self.surveyor = Surveyor(blobs, scanner, trees, commands, self.checker.whole_run)
        self.remaining = Remaining(self.surveyor, self.checker)
        once = OnceCodemods(blobs, commands, self.workspaces, self.scratch)
        self.rungs = Rungs(commands, self.workspaces, once, trust)
        self.checkpoints = Checkpoints(self.workspaces, self.surveyor)
        self.mcp = McpServers.told(settings.mcp, sandbox, given)
        self.toolboxes = Toolboxes(blobs, commands, self.workspaces, self.mcp)
