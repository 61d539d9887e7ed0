"""Which paths a task may change: what it claims, and what it may add."""

import os
from collections.abc import Sequence

import pathspec
from pygit2.enums import FileMode

from activities.adapters.path_names import path_of
from activities.adapters.trees import Entry


class AllowedPaths:
    """Claims name files; `creates`, paths or gitignore patterns, adds files: what is there belongs
    to who claims it."""

    def __init__(self, claims: Sequence[str], creates: Sequence[str]) -> None:
        self.claims = {path_of(claim.removeprefix("/")) for claim in claims}
        self._literal = {path_of(path.removeprefix("/")) for path in creates}
        self._creates = pathspec.GitIgnoreSpec.from_lines(creates)

    def covers(self, path: bytes, before: Entry | None) -> bool:
        """Whether the task may change or add it; `before` is what the base has there."""
        if before is not None:
            return path in self.claims and before.mode != FileMode.COMMIT
        if path in self.claims or path in self._literal:
            return True
        if path.endswith(b".pyc") or b"__pycache__" in path.split(b"/"):
            return False
        return self._creates.match_file(os.fsdecode(path))
