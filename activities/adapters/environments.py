"""Environments: what commands run in, built once per host and key, read-only afterwards.

An environment is built inside the sandbox at /env/<name>, where commands will see it, because a
venv cannot be moved. It counts as ready once its marker exists, and the marker is renamed into
place last: a builder killed midway leaves a tree that the next one removes. A lock per key makes
the second of two builders wait and then find it ready.
"""

import asyncio
import hashlib
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from activities.adapters.check_trees import remove_tree
from activities.adapters.doing import doing
from activities.adapters.fault_points import Effect, around
from activities.adapters.filling import Filling
from activities.adapters.host_folders import host_mounts
from activities.adapters.host_lock import host_locked
from activities.adapters.jobs import BASE_PATH, HOME, RESULTS, TMPDIR, Ended, Job, Mount
from activities.adapters.memory_limit import memory_note
from activities.adapters.prepare_failed import PrepareFailed as PrepareFailed
from activities.adapters.presets import (
    PREPARE,
    Step,
    Tools,
    Unpinned,
    sees_the_tree,
    steps,
    tools_for,
)
from activities.adapters.registries import registries
from activities.adapters.sandbox import Sandbox
from activities.adapters.secret_values import SecretMissing, Secrets, file_with, redacted
from activities.adapters.toolchains import ToolMissing
from activities.adapters.tree_source import TreeSource
from activities.adapters.writable import UnsafeFolder, make_room
from activities.contracts.spec import Environment, seconds

_FORMAT = "1"
"""Changes when environments are built in another way: old ones are then not used any more."""
_TAIL = 2000
_EXPANDED = re.compile(r"\$(?:\{(ENV|RESULTS|HOME|TMPDIR)\}|(ENV|RESULTS|HOME|TMPDIR)\b)")


@dataclass(frozen=True)
class Prepared:
    """An environment that is ready on this host."""

    name: str
    key: str
    root: Path
    mounts: tuple[Mount, ...]
    env: dict[str, str]
    bounds: tuple[tuple[str, str], ...] = ()
    """Of its toolchains, without what its own `env` says."""
    writable: tuple[str, ...] = ()
    """Folders below it of which each run gets a copy."""
    built_from_tree: bool = False
    """Whether it may hold what was built from some tree's sources."""

    def env_within(self, memory: int) -> dict[str, str]:
        """The variables of a command that may use so many bytes."""
        told = {name: value.format(memory=memory) for name, value in self.bounds}
        return {**told, **self.env}

    @property
    def ready_at(self) -> float:
        """When it was ready; sources must not look older than that."""
        return (self.root.parent / "ready").stat().st_mtime


