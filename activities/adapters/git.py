"""The one way this service runs git: a known environment, a known configuration, an explicit git
directory.

Nothing of the process environment gets in (`env -i`), nothing outside the git directory is read as
configuration, hooks and helpers are off, and no transport is allowed unless the call is a fetch, or
a push to one of our own hubs.
Every process is ended by `timeout` with its whole group, so that it dies even when this service was
killed meanwhile. GitPython is the front for single commands; streams use `Git.start`.
"""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import git as gitpython

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "GIT_EDITOR": "/bin/false",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_AUTHOR_NAME": "Whimbrel",
    "GIT_AUTHOR_EMAIL": "whimbrel@localhost",
    "GIT_COMMITTER_NAME": "Whimbrel",
    "GIT_COMMITTER_EMAIL": "whimbrel@localhost",
}
CONFIGURATION = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.sshCommand=/bin/false",
    "core.alternateRefsCommand=true",
    "core.fsync=committed",
    "core.packedRefsTimeout=10000",
    "core.filesRefLockTimeout=10000",
    "safe.bareRepository=explicit",
    "protocol.allow=never",
    "credential.helper=",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "diff.ignoreSubmodules=all",
    "commit.gpgSign=false",
    "log.showSignature=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
SSH = "ssh -oBatchMode=yes -oServerAliveInterval=30"
UPSTREAM = "file:https:ssh"
"""The protocols by which upstream may be read."""
FETCHES = ("fetch", "ls-remote")
ERROR_TEXT_LIMIT = 2000
TIMED_OUT = (124, 137)
"""The exit codes of `timeout`: the command was ended by TERM, or needed KILL."""
_SECRET = re.compile(r"(://)[^/@\s]+@")


class GitFailed(Exception):
    """A git command ended with an error."""

    def __init__(
        self, command: Sequence[str], exit_code: int, stderr: str, output: bytes = b""
    ) -> None:
        self.command = tuple(without_secrets(word) for word in command)
        self.exit_code = exit_code
        self.output = output
        self.stderr = without_secrets(stderr)[-ERROR_TEXT_LIMIT:]
        said = self.stderr.strip() or "nothing on stderr"
        super().__init__(f"git {' '.join(self.command)[:300]} ended with {exit_code}: {said}")

    @property
    def timed_out(self) -> bool:
        return self.exit_code in TIMED_OUT


class Git:
    """git on one git directory; `inherit` are descriptors (locks) that every child keeps open."""

    def __init__(
        self,
        git_dir: Path,
        *,
        work_tree: Path | None = None,
        index: Path | None = None,
        inherit: tuple[int, ...] = (),
    ) -> None:
        self._git_dir = git_dir
        self._work_tree = work_tree
        self._index = index
        self._inherit = inherit

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        timeout: float = 120,
        network: bool = False,
        hub: str = "",
        cwd: Path | None = None,
        settings: Sequence[str] = (),
    ) -> bytes:
        """What `git *args` printed; raises GitFailed. `network` lets a fetch use file, https, ssh;
        `hub`, the URL of one of ours, lets a fetch or push use its protocol.

        `settings` are further `name=value` for this call.
        """
        if (network or hub) and args[0] not in (*FETCHES, *(["push"] if hub else [])):
            raise ValueError(f"git {args[0]} has no business with a network")
        protocols = hub.partition("://")[0] if hub else UPSTREAM if network else ""
        command = ["timeout", "--kill-after=5", f"{timeout:g}"]
        command += self.command(*args, protocols=protocols, settings=settings)
        front = gitpython.Git(str(cwd or self._work_tree or self._git_dir))
        with tempfile.TemporaryFile() as stream:
            stream.write(stdin or b"")
            stream.seek(0)
            exit_code, output, stderr = front.execute(
                command,
                istream=stream,
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                pass_fds=self._inherit,
            )
        if exit_code != 0:
            raise GitFailed(args, exit_code, stderr, output)
        return output

    def text(self, *args: str, stdin: bytes | None = None) -> str:
        """What `git *args` printed, as text without the line end; odd bytes as surrogates."""
        return self.run(*args, stdin=stdin).decode("utf-8", "surrogateescape").strip()

    def start(
        self,
        *args: str,
        stdin: int,
        cwd: Path | None = None,
        unbuffered: bool = False,
        settings: Sequence[str] = (),
    ) -> "subprocess.Popen[bytes]":
        """A process that is talked to; the caller ends it. `unbuffered` answers each request."""
        return subprocess.Popen(
            self.command(*args, unbuffered=unbuffered, settings=settings),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=cwd or self._work_tree or self._git_dir,
            pass_fds=self._inherit,
        )

    def command(
        self,
        *args: str,
        protocols: str = "",
        unbuffered: bool = False,
        settings: Sequence[str] = (),
    ) -> list[str]:
        """The whole argv, from `env -i` on."""
        environment = dict(ENVIRONMENT)
        environment["GIT_ALLOW_PROTOCOL"] = protocols or "none"
        environment["GIT_SSH_COMMAND"] = SSH if protocols else "/bin/false"
        if self._index is not None:
            environment["GIT_INDEX_FILE"] = str(self._index)
        words = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        words += ["stdbuf", "-o0"] if unbuffered else []
        words += ["git", f"--git-dir={self._git_dir}"]
        words += [f"--work-tree={self._work_tree}"] if self._work_tree is not None else []
        for setting in (*CONFIGURATION, *settings):
            words += ["-c", setting]
        return [*words, *args]


def borrowed(git_dir: Path) -> list[str]:
    """Where the objects are that a private git directory borrows."""
    alternates = git_dir / "objects/info/alternates"
    return alternates.read_text().splitlines() if alternates.exists() else []


def without_secrets(text: str) -> str:
    """The text with `user:password@` of URLs blanked."""
    return _SECRET.sub(r"\1***@", text)


def printable(path: str) -> str:
    """A path as people and JSON can read it: bytes that are not UTF-8 become escapes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
