"""What of a migration waits for a person: its first plan, and the rest once a pilot is over."""

from temporalio import workflow

from activities.contracts.base import BlobRef
from activities.contracts.migration import Stage
from workflows import judge
from workflows.capped import Capped
from workflows.steps import Steps


class Approving(Capped):
    """Waits where the spec says so; the workflow class adds the story."""

    async def _approved(self) -> bool:
        """The first plan waits for a person where the spec says so."""
        assert self._order
        if self._order.approve_plan and not self.state.approved:
            self._enter(Stage.APPROVAL)
            await workflow.wait_condition(
                lambda: bool(self.state.approved or self.state.rejected or self.state.cancelled),
                timeout_summary="waiting for approval of the plan",
            )
        if self.state.rejected:
            self._reason = f"the plan was rejected: {self.state.rejected}"
        if self.state.rejected or self.state.cancelled:
            self._reason = self._reason or self.state.cancelled
            self._enter(Stage.CANCELLED)
            return False
        return True

    async def _see_to_pilot(self, steps: Steps, handoffs: BlobRef | None) -> None:
        """Judges a pilot that is over, once; a person or its landings let the others start."""
        if handoffs and self.state.pilot is None and not self.state.released:
            found = await steps.judge_pilot(self.state, handoffs)
            asked = bool(self._order and self._order.approve_pilot)
            found = found.model_copy(update={"asked": asked})
            self.set(pilots=(*self.state.pilots, found))
        stage, _ = self._after_pilot
        if self.state.pilot and stage is Stage.WORK:
            self.set(released=True)
        waits = stage is Stage.APPROVAL and not self.state.cancelled
        stage = Stage.APPROVAL if waits else Stage.WORK
        if self.state.stage is not stage:
            self._enter(stage)

    @property
    def _after_pilot(self) -> tuple[Stage, str]:
        assert self._order
        return judge.after_pilot(self.state, self._order.approve_pilot)

    @property
    def _pilot_size(self) -> int:
        """How many tasks go first, until a pilot of the phase has let the others start."""
        sizes = self._order.pilots if self._order else ()
        return sizes[self.state.phase] if sizes and not self.state.released else 0
