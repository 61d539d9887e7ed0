"""Files that tasks contend for: how many waited for one, conflicted in it, were bounced for it."""

from collections.abc import Iterable

from activities.contracts.base import Contract

KEPT = 50
"""Files that an area counts: the hottest of them."""
SHOWN = 10
FROZEN_AT = 5
"""Conflicts and bounces from which on a file is its owner's alone."""


class HotFile(Contract):
    """What one file cost."""

    path: str
    waited: int = 0
    """The most tasks that waited for it at once."""
    conflicts: int = 0
    bounces: int = 0
    """Candidates that were red at their landing for it."""

    @property
    def heat(self) -> int:
        return self.waited + self.conflicts + self.bounces

    @property
    def is_frozen(self) -> bool:
        """Whether nobody is granted it any more: only who claims it changes it."""
        return self.conflicts + self.bounces >= FROZEN_AT

    @property
    def told(self) -> str:
        """`a.py: 3 waited at once, 2 conflicts, 1 bounce`."""
        waited = [f"{self.waited} waited at once"] if self.waited else []
        parts = ((self.conflicts, "conflict"), (self.bounces, "bounce"))
        counts = [f"{number} {noun}{'s' * (number != 1)}" for number, noun in parts if number]
        frozen = ["frozen to its owner"] if self.is_frozen else []
        return f"{self.path}: {', '.join([*waited, *counts, *frozen])}"


def hottest(files: Iterable[HotFile], most: int = KEPT) -> tuple[HotFile, ...]:
    """Each path once, the hottest first."""
    found: dict[str, HotFile] = {}
    for file in files:
        known = found.get(file.path, HotFile(path=file.path))
        found[file.path] = HotFile(
            path=file.path,
            waited=max(known.waited, file.waited),
            conflicts=known.conflicts + file.conflicts,
            bounces=known.bounces + file.bounces,
        )
    ranked = sorted(found.values(), key=lambda file: (-file.heat, file.path))
    return tuple(ranked[:most])
