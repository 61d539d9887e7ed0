"""What an environment may see of the tree under test while it is prepared.

Its `inputs` decide when it is prepared anew; `checkout` says whether it sees those files or all.
Read from git's objects, so that what an agent left in a tree decides nothing.
"""

import hashlib
import os
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pathspec import GitIgnoreSpec

from activities.adapters.check_trees import CHECKOUT_SECONDS, lay_out_git_dir
from activities.adapters.git import Git
from activities.adapters.hub import Hub
from activities.adapters.objects import TreeFile
from activities.contracts.environment import Environment

REGULAR = ("100644", "100755")


@dataclass(frozen=True)
class TreeSource:
    """A commit of a repository."""

    hub: Hub
    commit: str

    def inputs_digest(self, environment: Environment) -> str:
        """Of the input files' names, modes and contents; empty where there are no inputs."""
        if not environment.inputs:
            return ""
        lines = [f"{f.path}\0{f.mode}\0{f.blob}" for f in self._inputs(environment)]
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

    def lay_out(self, environment: Environment, folder: Path) -> None:
        """Fills a folder with what `prepare` sees."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if environment.checkout == "full":
            self._check_out(folder)
            return
        for file in self._inputs(environment):
            path = folder / os.fsdecode(os.fsencode(file.path))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.hub.read_blob(file.blob))
            path.chmod(int(file.mode[-3:], 8))

    def _check_out(self, folder: Path) -> None:
        git_dir = folder.with_name(f"{folder.name}-git")
        shutil.rmtree(git_dir, ignore_errors=True)
        lay_out_git_dir(git_dir, self.hub.path, self.commit)
        git = Git(git_dir, work_tree=folder)
        git.run("read-tree", "--reset", "-u", self.commit, timeout=CHECKOUT_SECONDS)
        shutil.rmtree(git_dir)

    def _inputs(self, environment: Environment) -> list[TreeFile]:
        return _matching(self.hub.path, self.hub.tree(self.commit), environment.inputs)


@lru_cache(maxsize=64)
def _matching(hub: Path, tree: str, patterns: tuple[str, ...]) -> list[TreeFile]:
    wanted = GitIgnoreSpec.from_lines(patterns)
    objects = Hub(hub)
    found = objects.among(tree, filter(wanted.match_file, objects.paths(tree)))
    return [file for file in found if file.mode in REGULAR]


def make_newer(tree: Path, than: float) -> None:
    """Touches the files of a tree that are not newer than a moment; follows no link.

    What was built from another tree and then takes an older source for unchanged would run nothing
    and be green. A time of now is never too old.
    """
    for _, _, names, fd in os.fwalk(tree, follow_symlinks=False):
        for name in names:
            if os.stat(name, dir_fd=fd, follow_symlinks=False).st_mtime <= than:
                os.utime(name, dir_fd=fd, follow_symlinks=False)
