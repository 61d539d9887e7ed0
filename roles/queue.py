"""What a process polls for a role: a queue, its activities, and how many of them at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

GRACE = timedelta(seconds=30)
"""What running activities get when the process is told to end."""


@dataclass(frozen=True)
class Queue:
    """One Worker of the process; `more`: what only this one is given."""

    name: str
    activities: Sequence[Callable[..., Any]]
    slots: int
    grace: timedelta = GRACE
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])


def activities_of(*objects: object) -> list[Callable[..., Any]]:
    """The activity methods of each object, by name."""
    methods = [
        getattr(of, name) for of in objects for name in sorted(dir(of)) if not name.startswith("_")
    ]
    return [method for method in methods if hasattr(method, "__temporal_activity_definition")]
