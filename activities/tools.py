"""What models do with tools: on the host that has their workspace, or, where they only read, on any
host that has the hub.

The calls of one reply are one activity, and what they changed is one commit. What came of them is a
record under the turn and the workspace: a second run finds it, so no edit is made twice. When the
tree is lost the workflow opens another from the last commit, and the calls are carried out on that.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pydantic import BaseModel
from temporalio import activity

from activities.contracts.agent import Finished
from activities.contracts.conversation import Conversation, ToolsUsed, UseTools
from activities.contracts.spec import MigrationSpec
from activities.contracts.tools import CONCLUDING
from activities.contracts.transcript import ToolResults, calls_of

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.hubs import Hubs
    from activities.adapters.tool_harvest import ToolHarvest
    from activities.adapters.toolbox import Batch
    from activities.adapters.toolboxes import Toolboxes
    from activities.adapters.transcripts import Transcripts

SUMMARY = 500


class ToolActivities:
    """Carries out the calls of one reply."""

    def __init__(
        self,
        blobs: BlobStore,
        hubs: Hubs,
        transcripts: Transcripts,
        toolboxes: Toolboxes,
        harvests: ToolHarvest,
        unfit: Callable[[Conversation, BaseModel], Sequence[str]],
    ) -> None:
        """`unfit`: what is wrong with the form that a conversation wants to end with."""
        self._blobs = blobs
        self._hubs = hubs
        self._transcripts = transcripts
        self._toolboxes = toolboxes
        self._harvests = harvests
        self._unfit = unfit

    @activity.defn
    async def use_tools(self, request: UseTools) -> ToolsUsed:
        """All calls of a turn, in their order; what went wrong is the model's to read, and raises
        nothing. Raises WorkspaceGone, and what storage and the sandbox do.

        A second run in the same workspace finds what the first one recorded.
        """
        talk = await asyncio.to_thread(self._transcripts.conversation, request.talk)
        key = _key(talk, request)
        kept = await asyncio.to_thread(self._blobs.find, talk.migration, key)
        if kept is None:
            used = await self._use(talk, request)
            recorded = used.model_dump_json().encode()
            kept = await asyncio.to_thread(self._blobs.put_once, talk.migration, key, recorded)
        return ToolsUsed.model_validate_json(kept)

    async def _use(self, talk: Conversation, request: UseTools) -> ToolsUsed:
        where = request.room.workspace(talk) if request.room else None
        needed = (where.base, where.start) if where else (talk.commit,)
        hub = await asyncio.to_thread(self._hubs.of, talk.repository, *needed)
        chunk = await asyncio.to_thread(self._transcripts.chunk, talk, request.turn)
        if where is None:
            unfit = partial(self._unfit, talk)
            toolbox = await asyncio.to_thread(
                self._toolboxes.reading, hub, talk, request.turn, unfit
            )
            batch = await toolbox.use(calls := calls_of(chunk))
            used = await asyncio.to_thread(self._used, talk, batch, None, "")
            concludes = any(call["name"] in CONCLUDING for call in calls)
            return used.model_copy(update={"sent_back": concludes and used.finished is None})
        assert talk.task
        spec = await asyncio.to_thread(self._blobs.get_model, talk.spec, MigrationSpec)
        claims = tuple(sorted({*talk.task.may_change, *request.granted}))
        task = talk.task.model_copy(update={"claims": claims})
        toolbox = await asyncio.to_thread(
            self._toolboxes.working,
            hub,
            talk,
            request.turn,
            spec,
            task,
            where,
            request.answers,
        )
        batch = await toolbox.use(calls_of(chunk))
        left = await asyncio.to_thread(self._harvests.after, batch, hub, where, task, request.when)
        commit, tree = (left.commit, left.tree) if left else (None, "")
        return await asyncio.to_thread(self._used, talk, batch, commit, tree)

    def _used(self, talk: Conversation, batch: Batch, commit: str | None, tree: str) -> ToolsUsed:
        results = ToolResults(results=tuple(batch.results))
        errors = "\0".join(batch.errors)
        form = batch.form
        finished = None
        if form is not None:
            said = str(getattr(form, "did", "") or getattr(form, "summary", ""))
            finished = Finished(
                form=self._blobs.put_model(talk.migration, form),
                status=str(getattr(form, "status", "")),
                summary=said[:SUMMARY],
            )
        return ToolsUsed(
            results=self._blobs.put_model(talk.migration, results),
            commit=commit,
            tree=tree,
            errors=hashlib.sha256(errors.encode()).hexdigest()[:16] if errors else "",
            wants_check=batch.wants_check,
            reported=tuple(batch.reported),
            finished=finished,
        )


def _key(talk: Conversation, request: UseTools) -> str:
    """Of this turn in this tree; what reads a commit is the same everywhere."""
    where = request.room.attempt if request.room else "commit"
    return f"tools/{talk.scope}@{talk.attempt}/{request.turn}/{where}"
