"""What a migration must not leave behind: processes, mounts, secrets, and any change at all in the
repository that it reads.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from tests.adapters.repositories import git

CHUNK = 1 << 20


def processes_of(home: Path) -> list[str]:
    """Command lines of other processes that name the state directory, carry it in their environment
    or see something of it, as sandboxed ones do."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            command = (process / "cmdline").read_bytes()
            known = command + (process / "environ").read_bytes()
            known += (process / "mountinfo").read_bytes()
        except OSError:
            continue
        if os.fsencode(home) in known:
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def mounts_of(home: Path) -> list[str]:
    """What is mounted in the state directory, as this process sees it."""
    mounted = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in mounted if str(home) in line]


def assert_nothing_runs(home: Path, patience: float = 5.0) -> None:
    """No process and no mount of this state directory is left, once killed ones had their seconds:
    a worker's guard ends after the worker."""
    deadline = time.monotonic() + patience
    while (left := processes_of(home)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == [], left
    assert mounts_of(home) == [], mounts_of(home)


def fingerprint(repository: Path) -> dict[str, str]:
    """Every file of a repository, its git directory too: mode, time of change and content."""
    return {
        str(path.relative_to(repository)): f"{path.lstat().st_mode:o} {path.lstat().st_mtime_ns} "
        + (str(path.readlink()) if path.is_symlink() else _digest(path))
        for path in sorted(repository.rglob("*"))
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def where_found(home: Path, canary: bytes) -> list[str]:
    """Files of the state directory that hold these bytes, and hubs that have an object with them.

    The server's database holds payloads as they are; objects are unpacked by git.
    """
    files = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    found = [str(path.relative_to(home)) for path in files if _holds(path, canary)]
    for hub in (home / "hub").glob("*.git"):
        objects = git(hub, "cat-file", "--batch-all-objects", "--batch", "--unordered")
        found += [f"an object of {hub.name}"] if canary in objects else []
    return sorted(found)


def _holds(path: Path, canary: bytes) -> bool:
    before = b""
    for chunk in _chunks(path):
        if canary in before + chunk:
            return True
        before = chunk[-len(canary) :]
    return False


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except FileNotFoundError:
        return  # a journal of the database comes and goes
