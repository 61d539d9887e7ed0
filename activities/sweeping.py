"""Sweeps what dead processes left on this host: workspaces whose task run is not open any more,
half-built ones, scratch folders of dead runs. Whether a run is open is asked of Temporal; where it
does not say no, the workspace stays. Deleting twice is harmless.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from activities.adapters.scratch import Scratch
    from activities.adapters.workspaces import LiveWorkspace, Workspaces

EVERY = timedelta(hours=1)


def age_of(attempt: str) -> tuple[int, ...]:
    """Orders a task's attempts, `<start>-<number>-<opening>`; () for a name that is not ours."""
    parts = attempt.split("-")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()


class Sweeper:
    """Looks after one host's disk, at worker start and every hour."""

    def __init__(
        self,
        client: Client,
        workspaces: Workspaces,
        scratch: Scratch,
        task_id: Callable[[str, str, int], str],
    ) -> None:
        """`task_id` is how a task run's workflow is called: migration, task, start → id."""
        self._client = client
        self._workspaces = workspaces
        self._scratch = scratch
        self._task_id = task_id

    async def keep_sweeping(self) -> None:
        """Sweeps until it is cancelled; trouble with one sweep is left to the next."""
        log = logging.getLogger(__name__)
        while True:
            try:
                dead = await self.sweep()
                if dead:
                    log.info("swept %s", ", ".join("/".join(workspace) for workspace in dead))
            except (OSError, RPCError) as trouble:
                log.warning("not swept: %s", trouble)
            await asyncio.sleep(EVERY.total_seconds())

    async def sweep(self) -> list[LiveWorkspace]:
        """One sweep; returns the workspaces that it deleted.

        What is dead is settled first: one that is opened meanwhile is not among it.
        """
        live = await asyncio.to_thread(self._workspaces.live)
        dead = {workspace for workspace in live if not await self._is_open(workspace)}

        def alive(migration: str, task: str, attempt: str) -> bool:
            return (migration, task, attempt) not in dead

        swept = await asyncio.to_thread(self._workspaces.sweep, alive)
        await asyncio.to_thread(self._scratch.sweep)
        return swept

    async def _is_open(self, workspace: LiveWorkspace) -> bool:
        age = age_of(workspace.attempt)
        if not age:
            return True
        name = self._task_id(workspace.migration, workspace.task, age[0])
        try:
            described = await self._client.get_workflow_handle(name).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return described.status is WorkflowExecutionStatus.RUNNING
