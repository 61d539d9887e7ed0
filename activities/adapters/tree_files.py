"""Single files of a tree that an agent had: looked at, read, written, moved, deleted.

A path is vetted as text first (relative, no `..`, no name that git takes for its own) and then
walked folder by folder through descriptors that follow no link, so it ends inside the tree whatever
was made of it. What is written gets its name when it is whole.
"""

import contextlib
import os
import secrets
import stat
from collections.abc import Generator
from pathlib import Path

from activities.adapters.check_trees import is_git_name, parent_beneath, remove_tree
from activities.adapters.path_names import name_of, path_of
from activities.adapters.room import is_trouble

Owner = tuple[int, int] | None
"""uid and gid of whoever commands run as, where that is somebody else."""
LONGEST_NAME, LONGEST_PATH = 255, 4096


class UnsafePath(Exception):
    """A path that does not lead to a plain file inside the tree."""


def vetted(name: str) -> bytes:
    """The path of that name, if it is one inside a repository; raises UnsafePath."""
    try:
        path = path_of(name)
    except UnicodeEncodeError:
        raise UnsafePath(f"{name!r} is no text that could name a file") from None
    parts = path.split(b"/")
    if b"\0" in path or any(part in (b"", b".", b"..") or is_git_name(part) for part in parts):
        raise UnsafePath(f"{name!r} is not a path inside the repository")
    if len(path) >= LONGEST_PATH or max(map(len, parts)) > LONGEST_NAME:
        raise UnsafePath(f"{name[:100]!r}... is longer than a path may be")
    return path


@contextlib.contextmanager
def _told(path: bytes, *, absent: bool = False) -> Generator[None]:
    """What the system says against a path, as UnsafePath; trouble with storage stays what it is,
    and so does that nothing is there, unless that is an answer."""
    try:
        yield
    except FileNotFoundError:
        if not absent:
            raise
    except OSError as error:
        if is_trouble(error):
            raise
        raise UnsafePath(f"{name_of(path)}: {os.strerror(error.errno or 0)}") from error


def stat_of(tree: Path, path: bytes) -> os.stat_result | None:
    """What is there, a link itself; None: nothing. Raises UnsafePath where a link or a file is in
    the way."""
    with _told(path, absent=True), parent_beneath(tree, path) as (parent, name):
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    return None


def read_file(tree: Path, path: bytes) -> bytes:
    """A plain file's bytes, or a link's target. Raises UnsafePath, FileNotFoundError."""
    with _told(path), parent_beneath(tree, path) as (parent, name):
        there = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISLNK(there.st_mode):
            return os.readlink(name, dir_fd=parent)
        _plain(path, there)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, dir_fd=parent), "rb") as file:
            return file.read()


def names_in(tree: Path, folder: bytes) -> dict[bytes, os.stat_result]:
    """What is directly in a folder (b"": the top); empty when there is none. Raises UnsafePath."""
    inside = folder + b"/x" if folder else b"x"
    with (
        _told(folder, absent=True),
        parent_beneath(tree, inside) as (parent, _),
        os.scandir(parent) as entries,
    ):
        return {os.fsencode(e.name): e.stat(follow_symlinks=False) for e in entries}
    return {}


def write_file(
    tree: Path, path: bytes, content: bytes, owner: Owner, *, executable: bool = False
) -> None:
    """A whole plain file, folders made as needed; one that is there keeps its mode, a new one is
    0644 or `executable`. Raises UnsafePath, OSError where storage fails. Again: the same."""
    mode = 0o755 if executable else 0o644
    with _told(path), parent_beneath(tree, path, make=True, ids=owner) as (parent, name):
        with contextlib.suppress(FileNotFoundError):
            there = os.stat(name, dir_fd=parent, follow_symlinks=False)
            _plain(path, there)
            mode = stat.S_IMODE(there.st_mode) & 0o777
        fresh = f".{secrets.token_hex(8)}.tmp".encode()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(fresh, flags, mode, dir_fd=parent), "wb") as file:
                os.fchmod(file.fileno(), mode)
                os.fchown(file.fileno(), *(owner or (-1, -1)))
                file.write(content)
            os.replace(fresh, name, src_dir_fd=parent, dst_dir_fd=parent)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(fresh, dir_fd=parent)
            raise


def delete_file(tree: Path, path: bytes) -> None:
    """Deletes a file or a link; one that is gone stays gone. Raises UnsafePath."""
    with _told(path, absent=True), parent_beneath(tree, path) as (parent, name):
        os.unlink(name, dir_fd=parent)


def move_file(tree: Path, path: bytes, to: bytes, owner: Owner) -> None:
    """Moves a file to a name that nothing has. Raises UnsafePath, FileNotFoundError."""
    with (
        _told(to),
        parent_beneath(tree, path) as (parent, name),
        parent_beneath(tree, to, make=True, ids=owner) as (other, new),
    ):
        os.rename(name, new, src_dir_fd=parent, dst_dir_fd=other)


def put_back(tree: Path, path: bytes, content: bytes, mode: int, owner: Owner) -> None:
    """Makes a path a file (0o100644, 0o100755) or link (0o120000) again, whatever is there or in
    the way now. Raises OSError. Again: the same."""
    _clear(tree, path)
    if stat.S_ISLNK(mode):
        with parent_beneath(tree, path, make=True, ids=owner) as (parent, name):
            os.symlink(content, name, dir_fd=parent)
            os.chown(name, *(owner or (-1, -1)), dir_fd=parent, follow_symlinks=False)
    else:
        write_file(tree, path, content, owner, executable=bool(mode & 0o100))


def _clear(tree: Path, path: bytes) -> None:
    """Nothing has the path any more, and all above it that is there are folders."""
    *parts, name = path.split(b"/")
    here = tree
    for part in parts:
        here /= os.fsdecode(part)
        if here.is_symlink() or (here.exists() and not here.is_dir()):
            here.unlink()
            return
    last = here / os.fsdecode(name)
    if last.is_dir() and not last.is_symlink():
        remove_tree(last)
    else:
        last.unlink(missing_ok=True)


def _plain(path: bytes, there: os.stat_result) -> None:
    if not stat.S_ISREG(there.st_mode):
        raise UnsafePath(f"{name_of(path)} is there and is no plain file")
