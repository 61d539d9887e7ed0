"""Workspaces on one host: open, run a rung and keep what it did, close.

Results are fenced: a directory and a ref per attempt, and attempt names are never reused, so what a
frozen worker does late changes nothing that anybody reads. Host-queue activities are tried once;
the workflow opens another workspace from the last checkpoint in history instead.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from temporalio import activity

from activities.contracts.plan import Plan
from activities.contracts.spec import MigrationSpec
from activities.contracts.survey import Site, SurveyData
from activities.contracts.work import Checkpoint, CommandRun, RungRun, Workspace
from activities.contracts.work_requests import (
    CloseWorkspace,
    ConcludeAttempt,
    OpenWorkspace,
    RunRung,
)
from activities.sweeping import age_of

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.checkpoints import Checkpoints
    from activities.adapters.hub import Hub
    from activities.adapters.hubs import Hubs
    from activities.adapters.rungs import Rungs
    from activities.adapters.workspaces import Workspaces

OUTPUT_KEPT = 1 << 20
TAIL = 2000


class WorkspaceActivities:
    """One host's workspaces; `queue` is the task queue that only this host polls."""

    def __init__(
        self,
        blobs: BlobStore,
        hubs: Hubs,
        workspaces: Workspaces,
        rungs: Rungs,
        checkpoints: Checkpoints,
        host: str,
        queue: str,
    ) -> None:
        self._blobs = blobs
        self._hubs = hubs
        self._workspaces = workspaces
        self._rungs = rungs
        self._checkpoints = checkpoints
        self._host = host
        self._queue = queue

    @activity.defn
    def open_workspace(self, request: OpenWorkspace) -> Workspace:
        """A fresh tree for one attempt. Raises NoRoom, which is retried: capacity is admission.

        A second run finds the complete directory or builds it again. What a lost worker left of
        this task's earlier attempts makes room first: nobody else would while the task is open.
        It is kept under their refs, for people; nothing goes on from it.
        Trouble with storage is waited out here, where another try costs no event.
        """
        hub = self._hubs.of(request.repository.id, request.base, request.start)
        if request.spec:
            self._blobs.get(request.spec)
        if request.wary:
            self._blobs.probe()
            hub.probe()
        for other in self._workspaces.live():
            same_task = (other.migration, other.task) == (request.name, request.task)
            if same_task and age_of(other.attempt) < age_of(request.attempt):
                self._checkpoints.rescue(hub, self._host, other)
                self._workspaces.close(*other)
        self._workspaces.open(
            hub.path,
            migration=request.name,
            task=request.task,
            attempt=request.attempt,
            base=request.base,
            start=request.start,
            claims=request.claims,
            creates=request.creates,
            token=request.attempt,
        )
        return Workspace(
            migration=request.name,
            repository=request.repository.id,
            task=request.task,
            attempt=request.attempt,
            host=self._host,
            queue=self._queue,
            base=request.base,
            start=request.start,
        )

    @activity.defn
    async def run_rung(self, request: RunRung) -> RungRun:
        """One run of one rung, harvested into a commit under the attempt's own ref; the workspace
        is closed then, for nobody comes back to it.

        Tried once: what a killed one left is closed with its workspace, never gone on with.
        """
        where = request.workspace
        spec = await asyncio.to_thread(self._blobs.get_model, request.spec, MigrationSpec)
        paths = self._workspaces.paths(where.migration, where.task, where.attempt)
        climb = self._rungs.climb(
            spec=spec,
            phase=spec.phase(request.phase),
            rung=request.rung,
            task=request.task,
            base=where.base,
            hub=await asyncio.to_thread(self._hub, request, where.start),
            plan=await asyncio.to_thread(self._plan, spec, request),
            sites=await asyncio.to_thread(self._sites, spec, request),
            evidence=request.evidence,
            guidance=request.guidance,
            conflict=request.conflict,
            notes=request.notes,
        )
        try:
            ran, allowed, once, agent, asked = await self._rungs.run(climb, paths)
        except asyncio.CancelledError:
            # Its task ends, or this worker: what it did is under the attempt's ref all the same.
            await self._checkpoint(spec, request, where.start)
            raise
        checkpoint = await self._checkpoint(spec, request, where.start)
        await asyncio.to_thread(self._workspaces.close, where.migration, where.task, where.attempt)
        said = ran.output[-OUTPUT_KEPT:]
        run = CommandRun(
            exit=ran.exit,
            ended=ran.ended,
            seconds=ran.seconds,
            calls=ran.calls,
            output=await asyncio.to_thread(self._blobs.put, where.migration, said),
            tail=ran.output[-TAIL:].decode("utf-8", "replace"),
            said=agent,
        )
        keep = self._blobs.put_model
        kept = await asyncio.to_thread(keep, where.migration, once) if once else None
        return RungRun(
            run=run,
            allowed=allowed,
            checkpoint=checkpoint,
            once=kept,
            asks=asked.requests,
            unclear=asked.unclear,
        )

    def _hub(self, request: RunRung | ConcludeAttempt, start: str) -> Hub:
        """With all that the attempt looks at."""
        where, conflict = request.workspace, request.conflict
        commits = (where.base, start, *(conflict.commits if conflict else ()))
        return self._hubs.of(where.repository, *commits)

    def _plan(self, spec: MigrationSpec, request: RunRung) -> Plan | None:
        """Read only where it is used: it may be large, and most rungs look at their task alone."""
        rung = spec.phase(request.phase).way(request.rung, request.conflict)
        used = rung.command is not None or (rung.codemod and rung.codemod.apply == "once")
        return self._blobs.get_model(request.plan, Plan) if used and request.plan else None

    def _sites(self, spec: MigrationSpec, request: RunRung) -> tuple[Site, ...]:
        """The same, for programs that are told which lines to look at."""
        rung = spec.phase(request.phase).way(request.rung, request.conflict)
        if rung.command is None or request.survey is None:
            return ()
        return self._blobs.get_model(request.survey, SurveyData).sites

    @activity.defn
    async def conclude_attempt(self, request: ConcludeAttempt) -> Checkpoint:
        """What an agent's attempt left, harvested as a rung's is; the workspace is closed then.

        Tried once, as everything on a host: the workflow opens another one from the last turn's.
        """
        spec = await asyncio.to_thread(self._blobs.get_model, request.spec, MigrationSpec)
        checkpoint = await self._checkpoint(spec, request, request.start)
        where = request.workspace
        await asyncio.to_thread(self._workspaces.close, where.migration, where.task, where.attempt)
        return checkpoint

    async def _checkpoint(
        self, spec: MigrationSpec, request: RunRung | ConcludeAttempt, start: str
    ) -> Checkpoint:
        """Made of the tree and the request: a second harvest makes the same commit. `start`: what
        the attempt began from."""
        hub = await asyncio.to_thread(self._hub, request, start)
        kept = await asyncio.to_thread(
            self._checkpoints.take,
            *(hub, request.workspace, request.task, spec, request.phase, start, request.when),
        )
        if request.conflict is None:
            return kept
        left = await asyncio.to_thread(self._rungs.unsettled, hub, kept.commit, request.conflict)
        return kept.model_copy(update={"unresolved": left})

    @activity.defn
    def close_workspace(self, request: CloseWorkspace) -> None:
        """Deletes the workspace of a rung that failed; one that is gone is closed already."""
        where = request.workspace
        self._workspaces.close(where.migration, where.task, where.attempt)
