"""What is there to change: files, owners, sites and the ledger computed from them."""

from activities.contracts.base import BlobRef, CommitId, Contract


class Site(Contract):
    """One place that still has to change."""

    path: str
    line: int | None = None
    """1-based; None when the finder names only files."""
    finder: str = ""
    """Which finder saw it, such as `regex` or `codemod`."""
    what: str = ""
    """The red result, where results are the sites."""


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
    tracked_files: int = 0
    """How many files the tree has in all."""
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
