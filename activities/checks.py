"""Runs checks on clean checkouts and says what they mean against the tree they are based on.

Measured results are write-once records, so a second run of an activity finds what the first one
measured; judging them is pure.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from temporalio import activity

from activities.baselines import base_run_key, baseline_key, baselines, blind_checks
from activities.chosen_checks import checks_at, deep_checks, measured_on_base, must_pass
from activities.contracts.check_forms import Expectation, SameAs
from activities.contracts.evidence import (
    CheckOutcome,
    CheckResult,
    Evidence,
    Moment,
    NotVerifiable,
    ResultSet,
)
from activities.contracts.expectations import flaky_ids, judge
from activities.contracts.reds import Mend
from activities.contracts.spec import Check, Command, Expect, MigrationSpec, ResultKind
from activities.contracts.work_requests import RunChecks, TakeBaseline, TakenBaseline
from activities.errors import BASE_RED, CHECK_NEVER_RAN, permanent
from activities.held_against import HeldAgainst

if TYPE_CHECKING:
    from activities.adapters.blobs import BlobStore
    from activities.adapters.checking import Checker
    from activities.adapters.hub import Hub
    from activities.adapters.hubs import Hubs

MAX_IDS_KEPT = 5000
NEVER_RAN = {126, 127}
"""The shell's exit codes for what it may not execute or does not find."""
MAX_REASON = 500
AT_THE_END = (Moment.PHASE, Moment.END)


