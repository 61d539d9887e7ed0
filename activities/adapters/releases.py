"""A pinned release from a package registry as a one-commit git repository.

Nothing of a release runs. It is had under its digest, by the registry's own client as this machine
has it configured; unpacking refuses links and paths that lead outside. Author, dates and message
are fixed: the same bytes give the same commit on every machine.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from activities.adapters.scratch import Scratch

_BACKEND = """\
import pathlib
import sys


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(directory, config_settings=None):
    info = pathlib.Path(directory, "{name}-{version}.dist-info")
    info.mkdir(exist_ok=True)
    text = "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n"
    (info / "METADATA").write_text(text)
    return info.name


__legacy__ = sys.modules[__name__]
"""
_DATE = "2024-01-01T00:00:00Z"
_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "Whimbrel"),
        ("EMAIL", "whimbrel@example.invalid"),
        ("DATE", _DATE),
    )
}


class Release(NamedTuple):
    """A source release, pinned."""

    name: str
    version: str
    digest: str
    """The archive's sha256; of a Go module its `h1:` sum."""


OAUTHLIB = Release(
    "oauthlib", "3.1.0", "bee41cc35fcca6e988463cacc3bcb8a96224f470ca547e697b604cc697b2f889"
)
Source = Callable[[Release, Path], Path]
"""Has a release in an empty folder; answers with its verified files' root."""


class FetchFailed(Exception):
    """The source could not be had; the text says why, with the words of the tool."""


class ClientMissing(FetchFailed):
    """The registry's client is not on this machine."""


def sdist(release: Release, folder: Path) -> Path:
    """A source distribution, by pip.

    pip would ask the release's own build backend for its name and version; one of ours, which only
    knows the answer, stands in its place.
    """
    backend = folder / "backend" / "setuptools"
    backend.mkdir(parents=True)
    (backend / "__init__.py").touch()
    (backend / "build_meta.py").write_text(
        _BACKEND.format(name=release.name, version=release.version)
    )
    pinned = folder / "pinned.txt"
    pinned.write_text(f"{release.name}=={release.version} --hash=sha256:{release.digest}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", ":all:", "--no-build-isolation", "--use-pep517"]
    command += ["--ignore-requires-python", "--require-hashes", "--requirement", str(pinned)]
    env = {"PYTHONPATH": str(backend.parent), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    run([*command, "--dest", str(folder / "got")], folder, {**os.environ, **env})
    [archive] = (folder / "got").iterdir()
    return unpack(archive, release, folder)


def fetch(release: Release, repository: Path, source: Source = sdist) -> Path:
    """The repository of a release; one that is there already is taken as it is.

    Built aside and renamed, so a fetch that was killed leaves nothing that looks finished; what it
    left the next one deletes. Raises FetchFailed.
    """
    if repository.exists():
        return repository
    aside = Scratch(repository.parent / ".fetching")
    aside.sweep()
    with aside.folder() as folder:
        (folder / "download").mkdir()
        root = source(release, folder / "download")
        _commit(root, f"{release.name} {release.version}", folder)
        try:
            root.rename(repository)
        except OSError:
            if not repository.exists():
                raise
    return repository


def unpack(archive: Path, release: Release, folder: Path) -> Path:
    """The one folder in a tar archive that has the pinned bytes; FetchFailed for others."""
    refuse_another(archive.read_bytes(), release)
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "tree", filter="data")
    [root] = (folder / "tree").iterdir()
    return root


def refuse_another(content: bytes, release: Release) -> None:
    """Raises FetchFailed unless the release is these bytes."""
    found = hashlib.sha256(content).hexdigest()
    if found != release.digest:
        raise FetchFailed(
            f"{release.name} {release.version} is not the pinned one: its archive has the sha256 "
            f"{found}, expected was {release.digest}"
        )


def run(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> str:
    """What a command prints, in this environment alone. Raises FetchFailed, ClientMissing."""
    if not shutil.which(command[0]):
        raise ClientMissing(f"{command[0]} is not on this machine: install it, or put it on PATH")
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise FetchFailed(f"{command[0]} {command[1]} … ended with {done.returncode}: {said}")
    return done.stdout


def _commit(root: Path, title: str, home: Path) -> None:
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), **_AUTHOR}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    git = ["git", "-c", "core.autocrlf=false", "-c", "gc.auto=0"]
    run([*git, "init", "--quiet", "--initial-branch=main"], root, env)
    run([*git, "add", "--all", "--force", "."], root, env)
    run([*git, "commit", "--quiet", "--message", title], root, env)
