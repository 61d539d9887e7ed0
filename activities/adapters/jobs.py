"""What a sandboxed command is, and how it ended. Nouns only; sandbox.py runs them."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

BASE_PATH = "/usr/local/bin:/usr/bin:/bin"
HOME = "/home/agent"
TMPDIR = "/tmp"
RESULTS = "/results/results"
"""What $RESULTS is inside: a file in the folder that the caller mounts writable at /results."""


@dataclass(frozen=True)
class Mount:
    """A host file or folder and where the command sees it."""

    source: Path
    target: str
    writable: bool = False
    changes: Path | None = None
    """A folder of the caller's with an `upper` in it: what the command changes is kept there, and
    the source stays as it is. For one command at a time, and not on every host: see writable.py."""


@dataclass(frozen=True)
class Job:
    """One command with everything it may see and use; nothing comes from the worker's environment.

    A mount at /tmp or at the home folder replaces the fresh, size-limited one.
    """

    argv: tuple[str, ...]
    mounts: tuple[Mount, ...]
    env: dict[str, str]
    cwd: str = "/src"
    timeout: float = 600
    memory: int = 4 << 30
    """Bytes of data each process may map."""
    processes: int = 512
    file_size: int = 2 << 30
    """Bytes the largest file may have."""
    output_limit: int = 1 << 20
    """Bytes of output kept."""
    output_kill: int = 200 << 20
    """Bytes of output after which the command is killed."""
    network: bool = False
    """The host's network; for preparing environments, and codemods over everything that name it."""
    secrets: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    """Variables whose values are taken out of all that the command says; for `prepare`, and for
    programs of agents that the worker lets have them."""
    talks: socket.socket | None = field(default=None, repr=False, compare=False)
    """Its standard input and output, closed here when it has begun; its errors are its output then.
    None: it is given nothing."""
    printed: Callable[[int, int], None] | None = field(default=None, repr=False, compare=False)
    """Told every second how many bytes and lines it has printed."""


@dataclass(frozen=True)
class Ended:
    """How a command ended; when this exists, no process of it is alive."""

    exit: int | None
    """128 + n after signal n; None when it was killed, for `reason`."""
    reason: str
    """exit, timeout or output; a cancelled run raises instead."""
    seconds: float
    output: bytes
    """Standard output and error together: head and tail where it was too long."""
    truncated: bool


class SandboxUnavailable(Exception):
    """Commands cannot be isolated on this host as asked; the text says what to do."""


class SandboxFailed(Exception):
    """The sandbox could not be set up or was killed from outside: the command said nothing."""
