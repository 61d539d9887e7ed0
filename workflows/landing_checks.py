"""The landing checks of one commit, as whoever lands on a green branch has them run."""

from collections.abc import Awaitable, Callable, Sequence

from temporalio import workflow

from activities.checks import ChecksActivities
from activities.contracts.children import QueueInput
from activities.contracts.evidence import Evidence, Moment
from activities.contracts.moving_base import BothSides
from activities.contracts.reds import Mend
from activities.contracts.work_requests import RunChecks
from workflows.flakiness import refuted
from workflows.options import VERIFY_LANDING

SawFlaky = Callable[[Sequence[str]], Awaitable[None]]
"""Hears of checks that were seen to be flaky."""


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


async def settled_checks(
    queue: QueueInput,
    saw_flaky: SawFlaky,
    commit: str,
    compare_with: str,
    of: str,
    *,
    merges: BothSides | None = None,
) -> Evidence:
    """The same of a commit that stands or falls alone: where it is red it is asked once more, for
    that may be flaky."""
    evidence = await landing_checks(queue, commit, compare_with, of, merges=merges)
    if evidence.passed:
        return evidence
    again = await landing_checks(queue, commit, compare_with, of, fresh=1, merges=merges)
    if again.passed:
        await saw_flaky(refuted(evidence))
    return again
