"""How an environment is built: its steps, as commands at the path where it will be used.

Python 2.7 has no venv: a newer python brings virtualenv into the scratch folder for the one step
that needs it, and what commands see afterwards has neither.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from activities.adapters.jobs import TMPDIR
from activities.adapters.languages import find_toolchain
from activities.adapters.toolchains import Toolchain, ToolMissing, find_node, find_python
from activities.contracts.spec import Environment

_PINNED_PIP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]+\])?==[A-Za-z0-9.!+_-]+")
_PINNED_NPM = re.compile(r"(@[a-z0-9~._-]+/)?[A-Za-z0-9~][A-Za-z0-9~._-]*@[0-9][A-Za-z0-9.+-]*")
PREPARE = "prepare"
"""The step that is the spec's own script: the only one that is given secrets."""
_VIRTUALENV = "virtualenv==20.21.1"
"""The last one that makes 2.7 environments."""
_BUILDERS = ("3.11", "3.10", "3.9", "3.8")
_PIP = ("-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-cache-dir")


class Unpinned(Exception):
    """A package without an exact version: another day it would be another environment."""


@dataclass(frozen=True)
class Tools:
    """The host's part of an environment."""

    python: Toolchain | None = None
    node: Toolchain | None = None
    named: tuple[Toolchain, ...] = ()
    """Those that `toolchains` names, in its order."""
    builder: Toolchain | None = None
    """Makes an environment that python itself cannot; not part of the result."""

    @property
    def found(self) -> tuple[Toolchain, ...]:
        """What commands in the environment need."""
        return (*self.named, *(tool for tool in (self.python, self.node) if tool))

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders PATH needs besides the environment's; a venv links to its python by itself."""
        tools = (*self.named, *((self.node,) if self.node else ()))
        return tuple(dict.fromkeys(tool.folder for tool in tools if tool.folder))

    @property
    def needed(self) -> tuple[Toolchain, ...]:
        """What building it needs."""
        return (*self.found, self.builder) if self.builder else self.found


@dataclass(frozen=True)
class Step:
    """One command of a build."""

    name: str
    argv: tuple[str, ...]
    cwd: str = TMPDIR
    env: dict[str, str] = field(default_factory=dict[str, str])
    network: bool = True


def tools_for(environment: Environment, pyenv: Path) -> Tools:
    """Find what an environment needs of the host, or ToolMissing."""
    python = find_python(environment.python, pyenv) if environment.python else None
    node = find_node() if environment.npm else None
    builder = _builder(pyenv) if python and python.version.startswith("2.") else None
    named = tuple(find_toolchain(tool, pyenv) for tool in environment.toolchains)
    return Tools(python, node, named, builder)


def steps(name: str, environment: Environment, tools: Tools) -> list[Step]:
    """What to run, in order; empty when nothing has to be built. Raises Unpinned."""
    inside = f"/env/{name}"
    loose = [p for p in environment.pip if not _PINNED_PIP.fullmatch(p)]
    loose += [p for p in environment.npm if not _PINNED_NPM.fullmatch(p)]
    if loose:
        raise Unpinned(f"not pinned to an exact version: {', '.join(loose)}")
    if environment.pip and not tools.python:
        raise Unpinned("pip packages need a python version")
    found: list[Step] = []
    if tools.python:
        found += _venv(inside, tools.python, tools.builder)
    if environment.pip:
        found.append(Step("pip", (f"{inside}/bin/python", *_PIP, *environment.pip)))
    if environment.npm:
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
        argv = ("npm", "install", *quiet, "--prefix", inside, *environment.npm)
        found.append(Step("npm", argv, env={"npm_config_cache": f"{TMPDIR}/npm"}))
    if environment.prepare:
        argv = ("bash", "-euo", "pipefail", "-c", environment.prepare)
        cwd = "/src" if sees_the_tree(environment) else inside
        found.append(Step(PREPARE, argv, cwd=cwd, network=bool(environment.network)))
    return found


def sees_the_tree(environment: Environment) -> bool:
    """Whether `prepare` finds files of the tree under test at /src."""
    return bool(environment.inputs) or environment.checkout == "full"


def _venv(inside: str, python: Toolchain, builder: Toolchain | None) -> list[Step]:
    if not builder:
        return [Step("venv", (str(python.executable), "-m", "venv", inside))]
    tool = f"{TMPDIR}/virtualenv"
    make = (f"{tool}/bin/python", "-m", "virtualenv", "--no-download", "--no-wheel", "-p")
    return [
        Step("virtualenv", (str(builder.executable), "-m", "venv", tool)),
        Step("virtualenv", (f"{tool}/bin/python", *_PIP, _VIRTUALENV)),
        Step("venv", (*make, str(python.executable), inside)),
    ]


def _builder(pyenv: Path) -> Toolchain:
    for version in _BUILDERS:
        try:
            return find_python(version, pyenv)
        except ToolMissing:
            continue
    raise ToolMissing(f"python 2.7 needs one of {', '.join(_BUILDERS)} to bring virtualenv")
