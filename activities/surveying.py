"""Counts what is left: facts first, from git objects.

What was found is kept by blob and by tree, so a second run reads what the first one kept.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from temporalio import activity

from activities.contracts.requests import CountLeft, TakeSurvey
from activities.contracts.spec import MigrationSpec
from activities.contracts.survey import Survey, SurveyData
from activities.contracts.work import SitesLeft
from activities.following_up import follow_ups
from activities.planning import out_of_reach, read_handoffs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from activities.adapters.blobs import BlobStore
    from activities.adapters.hub import Hub
    from activities.adapters.hubs import Hubs
    from activities.adapters.remaining import Remaining
    from activities.adapters.surveying import Surveyor


class SurveyActivities:
    """Runs where tools may run: a finder can be a command."""

    def __init__(
        self,
        blobs: BlobStore,
        hubs: Hubs,
        surveyor: Surveyor,
        remaining: Remaining,
        facts: Callable[[Hub, str, str, Mapping[str, str]], Mapping[str, str]],
    ) -> None:
        """`facts` tells of files of which the base's was taken: hub, tip, base, path → commit."""
        self._blobs = blobs
        self._hubs = hubs
        self._surveyor = surveyor
        self._remaining = remaining
        self._facts = facts

    @activity.defn
    async def take_survey(self, request: TakeSurvey) -> Survey:
        """The sites of a phase at a commit."""
        spec = await asyncio.to_thread(self._blobs.get_model, request.spec, MigrationSpec)
        hub = await asyncio.to_thread(self._hubs.of, request.repository.id, request.commit)
        handoffs = await asyncio.to_thread(read_handoffs, self._blobs, request.handoffs)
        landed = {path: h.landed for h in handoffs if h.landed and not h.mends for path in h.files}
        scene = self._surveyor.scene(hub, spec, spec.phase(request.phase), request.commit)
        outdated = await asyncio.to_thread(
            hub.outdated, request.commit, request.base or request.commit, landed
        )
        data = await self._surveyor.survey(scene, landed, outdated)
        data = await asyncio.to_thread(self._with_facts, hub, request, data, landed)
        scope = frozenset(scene.scope) - out_of_reach(handoffs)
        followed = await asyncio.to_thread(follow_ups, handoffs, spec, data, scope)
        data = data.model_copy(update={"follow_ups": followed})
        return Survey(
            commit=request.commit,
            phase=request.phase,
            data=await asyncio.to_thread(self._blobs.put_model, request.name, data),
            files=len(data.files),
            sites=len(data.sites),
            tracked_files=data.tracked_files,
            unplaced=len(data.unplaced),
            unsearched=data.unsearched,
            follow_ups=len(data.follow_ups),
            from_base=await asyncio.to_thread(self._from_base, hub, request, data, set(landed)),
        )

    def _with_facts(
        self, hub: Hub, request: TakeSurvey, data: SurveyData, landed: Mapping[str, str]
    ) -> SurveyData:
        """What tasks are told of files that are to be migrated anew."""
        bearing = {file.path: landed[file.path] for file in data.files if file.path in landed}
        if request.base is None or not bearing:
            return data
        facts = self._facts(hub, request.commit, request.base, bearing)
        return data.model_copy(update={"anew": dict(facts)})

    def _from_base(
        self, hub: Hub, request: TakeSurvey, now: SurveyData, landed: Collection[str]
    ) -> int:
        """How many sites came with the base since the survey before: in files that it changed,
        those that were not there, or had been done."""
        if request.before is None:
            return 0
        before = self._blobs.get_model(request.before, SurveyData)
        brought = hub.brought_since(request.commit, before.commit)
        had = Counter(site.path for site in before.sites if site.path not in landed)
        has = Counter(site.path for site in now.sites if site.path in brought)
        return sum((has - had).values())

    @activity.defn
    async def count_left(self, request: CountLeft) -> SitesLeft:
        """The sites that an attempt left in its task's files, where a scan cannot tell."""
        spec = await asyncio.to_thread(self._blobs.get_model, request.spec, MigrationSpec)
        hub = await asyncio.to_thread(self._hubs.of, request.repository.id, request.commit)
        scene = self._surveyor.scene(hub, spec, spec.phase(request.phase), request.commit)
        survey = None
        if request.survey:
            survey = await asyncio.to_thread(self._blobs.get_model, request.survey, SurveyData)
        sites = [s for s in (survey.sites if survey else ()) if s.path in request.claims]
        left = await self._remaining.of(scene, request.claims, sites, request.changed)
        return SitesLeft(files=tuple(sorted(left)), sites=sum(left.values()))
