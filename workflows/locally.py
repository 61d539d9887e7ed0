"""Reads and small records: done on the spot, and patiently on the control queue where that fails.

A local activity costs one event, but while it is tried again its workflow's task is held open, or
a timer is set for each try, and nobody outside sees why. So it is tried once; then the activity
goes to the control queue, where it is tried for as long as it takes: three events however long that
is, with the last failure for `describe`, which `status` reads, and the first one on the page.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, TimeoutError

from activities import errors
from workflows import details
from workflows.options import LOCAL, OUTLASTING
from workflows.waiting import waits

Request = TypeVar("Request")
Result = TypeVar("Result")


@overload
async def locally(
    activity: Callable[[Any, Request], Awaitable[Result]], request: Request, *, summary: str
) -> Result: ...


@overload
async def locally(
    activity: Callable[[Any, Request], Result], request: Request, *, summary: str
) -> Result: ...


async def locally(activity: Callable[[Any, Any], Any], request: Any, *, summary: str) -> Any:
    """What the activity answers. Raises FailureError for what waiting never mends; that it may have
    been done twice is harmless, as with every activity."""
    try:
        return await workflow.execute_local_activity_method(
            activity, request, summary=summary, **LOCAL
        )
    except FailureError as failure:
        if not _heals(failure.cause if isinstance(failure, ActivityError) else failure):
            raise
        why = f"{summary}: {details.cause(failure)}; it is tried again and goes on by itself"
    with waits(why):
        return await workflow.execute_activity_method(
            activity, request, summary=summary, **OUTLASTING
        )


def _heals(cause: BaseException | None) -> bool:
    """Whether trying again may help; a cancelled step is not tried again."""
    if isinstance(cause, ApplicationError):
        return not cause.non_retryable and cause.type not in errors.NEVER_MENDED_BY_WAITING
    return isinstance(cause, TimeoutError)
