"""Pins the base and makes the plan.

A second run gives the same answer: the base is pinned once, and a plan is a function of its survey.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from temporalio import activity

from activities.contracts.base import BlobRef
from activities.contracts.plan import Plan, PlanSummary
from activities.contracts.repository import Base
from activities.contracts.requests import Handoffs, MakePlan, TakeBase
from activities.contracts.scopes import FieldNotes
from activities.contracts.spec import MigrationSpec
from activities.contracts.survey import SurveyData
from activities.contracts.work import Handoff
from activities.errors import PLAN_REFUSED, permanent
from activities.fixing import forged, with_fixes
from activities.following_up import with_follow_ups
from activities.given_plan import counted, moved, named_for, unplanned
from activities.outlay import at_most
from activities.piloting import choose_pilot
from activities.plan_rows import oversized
from activities.plan_rules import validate_plan
from activities.static_plan import forecast, static_plan

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.hubs import Hubs

MAX_ERRORS_SHOWN = 20


class PlanningActivities:
    """What a planner may do: read and compute, nothing else."""

    def __init__(self, blobs: BlobStore, hubs: Hubs) -> None:
        self._blobs = blobs
        self._hubs = hubs

    @activity.defn
    def take_base(self, request: TakeBase) -> Base:
        """Reads upstream's branch into the hub and pins its head once; later calls repeat it."""
        hub = self._hubs.begin(request.repository.id)
        return hub.fetch_base(request.repository.url, request.repository.base, request.name)

    @activity.defn
    def make_plan(self, request: MakePlan) -> PlanSummary:
        """Splits what the survey found into tasks, or validates the plan that was given.

        Raises PlanRefused with every fault of the plan.
        """
        spec = self._blobs.get_model(request.spec, MigrationSpec)
        survey = self._blobs.get_model(request.survey.data, SurveyData)
        hub = self._hubs.of(request.repository.id)
        paths = frozenset(hub.paths(request.survey.commit))
        excluded = out_of_reach(read_handoffs(self._blobs, request.handoffs))
        plan = self._given(request, survey, paths) or static_plan(
            spec, request.spec_digest, survey, request.cycle, excluded, paths
        )
        whole = request.given is None or request.given.bound
        later = set[str]() if whole else unplanned(plan, survey) - excluded
        if request.pilot and not plan.pilot:
            chosen = choose_pilot(plan.tasks, request.pilot)
            plan = plan.model_copy(update={"pilot": chosen})
        if request.notes and not plan.notes:
            notes = self._blobs.get_model(request.notes, FieldNotes).text
            plan = plan.model_copy(update={"notes": notes})
        left_out = excluded | later
        faults = validate_plan(plan, spec, survey, paths, request.spec_digest, left_out)
        faults += forged(plan)
        landed = {
            red.id: [e.path for e in hub.diff(red.after or red.good, red.broke or red.bad)]
            for red in request.reds
        }
        plan = with_follow_ups(with_fixes(plan, spec, paths, request.reds, landed), survey)
        faults += oversized(plan)
        if faults:
            raise permanent(PLAN_REFUSED, "; ".join(faults[:MAX_ERRORS_SHOWN]))
        return PlanSummary(
            plan=self._blobs.put_model(request.name, plan),
            phase=plan.phase,
            cycle=plan.cycle,
            base=plan.base,
            forecast=forecast(
                plan,
                spec.limits.concurrency,
                notes=(
                    request.note,
                    survey.unsearched.told,
                    at_most(spec, spec.phase(plan.phase)),
                ),
            ),
            pilot=plan.pilot,
            caps=plan.caps,
            fixes=tuple(task.id for task in plan.tasks if task.mends),
            said=request.note,
            unplanned=len(later),
        )

    def _given(self, request: MakePlan, survey: SurveyData, tree: Collection[str]) -> Plan | None:
        """The plan that was given, as it runs now; None where there is none, or where nothing is
        left to do of one whose tree has gone on."""
        if request.given is None:
            return None
        plan = self._blobs.get_model(request.given.plan, Plan)
        if not request.given.bound:
            plan = moved(plan, survey, tree)
            if not plan.tasks:
                return None
        return counted(named_for(plan, request.cycle), survey)


def read_handoffs(blobs: BlobStore, refs: Iterable[BlobRef]) -> list[Handoff]:
    """Every handoff of the cycles so far, oldest first."""
    return [handoff for ref in refs for handoff in blobs.get_model(ref, Handoffs).handoffs]


def out_of_reach(handoffs: Iterable[Handoff]) -> set[str]:
    """Paths that nobody but a person takes on again; what was to mend a red says nothing of those
    that it claimed."""
    return {
        path
        for handoff in handoffs
        if not handoff.mends
        for path in (*handoff.left, *(entry.path for entry in handoff.put_back))
    }
