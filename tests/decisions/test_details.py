"""What people read of a failure: what was said, by whom, once."""

from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, RetryState

from activities.contracts.base import BlobRef
from activities.contracts.children import TaskCounts
from activities.contracts.migration import MigrationInput, MigrationState, Stage
from activities.contracts.repository import Repository
from workflows import details
from workflows.details import cause


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
