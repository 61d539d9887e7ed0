"""Prints the ledger of a migration: what is left, by path."""

from collections.abc import Iterable

from activities.adapters.ledger_table import ledger_csv
from activities.adapters.reporting import undone
from activities.contracts.ledger import LedgerRow, ledger
from activities.contracts.plan import Plan, PlanSummary
from activities.contracts.survey import Survey, SurveyData
from activities.contracts.work import Handoff
from cli.asking import ask, find, name_of, report_of, rows_of
from cli.boundary import Code, Refused, give, give_json
from cli.session import Session, session


async def show_ledger(name: str, local: bool, as_json: bool) -> int:
    """The ledger as of the last survey: CSV, or JSON."""
    async with session(local=local, needs_work=False) as connected:
        rows = await _rows(connected, name)
    if as_json:
        give_json("ledger", {"rows": [row.model_dump(mode="json") for row in rows]})
    else:
        give(ledger_csv(rows))
    return Code.OK


async def _rows(connected: Session, name: str) -> tuple[LedgerRow, ...]:
    handle = await find(connected, name)
    if ended := await report_of(connected, handle):
        states = {handoff.task: handoff.status.value for handoff in ended.handoffs}
        return await _ledger(connected, ended.survey, ended.plan, states, left_by(ended.handoffs))
    progress = await ask(connected, handle)
    doing = await rows_of(connected, name_of(handle))
    states = {row.task.id: row.state for row in doing}
    return await _ledger(connected, progress.survey, progress.plan, states)


def left_by(handoffs: Iterable[Handoff]) -> dict[str, str]:
    """The task that last left a path undone."""
    ordered = sorted(handoffs, key=lambda handoff: handoff.task)
    return {path: found.task for found in undone(ordered) for path in found.paths}


async def _ledger(
    connected: Session,
    survey: Survey | None,
    plan: PlanSummary | None,
    states: dict[str, str],
    undone: dict[str, str] | None = None,
) -> tuple[LedgerRow, ...]:
    if survey is None:
        raise Refused(Code.NOT_FOUND, "there is no survey yet.")
    data = await connected.read(survey.data, SurveyData)
    made = await connected.read(plan.plan, Plan) if plan else None
    return ledger(data, made, states, undone)
