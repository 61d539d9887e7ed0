"""What a project is made of, told by the files at its root: language, tests, what they need.

A guess that a person looks over, nothing more: nothing is run and nothing is fetched.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from activities.adapters.spec_words import npm_package, pip_package

PYTEST = "pytest==8.3.5"
DEFAULT_PYTHON = "3.11"
_PYTHON_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "requirements.txt")
_LARGEST = 1 << 20
"""Bytes of a file that is read."""


@dataclass(frozen=True)
class Tests:
    """How tests are run, and how a check reads what they say."""

    run: str
    results: str = "exit"
    more: tuple[str, ...] = ()
    """Further lines of the check."""


@dataclass(frozen=True)
class Project:
    """What was told of a project; everything empty when nothing was."""

    language: str = ""
    include: str = ""
    """A pattern of its sources."""
    tests: Tests | None = None
    environment: tuple[str, ...] = ()
    """Lines of an environment, but for pip and npm."""
    python: str = ""
    pip: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    unpinned: tuple[str, ...] = field(default=())
    """Packages that its files name without an exact version."""


def look_at(folder: Path) -> Project:
    """The project in a folder; the first language whose files are there."""
    kinds: Mapping[str, Callable[[Path], Project]] = {
        "package.json": _node,
        "go.mod": lambda _: _GO,
        "Cargo.toml": lambda _: _RUST,
        "pom.xml": lambda _: _MAVEN,
        **dict.fromkeys(_PYTHON_FILES, _python),
    }
    # A Python project with a package.json for its documentation is a Python project.
    order = ["pyproject.toml", "setup.py", "setup.cfg", *kinds]
    kind = next((kinds[name] for name in order if (folder / name).is_file()), None)
    return kind(folder) if kind else Project()


def branch_of(folder: Path) -> str:
    """The branch that a working tree is on; empty when that cannot be read."""
    head = _text(folder / ".git/HEAD") or _text(folder / "HEAD")
    return head.strip().removeprefix("ref: refs/heads/") if head.startswith("ref: ") else ""


def _python(folder: Path) -> Project:
    files = ("pytest.ini", "conftest.py", "tests/conftest.py")
    texts = [_text(folder / name) for name in _PYTHON_FILES]
    requirements = sorted(folder.glob("*requirements*.txt")) + sorted(
        folder.glob("requirements/*.txt")
    )
    lines = [line for path in requirements for line in _text(path).splitlines()]
    by_pytest = any((folder / name).is_file() for name in files)
    by_pytest = by_pytest or any("pytest" in text for text in (*texts, *lines))
    words = [re.split(r"\s+#|;|\\", line.strip())[0].strip() for line in lines]
    named = [word for word in words if word and not word.startswith(("#", "-"))]
    packages = list({re.split(r"[=<>~!\[ ]", word)[0]: word for word in named}.values())
    pinned = [word for word in packages if pip_package(word) is None]
    if by_pytest and not any(word.startswith("pytest==") for word in pinned):
        pinned.insert(0, PYTEST)
    tests = Tests("python -m unittest -v", "unittest")
    if by_pytest:
        tests = Tests("python -m pytest -q --junitxml=$RESULTS", "junit")
    return Project(
        language="Python",
        include="*.py",
        tests=tests,
        python=DEFAULT_PYTHON,
        pip=tuple(pinned),
        unpinned=tuple(word for word in packages if pip_package(word)),
    )


def _node(folder: Path) -> Project:
    about = _json(folder / "package.json")
    needs = {**_map(about.get("dependencies")), **_map(about.get("devDependencies"))}
    locked = _map(_json(folder / "package-lock.json").get("packages"))
    found: dict[str, str] = {}
    for name, wanted in needs.items():
        exact = _map(locked.get(f"node_modules/{name}")).get("version", wanted)
        found[name] = f"{name}@{exact}"
    script = str(_map(about.get("scripts")).get("test", ""))
    typed = (folder / "tsconfig.json").is_file()
    return Project(
        language="TypeScript" if typed else "JavaScript",
        include="*.ts" if typed else "*.js",
        tests=_node_tests(script, needs) if script else None,
        npm=tuple(word for word in found.values() if npm_package(word) is None),
        unpinned=tuple(word for word in found.values() if npm_package(word)),
    )


def _node_tests(script: str, needs: Mapping[str, Any]) -> Tests:
    """By the runner that the script calls; one that is not known says no more than its exit."""
    junit = "--reporter=junit --outputFile=$RESULTS"
    if "node --test" in script:
        return Tests("node --test --test-reporter=tap", "tap")
    if "vitest" in script:
        return Tests(f"vitest run {junit}", "junit")
    if re.search(r"\bmocha\b", script):
        return Tests("mocha --reporter tap", "tap")
    if {"tape", "tap"}.intersection(needs):
        return Tests("npm test --silent", "tap")
    return Tests("npm test --silent")


_GO = Project(
    language="Go",
    include="*.go",
    tests=Tests("go test -json ./...", "go"),
    environment=(
        'toolchains: ["go@1"]  # the host\'s newest; narrow it, such as go@1.26',
        "prepare: go mod download && go build ./...",
        "inputs: [go.mod, go.sum]  # prepared anew for a tree that changes them",
        "checkout: full",
        "network: [go]",
        "env: {GOMODCACHE: $ENV/mod, GOCACHE: $ENV/build, GOFLAGS: -modcacherw, "
        "GOTOOLCHAIN: local}",
        "writable: [build]  # each command gets a copy, which is thrown away",
    ),
)
_RUST = Project(
    language="Rust",
    include="*.rs",
    tests=Tests("cargo test", "cargo"),
    environment=(
        'toolchains: ["rust@1"]  # the host\'s newest; narrow it, such as rust@1.95',
        "prepare: CARGO_NET_OFFLINE=false cargo fetch && cargo test --no-run",
        "inputs: [Cargo.toml, Cargo.lock]  # prepared anew for a tree that changes them",
        "checkout: full",
        "network: [crates]",
        'env: {CARGO_HOME: $ENV/cargo, CARGO_TARGET_DIR: $ENV/target, CARGO_NET_OFFLINE: "true"}',
        "writable: [cargo, target]  # each command gets a copy, which is thrown away",
    ),
)
_MAVEN = Project(
    language="Java",
    include="*.java",
    tests=Tests(
        "mvn -q -o -Dmaven.repo.local=$ENV/m2 test",
        "junit",
        ('results_from: ["target/surefire-reports/*.xml"]',),
    ),
    environment=(
        'toolchains: ["java@17", "maven@3"]',
        # What runs the tests is fetched only when they run, red ones included.
        "prepare: mvn -q -Dmaven.repo.local=$ENV/m2 test -Dmaven.test.failure.ignore",
        "inputs: [pom.xml]  # prepared anew for a tree that changes it",
        "checkout: full",
        "network: [maven]",
        "writable: [m2]  # each command gets a copy, which is thrown away",
    ),
)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode(errors="replace")
    except OSError:
        return ""


def _json(path: Path) -> dict[str, Any]:
    try:
        return _map(json.loads(path.read_text(errors="replace")))
    except (OSError, ValueError):
        return {}


def _map(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
