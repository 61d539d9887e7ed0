"""One attempt's rung in a workspace of its own.

A host that is lost costs no attempt: a workspace is opened anew from what history knows. Each has a
name that no other ever has, so whoever comes back late finds a tree that nobody reads any more.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, TimeoutError, is_cancelled_exception

from activities.contracts.children import TaskInput
from activities.contracts.climb import Climb
from activities.contracts.plan import Task
from activities.contracts.work import Checkpoint, RungRun, Workspace
from activities.contracts.work_requests import (
    CloseWorkspace,
    ConcludeAttempt,
    OpenWorkspace,
    RunRung,
)
from activities.errors import WORKSPACE_LOST, permanent
from activities.workspace import WorkspaceActivities
from workflows import attempts, details
from workflows.file_requests import FileRequests
from workflows.guided import Guided
from workflows.options import MAX_REOPENS, OPEN, STORAGE_PAUSE_AT_MOST, closing, on_host
from workflows.waiting import waits

Done = TypeVar("Done")
SUMMARY = 200
"""Characters: what a timer in the Web UI may say."""


class Workspaces:
    """Where one task's rungs run; lives inside its workflow run."""

    def __init__(self, task: TaskInput, files: FileRequests, guided: Guided) -> None:
        self._in = task
        self._files = files
        self._guided = guided
        self.openings = task.state.climb.openings if task.state else 0
        """How many the attempt under way has had."""
        self._kept: Workspace | None = None
        """The one that is open."""

    async def run(self, number: int, at: Climb, kind: str) -> RungRun:
        """Runs the rung where it can; the activity closes the workspace itself."""

        async def step(workspace: Workspace) -> RungRun:
            return await self._run_rung(workspace, at, kind)

        ran = await self.use(number, kind, at.base, at.begins_at, step)
        self._kept = None
        return ran

    async def use(
        self,
        number: int,
        what: str,
        base: str,
        start: str,
        step: Callable[[Workspace], Awaitable[Done]],
    ) -> Done:
        """Does a step in the attempt's workspace, which stays open. A lost host or workspace is
        replaced, a few times. Trouble with storage is waited out: it says nothing about the work.
        """
        lost, troubles = 0, 0
        while lost < MAX_REOPENS:
            workspace = self._kept
            if workspace is None:
                workflow.set_current_details(f"attempt {number} waits for a workspace")
                workspace = self._kept = await self._open(number, base, start, wary=troubles > 0)
                if self._guided.now.paused:
                    # It may have waited long for the room: others have it until work goes on.
                    await self.leave()
                    self._guided.may_go_on()
                    continue
            workflow.set_current_details(f"attempt {number}: {what} at work on {workspace.host}")
            try:
                return await step(workspace)
            except ActivityError as error:
                self._kept = None
                if not isinstance(error.cause, TimeoutError):  # else its host is gone
                    await self._close(workspace)
                if is_cancelled_exception(error) or attempts.is_final(error.cause):
                    raise
                workflow.logger.warning("workspace lost, opening another", exc_info=error)
                if attempts.met_storage(error.cause):
                    pause = min(2.0 ** min(troubles, 10), STORAGE_PAUSE_AT_MOST)
                    with waits(f"{details.cause(error)}; it is tried again"):
                        await workflow.sleep(pause, summary=details.cause(error)[:SUMMARY])
                    troubles += 1
                else:
                    lost += 1
        raise permanent(WORKSPACE_LOST, f"{MAX_REOPENS} workspaces were lost in a row")

    async def leave(self) -> None:
        """Frees the room that the attempt has, if it has one."""
        workspace, self._kept = self._kept, None
        if workspace:
            await self._close(workspace)

    async def conclude(self, number: int, at: Climb, task: Task, stands: str) -> Checkpoint:
        """What an agent's attempt came to, as a commit; its workspace is closed. `stands`: the
        commit of the tree it has, where the workspace has to be opened anew."""

        async def step(workspace: Workspace) -> Checkpoint:
            return await workflow.execute_activity_method(
                WorkspaceActivities.conclude_attempt,
                ConcludeAttempt(
                    workspace=workspace,
                    spec=self._in.spec,
                    phase=self._in.phase,
                    task=task,
                    start=at.begins_at,
                    when=int(workflow.time()),
                    conflict=at.conflict,
                ),
                summary="what the agent left",
                **on_host(workspace.queue),
            )

        left = await self.use(number, "agent", at.base, stands, step)
        self._kept = None
        return left

    async def _open(self, number: int, base: str, start: str, *, wary: bool) -> Workspace:
        opening, self.openings = self.openings, self.openings + 1
        return await workflow.execute_activity_method(
            WorkspaceActivities.open_workspace,
            OpenWorkspace(
                name=self._in.name,
                repository=self._in.repository,
                task=self._files.order.task.id,
                attempt=f"{self._in.start}-{number}-{opening}",
                base=base,
                start=start,
                claims=self._files.order.task.may_change,
                creates=self._files.order.task.creates,
                spec=self._in.spec,
                wary=wary,
            ),
            summary=f"attempt {number}",
            **OPEN,
        )

    async def _run_rung(self, workspace: Workspace, at: Climb, kind: str) -> RungRun:
        return await workflow.execute_activity_method(
            WorkspaceActivities.run_rung,
            RunRung(
                workspace=workspace,
                spec=self._in.spec,
                phase=self._in.phase,
                rung=at.rung,
                task=self._files.order.task,
                when=int(workflow.time()),
                evidence=at.latest.evidence if at.latest else None,
                plan=self._in.plan,
                survey=self._in.survey,
                guidance=self._guided.now.guidance,
                conflict=at.conflict,
                notes=self._files.notes,
            ),
            summary=kind if at.conflict else f"rung {at.rung + 1}: {kind}",
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
