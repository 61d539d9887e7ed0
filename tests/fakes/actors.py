"""Scripted activities by name: they act on a World in memory, one World per migration.

What reads and writes blobs only (records, judging, reports) is not faked: it runs for real.
"""

from collections.abc import Callable
from typing import Any

from temporalio import activity
from world import OLD, World

from activities.adapters.blobs import BlobStore
from activities.adapters.deep_branch import steps_of
from activities.contracts.evidence import CheckOutcome, CheckResult, Evidence, Moment
from activities.contracts.landing import Batch, Candidate, Outcome, Refusal
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
from activities.contracts.moving_base import (
    BaseLook,
    BaseSeen,
    ComposeBaseMerge,
    ComposedBase,
    LookAtBase,
)
from activities.contracts.plan import Forecast, Plan, PlanSummary, Task
from activities.contracts.pushes import FindPush, FoundPush, SettlePush
from activities.contracts.reds import FIX
from activities.contracts.repository import Base
from activities.contracts.requests import CountLeft, MakePlan, TakeBase, TakeSurvey
from activities.contracts.site_forms import SCANNED
from activities.contracts.spec import MigrationSpec
from activities.contracts.survey import Site, Survey, SurveyData, SurveyedFile, Unsearched
from activities.contracts.work import (
    Change,
    ChangedPath,
    Checkpoint,
    CommandRun,
    RungRun,
    SitesLeft,
    Workspace,
)
from activities.contracts.work_requests import (
    CloseWorkspace,
    ConcludeAttempt,
    OpenWorkspace,
    PutBackFiles,
    Restored,
    Rework,
    Reworked,
    RunChecks,
    RunRung,
    TakeBaseline,
    TakenBaseline,
)
from activities.errors import BRANCH_MOVED, PLAN_REFUSED, permanent
from activities.fixing import with_fixes
from activities.following_up import follow_ups, with_follow_ups
from activities.given_plan import moved, named_for
from activities.piloting import choose_pilot
from activities.planning import out_of_reach, read_handoffs

HOST_QUEUE = "host/here"


