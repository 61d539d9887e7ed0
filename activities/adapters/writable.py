"""Folders of an environment that commands may write: every run gets a copy of its own.

Copied by the file system where it can share blocks, else byte by byte; times are kept, for build
tools compare them. The copy is thrown away with the run, so nothing that one run built is ever what
another one finds.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path


class UnsafeFolder(Exception):
    """A folder is something else, or lies behind a link: copying it could copy the host."""


def make_room(tree: Path, writable: Sequence[str]) -> None:
    """Makes the folders that are not there, so that each can be mounted over; UnsafeFolder."""
    for name in writable:
        at = tree
        for part in Path(name).parts:
            at /= part
            if at.is_symlink() or (at.exists() and not at.is_dir()):
                raise UnsafeFolder(f"{name} is no folder of the environment's own")
            at.mkdir(exist_ok=True)


def copy_folder(source: Path, target: Path) -> None:
    """A copy with modes, owners and times; links stay links."""
    copy = ["cp", "-a", "--reflink=auto", "-T", "--", str(source), str(target)]
    subprocess.run(copy, check=True, capture_output=True)
