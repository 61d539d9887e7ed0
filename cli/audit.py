"""Prints who said what to a migration or a fleet, when, why, and what was refused.

What was applied is in the state; history, for as long as the server keeps it, also has what was
refused after it had been asked about, what came past the commands (Temporal's own cancel and
terminate, signals that nobody here sends), and through which client. What a validator refused
leaves no trace anywhere.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts.base import Contract
from activities.contracts.children import REPORT
from activities.contracts.commands import HumanDecision
from activities.contracts.fleet import ORDER
from activities.contracts.moving_base import BASE_MERGED
from activities.contracts.news import DEEP_NEWS, LANDED_MORE, QUEUE_NEWS
from activities.contracts.pushes import PUSH_SEEN
from cli.asking import find, progress_of, report_of
from cli.boundary import Code, give, give_json
from cli.fleets import fleet_of, fleet_progress
from cli.render import first_line, table
from cli.session import Session, session

OURS = (REPORT, ORDER, QUEUE_NEWS, DEEP_NEWS, LANDED_MORE, BASE_MERGED, PUSH_SEEN)
"""Signals that planners, queues and fleets send."""
ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
COMPLETED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED
CANCELLED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
TERMINATED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED
SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED


class Entry(Contract):
    """One thing that was said or done."""

    at: str
    actor: str
    verb: str
    target: str = ""
    reason: str = ""
    said: str = ""
    outcome: str = "accepted"
    id: str = ""
    client: str = ""
    """Who connected to Temporal with it, as the server noted."""


async def audit(name: str, local: bool, as_json: bool) -> int:
    """Oldest first."""
    async with session(local=local, needs_work=False) as connected:
        entries = await _entries(connected, name)
    if as_json:
        give_json("audit", {"entries": [entry.model_dump(mode="json") for entry in entries]})
    else:
        columns = ("when", "who", "what", "of", "outcome", "why")
        rows = [_cells(entry) for entry in entries]
        give(table(columns, rows) if rows else "Nobody said anything.")
    return Code.OK


def _cells(entry: Entry) -> tuple[str, ...]:
    why = "; ".join(text for text in (entry.reason, entry.said) if text)
    return (
        entry.at,
        entry.actor,
        entry.verb,
        entry.target or "all",
        first_line(entry.outcome),
        first_line(why),
    )


async def _entries(connected: Session, name: str) -> list[Entry]:
    handle: WorkflowHandle[Any, Any]
    if fleet := await fleet_of(connected, name):
        handle, decisions = fleet, (await fleet_progress(connected, fleet)).decisions
    else:
        handle = await find(connected, name)
        ended = await report_of(connected, handle)
        decisions = (ended or await progress_of(connected, handle)).decisions
    events = [event async for event in _events(connected, handle)]
    seen = await _of_history(connected, events)
    return sorted(merged(decisions, seen), key=lambda entry: entry.at)


def merged(decisions: Sequence[HumanDecision], seen: Sequence[Entry]) -> list[Entry]:
    """The state says what was applied, history all else and through which client."""
    clients = {entry.id: entry.client for entry in seen if entry.id}
    kept = [
        Entry.model_validate({**said.model_dump(), "client": clients.get(said.id, "")})
        for said in decisions
    ]
    known = {said.id for said in decisions}
    return kept + [e for e in seen if e.id not in known or e.outcome != "accepted"]


async def _events(
    connected: Session, handle: WorkflowHandle[Any, Any]
) -> AsyncGenerator[HistoryEvent]:
    """Of every run that the server still has, the newest run first."""
    run: str | None = None
    while True:
        before = ""
        history = connected.client.get_workflow_handle(handle.id, run_id=run)
        try:
            async for event in history.fetch_history_events():
                started = event.workflow_execution_started_event_attributes
                before = started.continued_execution_run_id or before
                yield event
        except RPCError as error:
            if run is None or error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return
        if not before:
            return
        run = before


async def _of_history(connected: Session, events: Sequence[HistoryEvent]) -> list[Entry]:
    ends = {
        event.workflow_execution_update_completed_event_attributes.meta.update_id: event
        for event in events
        if event.event_type == COMPLETED
    }
    found: list[Entry] = []
    for event in events:
        at = event.event_time.ToDatetime().isoformat(timespec="seconds") + "+00:00"
        if event.event_type == ACCEPTED:
            found.append(await _command(connected, at, event, ends))
        elif event.event_type in (CANCELLED, TERMINATED, SIGNALED):
            found += _past_the_commands(at, event)
    return found


async def _command(
    connected: Session, at: str, event: HistoryEvent, ends: dict[str, HistoryEvent]
) -> Entry:
    asked = event.workflow_execution_update_accepted_event_attributes.accepted_request
    id, said = asked.meta.update_id, dict[str, Any]()
    if asked.input.args.payloads:
        (said, *_) = await connected.client.data_converter.decode(list(asked.input.args.payloads))
    outcome = "no answer yet"
    if id in ends:
        end = ends[id].workflow_execution_update_completed_event_attributes.outcome
        failed = end.failure.message if end.HasField("failure") else ""
        outcome = f"refused: {failed}" if failed else "accepted"
    task, area = said.get("task", ""), said.get("area", "")
    return Entry(
        at=at,
        actor=said.get("actor") or asked.meta.identity,
        verb=asked.input.name.replace("_", " "),
        target=f"task {task}" if task else f"area {area}" if area else "",
        reason=said.get("reason", ""),
        said=said.get("text", ""),
        outcome=outcome,
        id=said.get("id") or id,
        client=asked.meta.identity,
    )


def _past_the_commands(at: str, event: HistoryEvent) -> list[Entry]:
    """What was done through Temporal and is no command of ours."""
    if event.event_type == CANCELLED:
        cancelled = event.workflow_execution_cancel_requested_event_attributes
        who, verb, why = cancelled.identity, "cancel (Temporal's own)", cancelled.cause
    elif event.event_type == TERMINATED:
        ended = event.workflow_execution_terminated_event_attributes
        who, verb, why = ended.identity, "terminate (Temporal's own)", ended.reason
    else:
        signaled = event.workflow_execution_signaled_event_attributes
        if signaled.signal_name in OURS:
            return []
        who, verb, why = signaled.identity, f"signal {signaled.signal_name}", "nothing takes it"
    return [Entry(at=at, actor=who, verb=verb, reason=why, outcome="done", client=who)]
