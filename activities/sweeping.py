"""Sweeps what dead processes left on this host: workspaces whose task run is not open any more,
half-built ones, scratch folders of dead runs, locks and temporary files in hubs and blobs. Whether
a run is open is asked of Temporal; where it does not say no, the workspace stays. Deleting twice is
harmless.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from activities.adapters.workspaces import LiveWorkspace, Workspaces

    Sweep = Callable[[], Awaitable[Sequence[str]]]
    """Deletes what is dead in one place; says what it was."""

EVERY = timedelta(hours=1)
TIDIED_EVERY = timedelta(minutes=5)
"""Hubs: what adds up there slows every step down."""
AGAIN = timedelta(seconds=2)
"""After trouble: a worker often starts just when its server does."""


def age_of(attempt: str) -> tuple[int, ...]:
    """Orders a task's attempts, `<start>-<number>-<opening>`; () for a name that is not ours."""
    parts = attempt.split("-")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()


class Sweeper:
    """Looks after what one host has on disk, at worker start and every hour or so."""

    def __init__(self, places: Sequence[Sweep], every: timedelta = EVERY) -> None:
        self._places = places
        self._every = every

    async def keep_sweeping(self) -> None:
        """Sweeps until it is cancelled."""
        while True:
            troubled = not await self.sweep()
            await asyncio.sleep((AGAIN if troubled else self._every).total_seconds())

    async def sweep(self) -> bool:
        """One sweep; whether all went well. Trouble in one place is not the others'."""
        log, well = logging.getLogger(__name__), True
        for place in self._places:
            try:
                if dead := await place():
                    log.info("swept %s", ", ".join(dead))
            except (OSError, RPCError) as trouble:
                log.warning("not swept: %s", trouble)
                well = False
        return well


class DeadWorkspaces:
    """The workspaces of one host whose task run is not open."""

    def __init__(
        self, client: Client, workspaces: Workspaces, task_id: Callable[[str, str, int], str]
    ) -> None:
        """`task_id` is how a task run's workflow is called: migration, task, start → id."""
        self._client = client
        self._workspaces = workspaces
        self._task_id = task_id

    async def sweep(self) -> list[str]:
        """Deletes them and half-built ones; returns the former.

        What is dead is settled first: one that is opened meanwhile is not among it.
        """
        live = await asyncio.to_thread(self._workspaces.live)
        dead = {workspace for workspace in live if not await self._is_open(workspace)}

        def alive(migration: str, task: str, attempt: str) -> bool:
            return (migration, task, attempt) not in dead

        swept = await asyncio.to_thread(self._workspaces.sweep, alive)
        return ["/".join(workspace) for workspace in swept]

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


def hubs(tidy: Callable[[], Sequence[Path]]) -> Sweep:
    """What an adapter does to whole hubs, on a thread."""

    async def place() -> list[str]:
        return [f"together what adds up in {path}" for path in await asyncio.to_thread(tidy)]

    return place


def files(sweep: Callable[[], Sequence[Path]]) -> Sweep:
    """The sweep of an adapter, which only looks at files, on a thread."""

    async def place() -> list[str]:
        return [str(path) for path in await asyncio.to_thread(sweep)]

    return place
