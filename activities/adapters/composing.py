"""Composes a batch: one commit per prefix of its members, out of the object store alone.

A member has exactly one parent, which lies on the green first-parent chain; its diff against that
parent passes the gate; and it merges cleanly onto what is before it, from its own base. Whoever
fails is refused with the reasons and the next goes on. Nothing here depends on a clock or a ref, so
the same batch has the same ids however often it is composed.
"""

import re
from collections.abc import Sequence
from functools import partial

from activities.adapters.gate import (
    SIZE_LIMIT,
    GateRules,
    Violation,
    case_collisions,
    violations,
)
from activities.adapters.git import printable
from activities.adapters.integrity_around import Tree
from activities.adapters.merging import Merge, MergeEngine
from activities.adapters.objects import DiffEntry, Objects
from activities.adapters.quarantine import UNSAVED, Quarantine
from activities.contracts.landing import Batch, Candidate, Outcome, Refusal

MEMBER_LIMIT = 64
REASON_LIMIT = 20
PATH_LIMIT = 2000
"""As many as a task can claim: a refusal travels through history."""
TRAILER = "Task-Id"
_TRAILER_LINE = re.compile(rf"^\s*{TRAILER}\s*:.*$", re.IGNORECASE | re.MULTILINE)


def compose_batch(
    objects: Objects,
    tip: str,
    candidates: Sequence[Candidate],
    rules: GateRules,
    migration: str,
    when: int,
) -> Batch:
    """The batch of these candidates on `tip`, in their order."""
    if len(candidates) > MEMBER_LIMIT:
        raise ValueError(f"a batch has at most {MEMBER_LIMIT} candidates, not {len(candidates)}")
    with (
        Quarantine(objects.path) as made,
        MergeEngine(made.path, objects=made, settings=UNSAVED) as engine,
    ):
        composition = _Composition(made, engine, tip, rules, migration, when)
        composition.chain = made.on_chain(tip, {c.base for c in candidates})
        composition.add(candidates)
        batch = composition.batch()
        made.keep_drafts()
        return batch


def carry(objects: Objects, commit: str, old_base: str, new_base: str) -> Merge:
    """Merges the change from `old_base` to `commit` onto `new_base`, whatever their histories."""
    onto = objects.write_commit(new_base, [old_base], "synthetic\n", 0)
    change = objects.write_commit(commit, [old_base], "synthetic\n", 0)
    with MergeEngine(objects.path) as engine:
        return engine.merge(onto, change, attributes=new_base)


def one_line(title: str) -> str:
    """A title that fits a subject and cannot be taken for a trailer."""
    return " ".join(_TRAILER_LINE.sub("", title).split())[:200]


