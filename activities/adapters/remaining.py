"""What an attempt left of its task's sites, whatever finds them.

A scan and a command are asked again of the attempt's commit; a check's red results are those that
the task's own checks measure. A codemod is not asked twice: few leave their own output alone, so
what it changed is done and the rest is not. Where nobody can tell, the sites are there still.
"""

import asyncio
from collections.abc import Collection, Sequence

from activities.adapters.checking import Checker
from activities.adapters.scanning import FinderFailed
from activities.adapters.scene import Scene
from activities.adapters.surveying import Surveyor, counted
from activities.contracts.expectations import red_results
from activities.contracts.site_forms import Finder
from activities.contracts.survey import Site


class Remaining:
    """Counts what is left in the files of one task."""

    def __init__(self, surveyor: Surveyor, checker: Checker) -> None:
        self._surveyor = surveyor
        self._checker = checker

    async def of(
        self, scene: Scene, claims: Sequence[str], sites: Sequence[Site], changed: Collection[str]
    ) -> dict[str, int]:
        """path → sites left at the scene's commit; 0 is left out.

        `sites`: what the survey found that the task was planned by; `changed`: what the attempt
        changed. A second run finds what the first one recorded.
        """
        found = await asyncio.to_thread(self._surveyor.scanned, scene, claims)
        for finder in scene.phase.sites.find:
            before = [site for site in sites if site.finder == finder.kind]
            found += await self._by(scene, finder, claims, before, changed)
        return counted(scene, [site for site in found if site.path in claims])

    async def _by(
        self,
        scene: Scene,
        finder: Finder,
        claims: Sequence[str],
        before: list[Site],
        changed: Collection[str],
    ) -> list[Site]:
        """What one finder that no scan stands for sees."""
        if finder.codemod:
            return [site for site in before if site.path not in changed]
        if finder.failing is not None:
            return await self._by_results(scene, finder.failing, claims, before)
        if finder.command is None:
            return []
        try:
            return await self._surveyor.commanded(scene, finder)
        except FinderFailed:
            return before

    async def _by_results(
        self, scene: Scene, name: str, claims: Sequence[str], before: list[Site]
    ) -> list[Site]:
        results = await self._checker.results(
            scene.hub, scene.spec, name, scene.commit, claims, whole=False
        )
        if results is None or not (results.parsed or results.files):
            return before
        return [
            Site(path=path, finder="failing", what=result)
            for result in red_results(scene.spec.checks[name], results)
            for path in results.files.get(result, ())
        ]
