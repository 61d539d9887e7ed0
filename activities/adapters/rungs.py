"""Runs one rung of a ladder in a workspace, and harvests what it did."""

import asyncio

from activities.adapters.commands import Commands, Order, Ran
from activities.adapters.composing import one_line
from activities.adapters.harvest import harvest
from activities.adapters.hub import Hub
from activities.adapters.package_lists import lists_in
from activities.adapters.surveying import codemod_order, named_environment
from activities.adapters.workspaces import WorkspacePaths, Workspaces
from activities.contracts.plan import Task
from activities.contracts.spec import CommandRung, MigrationSpec, Rung, seconds, size_bytes
from activities.contracts.work import Checkpoint, Workspace

NOTHING = Ran(exit=0, ended="exit", seconds=0.0, calls=0, output=b"")


class Rungs:
    """Knows how each kind of rung is run; models are not among them."""

    def __init__(self, commands: Commands, workspaces: Workspaces) -> None:
        self._commands = commands
        self._workspaces = workspaces

    async def run(
        self, spec: MigrationSpec, rung: Rung, task: Task, paths: WorkspacePaths, base: str
    ) -> tuple[Ran, bool]:
        """What the rung's command said, and whether its exit code is one the rung allows."""
        if rung.write is not None:
            files = {p.removeprefix("/"): text.encode() for p, text in rung.write.items()}
            await asyncio.to_thread(self._workspaces.write_files, paths, files)
            return NOTHING, True
        present = [path for path in task.claims if (paths.tree / path).is_file()]
        if rung.codemod:
            order = codemod_order(
                spec, rung.codemod, paths.tree, present, base, task.id, paths.git_dir
            )
            ran = await self._commands.run(order) or NOTHING
            exits = rung.codemod.exit
            return ran, exits == "any" or ran.exit in exits
        assert rung.command
        ran = await self._commands.run(_order(spec, rung.command, task, paths, base, present))
        ran = ran or NOTHING
        return ran, ran.exit == 0

    def harvest(self, hub: Hub, where: Workspace, task: Task, when: int) -> Checkpoint:
        """The claimed files as one commit on the base, under the attempt's own ref: what may ask to
        land as it is."""
        paths = self._workspaces.paths(where.migration, where.task, where.attempt)
        return harvest(
            paths,
            hub=hub.path,
            base=where.base,
            start=where.start,
            claims=task.claims,
            creates=task.creates,
            message=f"{task.id}: {one_line(task.title)}\n",
            when=when,
            ref=f"refs/whimbrel/host/{where.host}/{where.migration}/{task.id}/{where.attempt}",
        )


def _order(
    spec: MigrationSpec,
    rung: CommandRung,
    task: Task,
    paths: WorkspacePaths,
    base: str,
    present: list[str],
) -> Order:
    prompt = f"{spec.objective}\n\nTask {task.id}: {task.title}\n{task.instructions}\n\nFiles:\n"
    prompt += "\n".join(f"- {path}" for path in task.claims)
    words = {"task": task.id, "base": base, "prompt": prompt}
    words |= {"repo.name": spec.name, "repo.base": spec.base}
    return Order(
        run=rung.run,
        tree=paths.tree,
        lists=lists_in(paths.tree, rung.run, present, spec.root_markers),
        words=words,
        environment=named_environment(spec, rung.environment),
        env=rung.env,
        dir=rung.dir,
        timeout=seconds(rung.timeout),
        memory=size_bytes(spec.limits.memory),
        private_git=paths.git_dir,
    )
