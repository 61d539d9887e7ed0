"""What a spec asks for as orders to Commands: which environment, which lists, which limits."""

from collections.abc import Sequence
from pathlib import Path

from activities.adapters.commands import Order
from activities.adapters.package_lists import lists_in
from activities.adapters.tree_source import TreeSource
from activities.contracts.spec import Codemod, Environment, MigrationSpec, seconds, size_bytes


def codemod_order(
    spec: MigrationSpec,
    codemod: Codemod,
    tree: Path,
    paths: Sequence[str],
    source: TreeSource,
    task: str = "",
    private_git: Path | None = None,
) -> Order:
    """How a codemod rung is run on a tree."""
    return Order(
        run=codemod.run,
        tree=tree,
        lists=lists_in(tree, codemod.run, paths, spec.root_markers),
        words={
            "task": task,
            "base": source.commit,
            "repo.name": spec.repository_name,
            "repo.base": spec.base,
        },
        environment=named_environment(spec, codemod.environment),
        source=source,
        batch=codemod.batch,
        env=codemod.env,
        dir=codemod.dir,
        timeout=seconds(codemod.timeout),
        memory=size_bytes(spec.limits.memory),
        private_git=private_git,
        network=bool(codemod.network),
    )


def named_environment(spec: MigrationSpec, name: str | None) -> tuple[str, Environment] | None:
    """The environment a command names; the only one where it names none."""
    if name is None and len(spec.environments) == 1:
        name = next(iter(spec.environments))
    return (name, spec.environments[name]) if name else None
