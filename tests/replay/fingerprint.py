"""What a recorded run commanded, in order: a line per command, to be read in a review.

Replaying says that today's code does the same; this says what that is. The recorder writes it
beside each history, so a command that was added, removed or moved is a line of the change.
"""

import base64
import json
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

FINGERPRINTS = Path(__file__).parent / "fingerprints"
COMMANDED = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: "activity",
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: "child",
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: "signal",
    EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: "cancel",
    EventType.EVENT_TYPE_TIMER_STARTED: "timer",
    EventType.EVENT_TYPE_MARKER_RECORDED: "marker",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "attributes",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: "continue as new",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "complete",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "fail",
}


def commands(path: Path) -> list[str]:
    """One line per command: its kind, and what it is aimed at."""
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    return [
        f"{COMMANDED[event.event_type]} {_aim(MessageToDict(event))}".strip()
        for event in history.events
        if event.event_type in COMMANDED
    ]


def _aim(event: dict[str, Any]) -> str:
    """Type, queue or name; ids and payloads differ from run to run."""
    said = next(value for key, value in event.items() if key.endswith("Attributes"))
    marker = said.get("details", {}).get("data", {}).get("payloads", [{}])
    name = said.get("activityType") or said.get("workflowType") or {}
    where = said.get("taskQueue", {}).get("name", "") if "activityType" in said else ""
    where = "host" if where.startswith("host/") else where
    words = (name.get("name", ""), where, said.get("signalName", ""), said.get("markerName", ""))
    return " ".join(w for w in words if w) + _local(marker)


def _local(payloads: list[dict[str, Any]]) -> str:
    """The activity that a local activity's marker stands for."""
    data = payloads[0].get("data") if payloads else None
    if not data:
        return ""
    try:
        said = json.loads(base64.b64decode(data))
    except ValueError:
        return ""
    return f" {said['activity_type']}" if isinstance(said, dict) and "activity_type" in said else ""


def kept(path: Path) -> Path:
    """Where a history's fingerprint stands."""
    return FINGERPRINTS / f"{path.stem}.txt"


def keep(path: Path) -> None:
    FINGERPRINTS.mkdir(exist_ok=True)
    kept(path).write_text("\n".join(commands(path)) + "\n")
