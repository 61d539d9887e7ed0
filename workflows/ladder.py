"""Climbs a task's ladder: attempts and their checks.

A rung starts from the last checkpoint that a rung left on purpose, never from the tree of a failed
one. Where it stands is known after every step (`at`), so that another run can go on from there.
"""

from activities.contracts.agent import AgentProgress
from activities.contracts.children import TaskInput
from activities.contracts.climb import Climb, Work
from activities.contracts.messages import CountWorkers, DescribeRuns
from activities.contracts.money import Spend
from activities.contracts.requests import TaskOrder
from activities.contracts.work import Attempt, Checkpoint, RungOutcome, RungRun
from activities.errors import ORPHANED, PLANNER_GONE, permanent
from activities.messages import MessageActivities
from workflows import attempts, conflicts
from workflows.agent_rung import AgentRung
from workflows.counting import counted
from workflows.guided import Guided
from workflows.locally import locally
from workflows.options import MODEL
from workflows.salvage import Salvage
from workflows.workspaces import Workspaces

UNAVAILABLE = RungOutcome.UNAVAILABLE
NO_MODEL = "no model worker"
GO_ON = (RungOutcome.CHANGED, RungOutcome.DAMAGED)
"""Outcomes whose checkpoint the next rung may build on (damaged paths are put back first)."""


