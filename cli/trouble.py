"""What a migration tries again and again, in a line: why it stands still although nobody waits.

Read from the server, which knows the last failure of each step under way; no worker is asked.
"""

from typing import Any

from temporalio.api.failure.v1 import Failure
from temporalio.client import WorkflowHandle

from cli.render import first_line

PATIENT_FOR = 3
"""Attempts before which a failure is everyday life."""


async def trouble_of(handle: WorkflowHandle[Any, Any]) -> str:
    """The step that has failed most often by now, with its last failure; empty: none."""
    description = await handle.describe()
    pending = description.raw_description.pending_activities
    failing = [
        step for step in pending if step.attempt >= PATIENT_FOR and step.last_failure.message
    ]
    if not failing:
        return ""
    worst = max(failing, key=lambda step: step.attempt)
    said = first_line(_told(worst.last_failure), 300)
    return f"trying again ({worst.activity_type.name}, attempt {worst.attempt}): {said}"


def _told(failure: Failure) -> str:
    """The failure's own words; its causes are in the Web UI."""
    kind = failure.application_failure_info.type
    return f"{kind}: {failure.message}" if kind else failure.message
