"""How workers' and resolvers' conversations begin.

A second run makes the same conversation, whose turns are on record under its scope and attempt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import activity

from activities.contracts.conversation import Role, task_scope
from activities.contracts.plan import Plan
from activities.contracts.spec import MigrationSpec
from activities.contracts.survey import SurveyData
from activities.contracts.work_requests import OpenedTalk, OpenWorkerTalk
from activities.opening import opened

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.briefs import Briefs
    from activities.adapters.hubs import Hubs


class BriefingActivities:
    """Reads what an agent has to know; has no key and changes nothing."""

    def __init__(self, blobs: BlobStore, hubs: Hubs, briefs: Briefs) -> None:
        self._blobs = blobs
        self._hubs = hubs
        self._briefs = briefs

    @activity.defn
    def open_worker_talk(self, request: OpenWorkerTalk) -> OpenedTalk:
        """One attempt at a task, about to begin."""
        spec = self._blobs.get_model(request.spec, MigrationSpec)
        plan = self._blobs.get_model(request.plan, Plan)
        phase = spec.phase(request.phase)
        rung = phase.way(request.rung, request.conflict).claude
        assert rung
        planned = next(task for task in plan.tasks if task.id == request.task)
        task = planned.model_copy(update={"grants": request.granted_files or planned.grants})
        survey = self._blobs.get_model(request.survey, SurveyData) if request.survey else None
        conflict = request.conflict.commits if request.conflict else ()
        hub = self._hubs.of(request.repository.id, request.base, *conflict)
        role = Role.RESOLVER if request.conflict else Role.WORKER
        brief = self._briefs.worker(
            hub,
            role,
            spec,
            phase,
            rung,
            task,
            request.base,
            survey.sites if survey else (),
            request.evidence,
            self._briefs.facts(hub, plan, task, request.base, request.conflict),
            request.notes,
            plan.notes,
        )
        talk = opened(
            *(self._blobs, request, spec, role, task_scope(task.id), request.base, brief),
            survey=request.survey,
            rung=rung,
            task=task,
        )
        model = spec.models.of(role, rung.model)
        return OpenedTalk(talk=talk, model=model)