class _Composition:
    """The batch as far as it is composed."""

    def __init__(
        self,
        objects: Quarantine,
        engine: MergeEngine,
        tip: str,
        rules: GateRules,
        migration: str,
        when: int,
    ) -> None:
        self.chain: set[str] = set()
        self._objects = objects
        self._engine = engine
        self._tip = tip
        self._rules = rules
        self._migration = migration
        self._when = when
        self._tree = self._attributes = objects.tree(tip)
        self._members: list[Candidate] = []
        self._titles: list[str] = []
        self._prefixes: list[str] = []
        self._refused: list[Refusal] = []
        self._empty: list[str] = []

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Makes each candidate a member or refuses it; the same one twice counts once."""
        for candidate in {candidate.id: candidate for candidate in candidates}.values():
            entries = self._screened(candidate)
            if entries is not None:
                self._merge(candidate, entries)

    def batch(self) -> Batch:
        """What was composed."""
        return Batch(
            tip=self._tip,
            members=tuple(member.id for member in self._members),
            prefixes=tuple(self._prefixes),
            refused=tuple(self._refused),
            empty=tuple(self._empty),
        )

    def _screened(self, candidate: Candidate) -> list[DiffEntry] | None:
        """The diff of one that passes the gate; the others are refused."""
        stranger = self._stranger(candidate)
        if stranger:
            self._refuse(candidate, Outcome.VIOLATION, [stranger], ())
            return None
        entries = self._objects.diff(candidate.base, candidate.commit)
        broken = violations(
            entries,
            candidate.claims,
            candidate.creates,
            self._rules,
            lambda blob: self._objects.read_blob(blob, SIZE_LIMIT),
            Tree(
                partial(self._objects.read_file, candidate.base),
                partial(self._objects.paths, candidate.base),
            ),
        )
        if broken:
            self._refuse_violating(candidate, broken)
            return None
        return entries

    def _stranger(self, candidate: Candidate) -> str:
        """Why the commit is not of the shape a candidate has; empty when it is."""
        if not self._objects.has_commit(candidate.commit):
            return f"candidate: {candidate.commit} is not in the hub"
        parents = self._objects.parents(candidate.commit)
        if parents != (candidate.base,):
            return f"candidate: has the parents {' '.join(parents)}, not only {candidate.base}"
        if candidate.base not in self.chain:
            return f"candidate: its base {candidate.base} is not on the green branch"
        return ""

    def _merge(self, candidate: Candidate, entries: list[DiffEntry]) -> None:
        """Merges from the recorded base; git is asked only where the answer is not certain."""
        before = self._tree
        after = self._objects.splice(candidate.base, before, candidate.commit, entries)
        if after is None:
            after = self._merged_by_git(candidate)
        if after is None:
            return
        collisions = case_collisions(
            (entry.path for entry in entries if entry.status == "A"),
            lambda folder: self._objects.names(before, folder),
            lambda folder: self._objects.names(after, folder),
        )
        if collisions:
            self._refuse_violating(candidate, collisions)
            return
        if after == before:
            self._empty.append(candidate.id)
        if any(entry.path.endswith(".gitattributes") for entry in entries):
            self._attributes = after
        self._tree = after
        self._members.append(candidate)
        self._titles.append(one_line(candidate.title) or f"Task {candidate.task}")
        parents = [self._tip, *(member.commit for member in self._members)]
        prefix = self._objects.draft_commit(after, parents, self._message(), self._when)
        self._prefixes.append(prefix)

    def _merged_by_git(self, candidate: Candidate) -> str | None:
        """The base is given by a commit of the tree so far whose only parent it is."""
        onto = self._objects.write_commit(self._tree, [candidate.base], "synthetic\n", self._when)
        merge = self._engine.merge(onto, candidate.commit, self._attributes)
        if merge.tree is None:
            reasons = [f"conflict: {conflict}" for conflict in merge.conflicts]
            self._refuse(candidate, Outcome.CONFLICT, reasons, merge.paths)
        return merge.tree

    def _message(self) -> str:
        """Subject, titles, and in the last paragraph nothing but our trailers."""
        members, titles = self._members, self._titles
        trailers = [f"{TRAILER}: {self._migration}/{member.task}" for member in members]
        if len(titles) == 1:
            return f"{titles[0]}\n\n{trailers[0]}\n"
        named = zip(members, titles, strict=True)
        body = "\n".join(f"- {title} ({member.task})" for member, title in named)
        subject = f"Land {len(titles)} tasks of {self._migration}"
        return f"{subject}\n\n{body}\n\n" + "\n".join(trailers) + "\n"

    def _refuse_violating(self, candidate: Candidate, broken: Sequence[Violation]) -> None:
        paths = [printable(violation.path) for violation in broken]
        self._refuse(candidate, Outcome.VIOLATION, list(map(str, broken)), paths)

    def _refuse(
        self,
        candidate: Candidate,
        outcome: Outcome,
        reasons: Sequence[str],
        paths: Sequence[str],
    ) -> None:
        told = [reason[:500] for reason in reasons[:REASON_LIMIT]]
        if len(reasons) > REASON_LIMIT:
            told.append(f"and {len(reasons) - REASON_LIMIT} more")
        refusal = Refusal(
            candidate=candidate.id,
            outcome=outcome,
            reasons=tuple(told),
            paths=tuple(sorted(set(paths)))[:PATH_LIMIT],
        )
        self._refused.append(refusal)
