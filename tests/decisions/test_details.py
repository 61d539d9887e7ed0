"""What people read of a failure: what was said, by whom, once."""

import pytest
from builders import a_candidate
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, RetryState

from activities.contracts.base import BlobRef
from activities.contracts.children import AreaSteering, QueueState, TaskCounts
from activities.contracts.commands import Hold
from activities.contracts.migration import MigrationInput, MigrationState, Stage
from activities.contracts.repository import Repository
from activities.contracts.survey import Unsearched, told_of_phases
from workflows import details
from workflows.details import area_page, cause
from workflows.queue_page import queue_page


def test_a_queues_page_says_which_checks_are_flaky():
    page = queue_page(QueueState(landed=4, flaky={"unit": 2, "e2e": 1}), ())
    assert page == "4 landed in 0 batches, 0 bounced; flaky: e2e once, unit twice"


def in_activity(said: BaseException) -> ActivityError:
    error = ActivityError(
        "activity error",
        scheduled_event_id=1,
        started_event_id=2,
        identity="worker",
        activity_type="take_base",
        activity_id="1",
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    error.__cause__ = said
    return error


def test_a_failure_is_what_the_activity_said_not_how_it_came_to_say_so():
    said = ApplicationError("the branch main is gone", type="BaseVanished")
    said.__cause__ = ApplicationError("git fetch origin: exit 128", type="GitFailed")
    assert cause(in_activity(said)) == "BaseVanished in take_base: the branch main is gone"


def test_the_failure_of_a_child_is_what_the_child_said():
    said = ApplicationError("too often", type="Gone")
    error = ChildWorkflowError(
        "child failed",
        namespace="default",
        workflow_id="w",
        run_id="r",
        workflow_type="AreaWorkflow",
        initiated_event_id=1,
        started_event_id=2,
        retry_state=RetryState.NON_RETRYABLE_FAILURE,
    )
    error.__cause__ = said
    assert cause(error) == "Gone: too often"


def test_sites_left_go_down_with_each_landing_until_they_are_counted_anew():
    spec = BlobRef(migration="app", sha256="0" * 64, size=1)
    where = Repository(url="/app", id="app-1a2b3c4d")
    started = MigrationInput(name="app", spec=spec, repository=where, spec_digest="0" * 64)
    counts = TaskCounts(landed=3, running=1, sites_gone=7)
    state = MigrationState(stage=Stage.WORK, sites_at_start=20, sites_left=12, counts=counts)
    assert details.progress(started, state, None, "calls", None).sites_left == 5


HOLD = Hold(target="task c1-0003", actor="ana", reason="look first", at="2026-01-01T00:00:00+00:00")
COUNTS = TaskCounts(waiting=3, running=2, landed=4)


@pytest.mark.parametrize(
    ("wanted", "window", "pilot", "said"),
    [
        (AreaSteering(), 2, 0, "2 tasks at once are the most (starter.py limits)"),
        (AreaSteering(), 4, 0, "the others need what has not landed yet, or files of a task at"),
        (AreaSteering(), 2, 3, "the 3 tasks of the pilot go before the others"),
        (AreaSteering(cancelled=True), 2, 0, "it is being cancelled"),
        (
            AreaSteering(holds=(HOLD,), held=("c1-0003",)),
            2,
            0,
            "task c1-0003 paused by ana since 2026-01-01T00:00:00+00:00: look first; 2 tasks at",
        ),
        (
            AreaSteering(holds=(HOLD.model_copy(update={"target": ""}),), paused=True),
            2,
            0,
            "paused by ana since 2026-01-01T00:00:00+00:00: look first",
        ),
    ],
)
def test_an_areas_page_says_why_tasks_wait(
    wanted: AreaSteering, window: int, pilot: int, said: str
) -> None:
    page = area_page(1, COUNTS, wanted, window, pilot)
    assert page.startswith("cycle 1: 4 of 9 tasks landed, 2 running, 3 waiting, 0 need a person")
    assert page.partition("**Waiting:** ")[2].startswith(said)


def test_an_area_in_which_nothing_waits_says_nothing_of_it() -> None:
    assert "Waiting" not in area_page(1, TaskCounts(running=2), AreaSteering(), 2, 0)


def test_a_queues_page_says_who_waits_for_what() -> None:
    asking = tuple(a_candidate(task) for task in "abcde")
    state = QueueState(waiting=asking, landed=3, batches=2)
    composed = [candidate.id for candidate in asking[:4]]
    assert queue_page(state, composed) == (
        "3 landed in 2 batches, 0 bounced; 4 are being checked; 1 wait for their turn"
    )
    paused = queue_page(state.model_copy(update={"paused": True}), composed)
    assert paused.endswith("**Waiting:** 1 candidates, for the migration is paused")


def test_what_was_not_searched_is_told_once_where_the_phases_agree():
    one, two = Unsearched.of(["a.js"]), Unsearched.of(["a.js", "b.js"])
    assert told_of_phases({}) == told_of_phases({"x": Unsearched()}) == ""
    assert told_of_phases({"x": Unsearched(), "y": one}) == "1 file over 20 MiB not searched: a.js"
    assert told_of_phases({"x": one, "y": one}) == one.told
    assert told_of_phases({"x": one, "y": two}) == f"phase x: {one.told}; phase y: {two.told}"
