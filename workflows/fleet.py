"""FleetWorkflow: one objective on several repositories, a migration each.

Canaries first, then a window of the others, none any more after too many that ended badly
(convoy.py). What a person says to the fleet is passed on to every migration that runs. Its result
is its report.
"""

import asyncio
from functools import partial

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.contracts.commands import Command
from activities.contracts.fleet import (
    NOT_STARTED,
    ORDER,
    RUNNING,
    WAITING,
    FleetInput,
    FleetOrder,
    FleetProgress,
    FleetResult,
    FleetRow,
    FleetState,
    MigrationEnds,
)
from activities.contracts.messages import DescribeRuns
from activities.contracts.migration import MigrationInput, MigrationResult, Stage
from activities.messages import MessageActivities
from workflows import convoy, details, renewing
from workflows.draining import drained
from workflows.kept import Handle, Kept
from workflows.locally import locally
from workflows.migration import MigrationWorkflow
from workflows.options import (
    NEEDS_HUMAN,
    RECHECK_CHILDREN,
    SITES_LEFT,
    STAGE,
    is_long,
    migration_id,
    of_member,
)
from workflows.steered import Steered

MAX_REASON = 300
"""Characters that a fleet keeps of why a migration ended as it did."""


@workflow.defn
class FleetWorkflow(Steered[FleetState]):
    """The parent of a fleet's migrations."""

    kind = "fleet"

    @workflow.init
    def __init__(self, fleet: FleetInput) -> None:
        self._in = fleet
        self.name = fleet.name
        self.state = fleet.state or FleetState(
            rows=tuple(FleetRow(name=member.name) for member in fleet.members),
            started_at=workflow.now().isoformat(timespec="seconds"),
        )
        self._woken = False
        self._ends: dict[str, MigrationResult | None] = {}
        """Of migrations whose end was heard of and is not in the state yet."""
        self._starts: dict[str, asyncio.Task[None]] = {}
        self._kept = {
            member.name: Kept(
                member.name,
                migration_id(member.name),
                row.state == RUNNING,
                partial(self._start, member),
                partial(self._end, member.name),
            )
            for member, row in zip(fleet.members, self.state.rows, strict=True)
        }

    @workflow.run
    async def run(self, fleet: FleetInput) -> FleetResult:
        return await drained(self._story(), self.cancelled_through_temporal)

    async def _story(self) -> FleetResult:
        await self._look()
        while True:
            self._woken = False
            await self._take_ends()
            self._begin_ready()
            await self._pass_on()
            self._show()
            if self._is_over():
                return await self._finish()
            if is_long() and not self._starts:
                await self._continue()
            await self._news()

    def _begin_ready(self) -> None:
        """In the background: one whose earlier life still ends must not hold up the others."""
        if self.state.paused or self.state.cancelled:
            return
        told = self.state.decisions[-1].id if self.state.decisions else ""
        for row in convoy.ready(self.state.rows, self._in.fleet):
            self._set_row(row.name, state=RUNNING, told=told)
            self._starts[row.name] = asyncio.create_task(self._begin(row.name))

    async def _begin(self, name: str) -> None:
        try:
            await self._kept[name].keep()
        except FailureError as error:
            reason = details.cause(error)[:MAX_REASON]
            self._set_row(name, state=Stage.FAILED.value, reason=reason)
        del self._starts[name]
        self._woken = True

    async def _start(self, member: MigrationInput) -> Handle:
        return await workflow.start_child_workflow(
            MigrationWorkflow.run,
            member,
            id=migration_id(member.name),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            memo={"spec_digest": member.identity},
            static_summary=f"{member.repository.id} in the fleet {self._in.name}",
            search_attributes=of_member(member.name, member.repository.id),
        )

    def _end(self, name: str, result: MigrationResult | None) -> None:
        self._ends[name] = result
        self._woken = True

    async def _pass_on(self) -> None:
        """Every command once to every migration that was running when it came."""
        for row in self.state.rows:
            if row.state != RUNNING or not self._kept[row.name].is_open:
                continue
            ids = [decision.id for decision in self.state.decisions]
            first = ids.index(row.told) + 1 if row.told in ids else 0
            for said in self.state.decisions[first:]:
                command = Command(id=said.id, actor=said.actor, reason=said.reason)
                await self._kept[row.name].tell(ORDER, FleetOrder(verb=said.verb, command=command))
                self._set_row(row.name, told=said.id)

    async def _take_ends(self) -> None:
        """What ended, into the state; one that died or ended unseen is asked about."""
        unseen = [name for name, result in self._ends.items() if result is None]
        if unseen:
            await self._ask_about(unseen)
        for name, result in list(self._ends.items()):
            del self._ends[name]
            if result is not None:
                self._set_row(
                    name,
                    state=result.stage.value,
                    landed=result.landed,
                    leftovers=result.leftovers,
                    sites_left=result.sites_left,
                    branch=result.branch,
                    tip=result.tip,
                    reason=details.why(result)[:MAX_REASON],
                    report=result.report,
                )

    async def _ask_about(self, names: list[str]) -> None:
        found: MigrationEnds = await locally(
            MessageActivities.read_ends,
            DescribeRuns(ids=tuple(migration_id(name) for name in names)),
            summary="how did they end?",
        )
        for name, end in zip(names, found.ends, strict=True):
            self._ends[name] = end.result
            if end.is_open:
                self._kept[name].is_open = True
            elif end.result is None:
                reason = self._kept[name].died_of or f"its workflow is {end.reason}"
                self._set_row(name, state=Stage.FAILED.value, reason=reason[:MAX_REASON])

    def _is_over(self) -> bool:
        if any(row.state == RUNNING for row in self.state.rows):
            return False
        waits = any(row.state == WAITING for row in self.state.rows)
        more = waits and not convoy.why_no_more(self.state.rows, self._in.fleet)
        return bool(self.state.cancelled) or not more

    async def _news(self) -> None:
        """Waits until something may have changed."""
        earlier = any(kept.is_open and not kept.is_watched for kept in self._kept.values())
        try:
            await workflow.wait_condition(
                lambda: self._woken,
                timeout=RECHECK_CHILDREN if earlier and not self.state.paused else None,
                timeout_summary="migrations at work",
            )
        except TimeoutError:
            await self._look()

    async def _look(self) -> None:
        """Asks about those that an earlier run of the fleet started."""
        for kept in self._kept.values():
            if kept.is_open and not kept.is_watched:
                await kept.look()

    async def _finish(self) -> FleetResult:
        stage = convoy.outcome(self.state.rows, bool(self.state.cancelled))
        reason = self.state.cancelled
        if stage is Stage.STOPPED:
            reason = convoy.why_no_more(self.state.rows, self._in.fleet)
        for row in self.state.rows:
            if row.state == WAITING:
                self._set_row(row.name, state=NOT_STARTED)
        self.set(stage=stage)
        self._show()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return FleetResult(
            name=self._in.name,
            objective=self._in.objective,
            stage=stage,
            reason=reason,
            rows=self.state.rows,
            started_at=self.state.started_at,
            finished_at=workflow.now().isoformat(timespec="seconds"),
            decisions=self.state.decisions,
        )

    @workflow.query
    def progress(self) -> FleetProgress:
        paused = self.state.paused and self.state.stage is Stage.WORK
        return FleetProgress(
            name=self._in.name,
            objective=self._in.objective,
            stage=self.state.stage,
            rows=self.state.rows,
            waiting_for=details.why_paused(self.state.holds) if paused else "",
            command=f"starter.py resume {self._in.name}" if paused else "",
            decisions=self.state.decisions,
            holds=self.state.holds,
        )

    def changed(self) -> None:
        """A person said something: the migrations have to be told."""
        self._woken = True

    def _set_row(self, name: str, **fields: object) -> None:
        rows = (
            row.model_copy(update=fields) if row.name == name else row for row in self.state.rows
        )
        self.set(rows=tuple(rows))

    def _show(self) -> None:
        """The fleet's search attributes and its page in the Web UI."""
        stage = self.state.stage
        workflow.upsert_search_attributes(
            [
                STAGE.value_set(stage.value),
                SITES_LEFT.value_set(sum(row.sites_left for row in self.state.rows)),
                NEEDS_HUMAN.value_set(stage is Stage.STOPPED),
            ]
        )
        workflow.set_current_details(details.fleet_markdown(self.progress()))

    async def _continue(self) -> None:
        await renewing.alone()
        if not self._woken:
            workflow.continue_as_new(self._in.model_copy(update={"state": self.state}))
