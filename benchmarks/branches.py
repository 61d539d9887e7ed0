"""Green branches to try ways to land on: real git, real candidates, checks that take their time.

One hub with so many candidates and a branch for each case. A candidate is composed and landed by
the merge queue's own activities; a check sleeps, then looks what the commit changes and says what
the weather says of that. What landed is read from the branch.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from activities.adapters.blobs import BlobStore
from activities.adapters.hubs import Hubs
from activities.contracts.evidence import Evidence
from activities.contracts.landing import Batch, Candidate
from activities.contracts.landing_requests import ComposeBatch, Land
from activities.contracts.repository import GreenBranch, Repository
from activities.contracts.spec import MigrationSpec
from activities.integration import IntegrationActivities
from benchmarks.repositories import WHEN, content_of, make_candidate, make_hub, path_of
from benchmarks.simulated_queue import Asking, Came, Weather, evidence_of

NAME, PHASE = "bench", "main"
REPOSITORY = Repository(url="/bench", id="batches-00000000")
PER_FOLDER, LINES = 20, 40
SPEC = {
    "version": 1,
    "name": NAME,
    "repository": "/bench",
    "objective": "Land.",
    "checks": {"unit": {"run": "true"}},
    "phases": [{"name": PHASE, "ladder": [{"codemod": "true"}]}],
}


class Branches:
    """What the branches share."""

    def __init__(self, home: Path, asking: int, check_seconds: float) -> None:
        blobs, hubs = BlobStore(home / "blobs"), Hubs(home / "hub")
        self.hub, self.base = make_hub(home / "hub", REPOSITORY.id, asking, PER_FOLDER, LINES)
        self.spec = blobs.put_model(NAME, MigrationSpec.model_validate(SPEC))
        self.integration = IntegrationActivities(blobs, hubs)
        self.check_seconds = check_seconds
        self.candidates = [self._candidate(number) for number in range(asking)]

    def _candidate(self, number: int) -> Candidate:
        text = content_of(number, LINES).replace("value", "migrated")
        edit = {path_of(number, PER_FOLDER): text}
        return make_candidate(self.hub, self.base, NAME, number, edit)


class Branch:
    """One green branch: who asks to land on it, and what checks say there."""

    def __init__(self, shared: Branches, name: str, weather: Weather) -> None:
        self.green = GreenBranch(repository=REPOSITORY.id, name=f"whimbrel/{name}", migration=NAME)
        self.weather = weather
        self.asking = weather.candidates(len(shared.candidates))
        self._shared = shared
        self._at = {path_of(asking.number, PER_FOLDER): asking for asking in self.asking}
        shared.hub.claim_branch(self.green, shared.base)

    def compose(self, build: Sequence[Asking]) -> Batch:
        shared = self._shared
        asked = ComposeBatch(
            repository=REPOSITORY,
            branch=self.green,
            spec=shared.spec,
            phase=PHASE,
            base=shared.base,
            candidates=tuple(shared.candidates[asking.number] for asking in build),
            when=WHEN,
        )
        batch = shared.integration.compose_batch(asked)
        if len(batch.members) != len(build):
            raise AssertionError(f"not all was composed: {batch.refused[:3]}")
        return batch

    async def check(self, tip: str, commit: str) -> Evidence:
        """What a check says of a commit that is on the tip."""
        await asyncio.sleep(self._shared.check_seconds)
        changed = await asyncio.to_thread(self._shared.hub.diff, tip, commit)
        members = sorted((self._at[entry.path] for entry in changed), key=lambda a: a.number)
        return evidence_of(self.weather.failures(members))

    def land(self, tip: str, commit: str) -> None:
        asked = Land(repository=REPOSITORY, branch=self.green, old=tip, new=commit)
        self._shared.integration.land(asked)

    def came(self, times: float) -> Came:
        """What is on the branch in the end; `times`: how long it took, in checks."""
        tasks = self._shared.hub.landed(self.green.name, self._shared.base, NAME)
        bad = {f"c1-{asking.number:04}" for asking in self.asking if asking.bad}
        if landed_bad := bad & tasks.keys():
            raise AssertionError(f"{self.green.name} has what breaks it: {sorted(landed_bad)}")
        innocent = len(self.asking) - len(bad) - len(tasks)
        return Came(self.weather.checks, times, len(tasks), innocent)


class RealGround:
    """A branch as the other ways to land see it."""

    def __init__(self, branch: Branch) -> None:
        self._branch = branch
        self._waiting = list(branch.asking)
        self._checked: dict[tuple[Asking, ...], tuple[str, str]] = {}
        """Build → the tip and its commit on it."""

    def candidates(self, count: int) -> list[Asking]:
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    async def reds(self, *builds: Sequence[Asking]) -> list[bool]:
        """Builds that begin alike are prefixes of one batch, which is composed once."""
        self._checked = {}
        for build in sorted(map(tuple, builds), key=len, reverse=True):
            if build not in self._checked:
                batch = await asyncio.to_thread(self._branch.compose, build)
                for length, prefix in enumerate(batch.prefixes, 1):
                    self._checked[build[:length]] = batch.tip, prefix
        checks = [self._branch.check(*self._checked[tuple(build)]) for build in builds]
        return [not evidence.passed for evidence in await asyncio.gather(*checks)]

    async def land(self, build: Sequence[Asking]) -> None:
        await asyncio.to_thread(self._branch.land, *self._checked[tuple(build)])

    def refuse(self, one: Asking) -> None:
        """The branch tells in the end who is not on it."""
