"""A model's opinion on a cycle: fresh eyes on the objective, what was counted, and the diff.

It comes beside the countable verdict and replaces nothing of it; whatever keeps a judge from an
opinion is told in its place.
"""

from typing import NamedTuple

from temporalio import workflow

from activities.contracts.agent import Allowance
from activities.contracts.base import BlobRef, CommitId
from activities.contracts.conversation import judge_scope
from activities.contracts.migration import MigrationInput
from activities.contracts.money import Spend, Usd
from activities.contracts.opinion import OpenJudgeTalk, Opinion, TakeOpinion
from activities.contracts.survey import Survey
from activities.contracts.work_requests import OpenedTalk
from activities.opinions import OpinionActivities
from workflows.options import GIT, JUDGE_TURNS
from workflows.planners import NO_MODEL
from workflows.talks import Talks


class Said(NamedTuple):
    """An opinion and what it cost."""

    opinion: Opinion
    spend: Spend = Spend()


class Judges:
    """The judge of one cycle; lives inside its migration's run."""

    def __init__(self, migration: MigrationInput, talks: Talks) -> None:
        self._in = migration
        self._talks = talks

    async def judge(
        self,
        survey: Survey,
        cycle: int,
        before: CommitId,
        sites_before: int,
        handoffs: tuple[BlobRef, ...],
        grant: Usd | None,
    ) -> Said:
        """What it says of the tip that was surveyed; `before`: where the cycle began."""
        none = Opinion(phase=survey.phase, cycle=cycle)
        if not await self._talks.is_there_a_model():
            return Said(none.model_copy(update={"summary": NO_MODEL}))
        opened = await self._open(survey, cycle, before, sites_before, handoffs)
        talked = await self._talks.hold(
            judge_scope(cycle),
            opened.talk,
            Allowance(turns=JUDGE_TURNS, grant=grant),
            f"judge cycle {cycle} of {survey.phase}",
        )
        if talked.form is None:
            said = none.model_copy(update={"summary": f"the judge {talked.why}"})
            return Said(said, talked.spend)
        opinion = await workflow.execute_activity_method(
            OpinionActivities.take_opinion,
            TakeOpinion(talk=opened.talk, form=talked.form, cycle=cycle),
            summary="what the judge said",
            **GIT,
        )
        return Said(opinion, talked.spend)

    async def _open(
        self,
        survey: Survey,
        cycle: int,
        before: CommitId,
        sites_before: int,
        handoffs: tuple[BlobRef, ...],
    ) -> OpenedTalk:
        return await workflow.execute_activity_method(
            OpinionActivities.open_judge_talk,
            OpenJudgeTalk(
                name=self._in.name,
                repository=self._in.repository,
                spec=self._in.spec,
                phase=survey.phase,
                cycle=cycle,
                attempt=self._talks.attempt,
                before=before,
                survey=survey,
                sites_before=sites_before,
                handoffs=handoffs,
            ),
            summary="what the judge has to know",
            **GIT,
        )
