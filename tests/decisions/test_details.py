"""What people read of a failure: what was said, by whom, once."""

from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, RetryState

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
