"""One host's tools, real ones, around a small repository and a spec: for tests of what runs there.

Wired as worker.py does it.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from activities.adapters.agent_programs import Trust
from activities.adapters.blobs import BlobStore
from activities.adapters.check_trees import CheckTrees
from activities.adapters.checking import Checker
from activities.adapters.checkpoints import Checkpoints
from activities.adapters.commands import Commands
from activities.adapters.environments import Environments
from activities.adapters.finders import SiteCache
from activities.adapters.hub import Hub
from activities.adapters.once import OnceCodemods
from activities.adapters.remaining import Remaining
from activities.adapters.rungs import Rungs
from activities.adapters.sandbox import Sandbox
from activities.adapters.scanning import Scanner
from activities.adapters.scratch import Scratch
from activities.adapters.secret_values import Secrets
from activities.adapters.spec_file import parse_spec
from activities.adapters.surveying import Surveyor
from activities.adapters.workspaces import Workspaces
from activities.contracts.evidence import ResultSet
from activities.contracts.spec import MigrationSpec
from activities.contracts.survey import SurveyData
from tests.adapters.repositories import Content, commit_files, git, make_repository


@dataclass
class OneHost:
    """A host, its hub with one commit, and the migration that is carried out there."""

    spec: MigrationSpec
    hub: Hub
    commit: str
    blobs: BlobStore
    commands: Commands
    workspaces: Workspaces
    surveyor: Surveyor
    remaining: Remaining
    rungs: Rungs
    checkpoints: Checkpoints
    checker: Checker
    scratch: Scratch
    trees: CheckTrees

    async def check(self, commit: str = "", fresh: int = 0) -> ResultSet:
        """What the check `unit` says about a commit."""
        found = await self.checker.results(
            self.hub, self.spec, "unit", commit or self.commit, (), whole=False, fresh=fresh
        )
        assert found
        return found

    def change(self, files: Mapping[str, Content]) -> str:
        """A commit on the base that writes these files."""
        git(self.hub.path, "update-ref", "refs/whimbrel/test", self.commit)
        return commit_files(self.hub.path, files, ref="refs/whimbrel/test")

    async def survey(self) -> SurveyData:
        scene = self.surveyor.scene(self.hub, self.spec, self.spec.phases[0], self.commit)
        return await self.surveyor.survey(scene)


def one_host(
    root: Path,
    sandbox: Sandbox,
    spec: str,
    files: Mapping[str, Content],
    mountable: Sequence[Path] = (),
    reaches: Sequence[str] = (),
) -> OneHost:
    """A host below `root`; the spec's text needs no repository."""
    upstream = root / "upstream"
    make_repository(upstream, files)
    hub = Hub.open(root / "hub", "app-1a2b3c4d")
    commit = hub.fetch_base(str(upstream), "main", "m").commit
    blobs, scratch = BlobStore(root / "blobs"), Scratch(root / "scratch")
    environments = Environments(
        root / "environments",
        sandbox,
        dict(os.environ),
        mountable=mountable,
        secrets=Secrets(root / "secrets"),
    )
    commands = Commands(sandbox, environments, scratch)
    trees = CheckTrees(root / "checks", sandbox.tool_ids, 2)
    workspaces = Workspaces(root / "workspaces", sandbox.tool_ids, 8)
    checker = Checker(blobs, trees, commands)
    scanner = Scanner(SiteCache(root / "cache"))
    once = OnceCodemods(blobs, commands, workspaces, scratch)
    surveyor = Surveyor(blobs, scanner, trees, commands, checker.whole_run)
    return OneHost(
        spec=parse_spec(f"version: 1\nname: m\nrepository: /x\nobjective: Better.\n{spec}", "spec"),
        hub=hub,
        commit=commit,
        blobs=blobs,
        commands=commands,
        workspaces=workspaces,
        surveyor=surveyor,
        remaining=Remaining(surveyor, checker),
        rungs=Rungs(commands, workspaces, once, Trust(Secrets(root / "secrets"), reaches)),
        checkpoints=Checkpoints(workspaces, surveyor),
        checker=checker,
        scratch=scratch,
        trees=trees,
    )
