"""Runs one rung of a ladder in a workspace."""

import asyncio
from dataclasses import dataclass, replace
from typing import NamedTuple

from activities.adapters.agent_programs import AgentPrograms, Trust
from activities.adapters.asked_files import NOBODY, REQUESTS, Asked, read_requests
from activities.adapters.commands import Commands, Order, Ran
from activities.adapters.conflicts import FOLDER, lay_out, unsettled
from activities.adapters.hub import Hub
from activities.adapters.jobs import Mount
from activities.adapters.once import OnceCodemods, is_allowed, told
from activities.adapters.orders import codemod_order, named_environment
from activities.adapters.package_lists import lists_in
from activities.adapters.situation import facts
from activities.adapters.task_prompt import notes_section, task_prompt
from activities.adapters.tree_source import TreeSource
from activities.adapters.workspaces import WorkspacePaths, Workspaces
from activities.contracts.conflict import Conflict
from activities.contracts.evidence import Evidence
from activities.contracts.plan import Plan, Task
from activities.contracts.rungs import CommandRung, Rung
from activities.contracts.spec import MigrationSpec, Phase, seconds, size_bytes
from activities.contracts.survey import Site
from activities.contracts.work import AgentSaid, OnceRun

NOTHING = Ran(exit=0, ended="exit", seconds=0.0, calls=0, output=b"")


@dataclass(frozen=True)
class Climb:
    """One rung, with all it may want to know."""

    spec: MigrationSpec
    phase: Phase
    rung: int
    """0-based place on the ladder."""
    task: Task
    base: str
    hub: Hub
    plan: Plan | None = None
    """For codemods that are applied once: whose claims the run is over."""
    sites: tuple[Site, ...] = ()
    evidence: Evidence | None = None
    guidance: tuple[str, ...] = ()
    """What people said since the plan was made."""
    conflict: Conflict | None = None
    """It is the resolver that runs, to settle this one."""
    notes: tuple[str, ...] = ()
    """What else a prompt tells."""

    @property
    def way(self) -> Rung:
        """The rung that is climbed."""
        return self.phase.way(self.rung, self.conflict)

    @property
    def source(self) -> TreeSource:
        return TreeSource(self.hub, self.base)


class Climbed(NamedTuple):
    """What came of it."""

    ran: Ran
    allowed: bool
    """Whether its exit code is one the rung allows."""
    once: OnceRun | None = None
    """The run over everything that this is a slice of."""
    said: AgentSaid | None = None
    """What the program of an agent says of itself."""
    asked: Asked = NOBODY
    """What it wrote to $REQUESTS."""


class Rungs:
    """Knows how each kind of rung is run; models are not among them."""

    climb = Climb
    unsettled = staticmethod(unsettled)

    def __init__(
        self, commands: Commands, workspaces: Workspaces, once: OnceCodemods, trust: Trust
    ) -> None:
        self._commands = commands
        self._programs = AgentPrograms(commands, trust)
        self._workspaces = workspaces
        self._once = once

    async def run(self, climb: Climb, paths: WorkspacePaths) -> Climbed:
        """Runs the climb's rung in its workspace, once."""
        rung = climb.way
        if rung.write is not None:
            files = {p.removeprefix("/"): text.encode() for p, text in rung.write.items()}
            await asyncio.to_thread(self._workspaces.write_files, paths, files)
            return Climbed(NOTHING, True)
        if rung.codemod and rung.codemod.apply == "once":
            return await self._slice(climb, paths)
        present = _present(climb, paths)
        if rung.codemod:
            order = codemod_order(
                climb.spec,
                rung.codemod,
                paths.tree,
                present,
                climb.source,
                climb.task.id,
                paths.git_dir,
            )
        else:
            assert rung.command
            order = await asyncio.to_thread(_order, climb, rung.command, paths, present)
        if climb.conflict:
            folder = paths.root / "conflict"
            await asyncio.to_thread(lay_out, climb.hub, climb.conflict, folder)
            order = replace(order, mounts=(Mount(folder, FOLDER),))
        if rung.codemod:
            ran = await self._commands.run(order) or NOTHING
            return Climbed(ran, ran.ended == "exit" and is_allowed(rung.codemod, ran.exit))
        assert rung.command
        program, said = await self._programs.run(rung.command, order, paths)
        ran, failed = program or NOTHING, said is not None and bool(said.error)
        asked = read_requests(ran.reports)
        return Climbed(ran, ran.exit == 0 and not failed, said=said, asked=asked)

    async def _slice(self, climb: Climb, paths: WorkspacePaths) -> Climbed:
        """The task's part of a run over everything; without a plan the task is everything."""
        plan = climb.plan or Plan(
            migration=climb.spec.name,
            spec_digest="",
            base=climb.base,
            phase=climb.phase.name,
            cycle=0,
            tasks=(climb.task,),
        )
        once = await self._once.run(climb.hub, climb.spec, climb.rung, plan)
        if not once.allowed:
            return Climbed(_ran(once, once.tail), False, once)
        part = await asyncio.to_thread(self._once.take, climb.hub, once, plan, climb.task, paths)
        return Climbed(_ran(once, told(once, part)), True, once)


def _present(climb: Climb, paths: WorkspacePaths) -> list[str]:
    """The files that the rung is about: a resolver's are those in conflict."""
    mine = climb.task.may_change
    asked = [p for p in climb.conflict.paths if p in mine] if climb.conflict else mine
    return [path for path in asked if (paths.tree / path).is_file()]


def _ran(once: OnceRun, text: str) -> Ran:
    return Ran(once.exit, once.ended, once.seconds, 1, text.encode())


def _order(climb: Climb, rung: CommandRung, paths: WorkspacePaths, present: list[str]) -> Order:
    spec, task = climb.spec, climb.task
    known = facts(climb.hub, climb.plan, task, climb.base, climb.conflict, FOLDER)
    claimed = [site for site in climb.sites if site.path in task.claims]
    words = {
        "task": task.id,
        "base": climb.base,
        "prompt": task_prompt(
            spec,
            climb.phase,
            task,
            claimed,
            climb.evidence,
            climb.guidance,
            [*known, notes_section(climb.notes)],
        ),
        "repo.name": spec.repository_name,
        "repo.base": spec.base,
    }
    return Order(
        run=rung.run,
        tree=paths.tree,
        lists=lists_in(paths.tree, rung.run, present, spec.root_markers),
        words=words,
        environment=named_environment(spec, rung.environment),
        source=climb.source,
        env={**rung.env, "REQUESTS": REQUESTS},
        results_from=(REQUESTS,),
        dir=rung.dir,
        timeout=seconds(rung.timeout),
        memory=size_bytes(spec.limits.memory),
        private_git=paths.git_dir,
    )
