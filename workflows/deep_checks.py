"""DeepChecksWorkflow: what looks at a green branch behind its landings, which do not wait for it.

- One run at a time, on the newest commit; those between are skipped. It is held against the last
  commit on which all held, else against the base.
- Where all hold, twice asked if need be, `<branch>-green` goes to exactly that commit. What is red
  stays open until a later commit holds, with the landing that broke it: searched for among those
  since it held, by the same check on the trees between.
- Deep checks look whenever the branch has moved. A guard of what checks say that they cover looks
  every so many landings, or after a time.
- Pause: the run at hand finishes, none begins. Closed, it looks at the end of the branch and ends.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.checks import ChecksActivities
from activities.contracts.children import CLOSE, PAUSE
from activities.contracts.evidence import Evidence, Moment
from activities.contracts.landing_requests import FindDeep, FoundDeep, LandingStep
from activities.contracts.news import (
    DEEP_NEWS,
    LANDED_MORE,
    STOP,
    DeepInput,
    DeepNews,
)
from activities.contracts.reds import OpenRed
from activities.contracts.work_requests import RunChecks
from activities.integration import IntegrationActivities
from workflows import renewing
from workflows.deep_reds import broken_by, next_spent, of_check, open_reds, spent
from workflows.draining import drained
from workflows.flakiness import refuted
from workflows.options import GIT, GUARD_AFTER, GUARD_COMMITS, SEARCHED, VERIFY, is_long
from workflows.prefix_search import PrefixSearch, Probe
from workflows.telling import tell, tell_flaky


@workflow.defn
class DeepChecksWorkflow:
    """Follows one green branch until it is closed."""

    @workflow.init
    def __init__(self, deep: DeepInput) -> None:
        self._in = deep
        self._news = deep.news
        self._moved = False
        self._stopped = False

    @workflow.run
    async def run(self, deep: DeepInput) -> DeepNews:
        return await drained(self._story(), self.stop)

    async def _story(self) -> DeepNews:
        while not self._stopped:
            self._moved = False
            closing = self._in.closing
            found = await self._find()
            if found.tip in (found.green, self._news.looked, self._in.base):
                if closing:
                    await self._tell(closed=True)
                    break
                await self._rest(None)
            elif closing or self._may_look(found):
                await self._look(found)
            else:
                await self._rest(self._until_due())
            await self._judge_budget()
            if is_long():
                await renewing.alone()
                if not self._stopped:
                    workflow.continue_as_new(self._in.model_copy(update={"news": self._news}))
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._news

    @workflow.signal(name=LANDED_MORE)
    def landed_more(self) -> None:
        """The branch is not where it was; it is read from git how far it is."""
        self._moved = True

    @workflow.signal(name=PAUSE)
    def pause(self, paused: bool) -> None:
        self._set(paused=paused)

    @workflow.signal(name=CLOSE)
    def close(self) -> None:
        """Nothing more lands: it looks once more and ends."""
        self._set(closing=True)

    @workflow.signal(name=STOP)
    def stop(self) -> None:
        """Nobody wants to know any more."""
        self._stopped = True

    @workflow.query
    def news(self) -> DeepNews:
        return self._news

    def _set(self, **fields: object) -> None:
        """A letter that came: whoever rests looks at it."""
        self._in = self._in.model_copy(update=fields)
        self._moved = True

    def _may_look(self, found: FoundDeep) -> bool:
        often = self._in.each or found.behind >= GUARD_COMMITS
        return not self._in.paused and (often or not self._until_due())

    def _until_due(self) -> timedelta | None:
        """How long until a guard looks although little has landed; none: it is time, or paused."""
        if self._in.paused or self._in.each:
            return None
        left = self._in.looked_at + GUARD_AFTER.total_seconds() - workflow.time()
        return timedelta(seconds=left) if left > 0 else None

    async def _rest(self, patience: timedelta | None) -> None:
        """Until something is news, the time is over, or a red is too old."""
        too_old = next_spent(self._news.reds, self._in.age, workflow.now())
        times = [time for time in (patience, too_old) if time is not None]
        try:
            await workflow.wait_condition(
                lambda: self._moved or self._stopped,
                timeout=min(times, default=None),
                timeout_summary="until the guard looks again, or a red is too old",
            )
        except TimeoutError:
            return

    async def _judge_budget(self) -> None:
        """Tells when a red has become too much, or is no more."""
        over = tuple(spent(self._news.reds, self._in.reds, self._in.age, workflow.now()))
        if over != self._news.spent:
            await self._tell(spent=over)

    async def _look(self, found: FoundDeep) -> None:
        """The checks on the newest commit, and what they mean for the branch beside it."""
        good = found.green or self._in.base
        evidence = await self._checked(found, found.tip, 0)
        if evidence and not evidence.passed:
            again = await self._checked(found, found.tip, 1)
            if again and again.passed:
                await tell_flaky(self._in.parent, refuted(evidence))
            evidence = again
        if evidence is None:
            return
        self._in = self._in.model_copy(update={"looked_at": workflow.time()})
        now = workflow.now().isoformat(timespec="seconds")
        if evidence.passed:
            then = await self._find(to=found.tip)
        else:
            then = await self._find(after=good, upto=found.tip)
        seen = then.model_copy(update={"both": found.both})
        reds = open_reds(self._news.reds, evidence, good, seen, found.tip, now)
        await self._tell(looked=found.tip, green=then.green, behind=then.behind, reds=reds)
        if reds and then.steps:
            await self._judge_budget()
            await self._search(found, evidence, then.steps)

    async def _search(
        self, found: FoundDeep, evidence: Evidence, steps: Sequence[LandingStep]
    ) -> None:
        """Which landing broke what is red, of the first few reds of which that is not known."""
        for red in [red for red in self._news.reds if not red.broke][:SEARCHED]:
            first = await self._first_bad(found, red, of_check(evidence, red.check), steps)
            if first is None:
                return
            known = broken_by(red, steps, first)
            reds = tuple(known if red.id == known.id else red for red in self._news.reds)
            await self._tell(reds=reds)

    async def _first_bad(
        self, found: FoundDeep, red: OpenRed, evidence: Evidence, steps: Sequence[LandingStep]
    ) -> int | None:
        """The first of the steps on which it is red, 0-based; the last one is. None: stopped."""
        search = PrefixSearch([()] * len(steps))
        search.saw(Probe(len(steps), fresh=1), evidence)
        while probes := search.probes(1):
            commit = steps[probes[0].length - 1].commit
            said = await self._checked(found, commit, probes[0].fresh, (red.check,))
            if said is None:
                return None
            search.saw(probes[0], said)
        await tell_flaky(self._in.parent, search.flaky)
        return search.good

    async def _find(
        self, to: str | None = None, after: str | None = None, upto: str | None = None
    ) -> FoundDeep:
        """Where the branches are; the one beside first goes `to` a commit on which all held. With
        what landed after a commit and up to another."""
        return await workflow.execute_activity_method(
            IntegrationActivities.find_deep,
            FindDeep(
                repository=self._in.repository,
                branch=self._in.branch,
                base=self._in.base,
                to=to,
                after=after,
                upto=upto,
            ),
            summary=f"{self._in.branch.deep_name} goes to {to[:12]}" if to else "what has landed?",
            **GIT,
        )

    async def _checked(
        self, found: FoundDeep, commit: str, fresh: int, only: tuple[str, ...] = ()
    ) -> Evidence | None:
        """None: it was stopped meanwhile."""
        run = asyncio.ensure_future(self._check(found, commit, fresh, only))
        await workflow.wait_condition(lambda: run.done() or self._stopped)
        if not run.done():
            run.cancel()
            with suppress(asyncio.CancelledError, ActivityError):
                await run
            return None
        return run.result()

    async def _check(
        self, found: FoundDeep, commit: str, fresh: int, only: tuple[str, ...]
    ) -> Evidence:
        return await workflow.execute_activity_method(
            ChecksActivities.run_checks,
            RunChecks(
                name=self._in.branch.migration,
                repository=self._in.repository,
                spec=self._in.spec,
                phase=self._in.phase,
                commit=commit,
                compare_with=found.green or self._in.base,
                base=self._in.base,
                moment=Moment.LANDING,
                paths=(),
                fresh=fresh,
                deep=True,
                only=only,
                merges=found.both,
            ),
            summary=f"{', '.join(only) or 'deep checks'} of {commit[:12]}",
            **VERIFY,
        )

    async def _tell(self, **fields: object) -> None:
        self._news = self._news.model_copy(update=fields)
        await tell(self._in.parent, DEEP_NEWS, self._news)