class ChecksActivities:
    """What the system measures itself; an agent's word counts for nothing here."""

    def __init__(self, blobs: BlobStore, hubs: Hubs, checker: Checker) -> None:
        self._blobs = blobs
        self._hubs = hubs
        self._checker = checker
        self._held = HeldAgainst(blobs, checker)

    @activity.defn
    async def run_checks(self, request: RunChecks) -> Evidence:
        """The checks of one moment on one commit, each held against the commit it is based on; of
        one that is to mend a red, once they all hold, that check behind the landings too."""
        spec = await asyncio.to_thread(self._blobs.get_model, request.spec, MigrationSpec)
        commits = (request.commit, request.compare_with, *(mend.good for mend in request.mends))
        hub = await asyncio.to_thread(self._hubs.of, request.repository.id, *commits)
        evidence = await self._evidence(hub, spec, request)
        for mend in request.mends:
            if evidence.passed:
                more = await self._evidence(hub, spec, _behind(request, mend))
                checks = (*evidence.checks, *more.checks)
                evidence = evidence.model_copy(update={"checks": checks})
        return evidence

    async def _evidence(self, hub: Hub, spec: MigrationSpec, request: RunChecks) -> Evidence:
        names: Sequence[str] = checks_at(spec, request.phase, request.moment)
        if request.deep:
            behind = deep_checks(spec, request.phase)
            names = [name for name in behind if not request.only or name in request.only]
        needed = await self._needed(hub, spec, names, request)
        if names and _is_late(request):
            paths = await asyncio.to_thread(
                self._checker.phase_paths,
                *(hub, spec, request.phase, request.compare_with, request.commit),
            )
            request = request.model_copy(update={"paths": tuple(paths)})
        elif names and request.merges:
            merged = await asyncio.to_thread(hub.diff, request.compare_with, request.commit)
            request = request.model_copy(update={"paths": tuple(entry.path for entry in merged)})
        return Evidence(
            tree=await asyncio.to_thread(hub.tree, request.commit),
            compared_with=request.compare_with,
            moment=request.moment,
            checks=tuple(
                [
                    await self._check(hub, spec, name, request)
                    if name in needed
                    else CheckResult(check=name, outcome=CheckOutcome.SKIPPED)
                    for name in names
                ]
            ),
        )

    async def _needed(
        self, hub: Hub, spec: MigrationSpec, names: Sequence[str], request: RunChecks
    ) -> Sequence[str]:
        """Those that the change needs; all behind the landings, at a phase's end, and where none
        says what it covers."""
        selects = any(spec.checks[name].covers for name in names)
        if not selects or _is_late(request):
            return names
        return await asyncio.to_thread(
            self._checker.touched, hub, spec, names, request.compare_with, request.commit
        )

    async def _check(
        self, hub: Hub, spec: MigrationSpec, name: str, request: RunChecks
    ) -> CheckResult:
        """One check. What this worker lacks can be waited for by nobody at the end of a phase:
        there it is not verified; before, where work would be in vain, it is an error."""
        expect = spec.checks[name].expected_at(request.moment)
        try:
            return await self._judged(hub, spec, name, request, expect)
        except NotVerifiable as lacking:
            if not _is_late(request):
                raise
            return CheckResult(
                check=name,
                outcome=CheckOutcome.NOT_VERIFIED,
                binding=expect is not Expectation.REPORT,
                reasons=(f"not verified: {lacking}"[:MAX_REASON],),
            )

    async def _judged(
        self, hub: Hub, spec: MigrationSpec, name: str, request: RunChecks, expect: Expect
    ) -> CheckResult:
        check = spec.checks[name]
        whole = request.moment is not Moment.TASK
        exactly = _is_late(request)
        against = expect.same_as if isinstance(expect, SameAs) else name
        flaky = await asyncio.to_thread(self._flaky, spec, against)
        first = request.fresh * (check.retries + 1)
        result = CheckResult(check=name, outcome=CheckOutcome.SKIPPED)
        for repetition in range(first, first + check.retries + 1):
            after = await self._checker.results(
                hub,
                spec,
                name,
                request.commit,
                request.paths,
                whole=whole,
                fresh=repetition,
                exactly=exactly,
            )
            if after is None:
                break
            before = await self._held.before(
                hub, spec, name, request, expect, after, whole=whole, exactly=exactly
            )
            result = await asyncio.to_thread(judge, name, check, before, after, flaky, expect)
            result = result.model_copy(update={"runs": repetition - first + 1})
            if result.outcome is CheckOutcome.GREEN:
                break
        return result

    def _flaky(self, spec: MigrationSpec, name: str) -> frozenset[str]:
        kept = self._blobs.find(spec.name, baseline_key(name))
        return frozenset(json.loads(kept)["flaky"]) if kept else frozenset()

    def _compares(self, spec: MigrationSpec, name: str) -> bool:
        """Whether the command's exit is all that is known, and is held against the base's."""
        check = spec.checks[name]
        held = Expectation.NO_WORSE in check.expectations or not check.moments
        return check.results is ResultKind.EXIT and held

    @activity.defn
    async def take_baseline(self, request: TakeBaseline) -> TakenBaseline:
        """Checks on the base, twice: what differs is flaky, what is red was red before.

        Recorded once per check, from the first tree a migration saw. A command that the shell did
        not find is red on every tree, so "no worse" would hold for anything: that is refused. So
        is a red check that must pass, where no task alone could turn it green.
        """
        spec = await asyncio.to_thread(self._blobs.get_model, request.spec, MigrationSpec)
        hub = await asyncio.to_thread(self._hubs.of, request.repository.id, request.commit)
        names = measured_on_base(spec, request.phase)
        for name in names:
            if await asyncio.to_thread(self._blobs.find, spec.name, baseline_key(name)):
                continue
            runs = [
                await self._checker.results(
                    hub, spec, name, request.commit, (), whole=True, fresh=fresh, exactly=True
                )
                for fresh in (0, 1)
            ]
            first, second = runs
            if first is None or second is None:
                continue
            if first.ended == second.ended == "disk":
                why = f"check {name} would be red on every tree: on the base {first.tail.strip()}"
                raise permanent(CHECK_NEVER_RAN, why)
            if {first.exit, second.exit} <= NEVER_RAN and self._compares(spec, name):
                raise permanent(
                    CHECK_NEVER_RAN,
                    f"check {name} did not run on the base, so it could tell nothing: "
                    f"exit {first.exit}: {first.tail.strip()[-500:]}",
                )
            if request.tasks > 1 and must_pass(spec.checks[name]):
                _refuse_red(name, spec.checks[name], (first, second))
            await asyncio.to_thread(self._record, spec, name, first, second)
        taken = await asyncio.to_thread(baselines, self._blobs, spec, names)
        return TakenBaseline(blind=blind_checks(spec, taken))

    def _record(self, spec: MigrationSpec, name: str, first: ResultSet, second: ResultSet) -> None:
        record = {
            "failed": sorted(first.failed)[:MAX_IDS_KEPT],
            "flaky": sorted(flaky_ids(first, second))[:MAX_IDS_KEPT],
            "red": sorted({*first.failed, *second.failed})[:MAX_IDS_KEPT],
            "total": first.total,
        }
        whole = first.model_dump_json(by_alias=True).encode()
        self._blobs.put_once(spec.name, base_run_key(name), whole)
        self._blobs.put_once(spec.name, baseline_key(name), json.dumps(record).encode())


def _is_late(request: RunChecks) -> bool:
    """Whether it looks at all that has landed: every check runs, on the very tree, over all that
    the phase changed."""
    return request.deep or request.moment in AT_THE_END


def _behind(request: RunChecks, mend: Mend) -> RunChecks:
    """The check that is to be mended, as it runs behind the landings."""
    how = {"compare_with": mend.good, "merges": mend.merges, "only": (mend.check,)}
    return request.model_copy(update={**how, "moment": Moment.LANDING, "deep": True})


def _refuse_red(name: str, check: Check, runs: Sequence[ResultSet]) -> None:
    """Where every run of it on the base was red: each task would be put back for what it found."""
    judged = [judge(name, check, None, run, expect=Expectation.PASS) for run in runs]
    if any(result.outcome is CheckOutcome.GREEN for result in judged):
        return
    red = "; ".join(judged[0].reasons[:3])
    raise permanent(
        BASE_RED,
        f"check {name} must pass, and it is red before any task has begun, so none could land: "
        f"{red[:500]}; `{_shown(check.run)}` said: {runs[0].tail.strip()[-400:]}\n"
        f"Either say `expect: no_worse` under checks.{name}: what is red already may stay so; "
        "or mend the base and start again.",
    )


def _shown(run: Command) -> str:
    return (run if isinstance(run, str) else shlex.join(run)).strip()[:200]
