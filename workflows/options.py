"""Every timeout, retry policy, queue name, workflow id and bound: the only table of patience.

An activity names the kind of failure; here stands how long we bear with it. Clients never retry
by themselves.
"""

import dataclasses
from datetime import timedelta
from typing import Required, TypedDict

from temporalio import workflow
from temporalio.common import (
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)

from activities import errors

CONTROL = "control"
WORKSPACE = "workspace"
CHECKS = "checks"
INTEGRATION = "integration"
DELIVERY = "delivery"
MODEL = "model"
ROLES = (CONTROL, MODEL, WORKSPACE, CHECKS, INTEGRATION, DELIVERY)
QUEUES = {role: role == CONTROL for role in ROLES}
"""Each role's queue, and whether workflows are on it."""

MIGRATION_NAME = SearchAttributeKey.for_keyword("MigrationName")
STAGE = SearchAttributeKey.for_keyword("Stage")
TASK_STATE = SearchAttributeKey.for_keyword("TaskState")
REPO = SearchAttributeKey.for_keyword("Repo")
OWNER = SearchAttributeKey.for_keyword("Owner")
MODEL_NAME = SearchAttributeKey.for_keyword("Model")
SITES_LEFT = SearchAttributeKey.for_int("SitesLeft")
TASKS_LEFT = SearchAttributeKey.for_int("TasksLeft")
COST_USD = SearchAttributeKey.for_float("CostUsd")
NEEDS_HUMAN = SearchAttributeKey.for_bool("NeedsHuman")
SEARCH_ATTRIBUTES = {
    MIGRATION_NAME.name: "Keyword",
    STAGE.name: "Keyword",
    TASK_STATE.name: "Keyword",
    REPO.name: "Keyword",
    OWNER.name: "Keyword",
    MODEL_NAME.name: "Keyword",
    SITES_LEFT.name: "Int",
    TASKS_LEFT.name: "Int",
    COST_USD.name: "Double",
    NEEDS_HUMAN.name: "Bool",
}

HISTORY_EVENTS = 1600
"""A run continues as new beyond this many events, or when the server suggests it."""
BREATH = timedelta(milliseconds=1)
"""Between a long run's last step and its end."""
MAX_PENDING_CHILDREN = 500
MAX_BATCH = 64
MAX_CHECKED_AT_ONCE = 4
"""Prefixes of a batch: more cost more checks than they save time."""
MAX_BOUNCES = 3
MAX_STARTS = 3
"""How often a planner starts a child whose workflow died without a report."""
LEFTOVER_ENDS = timedelta(seconds=1)
LEFTOVER_ENDS_AT_MOST = timedelta(minutes=1)
"""How long a planner waits for a child of its earlier life before it looks again."""
MAX_REOPENS = 5
"""Workspaces lost in a row before a task gives up."""
STORAGE_PAUSE_AT_MOST = 300.0
"""Seconds between two tries of a host's step that met trouble with storage."""
GUARD_COMMITS = 8
GUARD_AFTER = timedelta(minutes=30)
"""How many landings, or how much time, until all checks run behind them, where a landing runs only
those that cover what it changes and no check is a deep one."""
SEARCHED = 3
"""Of how many reds at once it is searched which landing broke them."""
MAX_IDLE_CYCLES = 2
RECHECK_CHILDREN = timedelta(minutes=15)
ENQUEUE_AGAIN = timedelta(minutes=15)
ENQUEUE_AGAIN_AT_MOST = timedelta(hours=6)
LOOK_AT_PUSH = timedelta(minutes=10)
LOOK_AT_BASE_AT_MOST = 16
"""How many times as long as the spec says it takes to the next look where nothing moves."""
QUEUE_COMES_BACK = timedelta(seconds=10)
"""When a task asks again that found no queue: its planner is about to start another."""
MAX_DECISIONS = 200
PLANNER_TURNS = 60
JUDGE_TURNS = 30
MAX_OPINIONS = 20
AREA = "root"
"""The one area that a migration opens."""


def migration_id(name: str) -> str:
    return f"migration/{name}"


def fleet_id(name: str) -> str:
    return f"fleet/{name}"


def plan_id(name: str, spec_digest: str) -> str:
    return f"plan/{name}/{spec_digest[:12]}"


def area_id(name: str, area: str) -> str:
    """One id for all cycles: two live planners never decide the same question."""
    return f"migration/{name}/area/{area}"


def task_id(name: str, task: str, start: int) -> str:
    return f"migration/{name}/task/{task}/{start}"


