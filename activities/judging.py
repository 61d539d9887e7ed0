"""Judges a cycle by what can be counted on the green tip."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from temporalio import activity

from activities.contracts.migration import Verdict
from activities.contracts.pilot import Pilot
from activities.contracts.plan import Plan
from activities.contracts.requests import JudgeCycle, JudgePilot
from activities.contracts.survey import SurveyData
from activities.contracts.work import Handoff
from activities.piloting import learn
from activities.planning import out_of_reach, read_handoffs

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore

MAX_FILES_NAMED = 100
Undone = Callable[[Iterable[Handoff]], Iterable[tuple[str, tuple[str, ...], str]]]
"""Tells what of some tasks is not done: task, paths, why."""


class JudgingActivities:
    """Counts; an opinion can come later, it never turns a failed gate into a pass."""

    def __init__(self, blobs: BlobStore, undone: Undone) -> None:
        self._blobs = blobs
        self._undone = undone

    @activity.defn
    def judge_cycle(self, request: JudgeCycle) -> Verdict:
        """Which sites another cycle may take on, and which need a person. A read: repeatable."""
        survey = self._blobs.get_model(request.survey.data, SurveyData)
        handoffs = read_handoffs(self._blobs, request.handoffs)
        person = out_of_reach(handoffs)
        leftover = [site.path for site in survey.sites if site.path in person]
        granted = {grant.path for handoff in handoffs for grant in handoff.granted} & person
        beside = granted.difference(leftover)
        return Verdict(
            open_sites=len(survey.sites) - len(leftover),
            leftover_sites=len(leftover),
            leftover_files=tuple(sorted({*leftover, *beside})[:MAX_FILES_NAMED]),
            left_beside=len(beside),
            unplaced=len(survey.unplaced),
            follow_ups=len(survey.follow_ups),
        )

    @activity.defn
    def judge_pilot(self, request: JudgePilot) -> Pilot:
        """What the pilot taught, with a forecast of the rest. A read: repeatable."""
        return learn(
            self._blobs.get_model(request.plan, Plan),
            self._blobs.get_model(request.survey, SurveyData),
            read_handoffs(self._blobs, (request.handoffs,)),
            request.window,
            self._undone,
        )