class Environments:
    """The environments of one host, below one folder."""

    def __init__(
        self,
        root: Path,
        sandbox: Sandbox,
        network_env: dict[str, str],
        *,
        home: Path | None = None,
        pyenv: Path | None = None,
        mountable: Sequence[Path] = (),
        secrets: Secrets | None = None,
    ) -> None:
        """`network_env` may be a whole environment: only what installers need is taken from it.

        `mountable`: host folders that specs may name under `mounts`, with all that is below them.
        `secrets`: what prepare scripts may be given; None: nothing.
        """
        self._secrets = secrets
        self._mountable = [folder.resolve() for folder in mountable]
        home = home or Path.home()
        self._root, self._sandbox = root.resolve(), sandbox
        self.filling = Filling(self._root / "filling.lock")
        self.registries = registries(network_env, home)
        self._pyenv = pyenv or Path(network_env.get("PYENV_ROOT") or home / ".pyenv")

    def key(self, environment: Environment, name: str) -> str:
        """The digest of everything that decides what is built, the host's part included.

        The tree's inputs are not part of it: results of two trees are compared all the same.
        """
        return self._key(environment, name, self._tools(environment, name))

    async def prepare(
        self,
        name: str,
        environment: Environment | None,
        beat: Callable[[], None] | None = None,
        source: TreeSource | None = None,
        memory: int = Job.memory,
    ) -> Prepared:
        """Build it unless it is ready. A second call finds it ready; PrepareFailed says why not.

        `source`: the tree whose inputs it depends on. `memory`: bytes that each process of its
        preparation may have; what is built is the same with less or more.
        """
        wanted = environment or Environment()
        tools = await asyncio.to_thread(self._tools, wanted, name)
        todo = _steps(name, wanted, tools)
        _refuse_missing(name, wanted, tools)
        shown = host_mounts(name, wanted.mounts, self._mountable)
        key = self._key(wanted, name, tools)
        if source and (inputs := await asyncio.to_thread(source.inputs_digest, wanted)):
            key = hashlib.sha256(f"{key} {inputs}".encode()).hexdigest()[:32]
        todo_or_room = bool(todo or wanted.writable)
        prepared = self._prepared(name, key, wanted, tools, shown, built=todo_or_room)
        if not todo_or_room or _is_ready(self._root / key):
            return prepared
        (self._root / key).mkdir(parents=True, exist_ok=True)
        with doing(f"the environment {name} is being prepared"):
            async with host_locked(self._root / f"{key}.lock", beat):
                if not _is_ready(self._root / key):
                    building = _Building(prepared, wanted, todo, tools, source, memory)
                    await self._build(building, beat)
                    # A marker that outlives its tree in a power cut would be believed for ever.
                    await asyncio.to_thread(os.sync)
                    _mark_ready(self._root / key)
        return prepared

    async def _build(self, building: "_Building", beat: Callable[[], None] | None) -> None:
        prepared, wanted = building.prepared, building.wanted
        folder = prepared.root.parent
        secrets = await asyncio.to_thread(self._secret_values, building)
        reached = await asyncio.to_thread(self._lay_out, folder, building)
        mounts = (
            Mount(folder / "tree", f"/env/{prepared.name}", writable=True),
            Mount(folder / "checkout", "/src", writable=True),
            Mount(folder / "scratch", TMPDIR, writable=True),
            *reached,
            *dict.fromkeys(mount for tool in building.tools.needed for mount in tool.mounts),
            *host_mounts(prepared.name, wanted.mounts, self._mountable),
        )
        deadline = time.monotonic() + seconds(wanted.timeout)
        for step in building.todo:
            env = {**self.registries.env, **prepared.env_within(building.memory), **step.env}
            left = max(deadline - time.monotonic(), 1)
            bounds = (step.cwd, left, building.memory)
            job = Job(step.argv, mounts, env, *bounds, network=step.network)
            if step.name == PREPARE:
                job = replace(job, secrets=secrets)
            with self.filling.watched(folder) as footprint:
                try:
                    ended = await self._sandbox.run(job, beat)
                    footprint.check_room()
                except OSError as error:
                    why = await self.filling.convicted(folder.name, footprint, error)
                    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                    if not why:
                        raise
                    raise PrepareFailed(prepared.name, step.name, why) from error
            if ended.exit != 0:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                raise PrepareFailed(prepared.name, step.name, _said(ended, job))
        if secrets:
            await asyncio.to_thread(_refuse_left, folder, prepared.name, secrets)
        await asyncio.to_thread(self._finish, folder, building)

    def _secret_values(self, building: "_Building") -> dict[str, str]:
        name, wanted = building.prepared.name, building.wanted.secrets
        if not wanted:
            return {}
        if self._secrets is None or self._sandbox.level == "none":
            why = "a worker without a sandbox gives no command a secret; let it run strict"
            raise PrepareFailed(name, "secrets", why)
        try:
            return self._secrets.values(wanted)
        except SecretMissing as missing:
            raise PrepareFailed(name, "secrets", str(missing)) from missing

    def _finish(self, folder: Path, building: "_Building") -> None:
        for name in ("scratch", "checkout"):
            remove_tree(folder / name)
        try:
            make_room(folder / "tree", building.wanted.writable)
        except UnsafeFolder as unsafe:
            raise PrepareFailed(building.prepared.name, "writable", str(unsafe)) from unsafe
        self._sandbox.hand_over(folder / "tree")

    def _lay_out(self, folder: Path, building: "_Building") -> tuple[Mount, ...]:
        """Fresh folders; the mounts of what installers need."""
        for name in ("tree", "scratch", "files", "checkout"):
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / name).mkdir(parents=True)
            (folder / name).chmod(0o755)
        reached = self.registries.lay_out(folder / "files")
        if building.source and sees_the_tree(building.wanted):
            building.source.lay_out(building.wanted, folder / "checkout")
        for name in ("tree", "scratch", "files", "checkout"):
            self._sandbox.hand_over(folder / name)
        return reached

    def _tools(self, environment: Environment, name: str) -> Tools:
        try:
            return tools_for(environment, self._pyenv)
        except ToolMissing as missing:
            raise PrepareFailed(name, "toolchain", str(missing)) from missing

    def _key(self, environment: Environment, name: str, tools: Tools) -> str:
        content = environment.model_dump(mode="json", exclude={"timeout", "requires"})
        found = [f"{t.executable} {t.version}" for t in tools.found]
        host = [platform.machine(), *platform.libc_ver(), self._sandbox.level, str(self._root)]
        text = json.dumps([_FORMAT, name, content, found, host], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _prepared(
        self,
        name: str,
        key: str,
        environment: Environment,
        tools: Tools,
        shown: tuple[Mount, ...],
        *,
        built: bool,
    ) -> Prepared:
        root, inside = self._root / key / "tree", f"/env/{name}"
        folders = [f"{inside}/{folder.removeprefix('$ENV/')}" for folder in environment.path]
        env = {"PYTHONDONTWRITEBYTECODE": "1"}
        if built:
            env["ENV"] = inside
        if environment.python:
            folders.append(f"{inside}/bin")
        if environment.npm:
            folders.append(f"{inside}/node_modules/.bin")
            env["NODE_PATH"] = f"{inside}/node_modules"
        folders += tools.folders
        env["PATH"] = ":".join([*folders, BASE_PATH])
        env |= {name: value for tool in tools.found for name, value in tool.env}
        for variable, value in environment.env.items():
            env[variable] = expand_variables(value, inside)
        mounts = (*dict.fromkeys(m for tool in tools.found for m in tool.mounts), *shown)
        if built:
            mounts = (Mount(root, inside), *mounts)
        from_tree = sees_the_tree(environment) and environment.prepare is not None
        bounds = {name: value for tool in tools.found for name, value in tool.bounds}
        mine = tuple((n, value) for n, value in bounds.items() if n not in env)
        return Prepared(name, key, root, mounts, env, mine, environment.writable, from_tree)


@dataclass(frozen=True)
class _Building:
    """One build and all that decides it."""

    prepared: Prepared
    wanted: Environment
    todo: list[Step]
    tools: Tools
    source: TreeSource | None
    memory: int


def expand_variables(value: str, inside: str) -> str:
    """A value of `env`: $ENV (`inside`), $RESULTS, $HOME, $TMPDIR are filled in, nothing else."""
    known = {"ENV": inside, "RESULTS": RESULTS, "HOME": HOME, "TMPDIR": TMPDIR}
    return _EXPANDED.sub(lambda found: known[found[1] or found[2]], value)


def _steps(name: str, environment: Environment, tools: Tools) -> list[Step]:
    try:
        return steps(name, environment, tools)
    except Unpinned as unpinned:
        raise PrepareFailed(name, "packages", str(unpinned)) from unpinned


def _refuse_missing(name: str, environment: Environment, tools: Tools) -> None:
    path = ":".join([*tools.folders, BASE_PATH])
    missing = [tool for tool in environment.requires if not shutil.which(tool, path=path)]
    if missing:
        raise PrepareFailed(name, "requires", f"not on this host: {', '.join(missing)}")


def _is_ready(folder: Path) -> bool:
    return (folder / "ready").exists()


def _mark_ready(folder: Path) -> None:
    unnamed = folder / "ready.tmp"
    unnamed.touch()
    with around(Effect.ENVIRONMENT):
        unnamed.rename(folder / "ready")


def _refuse_left(folder: Path, name: str, secrets: dict[str, str]) -> None:
    """Commands see the tree: a secret that `prepare` left there would be theirs too."""
    if found := file_with(folder / "tree", secrets.values()):
        place = redacted(os.fsencode(found.relative_to(folder / "tree")), secrets.values())
        shutil.rmtree(folder, ignore_errors=True)
        where = place.decode(errors="replace")
        why = f"`prepare` left a secret in $ENV/{where}, where every command could read it"
        raise PrepareFailed(name, "secrets", f"{why}; let the script delete it")


def _said(ended: Ended, job: Job) -> str:
    why = "" if ended.reason == "exit" else f"[{ended.reason} after {ended.seconds:.0f} s] "
    why += "" if job.network else "[offline: name what it reaches under `network`] "
    output = ended.output + memory_note(ended.output, job.memory, "limits.memory")
    return why + output.decode(errors="replace").strip()[-_TAIL:]
