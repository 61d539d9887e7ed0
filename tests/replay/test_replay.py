"""Recorded histories of every released shape replay on today's workflows."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from roles.control import WORKFLOWS, workflow_runner

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))
RECIPE = """
The workflow now does something else than what running migrations have recorded. Guard the edit:
    if workflow.patched("why-in-kebab-case"):
        ...new commands...
    else:
        ...the old ones...
and note the patch id in CHANGELOG.md. `make record` only for shapes that were never released.
"""


def history_of(path: Path) -> WorkflowHistory:
    """Under the id that it was recorded with: some workflows name their children by it."""
    told = json.loads(path.read_text())
    began = told["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(began["workflowId"], told)


def replayer() -> Replayer:
    return Replayer(
        workflows=WORKFLOWS,
        workflow_runner=workflow_runner(),
        data_converter=pydantic_data_converter,
    )


def test_there_is_a_history_of_every_workflow_kind():
    recorded = {
        history_of(path).events[0].workflow_execution_started_event_attributes.workflow_type.name
        for path in HISTORIES
    }
    assert recorded == {kind.__name__ for kind in WORKFLOWS}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda p: p.stem)
async def test_a_recorded_history_replays(path):
    result = await replayer().replay_workflow(history_of(path), raise_on_replay_failure=False)
    assert result.replay_failure is None, f"{result.replay_failure}\n{RECIPE}"


@pytest.mark.parametrize("path", HISTORIES[:1], ids=lambda p: p.stem)
async def test_a_changed_command_does_not_replay(path):
    text = path.read_text()
    named = next(
        event["activityTaskScheduledEventAttributes"]["activityType"]["name"]
        for event in json.loads(text)["events"]
        if "activityTaskScheduledEventAttributes" in event
    )
    changed = WorkflowHistory.from_json(path.stem, text.replace(f'"{named}"', '"renamed"'))
    result = await replayer().replay_workflow(changed, raise_on_replay_failure=False)
    assert result.replay_failure is not None
