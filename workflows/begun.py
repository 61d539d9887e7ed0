"""What a migration's children are started with. Pure."""

from temporalio import workflow

from activities.contracts.children import AreaInput, QueueInput
from activities.contracts.migration import MigrationInput, MigrationState
from activities.contracts.news import DeepInput, DeepNews
from activities.contracts.repository import GreenBranch
from activities.contracts.requests import MigrationOrder
from workflows.options import AREA


class Begun:
    """The children of one migration."""

    def __init__(self, migration: MigrationInput, order: MigrationOrder) -> None:
        self._in = migration
        self._order = order
        self.branch = GreenBranch(
            repository=migration.repository.id, name=order.branch, migration=migration.name
        )

    def queue_input(self, state: MigrationState, phase: str) -> QueueInput:
        """What the phase's merge queue is started with."""
        assert state.base
        return QueueInput(
            repository=self._in.repository,
            branch=self.branch,
            spec=self._in.spec,
            phase=phase,
            base=state.base.commit,
        )

    def deep_input(self, state: MigrationState) -> DeepInput | None:
        """What the phase's deep checks are started with; None: it has none."""
        assert state.base
        if not any(self._order.deep[state.phase : state.phase + 1]):
            return None
        phase = self._order.phases[state.phase]
        known = state.deep or DeepNews()
        fresh = {"epoch": state.epoch, "phase": phase, "closed": False}
        return DeepInput(
            repository=self._in.repository,
            branch=self.branch,
            spec=self._in.spec,
            phase=phase,
            base=state.base.commit,
            parent=workflow.info().workflow_id,
            each=self._order.each[state.phase],
            looked_at=workflow.time(),
            reds=self._order.reds,
            age=self._order.age,
            news=known.model_copy(update=fresh),
        )

    def area_input(self, state: MigrationState, phase: str, queue: str) -> AreaInput:
        """What the area is started with that does the cycle's work."""
        assert state.plan and state.base and state.tip  # noqa: PT018
        return AreaInput(
            name=self._in.name,
            area=AREA,
            parent=workflow.info().workflow_id,
            epoch=state.epoch,
            cycle=state.cycle,
            repository=self._in.repository,
            branch=self.branch,
            queue=queue,
            spec=self._in.spec,
            plan=state.plan.plan,
            phase=phase,
            concurrency=self._order.concurrency,
            base=state.base.commit,
            tip=state.tip,
            survey=state.survey.data if state.survey else None,
            pilot=state.plan.pilot,
            skipped=state.skipped,
            thinks=self._order.thinks_in(state.phase),
        )
