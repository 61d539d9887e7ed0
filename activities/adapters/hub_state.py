"""What a hub host says of itself, to its own people and through its door.

A dataclass and the standard library: the door opens for every fetch, and imports no more than that.
"""

import json
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

HOOKS = Path(__file__).parent / "hub_hooks"
STATE = "whimbrel-hub-state"
"""What the door is asked for by ssh."""


@dataclass(frozen=True)
class HubState:
    """The folder of the hubs, as its host sees it."""

    git: str
    free: int
    """Bytes on its disk."""
    hook: bool
    """What refuses other hosts' refs may be run."""
    writable: bool
    hubs: tuple[str, ...]
    """Repository ids."""

    @property
    def encoded(self) -> str:
        return json.dumps(asdict(self))


def state_of(folder: Path) -> HubState:
    """Of hubs that are here."""
    said = subprocess.run(
        ["git", "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    there = folder
    while not there.exists():
        there = there.parent
    return HubState(
        git=said.stdout.strip().removeprefix("git version "),
        free=shutil.disk_usage(there).free,
        hook=os.access(HOOKS / "pre-receive", os.X_OK),
        writable=os.access(there, os.W_OK | os.X_OK),
        hubs=tuple(sorted(path.stem for path in folder.glob("*.git") if path.is_dir())),
    )


def decoded(said: str) -> HubState:
    """What another host's door has said; raises ValueError where it is something else."""
    try:
        fields = json.loads(said)
        return HubState(
            git=str(fields["git"]),
            free=int(fields["free"]),
            hook=bool(fields["hook"]),
            writable=bool(fields["writable"]),
            hubs=tuple(map(str, fields["hubs"])),
        )
    except (TypeError, KeyError) as strange:
        raise ValueError(f"it said {said[:200]!r}") from strange
