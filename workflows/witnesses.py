"""Whom one asks about tasks: the plan, git, the server, their handoffs.

What its own memory cannot tell after a death: which tasks there are, what landed, who is open.
"""

from collections.abc import Collection, Sequence

from temporalio import workflow

from activities.contracts.base import BlobRef, CommitId
from activities.contracts.children import AreaInput, AreaRow
from activities.contracts.conversation import attempts_of, task_scope
from activities.contracts.landing import GreenTip
from activities.contracts.landing_requests import FindLanded, LandedTasks
from activities.contracts.messages import DescribeRuns
from activities.contracts.money import Spend, SumSpend
from activities.contracts.repository import GreenBranch, Repository
from activities.contracts.requests import JoinHandoffs, LoadRows
from activities.integration import IntegrationActivities
from activities.messages import MessageActivities
from activities.records import RecordActivities
from activities.spending import SpendingActivities
from workflows.locally import locally
from workflows.options import GIT


async def planned(area: AreaInput) -> tuple[AreaRow, ...]:
    """The plan's tasks, none of them begun."""
    loaded = await locally(
        RecordActivities.load_rows,
        LoadRows(plan=area.plan, spec=area.spec, phase=area.phase),
        summary="read the plan",
    )
    return loaded.rows


async def landed_in_git(area: AreaInput) -> tuple[dict[str, str], GreenTip | None]:
    """Task id → commit on the green branch, and its tip: the truth when nobody is left to ask."""
    asked = workflow.time()
    found = await on_chain(area.repository, area.branch, area.base)
    tip = GreenTip(commit=found.tip, at=asked) if found.tip else None
    return dict(sorted(found.tasks.items())), tip


async def on_chain(repository: Repository, branch: GreenBranch, base: CommitId) -> LandedTasks:
    """What the green branch has; `base` is where it began."""
    return await workflow.execute_activity_method(
        IntegrationActivities.find_landed,
        FindLanded(repository=repository, branch=branch, base=base),
        summary="what has landed already?",
        **GIT,
    )


async def spent(area: AreaInput, row: AreaRow) -> Spend:
    """What the last start of a task cost, by its records."""
    return await locally(
        SpendingActivities.sum_spend,
        SumSpend(
            migration=area.name,
            scope=task_scope(row.task.id),
            attempts=attempts_of(workflow.info().first_execution_run_id, row.start),
        ),
        summary=f"what did {row.task.id} cost?",
    )


async def ended(ids: Collection[str]) -> list[str]:
    """Those of these workflows that are not open any more."""
    described = await locally(
        MessageActivities.describe_runs,
        DescribeRuns(ids=tuple(ids)),
        summary="who of the earlier run is still there?",
    )
    return [run.id for run in described.runs if not run.is_open]


async def handoffs(area: AreaInput, rows: Sequence[AreaRow]) -> BlobRef:
    """What became of these rows, as one blob."""
    return await locally(
        RecordActivities.join_handoffs,
        JoinHandoffs(name=area.name, rows=tuple(rows)),
        summary="join the handoffs",
    )
