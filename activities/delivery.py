"""What people take away: the report, as JSON and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio import activity

from activities.baselines import baselines, blind_checks
from activities.contracts.moving_base import BaseMerge
from activities.contracts.report import KeptWork, LandedCommit, MigrationReport
from activities.contracts.requests import WriteReport, WrittenReport
from activities.contracts.scopes import FieldNotes
from activities.contracts.spec import MigrationSpec
from activities.contracts.survey import SurveyData
from activities.contracts.work import Handoff, OnceRun
from activities.planning import read_handoffs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from activities.adapters.blobs import BlobStore
    from activities.adapters.hubs import Hubs
    from activities.adapters.transcripts import Transcripts


class DeliveryActivities:
    """Writes reports; pushing and pull requests belong here too."""

    def __init__(
        self,
        blobs: BlobStore,
        hubs: Hubs,
        render: Callable[[MigrationReport], str],
        sandbox: str,
        interrupted: Callable[[str, str], dict[str, int]],
        transcripts: Transcripts,
    ) -> None:
        self._blobs = blobs
        self._hubs = hubs
        self._render = render
        self._sandbox = sandbox
        self._interrupted = interrupted
        self._transcripts = transcripts

    @activity.defn
    def write_report(self, request: WriteReport) -> WrittenReport:
        """Joins handoffs, baseline and decisions; content-addressed: a second run is harmless."""
        spec = self._blobs.get_model(request.spec, MigrationSpec)
        handoffs = read_handoffs(self._blobs, request.handoffs)
        once = self._once(handoffs)
        merges = self._base_merges(request)
        taken = baselines(self._blobs, spec, spec.checks)
        prompts, prices = self._thought(request.name, handoffs)
        report = MigrationReport(
            name=request.name,
            objective=spec.objective,
            repository=request.repository.url,
            base=request.base,
            branch=request.branch.name,
            tip=request.tip,
            outcome=request.outcome,
            reason=request.reason,
            started_at=request.started_at,
            finished_at=request.finished_at,
            sites_at_start=request.sites_at_start,
            sites_left=request.sites_left,
            cycles=request.cycles,
            handoffs=tuple(handoffs),
            landed_files=len({path for h in handoffs if h.status.landed for path in h.files}),
            spend=request.spend,
            cap=request.cap,
            prompts=prompts,
            prices=prices,
            baseline_failures={n: b.failed for n, b in taken.items() if b.failed},
            flaky={n: b.flaky for n, b in taken.items() if b.flaky},
            hot=request.hot,
            flaky_landings=request.flaky,
            deep=request.deep,
            blind_checks=blind_checks(spec, taken),
            decisions=request.decisions,
            sandbox=self._sandbox,
            survey=request.survey,
            unsearched=request.unsearched,
            plan=request.plan,
            pilots=request.pilots,
            opinions=request.opinions,
            notes=self._blobs.get_model(request.notes, FieldNotes).text if request.notes else "",
            unbegun=request.unbegun,
            unplaced=self._unplaced(request),
            outside=tuple(sorted({path for run in once for path in run.outside})),
            dropped=tuple(sorted({path for run in once for path in run.dropped})),
            landings=self._landings(request),
            stands_on=merges[-1].head if merges else None,
            base_merges=merges,
            base_sites=request.followed.sites,
            base_told=request.base_told,
            base_evidence=request.followed.refused.evidence if request.followed.refused else None,
            pushes=request.pushes,
            kept=tuple(self._kept(request, handoffs)),
            interruptions=self._interrupted(request.started_at, request.finished_at),
        )
        return WrittenReport(
            report=self._blobs.put_model(request.name, report),
            markdown=self._blobs.put(request.name, self._render(report).encode()),
            unverified=report.blind_checks,
        )

    def _once(self, handoffs: Iterable[Handoff]) -> list[OnceRun]:
        """The runs over everything that tasks took their slices of, each once."""
        refs = {a.once.sha256: a.once for h in handoffs for a in h.attempts if a.once}
        return [self._blobs.get_model(ref, OnceRun) for _, ref in sorted(refs.items())]

    def _thought(
        self, name: str, handoffs: Iterable[Handoff]
    ) -> tuple[dict[str, str], tuple[str, ...]]:
        """What models were told, by the digests of the files it is made of, and by whose prices
        their turns are reckoned: the first one of each conversation says it."""
        talks = {a.agent.talk.sha256: a.agent.talk for h in handoffs for a in h.attempts if a.agent}
        working = (self._transcripts.conversation(talk) for _, talk in sorted(talks.items()))
        told: dict[str, str] = {}
        prices: set[str] = set()
        for talk in (*self._transcripts.deciding(name), *working):
            told |= talk.prompts
            if (first := self._transcripts.turn(talk, 1).chunk()) and first.prices:
                prices.add(first.prices)
        return dict(sorted(told.items())), tuple(sorted(prices))

    def _landings(self, request: WriteReport) -> tuple[LandedCommit, ...]:
        """None where the migration ended before it had a branch."""
        hub, branch = self._hubs.of(request.repository.id), request.branch.name
        if hub.ref(f"refs/heads/{branch}") is None:
            return ()
        return hub.landings(branch, request.base, request.name)

    def _base_merges(self, request: WriteReport) -> tuple[BaseMerge, ...]:
        hub = self._hubs.of(request.repository.id)
        return hub.base_merges(request.tip, request.base) if hub.has_commit(request.tip) else ()

    def _kept(self, request: WriteReport, handoffs: Iterable[Handoff]) -> Iterable[KeptWork]:
        """The newest work that changed anything, of each task that did not land whole."""
        hub = self._hubs.of(request.repository.id)
        attempts = hub.attempts(request.name)
        for task in sorted(h.task for h in handoffs if h.put_back or not h.landed):
            for ref, commit in attempts.get(task, ()):
                if files := len(hub.diff(hub.parents(commit)[0], commit)):
                    yield KeptWork(task=task, ref=ref, commit=commit, files=files)
                    break

    def _unplaced(self, request: WriteReport) -> tuple[str, ...]:
        if request.survey is None or not request.survey.unplaced:
            return ()
        return self._blobs.get_model(request.survey.data, SurveyData).unplaced
