"""Runs what a spec says (`run:`) on a tree, in the sandbox, with its environment.

Placeholders become arguments or NUL-separated files, never pasted text. A list that is empty runs
nothing. Calls run one after the other; the first that is killed ends the run. What the caller gets
is the worst exit code, the bounded output, and the reports that the calls wrote.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from activities.adapters.environments import Environments, Prepared, expand_variables
from activities.adapters.filling import DISK
from activities.adapters.git import borrowed
from activities.adapters.jobs import RESULTS, Job, Mount
from activities.adapters.memory_limit import memory_note
from activities.adapters.prepare_failed import PrepareFailed
from activities.adapters.reports import Reports
from activities.adapters.sandbox import Sandbox
from activities.adapters.scratch import Scratch
from activities.adapters.tree_source import TreeSource, make_newer
from activities.adapters.writable import WritableFolders
from activities.contracts.placeholders import Call, expand
from activities.contracts.spec import Command, Environment

OUTPUT_KEPT = 4 << 20
"""Bytes of output of all calls together."""
ARGUMENT_BYTES = 120 << 10
"""Per call: the kernel takes 128 KiB for one argument and a script's tools have limits too."""


@dataclass(frozen=True)
class Order:
    """One `run:` with everything that determines what it does."""

    run: Command
    tree: Path
    lists: Mapping[str, Sequence[str]]
    words: Mapping[str, str] = field(default_factory=dict[str, str])
    environment: tuple[str, Environment] | None = None
    batch: int | None = None
    split: bool = True
    """False: more arguments than one call takes are an error, not several calls."""
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    dir: str = "."
    timeout: float = 600
    memory: int = 4 << 30
    source: TreeSource | None = None
    """The tree that the environment's inputs are read from."""
    private_git: Path | None = None
    """A git directory shown read-only at /src/.git, the objects that it borrows at their place."""
    mounts: tuple[Mount, ...] = ()
    """What else its calls see."""
    network: bool = False
    """Whether its calls reach what the host does; setup never."""
    secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Variables that its calls see, and that are taken out of what they say; setup sees none."""
    printed: Callable[[int, int], None] | None = None
    """Told every second how many bytes and lines a call has printed."""
    results_from: tuple[str, ...] = ()
    """Patterns of reports that are read beside $RESULTS."""
    output_limit: int = 1 << 20
    """Bytes of a call's output that are kept, head and tail: more where they are results."""


@dataclass(frozen=True)
class Ran:
    """What came of it."""

    exit: int | None
    ended: str
    seconds: float
    calls: int
    output: bytes
    reports: tuple[bytes, ...] = ()
    """What was written to $RESULTS, and what `results_from` names, call by call."""
    reports_lost: str = ""
    """Why the reports are not all of them, where they are not."""
    silent_calls: int = 0
    """Calls that wrote no report."""
    truncated: bool = False
    """Whether the middle of a call's output is missing."""


class TooManyArguments(Exception):
    """A check's list does not fit one call."""


