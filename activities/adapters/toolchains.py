"""The host's interpreters, as environments mount them: read-only and at their own path.

Everything below /usr is in every sandbox already; another prefix is mounted whole. A prefix that
holds the worker's home folder is refused: mounting it would show secrets.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from activities.adapters.jobs import BASE_PATH, Mount

_FACTS = "import sys; print(getattr(sys, 'base_prefix', sys.prefix)); print(sys.version.split()[0])"
_FOLDERS = (Path("/usr/local/bin"), Path("/usr/bin"))


class ToolMissing(Exception):
    """The host does not have what an environment names; the text says what it has."""


@dataclass(frozen=True)
class Toolchain:
    """An interpreter and the prefix it needs around it."""

    executable: Path
    prefix: Path
    version: str
    env: tuple[tuple[str, str], ...] = ()
    """Variables it needs."""
    beside: tuple[Path, ...] = ()
    """Folders it needs besides its prefix."""
    bounds: tuple[tuple[str, str], ...] = ()
    """Variables that tell it how much memory there is, {memory} in bytes: it would take the host's
    for its own and die at the limit."""

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """What to mount so that it runs; nothing for what lies below /usr."""
        needed = (self.prefix, *self.beside)
        return tuple(Mount(p, str(p)) for p in needed if not p.is_relative_to("/usr"))

    @property
    def folder(self) -> str:
        """Its folder when PATH does not have it; empty otherwise."""
        folder = str(self.executable.parent)
        return "" if folder in BASE_PATH.split(":") else folder


def find_python(version: str, pyenv: Path) -> Toolchain:
    """The newest interpreter of a version such as `3.11` or `3.11.7`: pyenv's first."""
    for candidate in _pythons(version, pyenv):
        if candidate.exists():
            found = _python(candidate.resolve())
            if found and _matches(found.version, version):
                return refuse_unsafe(found)
    have = ", ".join(sorted(_present(pyenv), key=_numbers)) or "none"
    raise ToolMissing(f"no python {version} on this host; found: {have}")


def find_node() -> Toolchain:
    """The node that PATH names, with the npm beside it."""
    named = shutil.which("node") or shutil.which("node", path=BASE_PATH)
    if not named:
        raise ToolMissing("no node on this host: install Node.js with npm, or put it on PATH")
    executable = Path(named).resolve()
    found = Toolchain(executable, executable.parent.parent, _first_line([named, "--version"]))
    if not (executable.parent / "npm").exists():
        raise ToolMissing(f"node {found.version} at {executable} has no npm beside it")
    return refuse_unsafe(found)


def _pythons(version: str, pyenv: Path) -> list[Path]:
    minor = ".".join(version.split(".")[:2])
    versions = (pyenv / "versions").glob("*") if (pyenv / "versions").is_dir() else ()
    fitting = [folder for folder in versions if _matches(folder.name, version)]
    newest = sorted(fitting, key=lambda folder: _numbers(folder.name), reverse=True)
    own = Path(sys.base_prefix)
    return [folder / "bin" / f"python{minor}" for folder in (*newest, own)] + [
        folder / f"python{minor}" for folder in _FOLDERS
    ]


def _present(pyenv: Path) -> set[str]:
    names = {folder.parent.parent.name for folder in pyenv.glob("versions/*/bin/python")}
    system = (path.name for folder in _FOLDERS for path in folder.glob("python[0-9].*"))
    plain = (name.removeprefix("python") for name in system)
    return names | {name for name in plain if re.fullmatch(r"[0-9.]+", name)}


@lru_cache(maxsize=64)
def _python(executable: Path) -> Toolchain | None:
    flags = ["-E", "-s", "-S"]  # site would run what packages installed into the host's python
    answer = subprocess.run(
        [executable, *flags, "-c", _FACTS], env={}, capture_output=True, text=True, check=False
    )
    lines = answer.stdout.splitlines()
    if answer.returncode or len(lines) != 2:
        return None
    return Toolchain(executable, Path(lines[0]).resolve(), lines[1])


def _first_line(command: list[str]) -> str:
    answer = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    return (answer.stdout.splitlines() or ["unknown"])[0]


def refuse_unsafe(found: Toolchain) -> Toolchain:
    """The toolchain, unless mounting its prefix would show the worker's home; else ToolMissing."""
    if found.prefix == Path("/") or Path.home().resolve().is_relative_to(found.prefix):
        raise ToolMissing(f"{found.executable} belongs to {found.prefix}, which cannot be mounted")
    return found


def _matches(version: str, wanted: str) -> bool:
    return version == wanted or version.startswith(wanted + ".")


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]+", version)]