class Fakes:
    """The activities of every role that touches git or runs commands."""

    def __init__(self, worlds: dict[str, World], blobs: BlobStore) -> None:
        self._worlds = worlds
        self._blobs = blobs

    async def _enter(self, migration: str, name: str, request: Any) -> World:
        world = self._worlds[migration]
        await world.passing(name, request)
        return world

    # Workspaces.

    @activity.defn(name="open_workspace")
    async def open_workspace(self, asked: OpenWorkspace) -> Workspace:
        world = await self._enter(asked.name, "open_workspace", asked)
        world.opened.append(asked.attempt)
        world.workspaces[asked.task, asked.attempt] = world.tree(asked.start)
        return Workspace(
            migration=asked.name,
            repository=asked.repository.id,
            task=asked.task,
            attempt=asked.attempt,
            host="here",
            queue=HOST_QUEUE,
            base=asked.base,
            start=asked.start,
        )

    @activity.defn(name="run_rung")
    async def run_rung(self, asked: RunRung) -> RungRun:
        world = await self._enter(asked.workspace.migration, "run_rung", asked)
        tree = world.workspaces[asked.task.id, asked.workspace.attempt]
        tree.update(world.touches[asked.task.id])
        runs = [r for r in world.asked("run_rung") if r.task.id == asked.task.id]
        count = sum(r.rung == asked.rung for r in runs)
        rung = world.rungs[asked.rung]
        if asked.rung == 0:
            rung = world.per_task.get(asked.task.id, rung)
        if asked.conflict:
            rung = world.resolver
        ended = rung(tree, asked.task, count) or 0
        exit, how = (ended, "exit") if isinstance(ended, int) else (None, ended)
        run = CommandRun(exit=exit, ended=how, seconds=0.0, tail="said something")
        checkpoint = self._checkpoint(world, asked)
        world.workspaces.pop((asked.task.id, asked.workspace.attempt), None)
        asks = world.asks[asked.task.id].pop(0) if world.asks[asked.task.id] else ()
        return RungRun(run=run, allowed=exit == 0, checkpoint=checkpoint, asks=tuple(asks))

    def _checkpoint(self, world: World, asked: RunRung | ConcludeAttempt) -> Checkpoint:
        where = asked.workspace
        tree, base = world.workspaces[where.task, where.attempt], world.tree(where.base)
        kept = {**base, **{p: tree[p] for p in asked.task.may_change if p in tree}}
        commit = world.commit(kept, (where.base,), f"{where.task} {where.attempt} {asked.when}")
        find = self._blobs.get_model(asked.spec, MigrationSpec).phase(asked.phase).sites.find
        asks = any(finder.kind not in SCANNED for finder in find)
        left = tuple(p for p in asked.task.claims if kept.get(p) == OLD and not asks)
        start = world.tree(asked.start if isinstance(asked, ConcludeAttempt) else where.start)
        paths = asked.conflict.paths if asked.conflict else ()
        return Checkpoint(
            commit=commit,
            tree=world.tree_id(commit),
            base=where.base,
            changed=tuple(
                ChangedPath(path=p, change=Change.MODIFIED if p in base else Change.ADDED)
                for p in sorted(kept)
                if kept[p] != base.get(p)
            ),
            outside=tuple(sorted(p for p in tree if p not in kept or tree[p] != kept[p])),
            damage=tuple(f"{p}: line ends" for p in kept if kept[p].startswith("damaged")),
            moved=any(kept[p] != start.get(p) for p in asked.task.may_change if p in kept),
            left=left,
            sites_left=len(left),
            unresolved=tuple(f"{p}: marker" for p in paths if kept[p].startswith("<<<")),
        )

    @activity.defn(name="close_workspace")
    async def close_workspace(self, asked: CloseWorkspace) -> None:
        world = await self._enter(asked.workspace.migration, "close_workspace", asked)
        world.workspaces.pop((asked.workspace.task, asked.workspace.attempt), None)

    # Checks and surveys.

    @activity.defn(name="run_checks")
    async def run_checks(self, asked: RunChecks) -> Evidence:
        world = await self._enter(asked.name, "deep_checks" if asked.deep else "run_checks", asked)
        evidence = self._evidence(world, asked)
        for mend in asked.mends:
            if evidence.passed:
                late = {"compare_with": mend.good, "merges": mend.merges, "deep": True}
                late["moment"] = Moment.LANDING
                more = self._evidence(world, asked.model_copy(update=late))
                checks = (*evidence.checks, *more.checks)
                evidence = evidence.model_copy(update={"checks": checks})
        return evidence

    def _evidence(self, world: World, asked: RunChecks) -> Evidence:
        before = world.reds(asked.compare_with, Moment.LANDING, 1, deep=asked.deep)
        before += world.reds(asked.merges.head, Moment.LANDING, 1) if asked.merges else []
        seen = world.reds(asked.commit, asked.moment, asked.fresh, deep=asked.deep)
        reds = [r for r in seen if r not in before]
        return Evidence(
            tree=world.tree_id(asked.commit),
            compared_with=asked.compare_with,
            moment=asked.moment,
            checks=(
                CheckResult(
                    check="e2e" if asked.deep else "unit",
                    outcome=CheckOutcome.RED if reds else CheckOutcome.GREEN,
                    reasons=tuple(reason for reason, _ in reds),
                    failing_files=tuple(path for _, path in reds if path),
                ),
            ),
        )

    @activity.defn(name="take_baseline")
    async def take_baseline(self, asked: TakeBaseline) -> TakenBaseline:
        world = await self._enter(asked.name, "take_baseline", asked)
        return TakenBaseline(blind=world.blind)

    @activity.defn(name="take_survey")
    async def take_survey(self, asked: TakeSurvey) -> Survey:
        world = await self._enter(asked.name, "take_survey", asked)
        tree = world.tree(asked.commit)
        mine = world.sites_of.get(asked.phase, tree)
        paths = [path for path in sorted(tree) if tree[path] == OLD and path in mine]
        data = SurveyData(
            commit=asked.commit,
            phase=asked.phase,
            files=tuple(SurveyedFile(path=p, size=3, blob=OLD, sites=1) for p in paths),
            sites=tuple(Site(path=p, line=1, finder="regex") for p in paths),
            unplaced=world.unplaced,
            tracked_files=len(tree),
        )
        handoffs = read_handoffs(self._blobs, asked.handoffs)
        spec = self._blobs.get_model(asked.spec, MigrationSpec)
        followed = follow_ups(handoffs, spec, data, set(mine) - out_of_reach(handoffs))
        data = data.model_copy(update={"follow_ups": followed})
        return Survey(
            commit=asked.commit,
            phase=asked.phase,
            data=self._blobs.put_model(asked.name, data),
            files=len(paths),
            sites=len(paths),
            tracked_files=len(tree),
            unplaced=len(world.unplaced),
            unsearched=world.unsearched.get(asked.phase, Unsearched()),
            follow_ups=len(followed),
        )

    @activity.defn(name="count_left")
    async def count_left(self, asked: CountLeft) -> SitesLeft:
        world = await self._enter(asked.name, "count_left", asked)
        tree = world.tree(asked.commit)
        left = tuple(path for path in asked.claims if tree.get(path) == OLD)
        return SitesLeft(files=left, sites=len(left))

    # Planning.

    @activity.defn(name="take_base")
    async def take_base(self, asked: TakeBase) -> Base:
        world = await self._enter(asked.name, "take_base", asked)
        return Base(commit=world.base, tree=world.tree_id(world.base), branch="main")

    @activity.defn(name="make_plan")
    async def make_plan(self, asked: MakePlan) -> PlanSummary:
        """A task per file with a site, or the plan that was given, if it is for this base."""
        world = await self._enter(asked.name, "make_plan", asked)
        data = self._blobs.get_model(asked.survey.data, SurveyData)
        if asked.given:
            plan = self._blobs.get_model(asked.given.plan, Plan)
            if not asked.given.bound:
                plan = moved(plan, data, world.tree(asked.survey.commit))
            plan = named_for(plan, asked.cycle)
        else:
            out = out_of_reach(read_handoffs(self._blobs, asked.handoffs))
            paths = [file.path for file in data.files if file.path not in out]
            plan = Plan(
                migration=asked.name,
                spec_digest=asked.spec_digest,
                base=asked.survey.commit,
                phase=asked.survey.phase,
                cycle=asked.cycle,
                tasks=tuple(
                    self._task(world, f"c{asked.cycle}-{number:04}", path)
                    for number, path in enumerate(paths, 1)
                ),
                caps=world.caps,
            )
        tree = world.tree(asked.survey.commit)
        broke = {
            red.id: [
                path
                for path, content in world.tree(red.broke or red.bad).items()
                if content != world.tree(red.after or red.good).get(path)
            ]
            for red in asked.reds
        }
        spec = self._blobs.get_model(asked.spec, MigrationSpec)
        plan = with_follow_ups(with_fixes(plan, spec, tree, asked.reds, broke), data)
        if asked.pilot and not plan.pilot:
            chosen = choose_pilot(plan.tasks, asked.pilot)
            plan = plan.model_copy(update={"pilot": chosen})
        if plan.base != asked.survey.commit:
            raise permanent(PLAN_REFUSED, "the base moved: make a new plan")
        return PlanSummary(
            plan=self._blobs.put_model(asked.name, plan),
            phase=plan.phase,
            cycle=plan.cycle,
            base=plan.base,
            forecast=Forecast(
                waves=1,
                task_count=len(plan.tasks),
                file_count=len(plan.tasks),
                site_count=len(plan.tasks),
                check_runs=2 * len(plan.tasks),
            ),
            pilot=plan.pilot,
            caps=plan.caps,
            fixes=tuple(task.id for task in plan.tasks if task.mends),
        )

    def _task(self, world: World, id: str, path: str) -> Task:
        needs = world.needs.get(id, ())
        area = world.areas.get(id, "root")
        task = Task(id=id, title=f"change {path}", claims=(path,), sites=1, needs=needs)
        return task.model_copy(update={"area": area})

    # The hub.

    @activity.defn(name="claim_branch")
    async def claim_branch(self, asked: ClaimBranch) -> ClaimedBranch:
        world = await self._enter(asked.branch.migration, "claim_branch", asked)
        cycles = [int(task.split("-")[0][1:]) for task in world.landed()]
        standing = world.stands_on(world.tip)
        cycle = max(cycles, default=0)
        return ClaimedBranch(tip=world.tip, cycle=cycle, stands_on=standing, push=world.pushed)

    @activity.defn(name="find_deep")
    async def find_deep(self, asked: FindDeep) -> FoundDeep:
        world = await self._enter(asked.branch.migration, "find_deep", asked)
        chain = [world.base, *world.chain()]
        if asked.to and chain.index(asked.to) >= chain.index(world.deep or world.base):
            world.deep = asked.to
        behind = len(chain) - 1 - chain.index(world.deep or world.base)
        between = [world.commits[c] for c in chain] if asked.after and asked.upto else []
        commits = [
            (id, commit.tasks)
            for id, commit in zip(chain, between, strict=False)
            if chain.index(asked.after or "") < chain.index(id) <= chain.index(asked.upto or "")
        ]
        return FoundDeep(
            tip=world.tip,
            green=world.deep,
            behind=behind,
            steps=steps_of(commits),
            fixes=tuple(task for _, tasks in commits for task in tasks if FIX in task),
        )

    @activity.defn(name="find_landed")
    async def find_landed(self, asked: FindLanded) -> LandedTasks:
        world = await self._enter(asked.branch.migration, "find_landed", asked)
        return LandedTasks(tasks=world.landed(), tip=world.tip)

    @activity.defn(name="put_back")
    async def put_back(self, asked: PutBackFiles) -> Restored:
        world = await self._enter(asked.name, "put_back", asked)
        base = world.tree(asked.base)
        tree = {**world.tree(asked.commit), **{p: base[p] for p in asked.paths if p in base}}
        return Restored(commit=world.commit(tree, (asked.base,), f"put back {asked.when}"))

    @activity.defn(name="rework")
    async def rework(self, asked: Rework) -> Reworked:
        world = await self._enter(asked.name, "rework", asked)
        tree, conflicts = world.merge(asked.new_base, asked.old_base, asked.commit)
        if tree is None:
            return Reworked(commit=None, conflict=world.conflict(asked, conflicts))
        return Reworked(commit=world.commit(tree, (asked.new_base,), f"rework {asked.when}"))

    @activity.defn(name="look_at_base")
    async def look_at_base(self, asked: LookAtBase) -> BaseLook:
        world = await self._enter(asked.branch.migration, "look_at_base", asked)
        standing, head = world.stands_on(world.tip), world.upstream
        if isinstance(head, BaseSeen):
            return BaseLook(seen=head, stands_on=standing, text=f"upstream is {head}")
        accepted = asked.accepted in world.history(head)
        if standing not in world.history(head) and not accepted:
            seen = BaseSeen.REWRITTEN
        else:
            seen = BaseSeen.SAME if head in world.history(world.tip) else BaseSeen.MOVED
        lacking = world.history(head) - world.history(standing)
        pushed = world.pushed is not None
        return BaseLook(
            seen=seen, stands_on=standing, head=head, commits=len(lacking), pushed=pushed
        )

    @activity.defn(name="compose_base_merge")
    async def compose_base_merge(self, asked: ComposeBaseMerge) -> ComposedBase:
        world = await self._enter(asked.branch.migration, "compose_base_merge", asked)
        head, standing = asked.head, world.stands_on(world.tip)
        found = ComposedBase(tip=world.tip, head=head, stands_on=standing, commit=None)
        if head in world.history(world.tip):
            return found
        ours, old, theirs = (world.tree(c) for c in (world.tip, standing, head))
        paths = {p for p in theirs if theirs[p] != old.get(p)}
        conflicts = tuple(sorted(p for p in paths if ours.get(p) not in (old.get(p), theirs[p])))
        tree = {**ours, **{p: theirs[p] for p in paths}}
        commit = world.commit(tree, (world.tip, head), f"base {asked.when}", head=head)
        update = {"commit": commit, "taken_anew": conflicts, "conflicts": len(conflicts)}
        return found.model_copy(update=update)

    @activity.defn(name="compose_batch")
    async def compose_batch(self, asked: ComposeBatch) -> Batch:
        world = await self._enter(asked.branch.migration, "compose_batch", asked)
        if world.pushed:
            return Batch(tip=world.tip, push=world.pushed)
        landed = world.landed()
        members: list[Candidate] = []
        prefixes: list[str] = []
        refused: list[Refusal] = []
        for candidate in asked.candidates:
            if candidate.task in landed:
                continue
            onto = prefixes[-1] if prefixes else world.tip
            tree, refusal = self._gate(world, candidate, onto)
            if tree is None or refusal:
                refused += [refusal] if refusal else []
                continue
            members.append(candidate)
            parents = (world.tip, *(c.commit for c in members))
            tasks = tuple(c.task for c in members)
            prefixes.append(world.commit(tree, parents, f"batch {asked.when}", tasks))
        wanted = {c.task for c in asked.candidates}
        return Batch(
            tip=world.tip,
            members=tuple(c.id for c in members),
            prefixes=tuple(prefixes),
            refused=tuple(refused),
            landed={task: at for task, at in landed.items() if task in wanted},
        )

    def _gate(
        self, world: World, candidate: Candidate, onto: str
    ) -> tuple[dict[str, str] | None, Refusal | None]:
        """The candidate merged onto a commit, or why it may not be part of a batch."""
        tree, paths = world.merge(onto, candidate.base, candidate.commit)
        outcome, reasons = Outcome.CONFLICT, tuple(f"conflict: {p}" for p in paths)
        if tree is not None:
            content = world.tree(candidate.commit)
            paths = tuple(p for p in candidate.claims if content.get(p, "").startswith("forbidden"))
            outcome, reasons = Outcome.VIOLATION, tuple(f"protected: {p}" for p in paths)
        if not paths:
            return tree, None
        refusal = Refusal(candidate=candidate.id, outcome=outcome, reasons=reasons, paths=paths)
        return None, refusal

    @activity.defn(name="land")
    async def land(self, asked: Land) -> Landed:
        world = await self._enter(asked.branch.migration, "land", asked)
        if asked.new not in world.chain():
            if world.pushed:
                raise permanent(BRANCH_MOVED, "somebody pushed")
            assert world.tip == asked.old, "the green branch moved under the queue"
            world.tip = asked.new
        return Landed(tip=world.tip)

    @activity.defn(name="find_push")
    async def find_push(self, asked: FindPush) -> FoundPush:
        world = await self._enter(asked.branch.migration, "find_push", asked)
        return FoundPush(push=world.pushed)

    @activity.defn(name="settle_push")
    async def settle_push(self, asked: SettlePush) -> None:
        world = await self._enter(asked.branch.migration, "settle_push", asked)
        if world.pushed != asked.push:
            raise permanent(BRANCH_MOVED, "somebody pushed again")
        if not asked.back and world.pushed and world.pushed.head:
            world.tip = world.pushed.head
        world.pushed = None

    def on(self, *names: str) -> list[Callable[..., Any]]:
        """Some of the activities, for one queue's worker."""
        return [getattr(self, name) for name in names]
