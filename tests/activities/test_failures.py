"""Failures are told in so many bytes that the server keeps them, whatever raised them."""

from temporalio.api.failure.v1 import Failure

from activities.failures import CONVERTER


def deep(levels: int) -> None:
    if levels:
        deep(levels - 1)
    raise PermissionError(13, "Permission denied", "/srv/whimbrel/" + "x" * 200)


def told_of(error: BaseException) -> Failure:
    failure = Failure()
    CONVERTER.failure_converter.to_failure(error, CONVERTER.payload_converter, failure)
    return failure


def test_a_long_chain_of_causes_with_deep_stacks_fits_and_still_says_why():
    error: BaseException = RuntimeError("start")
    for number in range(8):
        try:
            try:
                deep(60)
            except PermissionError as first:
                raise RuntimeError(f"{number} " + "y" * 5000) from first
        except RuntimeError as outer:
            outer.__cause__.__cause__ = error
            error = outer
    try:
        deep(60)
    except PermissionError as last:
        last.__cause__ = error
        failure = told_of(last)
    assert failure.ByteSize() < 4000
    assert failure.message.startswith("[Errno 13] Permission denied: '/srv/whimbrel/")
    assert failure.application_failure_info.type == "PermissionError"
    assert "deep" in failure.stack_trace
