"""What a check's results are held against: those of the tree that a change is based on.

Of a merge of the base those of both its sides; of a check that shall be the same as another one
those that the other one had on the base, or on the head of it that was merged last.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from activities.baselines import base_run_key
from activities.chosen_checks import needs_before
from activities.contracts.check_forms import SameAs
from activities.contracts.evidence import ResultSet
from activities.contracts.merged_results import merged_results

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.checking import Checker
    from activities.adapters.hub import Hub
    from activities.contracts.spec import Expect, MigrationSpec
    from activities.contracts.work_requests import RunChecks


class HeldAgainst:
    """Measures what is not recorded yet, and only where it could decide anything."""

    def __init__(self, blobs: BlobStore, checker: Checker) -> None:
        self._blobs = blobs
        self._checker = checker

    async def before(
        self,
        hub: Hub,
        spec: MigrationSpec,
        name: str,
        request: RunChecks,
        expect: Expect,
        after: ResultSet,
        *,
        whole: bool,
        exactly: bool,
    ) -> ResultSet | None:
        """None: nothing is known, or nothing could change what `after` means."""
        if isinstance(expect, SameAs):
            return await self._base_run(hub, spec, expect.same_as, request)
        if not needs_before(spec.checks[name], expect, after):
            return None

        async def at(commit: str) -> ResultSet | None:
            return await self._checker.results(
                hub, spec, name, commit, request.paths, whole=whole, exactly=exactly
            )

        ours = await at(request.compare_with)
        if request.merges is None:
            return ours
        theirs = await at(request.merges.head)
        if ours is None or theirs is None:
            return ours or theirs
        return merged_results(ours, theirs, await at(request.merges.stands_on))

    async def _base_run(
        self, hub: Hub, spec: MigrationSpec, name: str, request: RunChecks
    ) -> ResultSet | None:
        """What a check said, whole, on what the commit stands on."""
        if request.base:
            standing = await asyncio.to_thread(hub.stands_on, request.commit, request.base)
            if standing != request.base:
                return await self._checker.whole_run(hub, spec, name, standing)
        kept = await asyncio.to_thread(self._blobs.find, spec.name, base_run_key(name))
        return ResultSet.model_validate_json(kept) if kept else None
