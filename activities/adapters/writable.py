"""Folders of an environment that commands may write: every run finds them as they were prepared.

What a run changes is kept apart, by an overlay, and thrown away with the run; nothing that one run
built is ever what another one finds. Where commands get no overlay, each run gets a copy: shared
blocks where the file system has them, else byte by byte. Times are kept, for build tools compare
them. Which of the two it is on this host is decided by trying it, when the first run comes.
"""

import asyncio
import logging
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from activities.adapters.jobs import Job, Mount, SandboxFailed
from activities.adapters.sandbox import Sandbox

# What builds do to files that were there before: read, overwrite, delete, replace a folder.
_PROBE = """\
test "$(cat changed)" = old; echo new > changed; test "$(cat changed)" = new
rm gone; test ! -e gone
rm -r folder; mkdir folder; touch folder/mine; test "$(ls folder)" = mine
"""


class UnsafeFolder(Exception):
    """A folder is something else, or lies behind a link: copying it could copy the host."""


class WritableFolders:
    """Gives the runs of one host what they may write."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._deciding = asyncio.Lock()
        self._overlays: bool | None = None

    async def mounts(self, folders: Sequence[tuple[Path, str]], desk: Path) -> tuple[Mount, ...]:
        """One mount for each (folder, where commands see it), for commands one after the other.

        `desk`: a folder of the run's own; deleting it throws away what they wrote.
        """
        if not folders:
            return ()
        overlays = await self._decided(desk)
        return await asyncio.to_thread(_laid_out, folders, desk, overlays=overlays)

    async def _decided(self, desk: Path) -> bool:
        async with self._deciding:
            if self._overlays is None:
                problem = await _no_overlay(self._sandbox, desk / "probe")
                say = f"copied for each run, overlays fail here: {problem}"
                logging.getLogger(__name__).info(
                    "writable folders are %s", say if problem else "copied on write"
                )
                self._overlays = not problem
            return self._overlays


def make_room(tree: Path, writable: Sequence[str]) -> None:
    """Makes the folders that are not there, so that each can be mounted over; UnsafeFolder."""
    for name in writable:
        at = tree
        for part in Path(name).parts:
            at /= part
            if at.is_symlink() or (at.exists() and not at.is_dir()):
                raise UnsafeFolder(f"{name} is no folder of the environment's own")
            at.mkdir(exist_ok=True)


def _laid_out(
    folders: Sequence[tuple[Path, str]], desk: Path, *, overlays: bool
) -> tuple[Mount, ...]:
    desk.mkdir(exist_ok=True)
    mounts: list[Mount] = []
    for number, (source, target) in enumerate(folders):
        own = desk / str(number)
        if overlays:
            mounts.append(_overlay(source, target, own))
        else:
            _copy(source, own)
            mounts.append(Mount(own, target, True))
    return tuple(mounts)


def _overlay(source: Path, target: str, changes: Path) -> Mount:
    upper = changes / "upper"
    upper.mkdir(parents=True)
    as_source = source.stat()
    os.chown(upper, as_source.st_uid, as_source.st_gid)
    shutil.copystat(source, upper)
    return Mount(source, target, True, changes)


def _copy(source: Path, target: Path) -> None:
    """A copy with modes, owners and times; links stay links."""
    copy = ["cp", "-a", "--reflink=auto", "-T", "--", str(source), str(target)]
    subprocess.run(copy, check=True, capture_output=True)


async def _no_overlay(sandbox: Sandbox, folder: Path) -> str:
    """Why commands here cannot have one; empty when it does what it must and the sandbox holds."""
    source = folder / "source"
    (source / "folder").mkdir(parents=True)
    (source / "folder/old").touch()
    (source / "gone").touch()
    (source / "changed").write_text("old\n")
    sandbox.hand_over(source)
    try:
        mount = _overlay(source, "/src", folder / "tried")
        ended = await sandbox.run(Job(("bash", "-euc", _PROBE), (mount,), {}, timeout=60))
        if ended.exit != 0:
            return ended.output.decode(errors="replace").strip() or f"the probe ended {ended.exit}"
        problems = await sandbox.self_test(_overlay(source, "/opt", folder / "tested"))
    except (SandboxFailed, OSError) as failure:
        return str(failure)
    if (source / "changed").read_text() != "old\n" or not (source / "folder/old").exists():
        problems.append("the source was changed")
    return "; ".join(problems)
