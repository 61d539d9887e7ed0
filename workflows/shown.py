"""What people see of a migration while it runs: its stage, its progress, its page in the Web UI.

Everything shown is read from the state; showing decides nothing.
"""

from collections import Counter

from temporalio import workflow

from activities.contracts.base import BlobRef
from activities.contracts.children import TaskCounts
from activities.contracts.contention import SHOWN, hottest
from activities.contracts.migration import (
    MigrationInput,
    MigrationResult,
    MigrationState,
    Progress,
    Stage,
)
from activities.contracts.news import DEEP_NEWS, QUEUE_NEWS, DeepNews, QueueNews
from activities.contracts.requests import MigrationOrder
from activities.contracts.survey import Survey
from workflows import account, area_caps, budget, deep_reds, details
from workflows.commanded import Commanded
from workflows.options import COST_USD, NEEDS_HUMAN, SITES_LEFT, STAGE, TASKS_LEFT

TENANT = "the cap of its tenant"
NO_PERSON = (account.PROVIDER, TENANT)
"""Who pauses and is no person: one has to hear of it."""
WAIT_FOR_SOMEBODY = (Stage.APPROVAL, Stage.STOPPED, Stage.FAILED)


class Shown(Commanded):
    """A migration's state with what tells it from others; the workflow class adds the story."""

    def __init__(self, migration: MigrationInput) -> None:
        self._in = migration
        self.name = migration.name
        self.state = migration.state or MigrationState(
            epoch=workflow.info().first_execution_run_id,
            started_at=workflow.now().isoformat(timespec="seconds"),
        )
        self._order: MigrationOrder | None = None
        self._report_blob: BlobRef | None = None
        self._reason = ""
        self._need_shown = self._needs_person

    @workflow.query
    def progress(self) -> Progress:
        return details.progress(self._in, self.state, self._order, self._phase, self._report_blob)

    @workflow.signal(name=QUEUE_NEWS)
    def queue_news(self, news: QueueNews) -> None:
        """What its merge queue saw meanwhile."""
        self.set(flaky=dict(Counter(self.state.flaky) + Counter(news.flaky)))
        self.show()

    @workflow.signal(name=DEEP_NEWS)
    def deep_news(self, news: DeepNews) -> None:
        """What the deep checks saw; those of an earlier life say nothing any more."""
        if news.epoch == self.state.epoch:
            self.set(deep=deep_reds.with_fixes(news, self.state.mended))
            self.changed()

    @property
    def _is_asked(self) -> bool:
        """Whether the last judge wants a person to look."""
        return bool(self.state.opinions) and self.state.opinions[-1].asks

    @property
    def _needs_person(self) -> bool:
        """Whether something of it goes on only when a person has seen to it."""
        state = self.state
        no_money = self._order and budget.reached(state, self._order)
        broke = not state.cancelled and (no_money or area_caps.broke(state.counts))
        return (
            state.stage in WAIT_FOR_SOMEBODY
            or self._is_asked
            or state.followed.needs_person
            or (state.paused and any(hold.actor in NO_PERSON for hold in state.holds))
            or (state.push is not None and state.push.needs_person)
            or bool(broke)
        )

    async def _tell_need(self) -> None:
        """Search attributes say so at once, whatever the story is at."""
        while True:
            await workflow.wait_condition(lambda: self._needs_person != self._need_shown)
            self._enter(self.state.stage)

    @property
    def _phase(self) -> str:
        return self._order.phases[self.state.phase] if self._order else ""

    def _result(self) -> MigrationResult:
        return details.result(self.state, self._order, self._report_blob, self._reason)

    def _surveyed(self, survey: Survey) -> None:
        unsearched = {**self.state.unsearched, survey.phase: survey.unsearched}
        self.set(survey=survey, sites_left=survey.sites, unsearched=unsearched)

    def _count_anew(self) -> None:
        """An area that is not open yet starts a cycle: what counts say is of the one before."""
        if not self.state.area_open:
            landed = self.state.landed_before + self.state.counts.landed
            spend = self.state.spend + self.state.counts.spend
            hot = hottest((*self.state.hot, *self.state.counts.hot), SHOWN)
            files = self.state.files_before + self.state.counts.files
            before = {"landed_before": landed, "files_before": files}
            self.set(**before, spend=spend, hot=hot, counts=TaskCounts())

    def _enter(self, stage: Stage) -> None:
        """A new stage, shown to people: search attributes and current details."""
        self.set(stage=stage)
        counts = self.state.counts
        self._need_shown = self._needs_person
        workflow.upsert_search_attributes(
            [
                STAGE.value_set(stage.value),
                SITES_LEFT.value_set(self.state.sites_left),
                TASKS_LEFT.value_set(counts.waiting + counts.running),
                COST_USD.value_set(float((self.state.spend + counts.spend).total)),
                NEEDS_HUMAN.value_set(self._need_shown),
            ]
        )
        self.show()

    def show(self) -> None:
        workflow.set_current_details(details.markdown(self.progress()))