class Commands:
    """The one place where commands of a spec are started."""

    def __init__(self, sandbox: Sandbox, environments: Environments, scratch: Scratch) -> None:
        self._sandbox = sandbox
        self._environments = environments
        self._scratch = scratch
        self._writable = WritableFolders(sandbox)
        self._filling = environments.filling

    async def environment_key(self, named: tuple[str, Environment] | None) -> str:
        """The digest of what commands run in; results of different keys are never compared."""
        if named is None:
            return "base"
        name, environment = named
        return await asyncio.to_thread(self._environments.key, environment, name)

    async def run(self, order: Order, beat: Callable[[], None] | None = None) -> Ran | None:
        """Runs every call; None when the placeholder's list is empty."""
        calls = expand(order.run, order.lists, order.words, order.batch, ARGUMENT_BYTES)
        if not calls:
            return None
        if len(calls) > 1 and not order.split and order.batch is None:
            raise TooManyArguments("the list does not fit one call: set batch, or use {files_file}")
        try:
            prepared = await self._prepare(order, beat)
        except PrepareFailed as failed:
            # what the tree under test makes of its environment is a result of that tree
            if failed.step == "prepare" and order.environment and order.environment[1].inputs:
                return Ran(None, "prepare", 0.0, 0, str(failed).encode())
            raise
        name = _name(order)
        async with self._filling.turn(name, beat), self._scratch.run_folder() as folder:
            desk = await self._desk(order, prepared, folder)
            with self._filling.watched(order.tree, folder) as footprint:
                try:
                    ran = await self._run_all(order, calls, desk, beat)
                    footprint.check_room()
                except OSError as error:
                    why = await self._filling.convicted(name, footprint, error)
                    if not why:
                        raise
                    return Ran(None, DISK, footprint.seconds, 0, why.encode())
            self._filling.acquitted(name)
            return ran

    async def _prepare(self, order: Order, beat: Callable[[], None] | None) -> Prepared | None:
        if order.environment is None:
            return None
        name, environment = order.environment
        return await self._environments.prepare(name, environment, beat, order.source, order.memory)

    async def _desk(self, order: Order, prepared: Prepared | None, folder: Path) -> "_Desk":
        """What all calls of a run share: results, and what of the environment they may write."""
        results, inside = folder / "results", f"/env/{prepared.name}" if prepared else ""
        results.mkdir()
        self._sandbox.hand_over(results)
        names = prepared.writable if prepared else ()
        folders = [(prepared.root / name, f"{inside}/{name}") for name in names if prepared]
        writable = await self._writable.mounts(folders, folder / "writable")
        if prepared and prepared.built_from_tree:
            await asyncio.to_thread(make_newer, order.tree, prepared.ready_at)
        sources = folder / "registries"
        sources.mkdir()
        reached = self._environments.registries.lay_out(sources) if order.network else ()
        return _Desk(prepared, folder, results, writable, reached)

    async def _run_all(
        self,
        order: Order,
        calls: Sequence[Call],
        desk: "_Desk",
        beat: Callable[[], None] | None,
    ) -> Ran:
        setup = order.environment[1].setup if order.environment else None
        if setup is not None:
            argv = ("bash", "-euo", "pipefail", "-c", setup)
            place = replace(order, dir=".", network=False, secrets={})
            one = await self._sandbox.run(self._job(place, Call(argv, {}), desk, "setup"), beat)
            if one.exit != 0:
                return Ran(None, "setup", one.seconds, 0, b"setup failed: " + one.output)
        reports = await asyncio.to_thread(Reports, order.tree, desk.results, order.results_from)
        exit_code: int | None = 0
        ended, seconds, output, done, cut = "exit", 0.0, b"", 0, False
        for number, call in enumerate(calls):
            one = await self._sandbox.run(self._job(order, call, desk, str(number)), beat)
            await asyncio.to_thread(reports.collect)
            done += 1
            seconds += one.seconds
            output += one.output
            cut = cut or one.truncated
            exit_code = exit_code or one.exit
            if one.reason != "exit":
                ended, exit_code = one.reason, None
                break
        if exit_code != 0:
            output += memory_note(output, order.memory, "limits.memory")
        return Ran(
            exit=exit_code,
            ended=ended,
            seconds=seconds,
            calls=done,
            output=output[-max(OUTPUT_KEPT, 2 * order.output_limit) :],
            reports=tuple(reports.contents),
            reports_lost=reports.lost,
            silent_calls=reports.silent_calls,
            truncated=cut,
        )

    def _job(self, order: Order, call: Call, desk: "_Desk", name: str) -> Job:
        prepared = desk.prepared
        args = desk.folder / f"args-{name}"
        args.mkdir()
        for file, content in call.files.items():
            (args / file).write_bytes(content)
        mounts = [Mount(order.tree, "/src", True), Mount(desk.results, "/results", True)]
        mounts += [Mount(args, "/args"), *order.mounts]
        if order.private_git:
            mounts.append(Mount(order.private_git, "/src/.git"))
            mounts += [Mount(Path(objects), objects) for objects in borrowed(order.private_git)]
        env = prepared.env_within(order.memory) if prepared else {}
        root = f"/env/{prepared.name}" if prepared else ""
        env |= {name: expand_variables(value, root) for name, value in order.env.items()}
        if order.network:
            env = {**self._environments.registries.env, **env}
            mounts += desk.registries
        env |= {"RESULTS": RESULTS, "ARGS": "/args"}
        return Job(
            argv=call.argv,
            mounts=(*mounts, *(prepared.mounts if prepared else ()), *desk.writable),
            env=env,
            cwd=str(PurePosixPath("/src") / order.dir),
            timeout=order.timeout,
            memory=order.memory,
            output_limit=order.output_limit,
            network=order.network,
            secrets=dict(order.secrets),
            printed=order.printed,
        )


@dataclass(frozen=True)
class _Desk:
    """Where one run's calls work, beside the tree."""

    prepared: Prepared | None
    folder: Path
    results: Path
    writable: tuple[Mount, ...]
    registries: tuple[Mount, ...]
    """What a run with network needs to reach them."""


def _name(order: Order) -> str:
    """The same for every run of the same thing, in whatever tree."""
    commit = order.source.commit if order.source else ""
    lists = {name: list(values) for name, values in order.lists.items()}
    parts = json.dumps([order.run, order.dir, commit, lists, dict(order.words)])
    return hashlib.sha256(parts.encode(errors="surrogateescape")).hexdigest()
