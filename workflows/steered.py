"""What people say to a migration and to a fleet alike: pause, resume, cancel.

Updates with validators. Each carries who, why and an id; the last 200 ids are part of the state,
so a resent command is not applied twice. An id that nobody chose is the update's own. Handlers ask
and record; the story acts on what they recorded.
"""

from typing import Generic, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.contracts.commands import Aimed, Command, Hold, HumanDecision
from activities.contracts.migration import Stage, Steerable
from workflows.options import MAX_DECISIONS

ENDED = (Stage.DONE, Stage.DONE_WITH_LEFTOVERS, Stage.STOPPED, Stage.CANCELLED, Stage.FAILED)
SOMEBODY = "somebody through Temporal"
PLAIN, ALL = Command(), Aimed()
"""What a command without an argument says."""
StateT = TypeVar("StateT", bound=Steerable)
CommandT = TypeVar("CommandT", bound=Command)


class Steered(Generic[StateT]):
    """Pause, resume and cancel; the workflow class adds the story."""

    state: StateT
    kind = "migration"
    name: str

    def set(self, **fields: object) -> None:
        self.state = self.state.model_copy(update=fields)

    def changed(self) -> None:
        """Called after a command was applied."""

    async def unpaused(self) -> None:
        """Returns when it is not paused; that costs no event, however long it takes."""
        if self.state.paused:
            await workflow.wait_condition(lambda: not self.state.paused)

    async def agree(self, verb: str, command: Aimed) -> None:
        """Raises where whoever knows the target says that it cannot be."""

    def aim(self, command: Aimed) -> str:
        """What a command is about, as a decision's target. Raises where there is no such thing."""
        if command.area or command.task:
            raise ApplicationError(
                f"a {self.kind} is paused as a whole; name one of its migrations for less"
            )
        return ""

    @workflow.update
    async def pause(self, command: Aimed = ALL) -> str:
        command, target = self.signed(command), self.aim(command)
        if before := self.answered(command):
            return before
        await self.agree("pause", command)
        return self.apply("pause", command, {"holds": self._held(command, target)}, target)

    @pause.validator
    def _may_pause(self, command: Aimed = ALL) -> None:
        target = self.aim(command)
        by = "".join(f" (by {h.actor})" for h in self.state.holds if h.target == target)
        self.refuse_unless(not by, command, f"{target or 'it'} is paused already{by}")

    @workflow.update
    async def resume(self, command: Aimed = ALL) -> str:
        command, target = self.signed(command), self.aim(command)
        return self.apply("resume", command, {"holds": self._freed(target)}, target)

    @resume.validator
    def _may_resume(self, command: Aimed = ALL) -> None:
        target = self.aim(command)
        held = [hold.target for hold in self.state.holds]
        others = f"; what is paused: {', '.join(t or 'all' for t in held)}" if held else ""
        self.refuse_unless(target in held, command, f"{target or 'it'} is not paused{others}")

    @workflow.update
    def cancel(self, command: Command = PLAIN) -> str:
        command = self.signed(command)
        return self.apply("cancel", command, why_cancelled(command))

    @cancel.validator
    def _may_cancel(self, command: Command = PLAIN) -> None:
        self.refuse_unless(not self.state.cancelled, command, "it is being cancelled already")

    def cancelled_through_temporal(self) -> None:
        """Temporal's own Cancel is nobody's command, and is kept as one."""
        command = Command(id="temporal-cancel", actor="temporal", reason="through Temporal")
        self.apply("cancel", command, {"cancelled": "cancelled through Temporal"})

    def stand_still(self, actor: str, why: str) -> None:
        """What is no person pauses all of it, until a person resumes it."""
        command = Command(id=str(workflow.uuid4()), actor=actor, reason=why)
        self.apply("pause", command, {"holds": self._held(command, "")})

    def _held(self, command: Command, target: str) -> tuple[Hold, ...]:
        hold = Hold(target=target, actor=command.actor, reason=command.reason, at=now())
        return (*self._freed(target), hold)

    def _freed(self, target: str) -> tuple[Hold, ...]:
        return tuple(hold for hold in self.state.holds if hold.target != target)

    def signed(self, command: CommandT) -> CommandT:
        """With an id and somebody who said it."""
        update = workflow.current_update_info()
        id = command.id or (update.id if update else "")
        return command.model_copy(update={"id": id, "actor": command.actor or SOMEBODY})

    def answered(self, command: Command) -> str:
        """What was said to it when it was applied; empty: it was not yet."""
        known = (said.answer for said in self.state.decisions if said.id == command.id)
        return next(known, "")

    def refuse_unless(self, holds: bool, command: Command, reason: str) -> None:
        if self.answered(self.signed(command)):
            return
        if self.state.stage in ENDED:
            raise ApplicationError(
                f"the {self.kind} has ended ({self.state.stage}); how: starter.py report "
                f"{self.name}; to go on with what is left, start it again with its spec"
            )
        if faults := command.faults():
            raise ApplicationError(faults)
        if not holds:
            raise ApplicationError(reason)

    def apply(
        self,
        verb: str,
        command: Command,
        fields: dict[str, object],
        target: str = "",
        said: str = "",
        more: str = "",
    ) -> str:
        """Records it; a resent command is not applied twice, and is answered as the first time.
        `more`: what the answer says beside that it is accepted."""
        if before := self.answered(command):
            return before
        decision = HumanDecision(
            id=command.id,
            verb=verb,
            actor=command.actor,
            reason=command.reason,
            at=now(),
            target=target,
            said=said,
            answer=f"{verb}: accepted" + (f"; {more}" if more else ""),
        )
        self.set(**fields, decisions=(*self.state.decisions, decision)[-MAX_DECISIONS:])
        self.changed()
        return decision.answer


def why_cancelled(command: Command) -> dict[str, object]:
    return {"cancelled": command.reason or "cancelled"}


def now() -> str:
    """ISO 8601, UTC."""
    return workflow.now().isoformat(timespec="seconds")
