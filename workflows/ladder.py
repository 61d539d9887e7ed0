"""Climbs a task's ladder: attempts and their checks.

Each attempt has a workspace of its own. A host that is lost costs no attempt: the workspace is
opened anew from the last checkpoint that history knows. A rung starts from the last checkpoint
that a rung left on purpose, never from the tree of a failed one.
"""

import itertools

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    TimeoutError,
    is_cancelled_exception,
)

from activities.contracts.children import TaskInput
from activities.contracts.evidence import Evidence
from activities.contracts.messages import DescribeRuns
from activities.contracts.requests import CloseWorkspace, OpenWorkspace, RunRung, TaskOrder
from activities.contracts.work import (
    Attempt,
    Checkpoint,
    RungOutcome,
    RungRun,
    Workspace,
)
from activities.errors import (
    NEVER_MENDED_BY_WAITING,
    ORPHANED,
    PLANNER_GONE,
    STORAGE,
    WORKSPACE_LOST,
    permanent,
)
from activities.messages import MessageActivities
from activities.workspace import WorkspaceActivities
from workflows import attempts, details
from workflows.attempts import Work
from workflows.counting import counted
from workflows.guided import Guided
from workflows.locally import locally
from workflows.options import (
    MAX_REOPENS,
    OPEN,
    STORAGE_PAUSE_AT_MOST,
    closing,
    on_host,
)
from workflows.salvage import Salvage

SUMMARY = 200
"""Characters: what a timer in the Web UI may say."""
GO_ON = (RungOutcome.CHANGED, RungOutcome.DAMAGED)
"""Outcomes whose checkpoint the next rung may build on (damaged paths are put back first)."""


