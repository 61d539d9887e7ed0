"""Builders of real git repositories for tests.

Everything goes through `git fast-import`, so any mode and any name (bytes that are not UTF-8 too)
can be committed. Dates are counted, the environment is empty: equal calls give equal commit ids.
"""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

FIRST_DATE = 1_700_000_000
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
}


@dataclass(frozen=True)
class Symlink:
    """A symbolic link to `target`."""

    target: str


@dataclass(frozen=True)
class Gitlink:
    """A submodule entry at `commit`; nothing of it needs to exist."""

    commit: str


@dataclass(frozen=True)
class Executable:
    """A file with the x bit."""

    content: bytes | str


Content = bytes | str | Symlink | Gitlink | Executable
Name = str | bytes
"""A path in the repository; bytes (or surrogate escapes) for names that are not UTF-8."""


def git(path: Path, *args: str, stdin: bytes | None = None) -> bytes:
    """Runs git in the repository (bare or with a tree) and returns what it printed."""
    where = path / ".git" if (path / ".git").exists() else path
    command = ["git", f"--git-dir={where}"]
    if where != path:
        command.append(f"--work-tree={path}")
    done = subprocess.run(
        [*command, *args], input=stdin, capture_output=True, env=ENVIRONMENT, cwd=path
    )
    assert done.returncode == 0, f"git {args}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def make_repository(
    path: Path, files: Mapping[Name, Content], *, bare: bool = False, branch: str = "main"
) -> str:
    """A new repository whose branch has one commit with these files; returns the commit id."""
    path.mkdir(parents=True)
    init = ["git", "init", "-q", "--template=", f"--initial-branch={branch}"]
    subprocess.run([*init, *(["--bare"] if bare else []), str(path)], check=True, env=ENVIRONMENT)
    return commit_files(path, files, message="initial", ref=f"refs/heads/{branch}")


def commit_files(
    path: Path,
    files: Mapping[Name, Content],
    delete: Iterable[Name] = (),
    message: str = "change",
    modes: Mapping[Name, str] | None = None,
    *,
    ref: str = "refs/heads/main",
    parent: str | None = None,
) -> str:
    """A commit on `ref` that writes and deletes these paths; returns its id.

    `modes` (path → "100755") overrules what the content says. `parent` starts elsewhere than at the
    present tip of `ref`. The checked-out tree, where there is one, follows.
    """
    start = parent or git(path, "for-each-ref", "--format=%(objectname)", ref).decode().strip()
    count = int(git(path, "rev-list", "--count", start)) if start else 0
    text = message.encode()
    who = f"Test <test@localhost> {FIRST_DATE + count} +0000"
    lines = [f"commit {ref}\ncommitter {who}\ndata {len(text)}\n".encode(), text, b"\n"]
    if start:
        lines.append(f"from {start}\n".encode())
    lines += [b"D %s\n" % _quoted(name) for name in delete]
    overruled = modes or {}
    for name, content in files.items():
        lines.append(_modify(name, content, overruled.get(name)))
    git(path, "fast-import", "--quiet", "--force", stdin=b"".join(lines))
    if (path / ".git").exists():
        git(path, "reset", "-q", "--hard")
    return git(path, "rev-parse", ref).decode().strip()


def _modify(name: Name, content: Content, mode: str | None) -> bytes:
    if isinstance(content, Gitlink):
        return b"M 160000 %s %s\n" % (content.commit.encode(), _quoted(name))
    usual = "100644"
    if isinstance(content, Symlink):
        usual, content = "120000", content.target
    elif isinstance(content, Executable):
        usual, content = "100755", content.content
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    head = b"M %s inline %s\ndata %d\n" % ((mode or usual).encode(), _quoted(name), len(data))
    return head + data + b"\n"


def _quoted(name: Name) -> bytes:
    """The name as fast-import reads it: every byte that is not plain as an octal escape."""
    raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")
    plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/ "
    return b'"' + b"".join(bytes([b]) if b in plain else b"\\%03o" % b for b in raw) + b'"'
