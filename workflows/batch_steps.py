"""The steps of a batch as calls: composed on the green tip, checked prefix by prefix, landed."""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.contracts.children import QueueInput
from activities.contracts.evidence import Evidence
from activities.contracts.landing import Batch, Candidate
from activities.contracts.landing_requests import ComposeBatch, Land, Landed
from activities.contracts.news import LANDED_MORE
from activities.errors import BRANCH_MOVED
from activities.integration import IntegrationActivities
from workflows import witnesses
from workflows.landing_checks import landing_checks
from workflows.options import CHECKS, GIT, MAX_CHECKED_AT_ONCE, migration_id
from workflows.present import workers_on
from workflows.telling import tell, tell_flaky


class BatchSteps:
    """What one queue asks of git and of the checks; it keeps nothing."""

    def __init__(self, queue: QueueInput) -> None:
        self._in = queue

    async def compose(self, members: Sequence[Candidate]) -> Batch:
        """The candidates on the green tip, one prefix each; the gate's refusals are left out."""
        return await workflow.execute_activity_method(
            IntegrationActivities.compose_batch,
            ComposeBatch(
                repository=self._in.repository,
                branch=self._in.branch,
                spec=self._in.spec,
                phase=self._in.phase,
                base=self._in.base,
                candidates=tuple(members),
                when=int(workflow.time()),
            ),
            summary=f"compose {len(members)} candidates",
            **GIT,
        )

    async def check(self, batch: Batch, members: Sequence[Candidate], fresh: int) -> Evidence:
        """What the landing checks say of the prefix that carries the first `members`."""
        return await landing_checks(
            self._in,
            batch.prefixes[len(members) - 1],
            batch.tip,
            f"of {len(members)} candidates",
            paths=tuple(sorted({path for c in members for path in c.claims})),
            fresh=fresh,
            mends=tuple(c.mends for c in members if c.mends),
        )

    async def land(self, old: str, new: str, what: str) -> Landed | None:
        """None: somebody moved the branch, against the rules; nothing landed."""
        try:
            landed = await workflow.execute_activity_method(
                IntegrationActivities.land,
                Land(
                    repository=self._in.repository,
                    branch=self._in.branch,
                    old=old,
                    new=new,
                ),
                summary=f"land {what}",
                **GIT,
            )
        except ActivityError as error:
            if getattr(error.cause, "type", None) != BRANCH_MOVED:
                raise
            workflow.logger.warning("the branch moved under the queue", exc_info=error)
            return None
        if self._in.deep:
            await tell(self._in.deep, LANDED_MORE)
        return landed

    async def landed(self, task: str) -> str | None:
        """The commit of the branch that carries a task."""
        found = await witnesses.on_chain(self._in.repository, self._in.branch, self._in.base)
        return found.tasks.get(task)

    async def tell_flaky(self, checks: Sequence[str]) -> None:
        """To the migration."""
        await tell_flaky(migration_id(self._in.branch.migration), checks)


async def check_hosts() -> int:
    """How many prefixes may be checked at once: one on each worker that has room for checks."""
    workers = await workers_on(CHECKS, "who has room for checks?")
    return max(1, min(MAX_CHECKED_AT_ONCE, workers))
