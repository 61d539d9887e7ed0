"""Runs what an agent says prints a number again, on a clean checkout, in the sandbox."""

import asyncio
import re
from collections.abc import Sequence

from activities.adapters.check_trees import CheckTree, CheckTrees
from activities.adapters.commands import Commands, Order
from activities.adapters.hub import Hub
from activities.adapters.tool_runs import task_environment
from activities.adapters.tree_source import TreeSource
from activities.contracts.agent_word import Measured
from activities.contracts.spec import MigrationSpec, size_bytes
from activities.contracts.tools import Measurement

SECONDS = 120.0
"""For each command."""
OUTPUT = 16_000
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


class Measurer:
    """Measures at one commit, with the environment that the task's own commands had."""

    def __init__(self, trees: CheckTrees, commands: Commands) -> None:
        self._trees = trees
        self._commands = commands

    async def measure(
        self, hub: Hub, spec: MigrationSpec, phase: str, commit: str, claims: Sequence[Measurement]
    ) -> tuple[Measured, ...]:
        """Each claim with the last number that its command prints; one that fails has none."""
        if not claims:
            return ()
        tree = await asyncio.to_thread(self._trees.lease, hub.path, hub.path.stem, commit)
        try:
            source = TreeSource(hub, commit)
            return tuple([await self._one(spec, phase, tree, source, claim) for claim in claims])
        finally:
            await asyncio.to_thread(self._trees.release, tree, reusable=True)

    async def _one(
        self,
        spec: MigrationSpec,
        phase: str,
        tree: CheckTree,
        source: TreeSource,
        claim: Measurement,
    ) -> Measured:
        ran = await self._commands.run(
            Order(
                run=("bash", "-c", "{prompt}"),  # as a value nothing in it is expanded
                tree=tree.path,
                lists={},
                words={"prompt": claim.command},
                environment=task_environment(spec, spec.phase(phase)),
                source=source,
                timeout=SECONDS,
                memory=size_bytes(spec.limits.memory),
                output_limit=OUTPUT,
            )
        )
        sound = ran is not None and ran.ended == "exit" and ran.exit == 0
        found = _NUMBER.findall(ran.output.decode("utf-8", "replace")) if ran and sound else []
        return Measured(
            what=claim.what,
            command=claim.command,
            claimed=claim.value,
            measured=float(found[-1]) if found else None,
        )
