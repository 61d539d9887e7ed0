"""Where the hubs of all repositories are."""

from pathlib import Path

from activities.adapters.hub import Hub


class Hubs:
    """Opens hubs under one folder; a hub is created when it is first asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def of(self, repository_id: str) -> Hub:
        return Hub.open(self._root, repository_id)
