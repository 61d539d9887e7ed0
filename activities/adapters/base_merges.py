"""Merges heads of the base into the green branch, and reads from its chain which were merged.

A merge is one commit: its first parent is the green tip, its second the head, and its last
paragraph names the head. It merges from what the tip stands on, so of a base that was rewritten
goes what the rewriting dropped. Where both sides changed the same place the base wins and the file
is migrated anew: its authors' work is never lost, and a migration's can be done again.
"""

import json
import re
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import pygit2
from pygit2.enums import SortMode

from activities.adapters.chain import Chain
from activities.adapters.composing import carry
from activities.adapters.fault_points import Effect, around
from activities.adapters.git import Git, printable
from activities.adapters.merging import MergeEngine
from activities.adapters.refs import INCOMING, ref_word
from activities.adapters.upstream import (
    BaseVanished,
    UnsupportedRepository,
    UpstreamUnreachable,
    fetch_branch,
)
from activities.contracts.moving_base import (
    MAX_NAMED,
    BaseLook,
    BaseMerge,
    BaseSeen,
    ComposedBase,
)
from activities.contracts.repository import Repository

HEAD = "Base"
ANEW = "Taken-Anew"
_HEAD = re.compile(rf"^{HEAD}: ([0-9a-f]{{40}})$", re.MULTILINE)
_ANEW = re.compile(rf"^{ANEW}: (\".*\")$", re.MULTILINE)


class Outdated(NamedTuple):
    """Landed paths that merges of the base changed later."""

    changed: frozenset[str] = frozenset()
    anew: frozenset[str] = frozenset()
    """Those of them of which the base's file was taken: what landed there is gone."""


