"""Opinions on a cycle: what a judge's conversation begins with, and what its last word comes to.

Reads alone; the same form and survey give the same opinion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import activity

from activities.contracts.conversation import Conversation, Role, judge_scope
from activities.contracts.opinion import OpenJudgeTalk, Opinion, TakeOpinion
from activities.contracts.spec import MigrationSpec
from activities.contracts.survey import SurveyData
from activities.contracts.verdict_form import SeenForm, VerdictForm
from activities.contracts.work_requests import OpenedTalk
from activities.opening import opened
from activities.planning import read_handoffs

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.briefs import Briefs
    from activities.adapters.hubs import Hubs

MAX_REASON = 300


class OpinionActivities:
    """What happens before and after a judge's conversation."""

    def __init__(self, blobs: BlobStore, hubs: Hubs, briefs: Briefs) -> None:
        self._blobs = blobs
        self._hubs = hubs
        self._briefs = briefs

    @activity.defn
    def open_judge_talk(self, request: OpenJudgeTalk) -> OpenedTalk:
        """One judge about to begin: it sees the objective, what was counted and the diff."""
        spec = self._blobs.get_model(request.spec, MigrationSpec)
        survey = self._blobs.get_model(request.survey.data, SurveyData)
        hub = self._hubs.of(request.repository.id, request.before, survey.commit)
        handoffs = read_handoffs(self._blobs, request.handoffs)
        brief = self._briefs.judge(
            hub, spec, request.cycle, request.before, survey, request.sites_before, handoffs
        )
        scope = judge_scope(request.cycle)
        talk = opened(
            *(self._blobs, request, spec, Role.JUDGE, scope, survey.commit, brief),
            survey=request.survey.data,
        )
        return OpenedTalk(talk=talk)

    @activity.defn
    def take_opinion(self, request: TakeOpinion) -> Opinion:
        """A judge's last word; what it reported is held against what the finders see."""
        talk = self._blobs.get_model(request.talk, Conversation)
        form = self._blobs.get_model(request.form, VerdictForm)
        assert talk.survey
        survey = self._blobs.get_model(talk.survey, SurveyData)
        seen = {(site.path, line) for site in survey.sites for line in (site.line, None)}
        return Opinion(
            phase=talk.phase,
            cycle=request.cycle,
            verdict=form.verdict,
            summary=form.summary,
            reasons=tuple(
                f"{reason.path}: {reason.what}"[:MAX_REASON] if reason.path else reason.what
                for reason in form.reasons
            ),
            confirmed=tuple(_told(s) for s in form.sites if (s.path, s.line) in seen),
            unconfirmed=tuple(_told(s) for s in form.sites if (s.path, s.line) not in seen),
        )


def _told(site: SeenForm) -> str:
    line = f":{site.line}" if site.line else ""
    return f"{site.path}{line}: {site.why}"[:MAX_REASON]
