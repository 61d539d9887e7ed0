"""The landing checks of one commit, as whoever lands on a green branch has them run."""

from temporalio import workflow

from activities.checks import ChecksActivities
from activities.contracts.children import QueueInput
from activities.contracts.evidence import Evidence, Moment
from activities.contracts.moving_base import BothSides
from activities.contracts.reds import Mend
from activities.contracts.work_requests import RunChecks
from workflows.options import VERIFY_LANDING


async def landing_checks(
    queue: QueueInput,
    commit: str,
    compare_with: str,
    of: str,
    *,
    paths: tuple[str, ...] = (),
    fresh: int = 0,
    mends: tuple[Mend, ...] = (),
    merges: BothSides | None = None,
) -> Evidence:
    """`of`: what is checked, in the words of the timeline; the rest as RunChecks says."""
    return await workflow.execute_activity_method(
        ChecksActivities.run_checks,
        RunChecks(
            name=queue.branch.migration,
            repository=queue.repository,
            spec=queue.spec,
            phase=queue.phase,
            commit=commit,
            compare_with=compare_with,
            base=queue.base,
            moment=Moment.LANDING,
            paths=paths,
            fresh=fresh,
            mends=mends,
            merges=merges,
        ),
        summary=f"landing checks {of}",
        **VERIFY_LANDING,
    )