class Ladder:
    """The climb of one task; lives inside its workflow run."""

    def __init__(self, task: TaskInput, order: TaskOrder, guided: Guided) -> None:
        self._in = task
        self._order = order
        self._guided = guided
        self.attempts: list[Attempt] = []
        self.salvage = Salvage(task, order, guided)

    async def climb(self, base: str, start: str) -> Work | None:
        """Goes up until a rung leaves green work without sites; else saves what is good.

        Returns None when no rung left anything that may land.
        """
        best: Work | None = None
        latest: Work | None = None
        for rung, kind in enumerate(self._order.rungs):
            good = latest
            tried = 0
            while tried < attempts.attempts_for(kind, self._limit):
                tried += 1
                onto = good.commit if good else start
                work = await self._attempt(rung, kind, base, onto, latest)
                latest = work or latest
                if work and work.green:
                    best = good = work
                if work and work.complete:
                    return work
                if kind == attempts.NO_MODEL:
                    break
        if latest and not latest.green:
            return await self.salvage.save(latest) or best
        return latest

    async def _attempt(
        self, rung: int, kind: str, base: str, start: str, latest: Work | None
    ) -> Work | None:
        """One run of one rung; None when it left nothing to go on with."""
        await self._guided.may_go_on()
        number = len(self.attempts) + 1
        if kind == attempts.NO_MODEL:
            self._record(number, rung, kind, RungOutcome.UNAVAILABLE, note="no model worker")
            return None
        if number > 1 and not await self._parent_is_open():
            raise permanent(ORPHANED, PLANNER_GONE)
        ran = await self._in_workspace(rung, base, start, latest.evidence if latest else None)
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
                kind=kind,
                outcome=outcome,
                run=ran.run,
                checkpoint=checkpoint.commit,
                sites_left=checkpoint.sites_left if known else None,
                evidence=work.evidence if work else None,
                note=_note(outcome, checkpoint),
                once=ran.once,
            )
        )
        return work

    @property
    def _limit(self) -> int:
        """Attempts per rung, as a person last said or else the spec."""
        return self._guided.now.attempts or self._order.attempts

    def _empty_fails(self, rung: int) -> bool:
        return any(self._order.empty_fails[rung : rung + 1])

    async def _parent_is_open(self) -> bool:
        """Whether the planner that wanted the task is still the one that is open."""
        described = await locally(
            MessageActivities.describe_runs,
            DescribeRuns(ids=(self._in.parent,)),
            summary="is the planner still there?",
        )
        return described.runs[0].is_open_since(self._in.epoch)

    def _record(self, number: int, rung: int, kind: str, outcome: RungOutcome, note: str) -> None:
        self.attempts.append(
            Attempt(number=number, rung=rung, kind=kind, outcome=outcome, note=note)
        )

    async def _in_workspace(
        self, rung: int, base: str, start: str, evidence: Evidence | None
    ) -> RungRun:
        """Runs the rung where it can; a lost host or workspace is replaced, a few times. Trouble
        with storage is waited out: it says nothing about the work."""
        lost = 0
        for opening in itertools.count():
            workspace = await workflow.execute_activity_method(
                WorkspaceActivities.open_workspace,
                OpenWorkspace(
                    name=self._in.name,
                    repository=self._in.repository,
                    task=self._order.task.id,
                    attempt=f"{self._in.start}-{len(self.attempts) + 1}-{opening}",
                    base=base,
                    start=start,
                    claims=self._order.task.claims,
                ),
                summary=f"attempt {len(self.attempts) + 1}",
                **OPEN,
            )
            if self._guided.now.paused:
                # It may have waited long for the room: others have it until work goes on.
                await self._close(workspace)
                await self._guided.may_go_on()
                continue
            try:
                return await self._use(workspace, rung, evidence)
            except ActivityError as error:
                if not isinstance(error.cause, TimeoutError):  # else its host is gone
                    await self._close(workspace)
                if is_cancelled_exception(error) or _is_final(error.cause):
                    raise
                workflow.logger.warning("workspace lost, opening another", exc_info=error)
                if getattr(error.cause, "type", None) in STORAGE:
                    pause = min(2.0 ** min(opening, 10), STORAGE_PAUSE_AT_MOST)
                    await workflow.sleep(pause, summary=details.cause(error)[:SUMMARY])
                else:
                    lost += 1
            if lost == MAX_REOPENS:
                break
        raise permanent(WORKSPACE_LOST, f"{MAX_REOPENS} workspaces were lost in a row")

    async def _use(self, workspace: Workspace, rung: int, evidence: Evidence | None) -> RungRun:
        return await workflow.execute_activity_method(
            WorkspaceActivities.run_rung,
            RunRung(
                workspace=workspace,
                spec=self._in.spec,
                phase=self._in.phase,
                rung=rung,
                task=self._order.task,
                when=int(workflow.time()),
                evidence=evidence,
                plan=self._in.plan,
                survey=self._in.survey,
                guidance=self._guided.now.guidance,
            ),
            summary=f"rung {rung + 1}: {self._order.rungs[rung]}",
            **on_host(workspace.queue),
        )

    async def _close(self, workspace: Workspace) -> None:
        """Frees the room; a host that is gone is swept when it comes back."""
        try:
            await workflow.execute_activity_method(
                WorkspaceActivities.close_workspace,
                CloseWorkspace(workspace=workspace),
                summary="free the workspace",
                **closing(workspace.queue),
            )
        except ActivityError as error:
            workflow.logger.warning("workspace not closed", exc_info=error)

    async def _verify(self, checkpoint: Checkpoint, outcome: RungOutcome) -> Work | None:
        """The task's checks on a clean checkout of the checkpoint."""
        files = tuple(change.path for change in checkpoint.changed)
        left, commit = checkpoint.left, checkpoint.commit
        if outcome is RungOutcome.DAMAGED:
            damaged = {entry.split(": ", 1)[0]: entry for entry in checkpoint.damage}
            files = tuple(path for path in files if path not in damaged)
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


def _is_final(cause: BaseException | None) -> bool:
    """Not the host's fault: another workspace would meet it again."""
    return isinstance(cause, ApplicationError) and (
        cause.non_retryable or cause.type in NEVER_MENDED_BY_WAITING
    )


def _note(outcome: RungOutcome, checkpoint: Checkpoint) -> str:
    if outcome is RungOutcome.OUTSIDE:
        return "it changed files outside the claim: " + ", ".join(checkpoint.outside[:5])
    if outcome is RungOutcome.DAMAGED:
        return "damaged: " + "; ".join(checkpoint.damage[:5])
    if checkpoint.dropped:
        return "not committed: " + ", ".join(checkpoint.dropped[:5])
    return ""
