"""What people say to a migration beside pause, resume and cancel.

approve and reject a plan; steer, retry and skip tasks; set limits. What is said about tasks is the
area's to judge: it knows how they stand. It is asked before anything is recorded, and does at once
what it grants, so that what was accepted is done whatever dies.
"""

from decimal import Decimal

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.contracts.children import AreaSteering, Granted, Wish
from activities.contracts.commands import (
    Aimed,
    Command,
    Guidance,
    Retry,
    SetLimits,
    Skip,
    Steer,
)
from activities.contracts.fleet import ORDER, FleetOrder
from activities.contracts.messages import AskArea
from activities.contracts.migration import MigrationState, Stage
from activities.contracts.money import REFUSED, AccountRefused
from activities.messages import MessageActivities
from workflows import account, area_caps, limiting
from workflows.interventions import nearest, with_text
from workflows.locally import locally
from workflows.options import AREA, area_id
from workflows.steered import ENDED, PLAIN, Steered, why_cancelled

NOTHING_WAITS = "nothing waits for approval"
TASK = "task "


class Commanded(Steered[MigrationState]):
    """The commands of a migration; the workflow class adds the story."""

    @workflow.update
    def approve(self, command: Command = PLAIN) -> str:
        command = self.signed(command)
        granted = "released" if self.state.pilot else "approved"
        return self.apply("approve", command, {granted: True, **self._of_pilot(command)})

    @approve.validator
    def _may_approve(self, command: Command = PLAIN) -> None:
        self.refuse_unless(self.state.stage is Stage.APPROVAL, command, NOTHING_WAITS)

    @workflow.update
    def reject(self, command: Command = PLAIN) -> str:
        command = self.signed(command)
        why = command.reason or "no reason given"
        return self.apply("reject", command, {"rejected": why, **self._of_pilot(command)})

    @reject.validator
    def _may_reject(self, command: Command = PLAIN) -> None:
        self.refuse_unless(self.state.stage is Stage.APPROVAL, command, NOTHING_WAITS)

    def _of_pilot(self, command: Command) -> dict[str, object]:
        """What is said of a pilot is kept with it, where one waits."""
        if self.state.pilot is None:
            return {}
        decided = self.state.pilot.model_copy(update={"decision": command.id})
        return {"pilots": (*self.state.pilots[:-1], decided)}

    @workflow.update
    async def steer(self, command: Steer) -> str:
        command, target = self.signed(command), self.aim(command)
        if before := self.answered(command):
            return before
        await self.agree("steer", command)
        said = Guidance(target=target, text=command.text)
        guidance, dropped = with_text(self.state.guidance, said)
        told = f"{command.text} ({dropped})" if dropped else command.text
        return self.apply("steer", command, {"guidance": guidance}, target, told, dropped)

    @steer.validator
    def _may_steer(self, command: Steer) -> None:
        self._needs_work(command)
        self.refuse_unless(bool(command.text.strip()), command, "there is no text to pass on")

    @workflow.update
    async def retry(self, command: Retry) -> str:
        command = self.signed(command)
        if before := self.answered(command):
            return before
        granted = await self._wish(
            "retry",
            command,
            task=command.task,
            all_failed=command.all_failed,
            with_dependants=command.with_dependants,
        )
        kept = {task: why for task, why in self.state.skipped.items() if task not in granted.tasks}
        target = f"{TASK}{command.task}" if command.task else "all failed"
        said = granted.text
        return self.apply("retry", command, {"skipped": kept}, target, said, more=said)

    @retry.validator
    def _may_retry(self, command: Retry) -> None:
        one = bool(command.task) is not command.all_failed
        self.refuse_unless(one, command, "name a task, or all_failed: one of them")
        self._needs_work(command, tasks=True)

    @workflow.update
    async def skip(self, command: Skip) -> str:
        command = self.signed(command)
        if before := self.answered(command):
            return before
        why = f"skipped by {command.actor}" + (f": {command.reason}" if command.reason else "")
        granted = await self._wish("skip", command, task=command.task, why=why)
        skipped = {**self.state.skipped, command.task: why}
        target = f"{TASK}{command.task}"
        said = granted.text
        return self.apply("skip", command, {"skipped": skipped}, target, said, more=said)

    @skip.validator
    def _may_skip(self, command: Skip) -> None:
        self.refuse_unless(bool(command.task), command, "name the task that is to be skipped")
        self._needs_work(command, tasks=True)

    async def afford(self, command: SetLimits) -> None:
        """Raises where what it may cost is not there."""

    @workflow.update
    async def set_limits(self, command: SetLimits) -> str:
        command = self.signed(command)
        if before := self.answered(command):
            return before
        await self.afford(command)
        changed = limiting.changed(command)
        if command.area:
            await self._wish("limits", command, area=command.area)
            caps = {**self.state.area_caps, command.area: Decimal(str(command.usd))}
            target = f"area {command.area}"
            return self.apply(
                "set limits", command, {"area_caps": caps}, target, f"usd {command.usd}"
            )
        limits = self.state.limits.model_copy(update=changed)
        said = ", ".join(f"{name} {value}" for name, value in changed.items())
        return self.apply("set limits", command, {"limits": limits}, said=said)

    @set_limits.validator
    def _may_set_limits(self, command: SetLimits) -> None:
        self.refuse_unless(True, command, "")
        if refusal := limiting.refusal(command):
            raise ApplicationError(refusal)
        if command.area:
            self._needs_work(command, tasks=True)

    @workflow.signal(name=ORDER)
    def order(self, order: FleetOrder) -> None:
        """A fleet's word to all its migrations; to one that has ended it says nothing."""
        command = order.command
        fields: dict[str, dict[str, object]] = {
            "pause": {"holds": self._held(command, "")},
            "resume": {"holds": self._freed("")},
            "cancel": why_cancelled(command),
        }
        if order.verb in fields and self.state.stage not in ENDED:
            self.apply(order.verb, command, fields[order.verb])

    @workflow.signal(name=REFUSED)
    def account_refused(self, refused: AccountRefused) -> None:
        """The model's account takes no turns: all of it stands still until a person resumes it."""
        if self.state.stage not in ENDED and account.is_news(self.state, refused):
            self.stand_still(account.PROVIDER, account.told(refused))

    def aim(self, command: Aimed) -> str:
        if command.task and command.area:
            raise ApplicationError("name a task or an area, not both")
        if command.area and command.area != AREA:
            raise ApplicationError(
                f"there is no area {command.area!r}; {nearest(command.area, [AREA])}"
            )
        if command.task:
            return f"{TASK}{command.task}"
        return f"area {command.area}" if command.area else ""

    async def agree(self, verb: str, command: Aimed) -> None:
        if command.task:
            await self._wish(verb, command, task=command.task)

    async def _wish(self, verb: str, command: Command, **wish: object) -> Granted:
        """The area's yes. Raises with its reason where it is a no."""
        asked = Wish.model_validate({"id": command.id, "verb": verb, **wish})
        granted = await locally(
            MessageActivities.ask_area,
            AskArea(area=area_id(self.name, AREA), wish=asked),
            summary=f"{verb} {asked.task or asked.area or 'all failed'}",
        )
        if granted.refused:
            raise ApplicationError(granted.refused)
        return granted

    def _needs_work(self, command: Command, tasks: bool = False) -> None:
        """Only a cycle at work has tasks that something can be done about."""
        if not tasks and not (isinstance(command, Aimed) and command.task):
            return self.refuse_unless(True, command, "")
        stage = self.state.stage
        waits = f"no task is at work yet (it is at: {stage}); say it again when tasks are at work"
        return self.refuse_unless(self.state.area_open, command, waits)

    def steering(self) -> AreaSteering:
        """What the area should do now."""
        state = self.state
        targets = [hold.target for hold in state.holds]
        return AreaSteering(
            paused=state.paused or (f"area {AREA}" in targets and not state.cancelled),
            cancelled=bool(state.cancelled),
            concurrency=state.limits.concurrency,
            attempts=state.limits.attempts,
            caps=area_caps.wanted(state),
            held=tuple(t.removeprefix(TASK) for t in targets if t.startswith(TASK)),
            spent=state.deep.spent if state.deep else (),
            reds={r.check: r.id for r in state.deep.reds} if state.deep else {},
            holds=state.holds,
            guidance=state.guidance,
        )

    def forget_tasks(self) -> None:
        """The cycle is over: what was said about its tasks says nothing about the next one's."""
        holds = tuple(h for h in self.state.holds if not h.target.startswith(TASK))
        guidance = tuple(g for g in self.state.guidance if not g.target.startswith(TASK))
        self.set(holds=holds, guidance=guidance, skipped={})
