"""Codemods with `apply: once`: run over everything in one workspace, then sliced by claims.

The run is a function of the plan and kept as a write-once record, so that the first task that comes
runs it and every other one, on a retry or another host too, takes its slice of the same commit. A
task takes its claimed files; what fell outside every claim is in no commit and only reported.
"""

import asyncio
import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from activities.adapters.blobs import BlobStore
from activities.adapters.check_trees import parent_beneath
from activities.adapters.commands import Commands
from activities.adapters.harvest import harvest
from activities.adapters.host_lock import host_locked
from activities.adapters.hub import Hub
from activities.adapters.objects import ABSENT, DiffEntry
from activities.adapters.orders import codemod_order
from activities.adapters.path_names import path_of
from activities.adapters.refs import ONCE
from activities.adapters.scratch import Scratch
from activities.adapters.tree_source import TreeSource
from activities.adapters.workspaces import WorkspacePaths, Workspaces, opened_with
from activities.contracts.base import digest_of
from activities.contracts.plan import Plan, Task
from activities.contracts.spec import Codemod, MigrationSpec
from activities.contracts.work import OnceRun

TAIL = 4000
REGULAR = ("100644", "100755", ABSENT)


@dataclass(frozen=True)
class Slice:
    """What one task takes of the run."""

    taken: tuple[str, ...]
    moved: tuple[str, ...]
    """Claimed files that changed since the run's base: the next rung has to do them."""


class OnceCodemods:
    """Runs and slices them on one host."""

    def __init__(
        self,
        blobs: BlobStore,
        commands: Commands,
        workspaces: Workspaces,
        scratch: Scratch,
    ) -> None:
        self._blobs = blobs
        self._commands = commands
        self._workspaces = workspaces
        self._scratch = scratch

    async def run(self, hub: Hub, spec: MigrationSpec, rung: int, plan: Plan) -> OnceRun:
        """The run over everything the plan claims; whoever comes second reads what it left."""
        name = f"{digest_of(plan)}-{rung}"
        async with host_locked(self._scratch.lock_file(name)):
            kept = await asyncio.to_thread(self._blobs.find, spec.name, f"once/{name}")
            if kept is None:
                done = (await self._run(hub, spec, rung, plan, name)).model_dump_json().encode()
                kept = await asyncio.to_thread(
                    self._blobs.put_once, spec.name, f"once/{name}", done
                )
        return OnceRun.model_validate_json(kept)

    async def _run(
        self, hub: Hub, spec: MigrationSpec, rung: int, plan: Plan, name: str
    ) -> OnceRun:
        phase = spec.phase(plan.phase)
        codemod = phase.ladder[rung].codemod
        assert codemod
        claims = sorted({path for task in plan.tasks for path in task.claims})
        async with self._scratch.run_folder() as folder:
            await asyncio.to_thread(hub.need, [plan.base])
            paths = await asyncio.to_thread(self._open, folder, hub, plan)
            present = [path for path in claims if (paths.tree / path).is_file()]
            source = TreeSource(hub, plan.base)
            order = codemod_order(
                spec, codemod, paths.tree, present, source, private_git=paths.git_dir
            )
            ran = await self._commands.run(order)
            if ran is None:
                return OnceRun(commit=plan.base, base=plan.base, files=0)
            done = OnceRun(
                commit=plan.base,
                base=plan.base,
                exit=ran.exit,
                ended=ran.ended,
                allowed=ran.ended == "exit" and is_allowed(codemod, ran.exit),
                seconds=ran.seconds,
                files=len(present),
                tail=ran.output[-TAIL:].decode("utf-8", "replace"),
            )
            if not done.allowed:
                return done
            ref = f"{ONCE}{plan.migration}/{name}"
            kept = await asyncio.to_thread(
                harvest,
                paths,
                hub=hub.path,
                base=plan.base,
                start=plan.base,
                claims=claims,
                creates=phase.creates,
                message=f"{plan.migration}: rung {rung + 1} of {plan.phase}, over everything\n",
                when=0,
                ref=ref,
            )
            await asyncio.to_thread(hub.publish, ref)
        update = {"commit": kept.commit, "outside": kept.outside, "dropped": kept.dropped}
        return done.model_copy(update=update)

    def _open(self, folder: Path, hub: Hub, plan: Plan) -> WorkspacePaths:
        """A workspace that counts for nobody: tasks that wait for it may hold all the others."""
        return self._workspaces.aside(folder).open(
            hub.path,
            migration=plan.migration,
            task="once",
            attempt="0",
            base=plan.base,
            start=plan.base,
            claims=(),
            token="0",
        )

    def take(self, hub: Hub, once: OnceRun, plan: Plan, task: Task, paths: WorkspacePaths) -> Slice:
        """Writes the task's slice into its workspace. Again: the same files."""
        hub.need([once.base, once.commit])
        start = opened_with(paths).start
        first = bool(plan.tasks) and plan.tasks[0].id == task.id
        mine = [e for e in hub.diff(once.base, once.commit) if _belongs(e, task, first)]
        now = {e.path: e.new_blob for e in hub.diff(once.base, start)} if mine else {}
        free = [e for e in mine if e.path not in now and e.new_mode in REGULAR]
        gone = [e.path for e in free if e.new_mode == ABSENT]
        files = {e.path: hub.read_blob(e.new_blob) for e in free if e.new_mode != ABSENT}
        self._workspaces.write_files(paths, files)
        _remove(paths.tree, gone)
        moved = [e.path for e in mine if e not in free and now.get(e.path) != e.new_blob]
        return Slice(tuple(sorted([*files, *gone])), tuple(sorted(moved)))


def is_allowed(codemod: Codemod, exit: int | None) -> bool:
    """Whether an exit code is one that the codemod's author expects."""
    return codemod.exit == "any" or exit in codemod.exit


def _remove(tree: Path, names: Sequence[str]) -> None:
    """Deletes files, following no link; one that is not there is deleted already."""
    for name in names:
        with (
            contextlib.suppress(FileNotFoundError),
            parent_beneath(tree, path_of(name)) as (parent, last),
        ):
            os.unlink(last, dir_fd=parent)


def _belongs(entry: DiffEntry, task: Task, first: bool) -> bool:
    """A new file that nobody claims is the first task's: one of them must have it."""
    return entry.path in task.claims or (first and entry.old_mode == ABSENT)


def told(once: OnceRun, part: Slice) -> str:
    """What a task's rung says when the work was done before."""
    lines = [f"ran once over {once.files} files; this task takes {_listed(part.taken)}"]
    if part.moved:
        lines.append(f"changed since, so not taken: {_listed(part.moved)}")
    if once.outside:
        lines.append(f"fell outside every claim: {_listed(once.outside)}")
    if once.dropped:
        lines.append(f"new and not in `creates`: {_listed(once.dropped)}")
    return "\n".join([*lines, "", once.tail])


def _listed(paths: Sequence[str], most: int = 20) -> str:
    shown = ", ".join(paths[:most]) or "nothing"
    return shown if len(paths) <= most else f"{shown} and {len(paths) - most} more"
