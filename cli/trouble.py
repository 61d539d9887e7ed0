"""What a migration tries again and again, in a line: why it stands still although nobody waits.

Read from the server, which knows the last failure of each step under way, of the migration, its
area, its queue, its planners and judge, and some of the tasks that run; no worker is asked. Trouble
with storage is said in words, with the host that met it: it heals by itself once its cause is gone.
Where nothing fails, a step that is at something for minutes says what.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.contracts.children import AreaRow
from activities.contracts.migration import Progress
from cli.render import first_line
from cli.unserved import STARTED, unserved
from workflows import options

_OWN_WAYS = (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED)
PATIENT_FOR = 3
"""Attempts before which a failure is everyday life."""
TASKS = 8
"""Tasks that are looked at: trouble of a host is met by all of them."""
TALK = "TalkWorkflow"


LOST = "put it back from a backup (without one: README, `a blob is gone`)"


class Cause(NamedTuple):
    """What stands in the way, and what a person can do about it."""

    says: str
    """A pattern for the failure's own words."""
    what: str
    do: str


CAUSES = (
    Cause("No space left|Disk quota|DiskFull", "the disk is full", "free some space there"),
    Cause(
        "HubUnreachable",
        "the hub is away",
        "mount it, or set WHIMBREL_HOME as the others have it; from another host: see that its "
        "server, network and key are there",
    ),
    Cause(
        "no blobs of this migration",
        "its blobs are away",
        "mount them, or set WHIMBREL_HOME and WHIMBREL_BLOBS as the others have them",
    ),
    Cause(
        "Permission denied|Operation not permitted|Read-only file system|PermissionError",
        "permission is denied",
        "let the worker's user write there",
    ),
    Cause(
        r"Generic \w+ error|timed out connecting to",
        "the blob store does not answer",
        "look at the bucket, its network and its credentials",
    ),
    Cause(
        "Input/output error|Stale file handle|Transport endpoint|Host is down",
        "the storage does not answer",
        "look at the disk or mount there",
    ),
    Cause("BlobMissing", "a blob is gone", LOST),
    Cause("BlobCorrupt", "a blob is damaged", LOST),
    Cause("UpstreamUnreachable", "upstream does not answer", "look at its address and the network"),
    Cause(
        "ModelParked|RateLimited|ModelOverloaded",
        "the model's provider asks for patience",
        "wait, or raise the account's limits",
    ),
    Cause(
        "ModelUnreachable|ModelSilent",
        "the model's provider does not answer",
        "look at ANTHROPIC_BASE_URL and the network of the workers with the role model",
    ),
    Cause("ModelUnavailable|ReplyCut", "the model's provider has trouble", "wait"),
    Cause(
        "McpAway",
        "an MCP server does not answer",
        "look at it and at WHIMBREL_MCP of the workers, or start without it in `mcp`",
    ),
    Cause("NoRoom", "every workspace is taken", "wait, or raise WHIMBREL_WORKSPACES_PER_HOST"),
)


async def trouble_of(client: Client, progress: Progress, rows: Iterable[AreaRow]) -> str:
    """What no worker takes, else the step that has failed most often by now, else what a step is at
    that takes minutes; empty: none."""
    running = (row for row in rows if row.state == "running")
    ids = [
        options.migration_id(progress.name),
        options.area_id(progress.name, "root"),
        options.queue_id(progress.repository, progress.branch),
        *(options.task_id(progress.name, r.task.id, r.start) for r in islice(running, TASKS)),
    ]
    found = [run for run in await asyncio.gather(*(_described(client, id) for id in ids)) if run]
    talks = [id for run in found for id in islice(_talks_of(run), TASKS)]
    found += [run for id in talks if (run := await _described(client, id))]
    if missing := await unserved(client, *found):
        return missing
    steps = [step for run in found for step in run.raw_description.pending_activities]
    failing = [step for step in steps if _is_trouble(step)]
    if failing:
        return told(max(failing, key=lambda step: step.attempt))
    return await _at_work(client, steps)


def _talks_of(run: WorkflowExecutionDescription) -> Iterator[str]:
    """The conversations that it waits for: its planners', its judge's."""
    raw: Any = run.raw_description
    for child in raw.pending_children:
        if child.workflow_type_name == TALK:
            yield child.workflow_id


async def stopped_short(client: Client, id: str) -> str:
    """How a workflow was closed that could not close itself, and what to do; empty: it was not."""
    described = await _described(client, id)
    if described is None or described.status in (None, *_OWN_WAYS):
        return ""
    how = described.status.name.lower().replace("_", " ")
    return f"{how}; start it again with its spec: what has landed stays landed"


def told(step: PendingActivityInfo) -> str:
    """One failing step, for people."""
    kind = step.last_failure.application_failure_info.type
    words = f"{kind}: {step.last_failure.message}" if kind else step.last_failure.message
    where = f"{step.activity_type.name}, attempt {step.attempt}"
    said = first_line(words, 300)
    cause = _cause(words)
    if cause is None:
        return f"trying again ({where}): {said}"
    at = f" on {host}" if (host := _host(step)) else ""
    return f"waiting: {cause.what}{at} ({where}): {said}; {cause.do}, it goes on by itself"


async def _at_work(client: Client, steps: list[PendingActivityInfo]) -> str:
    """In the words of the step that has been at it longest, which come with its beats."""
    saying = [s for s in steps if s.state == STARTED and s.heartbeat_details.payloads]
    if not saying:
        return ""
    longest = min(saying, key=lambda step: step.last_started_time.ToNanoseconds())
    words = await client.data_converter.decode(longest.heartbeat_details.payloads, [str])
    return f"waiting: {words[0]} on {_host(longest)}"


def _host(step: PendingActivityInfo) -> str:
    return step.last_worker_identity.partition("@")[2].partition(" ")[0]


def _is_trouble(step: PendingActivityInfo) -> bool:
    words = f"{step.last_failure.application_failure_info.type} {step.last_failure.message}"
    patience = PATIENT_FOR if _cause(words) is None else 2
    return step.attempt >= patience and bool(step.last_failure.message)


def _cause(words: str) -> Cause | None:
    return next((cause for cause in CAUSES if re.search(cause.says, words)), None)


async def _described(client: Client, id: str) -> WorkflowExecutionDescription | None:
    try:
        return await client.get_workflow_handle(id).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None
