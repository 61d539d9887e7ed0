"""The demo's source: a pinned release from the package registry as a one-commit git repository.

Fetched by pip under its sha256, and nothing of it runs: pip would ask the release's own setup.py
for its name and version, so a build backend of ours, which only knows the answer, stands in its
place. Unpacking refuses links and paths that lead outside. Author, dates and message are fixed, so
every machine gets the same commit.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

_BACKEND = """\
import pathlib


class Stub:
    def get_requires_for_build_wheel(self, config_settings=None):
        return []

    def prepare_metadata_for_build_wheel(self, directory, config_settings=None):
        info = pathlib.Path(directory, "{name}-{version}.dist-info")
        info.mkdir(exist_ok=True)
        text = "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n"
        (info / "METADATA").write_text(text)
        return info.name


__legacy__ = Stub()
"""
_DATE = "2024-01-01T00:00:00Z"


class Release(NamedTuple):
    """A source release, pinned."""

    name: str
    version: str
    sha256: str


OAUTHLIB = Release(
    "oauthlib", "3.1.0", "bee41cc35fcca6e988463cacc3bcb8a96224f470ca547e697b604cc697b2f889"
)


class FetchFailed(Exception):
    """The source could not be had; the text is what the tool said."""


def fetch(release: Release, repository: Path) -> Path:
    """The repository of a release; one that is there already is taken as it is.

    Built aside and renamed, so a fetch that was killed leaves nothing that looks finished.
    """
    if repository.exists():
        return repository
    repository.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=repository.parent, prefix=".tmp-"))
    try:
        archive = _download(release, aside)
        with tarfile.open(archive) as tar:
            tar.extractall(aside / "tree", filter="data")
        [root] = (aside / "tree").iterdir()
        _commit(root, f"{release.name} {release.version}")
        root.rename(repository)
    finally:
        shutil.rmtree(aside)
    return repository


def _download(release: Release, aside: Path) -> Path:
    backend = aside / "backend" / "setuptools"
    backend.mkdir(parents=True)
    (backend / "__init__.py").touch()
    (backend / "build_meta.py").write_text(
        _BACKEND.format(name=release.name, version=release.version)
    )
    pinned = aside / "pinned.txt"
    pinned.write_text(f"{release.name}=={release.version} --hash=sha256:{release.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", ":all:", "--no-build-isolation", "--use-pep517"]
    command += ["--require-hashes", "--requirement", str(pinned), "--dest", str(aside / "got")]
    env = {**os.environ, "PYTHONPATH": str(backend.parent), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    _run(command, env)
    [archive] = (aside / "got").iterdir()
    return archive


def _commit(root: Path, title: str) -> None:
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(root.parent),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Whimbrel demo",
        "GIT_AUTHOR_EMAIL": "demo@example.invalid",
        "GIT_AUTHOR_DATE": _DATE,
        "GIT_COMMITTER_NAME": "Whimbrel demo",
        "GIT_COMMITTER_EMAIL": "demo@example.invalid",
        "GIT_COMMITTER_DATE": _DATE,
    }
    git = ["git", "-C", str(root), "-c", "core.autocrlf=false", "-c", "gc.auto=0"]
    _run([*git, "init", "--quiet", "--initial-branch=main"], env)
    _run([*git, "add", "--all", "--force", "."], env)
    _run([*git, "commit", "--quiet", "--message", title], env)


def _run(command: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise FetchFailed(f"{command[0]} {command[1]} … ended with {done.returncode}: {said}")
