"""What a look of the doctor found."""

from dataclasses import dataclass

GIT_AT_LEAST = (2, 38)
"""The first with `merge-tree --write-tree`."""
ROOM = 5 << 30
"""Free bytes below which a migration of any size is in danger."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    seen: str
    fix: str = ""
