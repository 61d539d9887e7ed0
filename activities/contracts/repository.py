"""The repository as the service sees it: where it came from, its pinned base, its green branch."""

import hashlib
import re
from typing import Annotated

from pydantic import Field

from activities.contracts.base import CommitId, Contract


def repository_id(url: str) -> str:
    """The slug plus 8 hex of the normalised URL: `https://h/team/App.git/` → `app-1a2b3c4d`."""
    return f"{repository_name(url)}-{hashlib.sha256(_normalised(url).encode()).hexdigest()[:8]}"


def repository_name(url: str) -> str:
    """The slug of a URL or path, at most 40 characters: `https://h/team/App.git/` → `app`."""
    last = _normalised(url).rsplit("/", 1)[-1].lower()
    return (re.sub(r"[^a-z0-9]+", "-", last).strip("-") or "repo")[:40]


def _normalised(url: str) -> str:
    return re.sub(r"(\.git)?/*$", "", url.strip())


class Repository(Contract):
    """An upstream repository and the id of its hub."""

    url: str
    """A URL or an absolute path; only ever read."""
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{3,60}$")]
    base: str = "main"
    """The upstream branch the migration starts from."""


class Base(Contract):
    """The pinned commit a migration starts from; the hub keeps it under a ref."""

    commit: CommitId
    tree: CommitId
    branch: str
    """The upstream branch it was read from."""


class GreenBranch(Contract):
    """The integration branch that one migration owns in the hub."""

    repository: str
    """The repository id."""
    name: str
    """Such as `whimbrel/bare-asserts`; stored as refs/heads/<name> in the hub."""
    migration: str

    @property
    def deep_name(self) -> str:
        """The branch beside it that only moves to what the deep checks held on; no folder below
        it, for git has no room for `x/green` beside `x`."""
        return f"{self.name}-green"
