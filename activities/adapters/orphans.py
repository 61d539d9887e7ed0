"""No command outlives the worker that started it: neither kill -9 nor its moment matters.

bubblewrap asks the kernel for its death with its parent some time after it could have lost it: what
was just starting would run on, or wait for ever for a parent that is gone. So every command carries
the name of its worker's lifeline, a file that is locked as long as the worker lives, or anything it
is forking: what still carries the name once the lock is free is an orphan, and nothing else is. A
guard, one process for each worker, waits for that and kills them; where the guard was killed too,
the next worker's sweep does the same. This file is also the guard's program: standard library only.
"""

import contextlib
import fcntl
import os
import re
import signal
import sys
import tempfile
import time
import weakref
from pathlib import Path

VARIABLE = "WHIMBREL_JOB"
"""Where the mark of a command stands: in its environment, or in bubblewrap's arguments."""
_PREFIX = "worker-"
_PATIENCE = 10.0
"""Seconds the kernel gets to end processes it was told to kill."""
_PAUSE = 0.02


class Lifeline:
    """What a worker's commands are marked with, and the guard that ends them when it is dead."""

    def __init__(self, folder: Path | None) -> None:
        """In `folder`, which a sweep looks after; None: among the host's temporary files."""
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
        self.path, lock = _locked(folder and folder.resolve())
        self._guard = _guarded(self.path)
        self._let_go = weakref.finalize(self, os.close, lock)

    def mark(self) -> str:
        """Begins the marks of this worker's commands; a guard that died is replaced first."""
        if os.waitpid(self._guard, os.WNOHANG)[0]:
            self._guard = _guarded(self.path)
        return _mark(self.path)

    def close(self) -> None:
        """Ends whatever is left and the guard; no command may be started any more."""
        if self._let_go.alive:
            self._let_go()
            os.waitpid(self._guard, 0)


def sweep(folder: Path) -> list[Path]:
    """Kills what dead workers left running; returns their lifelines. Again: none is left."""
    lifelines = sorted(folder.resolve().glob(f"{_PREFIX}*"))
    return [path for path in lifelines if _end(path, wait=False)]


def kill_marked(mark: str) -> list[int]:
    """Kills every process with a mark that begins so, and says which those were."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if re.fullmatch(r"[0-9]+", entry.name):
            with contextlib.suppress(OSError):
                if _kill_if_marked(int(entry.name), mark.encode()):
                    found.append(int(entry.name))
    return found


def _kill_if_marked(pid: int, mark: bytes) -> bool:
    # A number may be given anew at any moment: what is looked at is what is killed, or nothing is.
    process = os.pidfd_open(pid)
    try:
        if not _is_marked(Path(f"/proc/{pid}"), mark):
            return False
        signal.pidfd_send_signal(process, signal.SIGKILL)
        return True
    finally:
        os.close(process)


def _is_marked(process: Path, mark: bytes) -> bool:
    name = VARIABLE.encode()
    if b"\0--setenv\0" + name + b"\0" + mark in (process / "cmdline").read_bytes():
        return True
    return b"\0" + name + b"=" + mark in b"\0" + (process / "environ").read_bytes()


def _mark(lifeline: Path) -> str:
    return f"{lifeline}:"


def _locked(folder: Path | None) -> tuple[Path, int]:
    """A fresh lifeline and the lock on it, which no program that is started inherits."""
    while True:
        lock, name = tempfile.mkstemp(prefix=_PREFIX, dir=folder)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            return Path(name), lock
        os.close(lock)  # swept between its making and its lock


def _guarded(lifeline: Path) -> int:
    """The guard: out of reach of what ends the worker's group, and inheriting nothing."""
    nothing = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)]
    words = [sys.executable, "-I", "-S", __file__, str(lifeline)]
    return os.posix_spawn(sys.executable, words, {}, file_actions=nothing, setsid=True)


def _end(lifeline: Path, *, wait: bool) -> bool:
    """Whether the worker is dead and so is now all that it left; else the file stays."""
    with contextlib.suppress(FileNotFoundError, BlockingIOError):
        lock = os.open(lifeline, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if _end_marked(_mark(lifeline)):
                lifeline.unlink()
                return True
        finally:
            os.close(lock)
    return False


def _end_marked(mark: str) -> bool:
    """Until two looks in a row find nobody: one that is seen late may have had a child before."""
    deadline, looks = time.monotonic() + _PATIENCE, 0
    while looks < 2:
        looks = 0 if kill_marked(mark) else looks + 1
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


if __name__ == "__main__":
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # a worker that drains still has commands
    _end(Path(sys.argv[1]), wait=True)
