"""Searches a batch for its first bad member: what its prefixes showed, and which to check next.

A prefix is a commit that carries the first members of a batch, named by its length; the empty one
is the green tip. Everything before the first bad member is good and lands. A red batch costs about
log2 of its length in checks, two where its evidence names a member's own files. Several prefixes
are checked at once where there are hosts for it.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from activities.contracts.evidence import Evidence
from workflows.flakiness import failures, refuted, retried


class Probe(NamedTuple):
    """A prefix to check."""

    length: int
    fresh: int = 0
    """1: asked once more, after it was red."""


class PrefixSearch:
    """The search through one batch; pure, it decides and is told."""

    def __init__(self, claims: Sequence[Collection[str]]) -> None:
        """`claims`: the files of each member, in their order."""
        self._claims = claims
        self._reds: dict[int, Evidence] = {}
        self._red_twice: set[int] = set()
        self._suspect: int | None = None
        self.good = 0
        """The length of the longest prefix that is known to be green."""
        self.flaky: list[str] = []
        """Checks that were red on a prefix of what is green, or green only in another run."""

    @property
    def bad(self) -> int | None:
        """The length of the shortest red prefix, if any is red."""
        return min(self._reds, default=None)

    @property
    def verdict(self) -> Evidence | None:
        """What turned the first bad member down, once there is nothing left to check."""
        return self._reds[self.bad] if self.bad else None

    def probes(self, at_once: int) -> list[Probe]:
        """What to check next, at most so many; none: the first bad member is found, or none is."""
        if self.bad is None:
            left = len(self._claims) - self.good
            return [Probe(x) for x in _spread(self.good, left, min(at_once, left))]
        inside = range(self.good + 1, self.bad)
        if not inside:
            return [] if self._is_certain(self.bad) else [Probe(self.bad, fresh=1)]
        # Before and with the suspect; followed once, so a wrong hint costs two checks at most.
        hinted = [self._suspect - 1, self._suspect] if self._suspect else []
        even = _spread(self.good, len(inside) + 1, at_once + 1)
        chosen = dict.fromkeys(length for length in [*hinted, *even] if length in inside)
        return [Probe(length) for length in sorted([*chosen][:at_once])]

    def saw(self, probe: Probe, evidence: Evidence) -> None:
        """Takes what a prefix showed. One that is green shows that its own prefixes are, whatever
        was seen of them."""
        self.flaky += retried(evidence)
        if evidence.passed:
            self.good = max(self.good, probe.length)
        else:
            self._saw_red(probe, evidence)
        for shorter in [length for length in self._reds if length <= self.good]:
            self.flaky += refuted(self._reds.pop(shorter))

    def _saw_red(self, probe: Probe, evidence: Evidence) -> None:
        if not self._reds:
            self._suspect = self._first_named(evidence)
        if probe.fresh:
            self._red_twice.add(probe.length)
        self._reds[probe.length] = evidence

    def _is_certain(self, length: int) -> bool:
        """Whether a red prefix was seen to fail twice: asked once more, or by a longer one that
        had the same failures."""
        failing = failures(self._reds[length])
        others = (e for other, e in self._reds.items() if other != length)
        return length in self._red_twice or any(failing & failures(other) for other in others)

    def _first_named(self, evidence: Evidence) -> int | None:
        """The length with the first member of whose files the failures name one."""
        named = {file for check in evidence.checks for file in check.failing_files}
        return next((n for n, claims in enumerate(self._claims, 1) if named & {*claims}), None)


def _spread(start: int, length: int, parts: int) -> list[int]:
    """The ends of `parts` about equal parts of what lies between `start` and `start + length`."""
    return sorted({start + max(1, round(length * part / parts)) for part in range(1, parts + 1)})
