"""Host folders that a spec shows its commands: read-only, and only where the worker allows it.

A spec is written by users and the folders are the host's: without the worker's word nothing is
shown, whatever the link that leads there.
"""

from collections.abc import Sequence
from pathlib import Path

from activities.adapters.jobs import Mount
from activities.adapters.prepare_failed import PrepareFailed


def host_mounts(
    environment: str, named: Sequence[str], allowed: Sequence[Path]
) -> tuple[Mount, ...]:
    """The mounts of what a spec names, or PrepareFailed."""
    mounts: list[Mount] = []
    for name in named:
        real = Path(name).resolve()
        if not any(real.is_relative_to(folder) for folder in allowed):
            known = ", ".join(map(str, allowed)) or "nothing"
            why = f"{name} may not be shown; WHIMBREL_MOUNTS of this worker allows {known}"
            raise PrepareFailed(environment, "mounts", why)
        if not real.is_dir():
            raise PrepareFailed(environment, "mounts", f"{name} is no folder of this host")
        mounts.append(Mount(real, name.rstrip("/")))
    return tuple(mounts)
