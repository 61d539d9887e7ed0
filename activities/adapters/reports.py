"""Collects the reports that a command's calls leave behind: $RESULTS, and files by patterns.

A file of the tree counts only if a call wrote it: a report that is committed, or that a call before
left there, says nothing about this one. The code under test wrote all of it, so no link is followed
and only regular files are read, up to a limit for all of them together.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from activities.adapters.check_trees import parent_beneath, walk
from activities.adapters.jobs import RESULTS

LIMIT = 50 << 20
"""Bytes of all reports of a command."""
FOLDER = str(PurePosixPath(RESULTS).parent)
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Version = tuple[int, int, int]
"""What changes when a file is written: inode, ctime, size."""


class Reports:
    """The reports of one command, call by call. Blocking; created before the first call."""

    def __init__(self, tree: Path, results: Path, patterns: Sequence[str]) -> None:
        """`results` is the host's folder of $RESULTS; a pattern that starts with its name inside
        means files in it, any other one files of the tree."""
        inside = [p.removeprefix(FOLDER) for p in patterns if p.startswith(f"{FOLDER}/")]
        of_tree = [p for p in patterns if not p.startswith(f"{FOLDER}/")]
        self._results = results
        self._wanted = GitIgnoreSpec.from_lines([f"/{PurePosixPath(RESULTS).name}", *inside])
        self._tree = tree
        self._of_tree = GitIgnoreSpec.from_lines(of_tree) if of_tree else None
        self._seen = dict(self._versions())
        self._left = LIMIT
        self.contents: list[bytes] = []
        self.silent_calls = 0
        self.lost = ""
        """Why what was read is not all, where it is not."""

    def collect(self) -> None:
        """Reads what the call that just ended wrote, and takes $RESULTS away for the next one."""
        before = len(self.contents)
        try:
            self._collect()
        except OSError as error:
            self.lost = f"a report cannot be read: {error.strerror}"
        self.silent_calls += len(self.contents) == before

    def _collect(self) -> None:
        for path in sorted(p for p, _ in _matching(self._results, self._wanted)):
            self._read(self._results, path)
            with parent_beneath(self._results, path) as (parent, name):
                os.unlink(name, dir_fd=parent)
        now = dict(self._versions())
        for path in sorted(p for p, version in now.items() if self._seen.get(p) != version):
            self._read(self._tree, path)
        self._seen = now

    def _versions(self) -> Iterator[tuple[bytes, Version]]:
        if self._of_tree is not None:
            yield from _matching(self._tree, self._of_tree)

    def _read(self, folder: Path, path: bytes) -> None:
        with parent_beneath(folder, path) as (parent, name):
            file = os.open(name, _READ, dir_fd=parent)
        with os.fdopen(file, "rb") as opened:
            content = opened.read(self._left + 1)
        if len(content) > self._left:
            self.lost = f"the reports are larger than {LIMIT >> 20} MiB"
        self._left = max(self._left - len(content), 0)
        self.contents.append(content)


def _matching(folder: Path, wanted: GitIgnoreSpec) -> Iterator[tuple[bytes, Version]]:
    for path, found in walk(folder):
        if stat.S_ISREG(found.st_mode) and wanted.match_file(os.fsdecode(path)):
            yield path, (found.st_ino, found.st_ctime_ns, found.st_size)