def queue_id(repository: str, branch: str) -> str:
    return f"merge-queue/{repository}/{branch}"


def deep_id(repository: str, branch: str) -> str:
    return f"deep-checks/{repository}/{branch}"


class LocalOptions(TypedDict):
    """What a local activity is given beside its argument and summary."""

    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


class RemoteOptions(TypedDict, total=False):
    """What an activity is given beside its argument and summary."""

    task_queue: Required[str]
    schedule_to_start_timeout: timedelta
    start_to_close_timeout: Required[timedelta]
    heartbeat_timeout: timedelta
    retry_policy: Required[RetryPolicy]
    cancellation_type: workflow.ActivityCancellationType
    priority: Priority


_PATIENT = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=1),
    non_retryable_error_types=list(errors.NEVER_MENDED_BY_WAITING),
)
_ONCE = RetryPolicy(maximum_attempts=1)
"""The workflow decides what a failure buys: on a host, that the workspace is opened anew."""

LOCAL = LocalOptions(start_to_close_timeout=timedelta(seconds=30), retry_policy=_ONCE)
"""Reads and small records, done on the control worker itself. Tried once: one that is tried again
holds its workflow's task open, and the SDK's core leaves a timer behind for each try."""
OUTLASTING = RemoteOptions(
    task_queue=CONTROL,
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=_PATIENT,
)
"""The same ones where that failed: places that are away come back."""
GIT = RemoteOptions(
    task_queue=INTEGRATION,
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=_PATIENT,
)
MERGE_BASE_TRIES: RemoteOptions = {
    **GIT,
    "retry_policy": dataclasses.replace(_PATIENT, maximum_attempts=5),
}
"""Tasks wait for the queue meanwhile: a base that cannot be merged now is asked for again."""
OPEN = RemoteOptions(
    task_queue=WORKSPACE,
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=_PATIENT,
    cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
VERIFY = RemoteOptions(
    task_queue=CHECKS,
    start_to_close_timeout=timedelta(hours=6),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=_PATIENT,
    cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
VERIFY_LANDING: RemoteOptions = {**VERIFY, "priority": Priority(priority_key=1)}
"""Everybody waits for the queue, so its checks go before those of tasks."""
TURN = RemoteOptions(
    task_queue=MODEL,
    start_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
    cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
"""A reply may take minutes; a provider that is away or full is waited for, however long: who is
asked for patience is told when to come back, instead of the policy's pause. What waiting never
mends, and what nobody knows after a few tries, the activity tells by itself: in every turn's
policy, a list of it would be a seventh of a conversation's history."""
DELIVER = RemoteOptions(
    task_queue=DELIVERY,
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=_PATIENT,
)


def closing(queue: str) -> RemoteOptions:
    """Closing is harmless twice, so a call that got lost is made again."""
    return {**on_host(queue), "retry_policy": RetryPolicy(maximum_attempts=3)}


def on_host(queue: str) -> RemoteOptions:
    """For tools in a workspace: one attempt, on the one host that has the tree."""
    return RemoteOptions(
        task_queue=queue,
        schedule_to_start_timeout=timedelta(seconds=5),
        start_to_close_timeout=timedelta(hours=2),
        heartbeat_timeout=timedelta(seconds=10),
        retry_policy=_ONCE,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )


def of_migration(*own: SearchAttributePair[str]) -> TypedSearchAttributes:
    """What a child takes over from its parent, so that one query finds all of a migration."""
    mine = workflow.info().typed_search_attributes
    keys = (MIGRATION_NAME, REPO, OWNER)
    taken = [SearchAttributePair(key, mine[key]) for key in keys if key in mine]
    return TypedSearchAttributes([*taken, *own])


def of_member(name: str, repository: str) -> TypedSearchAttributes:
    """What a migration of a fleet is found by: its own name, its owner by the fleet's."""
    mine = workflow.info().typed_search_attributes
    owner = [SearchAttributePair(OWNER, mine[OWNER])] if OWNER in mine else []
    own = [SearchAttributePair(MIGRATION_NAME, name), SearchAttributePair(REPO, repository)]
    return TypedSearchAttributes([*own, SearchAttributePair(STAGE, "survey"), *owner])


AT_WORK = SearchAttributePair(TASK_STATE, "working")
"""A task's first state: given at its start, it costs no event."""


def is_long() -> bool:
    """Whether this run should continue as new: its history is what replays after every crash."""
    info = workflow.info()
    events = info.get_current_history_length()
    return info.is_continue_as_new_suggested() or events > HISTORY_EVENTS
