"""Planners that are models: what their conversations begin with, and what their forms come to.

Reads and computes alone: what a form comes to is a function of it and of the survey, so a second
run gives the same. A form is held against the rules while its planner can still mend it
(`unfit`), and carried out afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel
from temporalio import activity

from activities.contracts.base import BlobRef
from activities.contracts.conversation import Conversation, Role, plan_scope
from activities.contracts.plan import Plan
from activities.contracts.plan_form import PlanForm
from activities.contracts.scopes import (
    ROOT,
    DrawnPlan,
    DrawPlan,
    FieldNotes,
    JoinedPlan,
    JoinPlan,
    OpenedPlannerTalk,
    OpenPlannerTalk,
    PlanPart,
    PlanScope,
    ScopeFiles,
)
from activities.contracts.spec import MigrationSpec
from activities.contracts.survey import SurveyData
from activities.drawing import Drawn, DrawnArea, draw, draw_static, joined
from activities.ground import Ground
from activities.opening import opened
from activities.plan_rules import files_with_sites
from activities.planning import MAX_ERRORS_SHOWN, out_of_reach, read_handoffs

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.briefs import Briefs
    from activities.adapters.hub import Hub
    from activities.adapters.hubs import Hubs


class PlannerActivities:
    """What happens before and after a planner's conversation."""

    def __init__(self, blobs: BlobStore, hubs: Hubs, briefs: Briefs) -> None:
        self._blobs = blobs
        self._hubs = hubs
        self._briefs = briefs

    @activity.defn
    def open_planner_talk(self, request: OpenPlannerTalk) -> OpenedPlannerTalk:
        """One planner about to begin: the root, or an area's."""
        spec = self._blobs.get_model(request.spec, MigrationSpec)
        survey = self._blobs.get_model(request.survey.data, SurveyData)
        hub = self._hubs.of(request.repository.id, survey.commit)
        handoffs = read_handoffs(self._blobs, request.handoffs)
        scope = request.scope or self._root(request, survey, out_of_reach(handoffs))
        ground = self._ground(hub, spec, survey, scope)
        notes = self._blobs.get_model(request.notes, FieldNotes).text if request.notes else ""
        role = Role.SUB_PLANNER if scope.depth else Role.PLANNER
        proposal = ground.split(ground.files)
        brief = self._briefs.planner(
            hub, role, spec, scope, survey, ground.files, proposal, handoffs, notes, request.reds
        )
        about = plan_scope(scope.cycle, scope.path)
        ref = opened(
            *(self._blobs, request, spec, role, about, survey.commit, brief),
            survey=request.survey.data,
            plans=scope,
        )
        return OpenedPlannerTalk(talk=ref, scope=scope, files=len(ground.files))

    @activity.defn
    def draw_plan(self, request: DrawPlan) -> DrawnPlan:
        """What a planner's form comes to; as the split has it where there is none."""
        talk = self._blobs.get_model(request.talk, Conversation)
        ground = self._ground_of(talk)
        drawn, summary = draw_static(ground), ""
        if request.form:
            form = self._blobs.get_model(request.form, PlanForm)
            own = draw(form, ground)
            if not own.faults:
                drawn, summary = own, form.summary
        return DrawnPlan(
            part=self._blobs.put_model(talk.migration, drawn.part),
            areas=self._areas(talk, drawn),
            summary=summary,
        )

    @activity.defn
    def join_plan(self, request: JoinPlan) -> JoinedPlan:
        """A planner's tasks with those of its areas; the root's are the cycle's plan."""
        talk = self._blobs.get_model(request.talk, Conversation)
        scope = _scope_of(talk)
        part = joined(
            self._blobs.get_model(request.part, PlanPart),
            [self._blobs.get_model(area, PlanPart) for area in request.areas],
        )
        plan = notes = None
        if scope.path == ROOT:
            plan = Plan(
                migration=talk.migration,
                spec_digest=request.spec_digest,
                base=talk.commit,
                phase=talk.phase,
                cycle=scope.cycle,
                tasks=part.tasks,
                pilot=part.pilot,
                caps=part.caps,
            )
            if part.notes:
                notes = FieldNotes(text=part.notes, cycle=scope.cycle, commit=talk.commit)
        return JoinedPlan(
            part=self._blobs.put_model(talk.migration, part),
            plan=plan and self._blobs.put_model(talk.migration, plan),
            notes=notes and self._blobs.put_model(talk.migration, notes),
        )

    def unfit(self, talk: Conversation, form: BaseModel) -> list[str]:
        """All that is wrong with a plan, for the model to mend; empty: nothing."""
        if not isinstance(form, PlanForm):
            return []
        return _told(draw(form, self._ground_of(talk)).faults)

    def _root(self, request: OpenPlannerTalk, survey: SurveyData, excluded: set[str]) -> PlanScope:
        paths = tuple(sorted(files_with_sites(survey) - excluded))
        return PlanScope(cycle=request.cycle, files=self._files(request.name, paths))

    def _areas(self, talk: Conversation, drawn: Drawn) -> tuple[PlanScope, ...]:
        above = _scope_of(talk)

        def scope(area: DrawnArea) -> PlanScope:
            return PlanScope(
                cycle=above.cycle,
                path=area.path,
                area=area.area,
                files=self._files(talk.migration, area.files),
                decisions=area.decisions,
                depth=above.depth + 1,
                usd=area.usd,
            )

        return tuple(map(scope, drawn.areas))

    def _files(self, migration: str, paths: tuple[str, ...]) -> BlobRef:
        return self._blobs.put_model(migration, ScopeFiles(paths=paths))

    def _ground_of(self, talk: Conversation) -> Ground:
        assert talk.survey
        spec = self._blobs.get_model(talk.spec, MigrationSpec)
        survey = self._blobs.get_model(talk.survey, SurveyData)
        hub = self._hubs.of(talk.repository, talk.commit)
        return self._ground(hub, spec, survey, _scope_of(talk))

    def _ground(
        self, hub: Hub, spec: MigrationSpec, survey: SurveyData, scope: PlanScope
    ) -> Ground:
        files = frozenset(self._blobs.get_model(scope.files, ScopeFiles).paths)
        return Ground(spec, survey, frozenset(hub.paths(survey.commit)), scope, files)


def _scope_of(talk: Conversation) -> PlanScope:
    assert talk.plans
    return talk.plans


def _told(faults: tuple[str, ...]) -> list[str]:
    """As many as help; a plan that forgot files is told how to have them divided."""
    told = list(faults[:MAX_ERRORS_SHOWN])
    if more := len(faults) - len(told):
        told.append(f"and {more} more")
    if any("no task claims it" in fault for fault in faults):
        told.append("with take_static the files that you leave out are divided by the split")
    return told
