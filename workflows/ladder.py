"""Climbs a task's ladder: attempts and their checks.

A rung starts from the last checkpoint that a rung left on purpose, never from the tree of a failed
one. Where it stands is known after every step (`at`), so that another run can go on from there.
"""

from typing import Any

from activities.contracts.agent import AgentProgress
from activities.contracts.children import TaskInput
from activities.contracts.climb import Climb, Work
from activities.contracts.file_requests import FilesNeeded
from activities.contracts.messages import DescribeRuns
from activities.contracts.money import Spend
from activities.contracts.requests import TaskOrder
from activities.contracts.work import Attempt, Checkpoint, RungOutcome, RungRun
from activities.errors import ORPHANED, PLANNER_GONE, permanent
from activities.messages import MessageActivities
from workflows import attempts, conflicts, recorded
from workflows.agent_rung import AgentRung
from workflows.counting import counted
from workflows.file_requests import FileRequests, told
from workflows.guided import Guided
from workflows.locally import locally
from workflows.present import has_model
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
        self._guided = guided
        self.files = FileRequests(task, order)
        self._workspaces = Workspaces(task, self.files, guided)
        self.salvage = Salvage(task, self.files, guided)
        self._agent = AgentRung(
            *(task, self.files, guided, self._workspaces),
            *(self._stands, self._parent_is_there, self.salvage.check),
        )
        self._at = task.state.climb if task.state else Climb(base=task.tip, start=task.tip)
        self.needs: FilesNeeded | None = None
        """Where the task goes on when files are free that others hold."""
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
        return self.files.order.resolver

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
            ran = await self._attempt(kind)
            self._workspaces.openings = 0
            if ran and await self._asked(ran, kind):
                if self.needs:
                    return None
                continue
            work = await self._judged(ran, kind) if ran else None
            is_last = ran is None or attempts.is_the_last_word(ran)
            self._at = attempts.after_attempt(self._at, work)
            if is_last:
                self._at = attempts.next_rung(self._at)
            if work and work.complete:
                return work
        return await self._saved(self._at)

    @property
    def _rungs(self) -> tuple[str, ...]:
        """What is tried in order: the ladder, or what settles a conflict."""
        return (self.files.order.resolver,) if self._at.conflict else self.files.order.rungs

    async def _saved(self, at: Climb) -> Work | None:
        """What may land at the end of a climb; half of what mends a red mends nothing."""
        if at.latest and at.latest.green:
            return at.latest
        if self.files.order.task.mends:
            return at.best
        saved = (await self.salvage.save(at.latest) if at.latest else None) or at.best
        if saved or not (at.otherwise or at.conflict):
            return saved
        rest = at.otherwise
        if at.conflict:
            reasons = conflicts.unsettled(at.conflict, self.files.order.task.id)
            rest = await self.salvage.without(rest, reasons)
        return await self.salvage.save(rest) if rest else None

    async def _attempt(self, kind: str) -> RungRun | None:
        """One run of one rung; None where nobody can run it."""
        if kind == attempts.AGENT and not await self._has_model():
            self._record(kind, UNAVAILABLE, note=NO_MODEL)
            return None
        ran = self._at.ran or await self._run(kind, len(self.attempts) + 1)
        self._guided.may_go_on()
        return ran

    async def _asked(self, ran: RungRun, kind: str) -> bool:
        """Whether the attempt is over because it asked for files: it got some, and the same rung
        goes on with them, or others hold some, which is what the task `needs`."""
        before = self.files.order.task.grants
        answers = await self.files.ask(ran.asks, settles=self._at.conflict is not None)
        wanted = self.files.wanted
        if not wanted and self.files.order.task.grants == before:
            return False
        note = "; ".join(map(told, answers[:5]))
        self._record(kind, RungOutcome.ASKED, ran, note=note)
        kept = attempts.kept(ran)
        start = kept or self._at.begins_at
        stands = {"start": start, "unjudged": self._at.unjudged or bool(kept)}
        self._at = self._at.model_copy(update={**stands, "onto": None, "ran": None})
        if wanted:
            self.needs = FilesNeeded(
                wanted=wanted, commit=start, base=self._at.base, rung=self._at.rung
            )
        return True

    async def _judged(self, ran: RungRun, kind: str) -> Work | None:
        """What an attempt left to go on with, if anything."""
        ran = attempts.with_start(ran, self._at)
        checkpoint = ran.checkpoint
        outcome = attempts.outcome_of(ran, self._empty_fails(self._at.rung))
        work = None
        known = outcome in GO_ON or not self.files.order.recount
        if outcome in GO_ON:
            checkpoint = await counted(self._in, self.files.order, checkpoint)
            if self.files.order.task.mends:  # sites in its files are other tasks'
                checkpoint = checkpoint.model_copy(update={"left": (), "sites_left": 0})
            work = await self._verify(checkpoint, outcome)
        left = checkpoint.sites_left if known else None
        self._record(kind, outcome, ran, sites_left=left, work=work)
        return work

    async def _has_model(self) -> bool:
        """Whether anybody takes turns. Where one has begun, or there was somebody when the area
        began, a worker that is away comes back: nobody is given up for a restart."""
        if self._at.ran or self._at.agent or self._in.has_model:
            return True
        self._guided.may_go_on()
        return await has_model()

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
            ran = await self._workspaces.run(number, at, recorded.told(kind, self._at))
        self._at = at.model_copy(update={"ran": ran, "agent": None})
        return ran

    def _record(self, kind: str, outcome: RungOutcome, ran: RungRun | None = None, **more: Any):
        """`more`: what else is known of the attempt."""
        number = len(self.attempts) + 1
        self.attempts.append(recorded.attempt(number, self._at, kind, outcome, ran, **more))

    @property
    def spent(self) -> Spend:
        """By all attempts that are over."""
        return sum((attempt.spend for attempt in self.attempts), Spend())

    def _stands(self, progress: AgentProgress) -> None:
        self._at = self._at.model_copy(update={"agent": progress})

    @property
    def _limit(self) -> int:
        """Attempts per rung, as a person last said or else the spec."""
        return self._guided.now.attempts or self.files.order.attempts

    def _empty_fails(self, rung: int) -> bool:
        return any(self.files.order.empty_fails[rung : rung + 1])

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
