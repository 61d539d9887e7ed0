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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from activities.adapters.host_lock import host_locked
from activities.adapters.jobs import BASE_PATH, HOME, RESULTS, TMPDIR, Ended, Job, Mount
from activities.adapters.presets import Step, Tools, Unpinned, steps, tools_for
from activities.adapters.registries import registries
from activities.adapters.sandbox import Sandbox
from activities.adapters.toolchains import ToolMissing
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


class PrepareFailed(Exception):
    """An environment could not be built; `tail` is the end of what the step said, bounded."""

    def __init__(self, name: str, step: str, tail: str) -> None:
        super().__init__(f"environment {name}: {step} failed: {tail}")
        self.name, self.step, self.tail = name, step, tail


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
    ) -> None:
        """`network_env` may be a whole environment: only what installers need is taken from it."""
        home = home or Path.home()
        self._root, self._sandbox = root.resolve(), sandbox
        self._registries = registries(network_env, home)
        self._pyenv = pyenv or Path(network_env.get("PYENV_ROOT") or home / ".pyenv")

    def key(self, environment: Environment, name: str) -> str:
        """The digest of everything that decides what is built, the host's part included."""
        return self._key(environment, name, self._tools(environment, name))

    async def prepare(
        self, name: str, environment: Environment | None, beat: Callable[[], None] | None = None
    ) -> Prepared:
        """Build it unless it is ready. A second call finds it ready; PrepareFailed says why not."""
        wanted = environment or Environment()
        tools = await asyncio.to_thread(self._tools, wanted, name)
        todo = _steps(name, wanted, tools)
        _refuse_missing(name, wanted, tools)
        key = self._key(wanted, name, tools)
        prepared = self._prepared(name, key, wanted, tools, built=bool(todo))
        if not todo or _is_ready(self._root / key):
            return prepared
        (self._root / key).mkdir(parents=True, exist_ok=True)
        async with host_locked(self._root / f"{key}.lock", beat):
            if not _is_ready(self._root / key):
                await self._build(prepared, todo, tools, seconds(wanted.timeout), beat)
                # A marker that outlives its tree in a power cut would be believed for ever.
                await asyncio.to_thread(os.sync)
                _mark_ready(self._root / key)
        return prepared

    async def _build(
        self,
        prepared: Prepared,
        todo: list[Step],
        tools: Tools,
        allowed: float,
        beat: Callable[[], None] | None,
    ) -> None:
        folder = prepared.root.parent
        await asyncio.to_thread(self._lay_out, folder)
        mounts = (
            Mount(folder / "tree", f"/env/{prepared.name}", writable=True),
            Mount(folder / "scratch", TMPDIR, writable=True),
            *(Mount(folder / "files" / _flat(path), path) for path in self._registries.files),
            *self._registries.mounts,
            *dict.fromkeys(mount for tool in tools.needed for mount in tool.mounts),
        )
        deadline = time.monotonic() + allowed
        for step in todo:
            env = {**self._registries.env, **prepared.env, **step.env}
            left = max(deadline - time.monotonic(), 1)
            job = Job(step.argv, mounts, env, cwd=step.cwd, timeout=left, network=True)
            ended = await self._sandbox.run(job, beat)
            if ended.exit != 0:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                raise PrepareFailed(prepared.name, step.name, _said(ended))
        await asyncio.to_thread(shutil.rmtree, folder / "scratch", ignore_errors=True)

    def _lay_out(self, folder: Path) -> None:
        for name in ("tree", "scratch", "files"):
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / name).mkdir(parents=True)
            (folder / name).chmod(0o755)
        for path, text in self._registries.files.items():
            (folder / "files" / _flat(path)).write_text(text)
        for name in ("tree", "scratch", "files"):
            self._sandbox.hand_over(folder / name)

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
        self, name: str, key: str, environment: Environment, tools: Tools, *, built: bool
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
        for variable, value in environment.env.items():
            env[variable] = expand_variables(value, inside)
        mounts = tuple(mount for tool in tools.found for mount in tool.mounts)
        if built:
            mounts = (Mount(root, inside), *mounts)
        return Prepared(name, key, root, mounts, env)


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
    unnamed.rename(folder / "ready")


def _flat(path: str) -> str:
    return path.strip("/").replace("/", "-")


def _said(ended: Ended) -> str:
    why = "" if ended.reason == "exit" else f"[{ended.reason} after {ended.seconds:.0f} s] "
    return why + ended.output.decode(errors="replace").strip()[-_TAIL:]
