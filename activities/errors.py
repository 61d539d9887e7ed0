"""The kinds of failure that activities raise; options.py decides the patience with each.

Results are data: red checks, conflicts, refused candidates never come through here. An activity
raises only when its attempt could not be made. The kind is the exception's class name, so an
adapter's own exception says it; those that no adapter has are made here.
"""

import re

from temporalio.exceptions import ApplicationError

ERROR_TEXT_LIMIT = 1500
"""Characters: failures live in history, and pages of text help nobody there."""

PLAN_REFUSED = "PlanRefused"
FINDER_FAILED = "FinderFailed"
WORKSPACE_LOST = "WorkspaceLost"
BRANCH_MOVED = "BranchMoved"
ORPHANED = "Orphaned"
PLANNER_GONE = "its planner is gone"
CHECK_NEVER_RAN = "CheckNeverRan"
BASE_RED = "BaseRed"
BUDGET_REACHED = "BudgetReached"

ACCOUNT = ("NoKey", "KeyRefused", "SpendLimitReached")
"""Kinds of an account with the model's provider that only a person can mend: they say nothing about
the work, and no task is given up for them."""

NEVER_MENDED_BY_WAITING = (
    "BaseVanished",
    "UnsupportedRepository",
    "BranchOwned",
    "HostileTree",
    "UnsafePath",
    "PrepareFailed",
    "TooManyArguments",
    "PatternTooSlow",
    "NotVerifiable",
    "AgentRefused",
    "McpRefused",
    PLAN_REFUSED,
    FINDER_FAILED,
    WORKSPACE_LOST,
    BRANCH_MOVED,
    CHECK_NEVER_RAN,
    BASE_RED,
    BUDGET_REACHED,
    "PayloadsTooLarge",
    "ModelUnknown",
    "RequestRefused",
    "PromptTooLong",
    "PriceUnknown",
    *ACCOUNT,
)
"""Kinds that the same call will meet again: no retry."""

STORAGE = (
    "OSError",
    "FileNotFoundError",
    "PermissionError",
    "HubUnreachable",
    "BlobMissing",
    "BlobCorrupt",
)
"""Kinds of a place that is full, away or forbidden, or has lost something: that heals, and says
nothing about the work."""
STORAGE_SAYS = re.compile(
    "No space left on device|Disk quota exceeded|Read-only file system|Input/output error"
    "|Stale file handle|Transport endpoint is not connected"
)
"""How git and others, who have kinds of their own, tell of the same."""


def is_storage(kind: str | None, text: str) -> bool:
    """Whether a failure is trouble with storage."""
    return kind in STORAGE or bool(STORAGE_SAYS.search(text))


def permanent(kind: str, text: str) -> ApplicationError:
    """A failure that trying again cannot mend."""
    return ApplicationError(text[:ERROR_TEXT_LIMIT], type=kind, non_retryable=True)
