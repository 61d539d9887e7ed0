"""The host's languages, found by name and version: what `toolchains` of an environment name.

Each is looked for where its installers put it; the newest that fits is taken. What is found is
mounted read-only at its own path, its programs come first on PATH.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from activities.adapters.jobs import BASE_PATH
from activities.adapters.toolchains import Toolchain, ToolMissing, find_python, refuse_unsafe

NAMES = ("go", "java", "maven", "node", "python", "rust")
_HEAP = (("JAVA_TOOL_OPTIONS", "-XX:MaxRAM={memory}"),)
"""A quarter of it is the largest heap, in every JVM that a command starts; -Xmx goes before."""
_JVMS = ("/usr/lib/jvm", "/opt", "~/.sdkman/candidates/java")


def find_toolchain(named: str, pyenv: Path) -> Toolchain:
    """The toolchain that `name@version` names; ToolMissing says what this host has instead."""
    name, _, version = named.partition("@")
    if name == "python":
        return find_python(version, pyenv)
    finders: dict[str, Callable[[], list[Toolchain]]] = {
        "go": _gos,
        "java": _javas,
        "maven": _mavens,
        "node": _nodes,
        "rust": _rusts,
    }
    if name not in finders:
        raise ToolMissing(f"no toolchain is called {name}; known: {', '.join(NAMES)}")
    found = finders[name]()
    fitting = [tool for tool in found if f"{tool.version}.".startswith(f"{version}.")]
    if not fitting:
        have = ", ".join(sorted({tool.version for tool in found}, key=_numbers)) or "none"
        raise ToolMissing(f"no {name} {version} on this host; found: {have}")
    return refuse_unsafe(max(fitting, key=lambda tool: _numbers(tool.version)))


def _gos() -> list[Toolchain]:
    folders = [*_folders("/usr/lib", "go-*"), *_folders("~/sdk", "go*"), Path("/usr/local/go")]
    env = (("GOTOOLCHAIN", "local"),)  # a go.mod must not ask for a download
    return _asked("go", folders, ("version",), r"go(\d[\d.]*)", env)


def _rusts() -> list[Toolchain]:
    rustup = os.environ.get("RUSTUP_HOME") or "~/.rustup"
    folders = [*_folders(f"{rustup}/toolchains", "*"), Path("/usr/local"), Path("/usr")]
    found = _asked("rustc", folders, ("--version",), r"rustc (\d+\.\d+\.\d+) ", on_path=False)
    return [tool for tool in found if (tool.executable.parent / "cargo").exists()]


def _nodes() -> list[Toolchain]:
    folders = [*_folders("~/.nvm/versions/node", "*"), Path("/usr/local"), Path("/usr")]
    return _asked("node", folders, ("--version",), r"v(\d[\d.]*)")


def _javas() -> list[Toolchain]:
    folders = [folder for top in _JVMS for folder in _folders(top, "*")]
    if home := os.environ.get("JAVA_HOME"):
        folders.append(Path(home))
    found: list[Toolchain] = []
    for folder in sorted({folder.resolve() for folder in folders}):
        release = folder / "release"
        named = re.search(r'^JAVA_VERSION="([^"]+)"', _text(release), re.MULTILINE)
        if named and (folder / "bin/java").exists():
            version = named[1].removeprefix("1.").replace("_", ".")
            env = (("JAVA_HOME", str(folder)),)
            found.append(Toolchain(folder / "bin/java", folder, version, env, (), _HEAP))
    return found


def _mavens() -> list[Toolchain]:
    folders = [*_folders("/opt", "*maven*"), *_folders("~/.sdkman/candidates/maven", "*")]
    homes = [java.prefix for java in _javas()][:1]
    env = tuple(("JAVA_HOME", str(home)) for home in homes)
    found = _asked("mvn", [*folders, Path("/usr/share/maven")], ("-v",), r"Maven (\d[\d.]*)", env)
    etc = Path("/etc/maven")  # where Debian's has its settings
    beside = (etc,) if etc.is_dir() else ()
    return [Toolchain(t.executable, t.prefix, t.version, (), beside, _HEAP) for t in found]


def _asked(
    program: str,
    folders: Iterable[Path],
    words: tuple[str, ...],
    pattern: str,
    env: tuple[tuple[str, str], ...] = (),
    *,
    on_path: bool = True,
) -> list[Toolchain]:
    """Those of the folders whose program says its version; the one that PATH names too."""
    named = shutil.which(program) if on_path else None  # rustup's is a proxy for any toolchain
    paths = [folder / "bin" / program for folder in folders] + ([Path(named)] if named else [])
    found: list[Toolchain] = []
    for executable in dict.fromkeys(path.resolve() for path in paths if path.exists()):
        version = re.search(pattern, _said(executable, words, env))
        if version:
            prefix = executable.parent.parent
            found.append(Toolchain(executable, prefix, version[1].rstrip("."), env))
    return found


@lru_cache(maxsize=64)
def _said(executable: Path, words: tuple[str, ...], env: tuple[tuple[str, str], ...]) -> str:
    known = {"PATH": BASE_PATH, "HOME": "/nonexistent", **dict(env)}
    try:
        answer = subprocess.run(
            [executable, *words], env=known, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout


def _folders(top: str, pattern: str) -> list[Path]:
    folder = Path(top).expanduser()
    return sorted(folder.glob(pattern)) if folder.is_dir() else []


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]+", version)]
