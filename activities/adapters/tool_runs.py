"""Runs an agent's shell command as a command rung is run: sandboxed, offline, in an environment of
the spec, in the workspace's tree."""

from activities.adapters.commands import Commands, Order
from activities.adapters.orders import named_environment
from activities.adapters.tool_text import Refused
from activities.adapters.tree_source import TreeSource
from activities.adapters.workspaces import WorkspacePaths
from activities.contracts.evidence import Moment
from activities.contracts.spec import Environment, MigrationSpec, Phase, size_bytes
from activities.contracts.tools import RunCommand

OUTPUT = 24_000
"""Bytes, head and tail."""
BATCH_SECONDS = 3600.0
"""For all commands of one reply."""
LONGEST = 100_000
"""Characters of a command; one argument of a program holds 128 KiB."""
_WHY = {
    "timeout": "it was ended after {timeout} s: a longer `timeout` may help, up to 1800",
    "output": "it was ended: it printed too much; write to a file and look at parts of it",
    "disk": "it was ended: it filled the disk",
    "prepare": "the environment could not be prepared from the tree as it is",
    "setup": "the environment's setup failed in the tree as it is",
}


class Shell:
    """The commands of one batch."""

    def __init__(
        self,
        commands: Commands,
        spec: MigrationSpec,
        phase: Phase,
        paths: WorkspacePaths,
        source: TreeSource,
        *,
        sparse: bool,
    ) -> None:
        self._commands = commands
        self._spec = spec
        self._paths = paths
        self._source = source
        self._sparse = sparse
        self._default = task_environment(spec, phase)
        self._left = BATCH_SECONDS

    async def run(self, wanted: RunCommand) -> str:
        """What it said. Raises Refused for what could not be run or was ended."""
        if len(wanted.command) > LONGEST or "\0" in wanted.command:
            raise Refused(f"a command has at most {LONGEST} characters and no NUL: use `write`")
        timeout = min(float(wanted.timeout), self._left)
        if timeout < 1:
            raise Refused("the commands of this reply took an hour: run it in your next one")
        ran = await self._commands.run(
            Order(
                run=("bash", "-c", "{prompt}"),  # as a value nothing in it is expanded
                tree=self._paths.tree,
                lists={},
                words={"prompt": wanted.command},
                environment=self._environment(wanted.environment),
                source=self._source,
                timeout=timeout,
                memory=size_bytes(self._spec.limits.memory),
                private_git=self._paths.git_dir,
                output_limit=OUTPUT,
            )
        )
        assert ran
        self._left -= ran.seconds
        said = ran.output.decode("utf-8", "replace")
        if ran.ended != "exit":
            why = _WHY.get(ran.ended, f"it was ended: {ran.ended}")
            raise Refused(f"{why.format(timeout=wanted.timeout)}\n{said}".strip())
        told = f"exit {ran.exit}, {ran.seconds:.1f} s"
        if ran.exit and self._sparse:
            told += "; only your files' folders are on disk here, the file tools see all"
        return f"{told}\n{said}".strip()

    def _environment(self, name: str) -> tuple[str, Environment] | None:
        if not name:
            return self._default
        if name not in self._spec.environments:
            known = ", ".join(self._spec.environments) or "none: leave it out"
            raise Refused(f"there is no environment {name}; known: {known}")
        return name, self._spec.environments[name]


def task_environment(spec: MigrationSpec, phase: Phase) -> tuple[str, Environment] | None:
    """Where an agent's commands run: that of the phase's first check of a task, or the only one."""
    checks = [spec.checks[name] for name in phase.checks]
    names = [c.environment for c in checks if Moment.TASK in c.moments and c.environment]
    return named_environment(spec, names[0] if names else None)
