"""Hears an agent out: what its last form says, with its numbers measured again.

Runs where tools may run. A read and a measurement: a second run measures the same tree again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from temporalio import activity

from activities.contracts.agent import AgentEnd
from activities.contracts.agent_word import AgentWord, HearAgent
from activities.contracts.spec import MigrationSpec
from activities.contracts.tools import WorkerForm

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.hubs import Hubs
    from activities.adapters.measuring import Measurer

SAID = 500
"""Characters of one text."""


class HearingActivities:
    """The agent's word, and what of it holds."""

    def __init__(self, blobs: BlobStore, hubs: Hubs, measurer: Measurer) -> None:
        self._blobs = blobs
        self._hubs = hubs
        self._measurer = measurer

    @activity.defn
    async def hear_agent(self, request: HearAgent) -> AgentWord:
        """What it claims is run again on the commit."""
        form = await asyncio.to_thread(self._blobs.get_model, request.form, WorkerForm)
        spec = await asyncio.to_thread(self._blobs.get_model, request.spec, MigrationSpec)
        hub = await asyncio.to_thread(self._hubs.of, request.repository.id, request.commit)
        return AgentWord(
            end=AgentEnd.DONE,
            status=form.status,
            did=form.did[:SAID],
            verified=form.verified,
            measured=await self._measurer.measure(
                hub, spec, request.phase, request.commit, form.measurements
            ),
            concerns=tuple(text[:SAID] for text in form.concerns),
            follow_ups=tuple(text[:SAID] for text in form.follow_ups),
            reported=tuple(text[:SAID] for text in request.reported),
        )
