"""What can be told of a spec's repository and its models before a migration of it is started.

Only for a run that is not open yet: a migration that has pinned its base goes on without them. Of
the repository only where the workers see what this machine sees: a service's are its own workers'
to reach. Nothing is fetched and nothing is written.
"""

import asyncio
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec
from temporalio.client import WorkflowHandle

from activities.adapters.git import Git, GitFailed, without_secrets
from activities.adapters.prices import Prices
from activities.adapters.settings import Settings
from activities.adapters.upstream import LOCAL
from activities.contracts.base import BlobRef
from activities.contracts.conversation import Role
from activities.contracts.migration import MigrationInput
from activities.contracts.spec import CLAUDE, MigrationSpec
from cli.boundary import Code, Refused
from cli.session import Session

SECONDS = 60.0
SHOWN = 10
_HEADS = "refs/heads/"


def check_prices(spec: MigrationSpec, settings: Settings) -> None:
    """Refuses a budget that cannot be kept, for nobody knows what a model costs."""
    models = _counted(spec)
    try:
        prices = Prices(settings.prices, settings.provider) if models else None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise Refused(Code.USAGE, f"WHIMBREL_PRICES={settings.prices}: {why}") from error
    if prices and (unknown := sorted(m for m in models if not prices.known(m))):
        raise Refused(
            Code.USAGE,
            f"limits: nobody knows what {', '.join(unknown)} costs, so no budget can be kept; "
            "say it in a file of prices (WHIMBREL_PRICES, docs/models.md), name another model, or "
            "leave usd out",
        )


async def check_new_cap(connected: Session, run: WorkflowHandle[Any, Any], usd: float) -> None:
    """The same, before a migration that runs is given another cap."""
    given = await spec_of(connected, run)
    if given is None:
        return
    spec = await asyncio.to_thread(connected.blobs.get_model, given, MigrationSpec)
    limits = spec.limits.model_copy(update={"usd": usd})
    check_prices(spec.model_copy(update={"limits": limits}), connected.settings)


async def spec_of(connected: Session, run: WorkflowHandle[Any, Any]) -> BlobRef | None:
    """The spec that a run was started with, from its first event."""
    async for event in run.fetch_history_events(page_size=1):
        given = event.workflow_execution_started_event_attributes.input.payloads
        [read] = await connected.client.data_converter.decode(given, [MigrationInput])
        return read.spec
    return None


def _counted(spec: MigrationSpec) -> set[str]:
    """The models whose turns count against a cap."""
    whole = spec.limits.usd is not None
    capped = whole or spec.limits.task_usd is not None
    models: set[str] = set()
    for phase in spec.phases:
        for way in phase.ways:
            if way.claude and (capped or way.claude.usd is not None):
                role = Role.RESOLVER if way is phase.resolver else Role.WORKER
                models.add(spec.models.of(role, way.claude.model))
        if whole and phase.plan == CLAUDE:
            models |= {spec.models.planner, spec.models.sub_planner}
        if whole and phase.judge == CLAUDE:
            models.add(spec.models.judge)
    return models


async def check_repository(spec: MigrationSpec) -> None:
    """Refuses a repository that cannot be read, has no commit, or lacks the base branch."""
    where = without_secrets(spec.repository)
    if spec.repository.startswith("/") and not await asyncio.to_thread(
        Path(spec.repository).is_dir
    ):
        raise Refused(
            Code.USAGE,
            f"repository: {where} does not exist; give the path (as seen from the spec's folder) "
            "or the URL of a git repository",
        )
    branches = await asyncio.to_thread(_branches, spec.repository)
    if not branches:
        raise Refused(Code.USAGE, f"repository: {where} has no branch yet; commit something to it")
    if spec.base not in branches:
        shown = ", ".join(branches[:SHOWN]) + (" …" if len(branches) > SHOWN else "")
        raise Refused(
            Code.USAGE,
            f"base: {where} has no branch {spec.base!r}; write one that it has: {shown}",
        )


async def covering_nothing(spec: MigrationSpec) -> list[str]:
    """A note for each check that says it covers what the base has no file of: where the repository
    is on this disk; of others their workers know more."""
    if not spec.repository.startswith("/") or not any(c.covers for c in spec.checks.values()):
        return []
    paths = await asyncio.to_thread(_paths, Path(spec.repository), spec.base)
    covers = {name: check.covers for name, check in spec.checks.items() if check.covers and paths}
    return [
        f"note: checks.{name}.covers: {spec.base} has no file that {', '.join(patterns)} matches, "
        "so no change needs this check for what it covers; see how the paths begin"
        for name, patterns in covers.items()
        if not any(GitIgnoreSpec.from_lines(patterns).match_files(paths))
    ]


def _paths(repository: Path, base: str) -> list[str]:
    """All files of a branch; none where they cannot be read."""
    inside = repository / ".git"
    git = Git(inside if inside.is_dir() else repository)
    try:
        listed = git.text("ls-tree", "-r", "-z", "--name-only", f"{_HEADS}{base}")
    except GitFailed:
        return []
    return [path for path in listed.split("\0") if path]


def _branches(url: str) -> list[str]:
    local = url.startswith(("/", "file://"))
    pack = f"--upload-pack={LOCAL if local else 'git-upload-pack'}"
    git = Git(Path("/"))
    try:
        listed = git.run("ls-remote", "--heads", pack, "--", url, network=True, timeout=SECONDS)
    except GitFailed as failed:
        where = without_secrets(url)
        if local:
            raise Refused(
                Code.USAGE,
                f"repository: {where} is no git repository that can be read; make it one "
                f"(git init, git commit), or name another: {_first_reason(failed.stderr)}",
            ) from failed
        raise Refused(
            Code.UNREACHABLE,
            f"repository: {where} cannot be read: {_said(failed)}; check the URL and the "
            "credentials (git ls-remote must work without a question)",
        ) from failed
    refs = [line.split("\t", 1)[1] for line in listed.decode(errors="replace").splitlines()]
    return [ref.removeprefix(_HEADS) for ref in refs]


def _said(failed: GitFailed) -> str:
    if failed.timed_out:
        return f"no answer for {SECONDS:g} s"
    return _first_reason(failed.stderr)


def _first_reason(text: str) -> str:
    """The first reason that git or its transport gave; what follows is advice."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    reasons = [line for line in lines if not line.startswith(("warning:", "hint:"))]
    return (reasons or lines or ["it gave no reason"])[0]