class MovingBase(Chain):
    """A hub's green branches as they follow their bases."""

    def look_at_base(
        self, upstream: Repository, migration: str, tip: str, base: str, accepted: str | None
    ) -> BaseLook:
        """Reads upstream's branch, and says what it is to the green branch that began at `base`."""
        standing = self.stands_on(tip, base)
        try:
            with self.holding(self.fetch_lock) as held:
                head = self.fetch(upstream.url, upstream.base, migration, held)
        except BaseVanished as gone:
            return BaseLook(seen=BaseSeen.GONE, stands_on=standing, text=str(gone))
        except (UpstreamUnreachable, UnsupportedRepository) as failed:
            return BaseLook(seen=BaseSeen.UNREACHABLE, stands_on=standing, text=str(failed))
        goes_on = self._has(head, standing)
        if goes_on and self._has(tip, head):
            return BaseLook(seen=BaseSeen.SAME, stands_on=standing, head=head)
        may = goes_on or (accepted is not None and self._has(head, accepted))
        return BaseLook(
            seen=BaseSeen.MOVED if may else BaseSeen.REWRITTEN,
            stands_on=standing,
            head=head,
            commits=self._lacking(head, standing),
        )

    def fetch(self, url: str, branch: str, migration: str, held: int) -> str:
        """Upstream's branch as it is now; `held` is the fetch lock. Raises BaseVanished,
        UpstreamUnreachable, UnsupportedRepository."""
        incoming = f"{INCOMING}{ref_word(migration)}"
        self.drop([incoming])
        with around(Effect.REF_INCOMING):
            return fetch_branch(Git(self.path, inherit=(held,)), url, branch, incoming)

    def compose_base_merge(
        self, branch: str, tip: str, base: str, head: str, when: int
    ) -> ComposedBase:
        """The head merged onto the tip. Made of its arguments: a second run makes the same."""
        standing = self.stands_on(tip, base)
        goes_on = self._has(head, standing)
        composed = ComposedBase(tip=tip, head=head, stands_on=standing, commit=None)
        if goes_on and self._has(tip, head):
            return composed
        if goes_on:
            with MergeEngine(self.path) as engine:
                merge = engine.merge(tip, head, attributes=tip)
        else:
            merge = carry(self, head, standing, tip)
        tree = merge.tree or self.put_back(merge.marked, head, merge.unmerged)
        message = _message(branch, head, self._lacking(head, standing), merge.unmerged)
        return composed.model_copy(
            update={
                "commit": self.write_commit(tree, [tip, head], message, when),
                "taken_anew": tuple(map(printable, merge.unmerged))[:MAX_NAMED],
                "conflicts": len(merge.unmerged),
            }
        )

    def stands_on(self, commit: str, base: str) -> str:
        """The head of the base that a green commit, or one that is based on it, has in it."""
        return next((head for _, head in self._merges(commit, base)), base)

    def base_merges(self, tip: str, base: str) -> tuple[BaseMerge, ...]:
        """The heads that were merged into the chain since `base`, oldest first."""
        found: list[BaseMerge] = []
        standing = base
        for commit, head in reversed([*self._merges(tip, base)]):
            found.append(
                BaseMerge(
                    commit=str(commit.id),
                    head=head,
                    at=datetime.fromtimestamp(commit.commit_time, UTC).isoformat(),
                    commits=self._lacking(head, standing),
                    taken_anew=tuple(_anew(commit)),
                )
            )
            standing = head
        return tuple(found)

    def outdated(self, tip: str, base: str, landed: Mapping[str, str]) -> Outdated:
        """Of landed paths, with the commits that carry them, those that the base changed since."""
        carried: dict[str, set[str]] = {}
        for path, commit in landed.items():
            carried.setdefault(commit, set()).add(path)
        since, anew = set[str](), set[str]()
        found = Outdated()
        for commit, merged in self._chain(tip, base):
            paths = carried.get(str(commit.id), set())
            found = Outdated(found.changed | (paths & since), found.anew | (paths & anew))
            if merged:
                since.update(self._brought(commit))
                anew.update(_anew(commit))
        return found

    def brought_since(self, tip: str, earlier: str) -> set[str]:
        """The paths that merges of the base changed on the chain above an earlier commit of it."""
        merges = [commit for commit, head in self._chain(tip, earlier) if head]
        return {path for commit in merges for path in self._brought(commit)}

    def _brought(self, merge: pygit2.Commit) -> list[str]:
        return [entry.path for entry in self.diff(str(merge.parent_ids[0]), str(merge.id))]

    def _merges(self, tip: str, base: str) -> Generator[tuple[pygit2.Commit, str]]:
        """The merges of heads on the chain above `base`, newest first, with their heads."""
        return ((commit, head) for commit, head in self._chain(tip, base) if head)

    def _chain(self, tip: str, base: str) -> Generator[tuple[pygit2.Commit, str]]:
        """The commits above `base`, newest first, each with the head that it merges, if any."""
        walker = self._repository().walk(tip, SortMode.TOPOLOGICAL)
        walker.simplify_first_parent()
        walker.hide(base)
        for commit in walker:
            named = _HEAD.search(_trailers(commit))
            yield commit, named[1] if named else ""

    def _has(self, commit: str, earlier: str) -> bool:
        """Whether a commit has all of an earlier one in its history, or is it."""
        return commit == earlier or self._repository().descendant_of(commit, earlier)

    def _lacking(self, head: str, standing: str) -> int:
        """How many commits a head has that another one lacks."""
        walker = self._repository().walk(head, SortMode.NONE)
        walker.hide(standing)
        return sum(1 for _ in walker)


def _trailers(commit: pygit2.Commit) -> str:
    """The last paragraph, which of a green commit nobody but the queue writes."""
    return commit.message.rstrip().rpartition("\n\n")[2]


def _anew(merge: pygit2.Commit) -> list[str]:
    """The paths that are as in the head, because they conflicted."""
    return [json.loads(path) for path in _ANEW.findall(_trailers(merge))]


def _message(branch: str, head: str, commits: int, anew: tuple[str, ...]) -> str:
    noun = "commit" if commits == 1 else "commits"
    body = f"Merge {commits} {noun} of the base into {branch}\n"
    if anew:
        body += "\nWhere both changed the same place, the base's file is taken, to migrate anew.\n"
    lines = [f"{HEAD}: {head}", *(f"{ANEW}: {json.dumps(path)}" for path in anew)]
    return f"{body}\n" + "\n".join(lines) + "\n"