class Ladder:
    """The climb of one task; lives inside its workflow run."""

    def __init__(self, task: TaskInput, order: TaskOrder, guided: Guided) -> None:
        self._in = task
        self._order = order
        self._guided = guided
        self._workspaces = Workspaces(task, order, guided)
        self.salvage = Salvage(task, order, guided)
        self._agent = AgentRung(
            *(task, order, guided, self._workspaces),
            *(self._stands, self._parent_is_there, self.salvage.check),
        )
        self._at = task.state.climb if task.state else Climb(base=task.tip, start=task.tip)
        self._has_tried = False
        """In this run."""
        self.attempts: list[Attempt] = list(task.state.attempts) if task.state else []

    @property
    def at(self) -> Climb:
        """Where it stands, for another run to go on from."""
        return self._at.model_copy(update={"openings": self._workspaces.openings})

    @property
    def resolver(self) -> str:
        """The kind of what settles conflicts, if there is such a thing."""
        return self._order.resolver

    async def climb(self, at: Climb) -> Work | None:
        """Goes up until a rung leaves green work without sites; else saves what is good.

        Returns None when no rung left anything that may land.
        """
        self._at = at
        while self._at.rung < len(self._rungs):
            kind = self._rungs[self._at.rung]
            if self._at.tried >= attempts.attempts_for(kind, self._limit):
                self._at = attempts.next_rung(self._at)
                continue
            work, is_last = await self._attempt(self._at.rung, kind)
            self._at = attempts.after_attempt(self._at, work, is_last)
            self._workspaces.openings = 0
            if work and work.complete:
                return work
        return await self._saved(self._at)

    @property
    def _rungs(self) -> tuple[str, ...]:
        """What is tried in order: the ladder, or what settles a conflict."""
        return (self._order.resolver,) if self._at.conflict else self._order.rungs

    async def _saved(self, at: Climb) -> Work | None:
        """What may land at the end of a climb."""
        if at.latest and at.latest.green:
            return at.latest
        saved = (await self.salvage.save(at.latest) if at.latest else None) or at.best
        if saved or not (at.otherwise or at.conflict):
            return saved
        rest = at.otherwise
        if at.conflict:
            reasons = conflicts.unsettled(at.conflict, self._order.task.id)
            rest = await self.salvage.without(rest, reasons)
        return await self.salvage.save(rest) if rest else None

    async def _attempt(self, rung: int, kind: str) -> tuple[Work | None, bool]:
        """One run of one rung: what it left to go on with, if anything, and whether it is of no use
        to ask this rung again."""
        number = len(self.attempts) + 1
        if kind == attempts.AGENT and not await self._has_model():
            self.attempts.append(
                Attempt(
                    number=number,
                    rung=rung,
                    kind=self._told(kind),
                    outcome=UNAVAILABLE,
                    note=NO_MODEL,
                )
            )
            return None, True
        ran = self._at.ran or await self._run(kind, number)
        self._guided.may_go_on()
        checkpoint = ran.checkpoint
        outcome = attempts.outcome_of(ran, self._empty_fails(rung))
        work = None
        known = outcome in GO_ON or not self._order.recount
        if outcome in GO_ON:
            checkpoint = await counted(self._in, self._order, checkpoint)
            work = await self._verify(checkpoint, outcome)
        self.attempts.append(
            Attempt(
                number=number,
                rung=rung,
                kind=self._told(kind),
                outcome=outcome,
                run=ran.run,
                checkpoint=checkpoint.commit,
                sites_left=checkpoint.sites_left if known else None,
                evidence=work.evidence if work else None,
                note=_note(outcome, checkpoint) or _said(ran),
                once=ran.once,
                agent=ran.agent,
            )
        )
        return work, attempts.is_the_last_word(ran)

    async def _has_model(self) -> bool:
        """Whether anybody takes turns; one that has begun waits for a worker to come back."""
        if self._at.ran or self._at.agent:
            return True
        self._guided.may_go_on()
        found = await locally(
            MessageActivities.count_workers, CountWorkers(queue=MODEL), summary="is there a model?"
        )
        return found.workers > 0

    async def _run(self, kind: str, number: int) -> RungRun:
        """The attempt's first half; what it left is kept, whatever stands still after it."""
        if self._has_tried:
            self._guided.may_begin()
        else:
            self._guided.may_go_on()
        self._has_tried = True
        if number > 1:
            await self._parent_is_there()
        at = self._at
        if kind == attempts.AGENT:
            ran = await self._agent.run(number, at, self.spent)
        else:
            ran = await self._workspaces.run(number, at, self._told(kind))
        self._at = at.model_copy(update={"ran": ran, "agent": None})
        return ran

    def _told(self, kind: str) -> str:
        """How people are told of an attempt."""
        return f"resolver {kind}" if self._at.conflict else kind

    @property
    def spent(self) -> Spend:
        """By all attempts that are over."""
        return sum((attempt.spend for attempt in self.attempts), Spend())

    def _stands(self, progress: AgentProgress) -> None:
        self._at = self._at.model_copy(update={"agent": progress})

    @property
    def _limit(self) -> int:
        """Attempts per rung, as a person last said or else the spec."""
        return self._guided.now.attempts or self._order.attempts

    def _empty_fails(self, rung: int) -> bool:
        return any(self._order.empty_fails[rung : rung + 1])

    async def _parent_is_there(self) -> None:
        """Raises Orphaned unless the planner that wanted the task is still the one that is open."""
        described = await locally(
            MessageActivities.describe_runs,
            DescribeRuns(ids=(self._in.parent,)),
            summary="is the planner still there?",
        )
        if not described.runs[0].is_open_since(self._in.epoch):
            raise permanent(ORPHANED, PLANNER_GONE)

    async def _verify(self, checkpoint: Checkpoint, outcome: RungOutcome) -> Work | None:
        """The task's checks on a clean checkout of the checkpoint."""
        files = tuple(change.path for change in checkpoint.changed)
        left, commit = checkpoint.left, checkpoint.commit
        if outcome is RungOutcome.DAMAGED:
            damaged = {entry.split(": ", 1)[0]: entry for entry in checkpoint.damage}
            files = tuple(path for path in files if path not in damaged)
            self.salvage.put_back.update(damaged)
            commit = await self.salvage.restore(commit, checkpoint.base, damaged)
            # Put back they have their sites again: the next rung's business.
            left = tuple(sorted({*left, *damaged}))
        if not files:
            return None
        return Work(
            commit=commit,
            base=checkpoint.base,
            files=files,
            left=left,
            sites_left=checkpoint.sites_left,
            evidence=await self.salvage.check(commit, checkpoint.base),
        )


def _note(outcome: RungOutcome, checkpoint: Checkpoint) -> str:
    if outcome is RungOutcome.OUTSIDE:
        return "it changed files outside the claim: " + ", ".join(checkpoint.outside[:5])
    if outcome is RungOutcome.UNRESOLVED:
        return "; ".join(checkpoint.unresolved[:5])
    if outcome is RungOutcome.DAMAGED:
        return "damaged: " + "; ".join(checkpoint.damage[:5])
    if checkpoint.dropped:
        return "not committed: " + ", ".join(checkpoint.dropped[:5])
    return ""


def _said(ran: RungRun) -> str:
    """Why an agent stopped, in its words where it has any."""
    if ran.agent is None:
        return ""
    finished = ran.agent.finished
    return finished.summary if finished else f"it ended by: {ran.agent.end}"
