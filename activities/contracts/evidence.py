"""What commands said, as sets and counts, and what that means against the tree they started from.

Results are multisets of ids: a name may occur more than once in one run. A check that promised
parsable results and gave none is red, whatever its exit code.
"""

from enum import StrEnum

from activities.contracts.base import BlobRef, CommitId, Contract


class Moment(StrEnum):
    """When a check runs."""

    TASK = "task"
    LANDING = "landing"
    PHASE = "phase"
    END = "end"


class ResultSet(Contract):
    """The parsed outcome of one check on one tree; kept as a blob, keyed by what determines it."""

    tree: CommitId
    check: str
    environment: str
    """The environment's digest; results of different environments are never compared."""
    exit: int | None
    ended: str = "exit"
    parsed: bool = True
    """False: results were promised and none could be read."""
    passed: dict[str, int] = {}
    """id → how often it passed."""
    failed: dict[str, int] = {}
    skipped: dict[str, int] = {}
    messages: dict[str, str] = {}
    """id → the first lines of its failure, bounded."""
    files: dict[str, tuple[str, ...]] = {}
    """failed id → the repository paths it names, where it names any."""
    seconds: float = 0.0
    output: BlobRef | None = None
    tail: str = ""

    @property
    def total(self) -> int:
        """How many results there were, skipped ones not counted."""
        return sum(self.passed.values()) + sum(self.failed.values())


class CheckOutcome(StrEnum):
    """What a check says about a tree."""

    GREEN = "green"
    RED = "red"
    SKIPPED = "skipped"
    """Nothing to check: its placeholder list is empty, or nothing changed that it covers."""
    NOT_VERIFIED = "not_verified"
    """This worker could not run it; never counted as passed."""


class CheckResult(Contract):
    """One check's outcome with what a person or an agent needs to act on it."""

    check: str
    outcome: CheckOutcome
    binding: bool = True
    """False: it is only reported, whatever it says."""
    reasons: tuple[str, ...] = ()
    """Why it is red, one fact each, such as `newly failing: tests/test_a.py::test_b`."""
    new_failures: tuple[str, ...] = ()
    """Ids, at most 50."""
    failing_files: tuple[str, ...] = ()
    """Repository paths that the failing results name, where they name any."""
    count_before: int = 0
    count_after: int = 0
    failed_before: int = 0
    """Failures that were there before: not the task's."""
    runs: int = 1
    """How often it ran until it said this: more than once by its own `retries`."""
    exit: int | None = None
    ended: str = "exit"
    seconds: float = 0.0
    output: BlobRef | None = None
    tail: str = ""
    """At most 1,500 characters."""


class NotVerifiable(Exception):
    """This worker lacks what a check needs; the text says what."""


class Evidence(Contract):
    """All checks of one moment on one tree."""

    tree: CommitId
    compared_with: CommitId | None = None
    """The commit whose results these were compared with."""
    moment: Moment
    checks: tuple[CheckResult, ...] = ()

    @property
    def passed(self) -> bool:
        """Every binding check was green or had nothing to check; not verified is not a pass."""
        good = (CheckOutcome.GREEN, CheckOutcome.SKIPPED)
        return all(c.outcome in good or not c.binding for c in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it did not pass, each with its check's name."""
        return tuple(f"{c.check}: {reason}" for c in self.checks for reason in c.reasons)
