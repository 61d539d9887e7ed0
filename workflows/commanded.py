"""What people say to a migration or a fleet: updates with validators, applied once, then kept.

Each carries who, why and a client-chosen id; the last 200 ids are part of the state, so a resent
command is not applied twice. Handlers record; the migration's story acts on what they recorded.
"""

from typing import Generic, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.contracts.commands import Command, HumanDecision
from activities.contracts.fleet import ORDER, FleetOrder
from activities.contracts.migration import MigrationState, Stage, Steerable
from workflows.options import MAX_DECISIONS

ENDED = (Stage.DONE, Stage.DONE_WITH_LEFTOVERS, Stage.STOPPED, Stage.CANCELLED, Stage.FAILED)
StateT = TypeVar("StateT", bound=Steerable)
NOTHING_WAITS = "nothing waits for approval"


class Steered(Generic[StateT]):
    """Pause, resume and cancel; the workflow class adds the story."""

    state: StateT

    def set(self, **fields: object) -> None:
        self.state = self.state.model_copy(update=fields)

    def changed(self) -> None:
        """Called after a command was applied."""

    @workflow.update
    def pause(self, command: Command) -> str:
        return self.apply("pause", command, {"paused": True})

    @pause.validator
    def _may_pause(self, command: Command) -> None:
        self.refuse_unless(not self.state.paused, command, "it is paused already")

    @workflow.update
    def resume(self, command: Command) -> str:
        return self.apply("resume", command, {"paused": False})

    @resume.validator
    def _may_resume(self, command: Command) -> None:
        self.refuse_unless(self.state.paused, command, "it is not paused")

    @workflow.update
    def cancel(self, command: Command) -> str:
        return self.apply("cancel", command, _cancelled(command))

    @cancel.validator
    def _may_cancel(self, command: Command) -> None:
        self.refuse_unless(not self.state.cancelled, command, "it is being cancelled already")

    def cancelled_through_temporal(self) -> None:
        """Temporal's own Cancel is nobody's command, and is kept as one."""
        command = Command(id="temporal-cancel", actor="temporal", reason="through Temporal")
        self.apply("cancel", command, {"cancelled": "cancelled through Temporal"})

    def refuse_unless(self, holds: bool, command: Command, reason: str) -> None:
        if any(decision.id == command.id for decision in self.state.decisions):
            return
        if self.state.stage in ENDED:
            raise ApplicationError(f"the migration has ended ({self.state.stage})")
        if not holds:
            raise ApplicationError(reason)

    def apply(self, verb: str, command: Command, fields: dict[str, object]) -> str:
        """A resent command is not applied twice."""
        if any(decision.id == command.id for decision in self.state.decisions):
            return f"{verb}: applied before"
        decision = HumanDecision(
            id=command.id,
            verb=verb,
            actor=command.actor,
            reason=command.reason,
            at=workflow.now().isoformat(timespec="seconds"),
        )
        self.set(**fields, decisions=(*self.state.decisions, decision)[-MAX_DECISIONS:])
        self.changed()
        return f"{verb}: accepted"


class Commanded(Steered[MigrationState]):
    """The commands of a migration; the workflow class adds the story."""

    @workflow.update
    def approve(self, command: Command) -> str:
        granted = "released" if self.state.pilot else "approved"
        return self.apply("approve", command, {granted: True})

    @approve.validator
    def _may_approve(self, command: Command) -> None:
        self.refuse_unless(self.state.stage is Stage.APPROVAL, command, NOTHING_WAITS)

    @workflow.update
    def reject(self, command: Command) -> str:
        return self.apply("reject", command, {"rejected": command.reason or "no reason given"})

    @reject.validator
    def _may_reject(self, command: Command) -> None:
        self.refuse_unless(self.state.stage is Stage.APPROVAL, command, NOTHING_WAITS)

    @workflow.signal(name=ORDER)
    def order(self, order: FleetOrder) -> None:
        """A fleet's word to all its migrations; to one that has ended it says nothing."""
        fields: dict[str, dict[str, object]] = {
            "pause": {"paused": True},
            "resume": {"paused": False},
            "cancel": _cancelled(order.command),
        }
        if order.verb in fields and self.state.stage not in ENDED:
            self.apply(order.verb, order.command, fields[order.verb])


def _cancelled(command: Command) -> dict[str, object]:
    return {"cancelled": command.reason or "cancelled"}
