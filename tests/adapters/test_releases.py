"""Releases from the registries, by the clients that this machine has. Needs the network."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from activities.adapters.releases import (
    OAUTHLIB,
    ClientMissing,
    FetchFailed,
    Release,
    Source,
    fetch,
    run,
    sdist,
)
from tests.adapters.repositories import git
from tests.corpus.registries import crate, debian, go_module, npm
from tests.corpus.table import CORPUS

SMALL = {
    "sdist": (OAUTHLIB, sdist, "7dddc544eb4b63a7b349ddaaafc01d0af011489a"),
    "npm": (
        Release(
            "isarray", "2.0.5", "72bae463b81a604b4a118c00012c76ee9b8d155b9da62d1f362876c9f8b5f793"
        ),
        npm,
        "09dfea98ad1bfe3032ed42bc32fdb69f10395723",
    ),
    "crate": (
        Release(
            "scopeguard",
            "1.2.0",
            "94143f37725109f92c262ed2cf5e59bce7498c01bcc1502d7b9afe439a4e9f49",
        ),
        crate,
        "fabeb22afbb93c5f0bb36a98c15ebf15a580f189",
    ),
    "go module": (
        Release(
            "github.com/pkg/errors", "v0.9.1", "h1:FEBLx1zS214owpjy7qsBeixbURkuhQAwrK5UwLGTwt4="
        ),
        go_module,
        "02cb6dad7ec300a5b1b93b13f0b609d8980eb50a",
    ),
    "debian": (
        CORPUS["zlib-ansi"].release,
        debian("zlib1g", "tar.bz2"),
        "122c20717ceaeb61ac1c0e6ed26f9fa4965b2cc3",
    ),
}
"""Each with the commit that it is on every machine."""


def fetched(release: Release, repository: Path, source: Source) -> Path:
    try:
        return fetch(release, repository, source)
    except ClientMissing as missing:
        pytest.skip(str(missing))


def below(folder: Path) -> set[str]:
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    return found - {".fetching", ".fetching/.lock"}


@pytest.mark.parametrize("client", SMALL)
def test_a_release_is_the_same_commit_everywhere(client: str, tmp_path: Path) -> None:
    release, source, commit = SMALL[client]
    repository = fetched(release, tmp_path / "there", source)
    assert git(repository, "rev-parse", "main").decode().strip() == commit
    assert git(repository, "status", "--porcelain", "--ignored") == b""
    assert {path.split("/")[0] for path in below(tmp_path)} == {"there"}


@pytest.mark.parametrize("client", SMALL)
def test_other_bytes_than_the_pinned_ones_are_refused_and_leave_nothing(
    client: str, tmp_path: Path
) -> None:
    release, source, _ = SMALL[client]
    other = release.digest[:3] + ("0" if release.digest[3] != "0" else "1") + release.digest[4:]
    with pytest.raises(FetchFailed, match=release.name if client != "sdist" else "HASHES"):
        fetched(release._replace(digest=other), tmp_path / "there", source)
    assert below(tmp_path) == set()


def test_a_client_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClientMissing, match="no-such-client is not on this machine: install it"):
        run(["no-such-client", "fetch"], tmp_path, os.environ)


KILLED = """\
import sys
from pathlib import Path
from activities.adapters.releases import OAUTHLIB, fetch

def endless(release, folder):
    (folder / "half").write_text("half of it")
    print("fetching", flush=True)
    sys.stdin.read()

fetch(OAUTHLIB, Path(sys.argv[1]), endless)
"""


def made(release: Release, folder: Path) -> Path:
    (folder / "tree").mkdir()
    (folder / "tree" / "setup.py").write_text(release.name)
    return folder / "tree"


def test_what_a_killed_fetch_left_the_next_one_deletes_and_what_a_live_one_needs_it_does_not(
    tmp_path: Path,
) -> None:
    dead, live = (_fetching(tmp_path / name) for name in ("dead", "live"))
    dead.send_signal(signal.SIGKILL)
    dead.communicate()
    assert len([path for path in below(tmp_path) if path.endswith("half")]) == 2
    fetch(OAUTHLIB, tmp_path / "next", made)
    assert len([path for path in below(tmp_path) if path.endswith("half")]) == 1
    assert live.poll() is None
    live.kill()
    live.communicate()
    fetch(OAUTHLIB, tmp_path / "dead", made)
    assert {path.split("/")[0] for path in below(tmp_path)} == {"next", "dead"}


def _fetching(repository: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", KILLED, str(repository)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], **pipes)
    assert process.stdout
    assert process.stdout.readline() == b"fetching\n"
    return process
