"""What is there to change: files, owners, sites and the ledger computed from them."""

from collections.abc import Iterable, Mapping

from activities.contracts.base import BlobRef, CommitId, Contract

MAX_SEARCHED = 20 << 20
"""Bytes: a bigger file is data, not code, and finders do not look into it."""
SHOWN = 5


class Site(Contract):
    """One place that still has to change."""

    path: str
    line: int | None = None
    """1-based; None when the finder names only files."""
    finder: str = ""
    """Which finder saw it, such as `regex` or `codemod`."""
    what: str = ""
    """The red result, where results are the sites."""


class FollowUp(Contract):
    """A file that nobody has to change for its sites, and that tasks said something of."""

    path: str
    said: tuple[str, ...]
    """By whom and what; at most 5."""


class SurveyedFile(Contract):
    """A file in scope of a phase, as git holds it."""

    path: str
    size: int
    """Bytes."""
    blob: str
    """The git blob id: the cache key of what was found in it."""
    sites: int = 0
    owners: tuple[str, ...] = ()
    """From CODEOWNERS; empty when nobody is named."""


class Unsearched(Contract):
    """Files in scope that finders did not look into, for their size."""

    files: int = 0
    first: tuple[str, ...] = ()
    """The first few, by path."""

    @classmethod
    def of(cls, paths: Iterable[str]) -> "Unsearched":
        found = sorted(paths)
        return cls(files=len(found), first=tuple(found[:SHOWN]))

    @property
    def told(self) -> str:
        """One sentence; empty if there is none."""
        if not self.files:
            return ""
        more = f" and {self.files - len(self.first)} more" if self.files > len(self.first) else ""
        noun = "1 file" if self.files == 1 else f"{self.files} files"
        size = f"{MAX_SEARCHED >> 20} MiB"
        return f"{noun} over {size} not searched: {', '.join(self.first)}{more}"


def told_of_phases(unsearched: Mapping[str, Unsearched]) -> str:
    """What finders did not look into, by phase; one sentence where the phases agree."""
    told = {phase: found.told for phase, found in unsearched.items() if found.files}
    if len(set(told.values())) == 1:
        return next(iter(told.values()))
    return "; ".join(f"phase {phase}: {said}" for phase, said in told.items())


class SurveyData(Contract):
    """The blob behind a Survey: everything in scope that has sites, sorted by path."""

    commit: CommitId
    phase: str
    files: tuple[SurveyedFile, ...]
    sites: tuple[Site, ...]
    accepted: tuple[Site, ...] = ()
    """Sites the spec accepts as they are (not counted as left)."""
    unplaced: tuple[str, ...] = ()
    """Sites that no task can take, at most 200: red results that name no file in scope, files whose
    names are not UTF-8. A person's to place."""
    unsearched: Unsearched = Unsearched()
    tracked_files: int = 0
    """How many files the tree has in all."""
    anew: dict[str, str] = {}
    """Path → what its task is told, for files with sites that the base and the migration had both
    changed, and of which the base's was taken."""
    follow_ups: tuple[FollowUp, ...] = ()
    """What earlier cycles left to be followed up, by path, at most 20."""
    imports: dict[str, tuple[str, ...]] = {}
    """Path → the paths it imports, for files between those with sites; where the split asks."""


class Survey(Contract):
    """The counts of a survey; the rest is in the blob."""

    commit: CommitId
    phase: str
    data: BlobRef
    files: int
    """Files with at least one site."""
    sites: int
    tracked_files: int
    unplaced: int = 0
    """Sites that no task can take, at most 200."""
    unsearched: Unsearched = Unsearched()
    follow_ups: int = 0
    """Files that a cycle may follow up beside its sites."""
    from_base: int = 0
    """Sites that came with the base since the phase's survey before."""
