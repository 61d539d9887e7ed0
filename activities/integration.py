"""Batches and landings: everything that writes the hub.

All of it is made of its arguments: a second run composes the same commits, and a landing is one
compare-and-swap that succeeds when its commit is on the chain already.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from temporalio import activity

from activities.contracts.landing import Batch
from activities.contracts.landing_requests import (
    ClaimBranch,
    ClaimedBranch,
    ComposeBatch,
    FindDeep,
    FindLanded,
    FoundDeep,
    Land,
    Landed,
    LandedTasks,
)
from activities.contracts.moving_base import BaseLook, ComposeBaseMerge, ComposedBase, LookAtBase
from activities.contracts.pushes import FindPush, FoundPush, SettlePush
from activities.contracts.spec import MigrationSpec
from activities.contracts.work_requests import PutBackFiles, Restored, Rework, Reworked

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.hubs import Hubs

_CYCLE = re.compile(r"^c(\d+)-")


class IntegrationActivities:
    """The hub's only writers beside harvest."""

    def __init__(self, blobs: BlobStore, hubs: Hubs) -> None:
        self._blobs = blobs
        self._hubs = hubs

    @activity.defn
    def claim_branch(self, request: ClaimBranch) -> ClaimedBranch:
        """Makes the migration the owner of its green branch; says where the branch is.

        Raises BranchOwned; harmless for the owner itself.
        """
        hub = self._hubs.of(request.repository.id)
        tip = hub.claim_branch(request.branch, request.at, deep=request.deep)
        landed = hub.landed(request.branch.name, request.at, request.branch.migration)
        cycles = [int(found[1]) for task in landed if (found := _CYCLE.match(task))]
        standing = hub.stands_on(tip, request.at)
        push = hub.find_push(request.branch.name)
        cycle = max(cycles, default=0)
        return ClaimedBranch(tip=tip, cycle=cycle, stands_on=standing, push=push)

    @activity.defn
    def find_push(self, request: FindPush) -> FoundPush:
        """What somebody else made of the green branch. A second run looks again."""
        return FoundPush(push=self._hubs.of(request.repository.id).find_push(request.branch.name))

    @activity.defn
    def settle_push(self, request: SettlePush) -> None:
        """Sets the branch back to the last commit of ours, or takes what was pushed for ours; a
        second run is harmless. Raises BranchMoved."""
        hub = self._hubs.of(request.repository.id)
        hub.settle_push(request.branch.name, request.push, request.back)

    @activity.defn
    def find_deep(self, request: FindDeep) -> FoundDeep:
        """Where the green branch is and the one beside it, which goes to where the deep checks
        held if they did; forwards only, so a second run is harmless. What landed between two
        commits, where that is asked. Raises BranchMoved."""
        hub = self._hubs.of(request.repository.id)
        between = (request.after, request.upto) if request.after and request.upto else None
        return hub.find_deep(request.branch, request.base, request.to, between)

    @activity.defn
    def find_landed(self, request: FindLanded) -> LandedTasks:
        """Task id → commit, from the trailers on the green chain."""
        hub = self._hubs.of(request.repository.id)
        landed = hub.landed(request.branch.name, request.base, request.branch.migration)
        return LandedTasks(tasks=landed, tip=hub.tip(request.branch.name))

    @activity.defn
    def put_back(self, request: PutBackFiles) -> Restored:
        """A commit with some paths as they are in the base."""
        hub = self._hubs.of(request.repository.id)
        tree = hub.put_back(request.commit, request.base, request.paths)
        commit = hub.carry_on(
            request.commit, tree, request.base, request.task, request.name, request.when
        )
        return Restored(commit=commit)

    @activity.defn
    def rework(self, request: Rework) -> Reworked:
        """A commit's change on a new base, or what conflicts there and with whom."""
        hub = self._hubs.of(request.repository.id)
        merged = hub.carry(request.commit, request.old_base, request.new_base)
        work, base, tip = request.commit, request.old_base, request.new_base
        asked = (request.task, request.name, request.when)
        if merged.tree is None:
            conflict = hub.conflict(merged, work, base, tip, *asked)
            return Reworked(commit=None, conflict=conflict)
        return Reworked(commit=hub.carry_on(work, merged.tree, tip, *asked))

    @activity.defn
    def compose_batch(self, request: ComposeBatch) -> Batch:
        """Gates the candidates and composes those that pass on the green tip, one prefix each.

        A candidate whose task is on the chain already is answered from there. Nothing is composed
        while what others pushed to the branch is not settled.
        """
        spec = self._blobs.get_model(request.spec, MigrationSpec)
        hub = self._hubs.of(request.repository.id)
        tip = hub.tip(request.branch.name)
        if push := hub.find_push(request.branch.name):
            return Batch(tip=tip, push=push)
        landed = hub.landed(request.branch.name, request.base, request.branch.migration)
        fresh = [c for c in request.candidates if c.task not in landed]
        batch = hub.compose_batch(
            tip,
            fresh,
            hub.rules(spec, spec.phase(request.phase)),
            request.branch.migration,
            request.when,
        )
        asked = {c.task for c in request.candidates}
        return batch.model_copy(
            update={"landed": {task: at for task, at in landed.items() if task in asked}}
        )

    @activity.defn
    def land(self, request: Land) -> Landed:
        """Moves the green branch by one compare-and-swap. Raises BranchMoved."""
        hub = self._hubs.of(request.repository.id)
        return Landed(tip=hub.land(request.branch.name, request.old, request.new))

    @activity.defn
    def look_at_base(self, request: LookAtBase) -> BaseLook:
        """Reads upstream's branch as it is now. Upstream that is away, or has no such branch any
        more, is an answer. A second run looks again."""
        hub = self._hubs.of(request.repository.id)
        tip = hub.tip(request.branch.name)
        look = hub.look_at_base(
            request.repository, request.branch.migration, tip, request.base, request.accepted
        )
        pushed = hub.find_push(request.branch.name) is not None
        return look.model_copy(update={"pushed": pushed})

    @activity.defn
    def compose_base_merge(self, request: ComposeBaseMerge) -> ComposedBase:
        """A head of the base merged onto the green tip; `land` moves the branch to it."""
        hub = self._hubs.of(request.repository.id)
        tip = hub.tip(request.branch.name)
        return hub.compose_base_merge(
            request.branch.name, tip, request.base, request.head, request.when
        )
