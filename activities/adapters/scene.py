"""Where sites are looked for: one phase of a spec at one commit, and what is in scope there."""

import os
from dataclasses import dataclass
from functools import cached_property

from activities.adapters.finders import in_scope
from activities.adapters.hub import Hub
from activities.adapters.objects import TreeFile
from activities.adapters.path_names import name_of
from activities.adapters.tree_source import TreeSource
from activities.contracts.site_forms import SCANNED
from activities.contracts.spec import MigrationSpec, Phase
from activities.contracts.survey import MAX_SEARCHED, Unsearched

REGULAR = ("100644", "100755")


@dataclass(frozen=True)
class Scene:
    """Where to look: one phase of a spec at one commit of a repository."""

    hub: Hub
    spec: MigrationSpec
    phase: Phase
    commit: str

    @cached_property
    def files(self) -> dict[str, TreeFile]:
        """Regular files whose names can travel as text; others are never sites."""
        tracked = self.hub.files(self.commit)
        return {f.path: f for f in tracked if f.mode in REGULAR and _nameable(f.path)}

    @cached_property
    def nameless(self) -> list[TreeFile]:
        """Regular files in scope whose names cannot travel: no task can claim them."""
        tracked = self.hub.files(self.commit)
        odd = {f.path: f for f in tracked if f.mode in REGULAR and not _nameable(f.path)}
        return [odd[path] for path in in_scope(odd, self.phase.sites)]

    @property
    def source(self) -> TreeSource:
        return TreeSource(self.hub, self.commit)

    @cached_property
    def scope(self) -> list[str]:
        return in_scope(self.files, self.phase.sites)

    def look(self) -> None:
        """Reads the whole tree, seconds for a large one, so that nobody else has to wait for it."""
        _ = self.scope

    @property
    def unsearched(self) -> Unsearched:
        """Files in scope that no scan looks into; where nothing is scanned it is no matter."""
        if not any(finder.kind in SCANNED for finder in self.phase.sites.find):
            return Unsearched()
        large = [path for path in self.scope if self.files[path].size > MAX_SEARCHED]
        odd = [spelled(file) for file in self.nameless if file.size > MAX_SEARCHED]
        return Unsearched.of([*large, *odd])


def spelled(file: TreeFile) -> str:
    """A file that no task can claim, for people."""
    return f"{name_of(os.fsencode(file.path))}: its name is not UTF-8"


def _nameable(path: str) -> bool:
    """Names that are not UTF-8 cannot travel in messages; such files are never claimed."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
