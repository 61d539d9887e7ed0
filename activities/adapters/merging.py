"""Merges two commits in the object database, with the semantics of `git merge` in a checkout.

One long-lived `git merge-tree --stdin` answers request after request. It does not flush by itself
(hence unbuffered), an unknown id kills it (hence ids are verified first), and in a bare directory
it ignores `.gitattributes` (hence its working directory is a tiny one that holds only those files).
"""

import contextlib
import os
import select
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from activities.adapters.git import Git, GitFailed, printable
from activities.adapters.objects import Objects
from activities.adapters.passing import PassingFolder

ANSWER_SECONDS = 300.0
ATTRIBUTES_LIMIT = 1 << 20
"""Bytes of one .gitattributes file that are honoured."""


class MergeFailed(Exception):
    """The merge could not be made at all (which is not a conflict)."""


@dataclass(frozen=True)
class Merge:
    """The merged tree, or what conflicts in it."""

    tree: str | None
    """None when it conflicts."""
    conflicts: tuple[str, ...] = ()
    """`path: kind`, such as `src/a.py: contents`; empty when it is clean."""
    paths: tuple[str, ...] = ()
    """The conflicting paths alone."""
    marked: str = ""
    """The tree as git left it where it conflicts: with conflict markers in texts."""
    unmerged: tuple[str, ...] = ()
    """The paths that conflict in it, as git has them: no escapes."""


class MergeEngine:
    """Merges in one git directory; calls from several threads wait for each other."""

    def __init__(
        self, git_dir: Path, *, objects: Objects | None = None, settings: Sequence[str] = ()
    ) -> None:
        self._git_dir = git_dir
        self._objects = objects or Objects(git_dir)
        self._settings = settings
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._attributes: tuple[tuple[str, str], ...] = ()
        self._attributes_of = ""
        self._folder = PassingFolder("whimbrel-merge-")
        self._tree = self._folder.path / "0"
        self._tree.mkdir()

    def __enter__(self) -> "MergeEngine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process and removes its folder; a second call does nothing."""
        with self._lock:
            self._stop()
            self._folder.close()

    def merge(self, ours: str, theirs: str, attributes: str) -> Merge:
        """Merges `theirs` into `ours`, by the `.gitattributes` of the commit or tree `attributes`.

        Raises MergeFailed. It only ever adds objects, so a second call is harmless.
        """
        for commit in (ours, theirs):
            if not self._objects.has_commit(commit):
                raise MergeFailed(f"{commit} is not a commit in {self._git_dir.name}")
        with self._lock:
            self._use_attributes(attributes)
            try:
                clean, tree = self._ask(ours, theirs)
            except OSError:  # it died since the last request
                self._stop()
                clean, tree = self._ask_again(ours, theirs)
            if clean:
                return Merge(tree)
            return self._explain(ours, theirs)

    def _ask_again(self, ours: str, theirs: str) -> tuple[bool, str]:
        try:
            return self._ask(ours, theirs)
        except OSError as error:
            self._stop()
            raise MergeFailed(f"git merge-tree {ours} {theirs}: {error}") from error

    def _ask(self, ours: str, theirs: str) -> tuple[bool, str]:
        """The answer is fields `clean tree path*`, ended by an empty one."""
        process = self._process or self._start()
        assert process.stdin is not None
        process.stdin.write(f"{ours} {theirs}\n".encode())
        process.stdin.flush()
        deadline = time.monotonic() + ANSWER_SECONDS
        while b"\0\0" not in self._unread:
            self._unread += _read_some(process, deadline)
        answer, _, self._unread = self._unread.partition(b"\0\0")
        clean, tree = answer.split(b"\0")[:2]
        return clean == b"1", tree.decode()

    def _start(self) -> "subprocess.Popen[bytes]":
        git = Git(self._git_dir, work_tree=Path())
        self._process = git.start(
            "merge-tree",
            *("--write-tree", "--stdin", "-z", "--no-messages"),
            stdin=subprocess.PIPE,
            cwd=self._tree,
            unbuffered=True,
            settings=self._settings,
        )
        self._unread = b""
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        process.wait()

    def _explain(self, ours: str, theirs: str) -> Merge:
        """The conflicts by path and kind, from the one-shot form (exit 1 is its answer)."""
        words = ("merge-tree", "--write-tree", "-z", "--name-only", "--messages", ours, theirs)
        try:
            output = Git(self._git_dir, work_tree=Path()).run(*words, cwd=self._tree)
        except GitFailed as failed:
            if failed.exit_code != 1:
                raise MergeFailed(str(failed)) from failed
            output = failed.output
        return _conflicts(output.decode("utf-8", "surrogateescape"))

    def _use_attributes(self, treeish: str) -> None:
        """Lays out the `.gitattributes` files; a running process has read the old ones: it ends."""
        if treeish == self._attributes_of:
            return
        found = tuple(
            (path, blob)
            for path, blob in self._objects.named(treeish, ".gitattributes")
            if not {"", ".", ".."} & set(path.split("/"))
        )
        if found != self._attributes:
            self._stop()
            self._tree = self._tree.with_name(str(int(self._tree.name) + 1))
            self._tree.mkdir()
            for path, blob in found:
                self._lay_out(path, blob)
        self._attributes, self._attributes_of = found, treeish

    def _lay_out(self, path: str, blob: str) -> None:
        target = self._tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        content = self._objects.read_blob(blob, ATTRIBUTES_LIMIT)
        target.write_bytes(content if len(content) <= ATTRIBUTES_LIMIT else b"")


def _read_some(process: "subprocess.Popen[bytes]", deadline: float) -> bytes:
    """What the process has said; raises OSError when it is silent too long or gone."""
    assert process.stdout is not None
    poller = select.poll()
    poller.register(process.stdout, select.POLLIN | select.POLLHUP)
    if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError(f"no answer in {ANSWER_SECONDS:g} s")
    data = os.read(process.stdout.fileno(), 1 << 16)
    if not data:
        raise BrokenPipeError("the process ended")
    return data


def _conflicts(output: str) -> Merge:
    """`tree NUL name* NUL NUL (count path* kind text)*` → one line a conflicting path and kind."""
    fields = output.split("\0")
    end = fields.index("", 1)
    messages = fields[end + 1 :]
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(messages) and messages[at].isdigit():
        count = int(messages[at])
        paths, kind = messages[at + 1 : at + 1 + count], messages[at + 1 + count]
        at += count + 3
        if kind.startswith("CONFLICT ("):
            found.append((printable(paths[0]), kind[len("CONFLICT (") : -1]))
    told = {path for path, _ in found}
    names = [printable(name) for name in fields[1:end]]
    found += [(name, "conflict") for name in names if name not in told]
    lines = dict.fromkeys(f"{path}: {kind}" for path, kind in found)
    paths = tuple(dict.fromkeys(path for path, _ in found))
    return Merge(None, tuple(lines), paths, fields[0], tuple(fields[1:end]))
