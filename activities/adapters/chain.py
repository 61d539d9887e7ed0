"""The chain of a green branch: the truth of what landed, by the trailers in its commits."""

import re
from collections.abc import Generator
from datetime import UTC, datetime

import pygit2
from pygit2.enums import SortMode

from activities.adapters.composing import TRAILER
from activities.adapters.green_branch import last_of_ours
from activities.adapters.refs import References, RefMissing
from activities.contracts.report import LandedCommit


def tasks_of(message: str, migration: str) -> list[str]:
    """The migration's tasks that a commit of the chain carries, in the order of its candidates."""
    mine = re.compile(rf"^{TRAILER}: {re.escape(migration)}/([^\s/]+)$", re.MULTILINE)
    return mine.findall(message.rstrip().rpartition("\n\n")[2])


class Chain(References):
    """Green branches, as far as they are read."""

    def tip(self, branch: str) -> str:
        """The branch's last commit of ours, whatever others pushed; raises RefMissing."""
        commit = last_of_ours(self, branch)
        if commit is None:
            raise RefMissing(f"there is no branch {branch} in {self.path.name}")
        return commit

    def landed(self, branch: str, base: str, migration: str) -> dict[str, str]:
        """Task id → the commit that carries it, from the trailers of the chain since `base`.

        `base` is where the branch began: with a later one, what upstream took over would be missed.
        """
        carrying = self._carrying(branch, base, migration)
        return {task: str(commit.id) for commit, tasks in carrying for task in tasks}

    def landings(self, branch: str, base: str, migration: str) -> tuple[LandedCommit, ...]:
        """The commits that `landed` names, oldest first, with their time and size."""
        return tuple(
            LandedCommit(
                commit=str(commit.id),
                at=datetime.fromtimestamp(commit.commit_time, UTC).isoformat(),
                tasks=tuple(tasks),
                files=len(self.diff(str(commit.parent_ids[0]), str(commit.id))),
            )
            for commit, tasks in self._carrying(branch, base, migration)
        )

    def landed_between(
        self, after: str, upto: str, migration: str
    ) -> Generator[tuple[str, list[str]]]:
        """The commits of a chain after one and up to another, oldest first, with the tasks that
        each carries."""
        for commit in self._walked(upto, after):
            yield str(commit.id), tasks_of(commit.message, migration)

    def _carrying(
        self, branch: str, base: str, migration: str
    ) -> Generator[tuple[pygit2.Commit, list[str]]]:
        """The commits of the chain since `base` that carry tasks of the migration, and which."""
        for commit in self._walked(self.tip(branch), base):
            if tasks := tasks_of(commit.message, migration):
                yield commit, tasks

    def _walked(self, upto: str, after: str) -> Generator[pygit2.Commit]:
        walker = self._repository().walk(upto, SortMode.TOPOLOGICAL | SortMode.REVERSE)
        walker.simplify_first_parent()
        walker.hide(after)
        yield from walker
