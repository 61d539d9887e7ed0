"""What a failure may say: the server replaces one that is too long by nothing but that it was.

Temporal keeps the last failure of a running activity in at most some kilobytes, its causes and
their stacks included; beyond that people would read `Failure exceeds size limit` and no reason.
"""

import dataclasses

from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverter, PayloadConverter

from activities.errors import ERROR_TEXT_LIMIT

STACK = 600
"""Characters of a stack's end, which says where it happened."""
CAUSES = 3
"""What lies behind them is in the worker's log."""


class BoundedFailures(DefaultFailureConverter):
    """The SDK's failures, cut."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Raises nothing: a failure that cannot be told would be tried again for ever."""
        super().to_failure(exception, payload_converter, failure)
        cut(failure)


def cut(failure: Failure) -> None:
    """In place: texts to their beginnings, stacks to their ends, causes to the first few."""
    for depth in range(CAUSES + 1):
        failure.message = failure.message[: ERROR_TEXT_LIMIT // (depth + 1)]
        failure.stack_trace = failure.stack_trace[-STACK:] if depth == 0 else ""
        if not failure.HasField("cause"):
            return
        if depth == CAUSES:
            failure.ClearField("cause")
            return
        failure = failure.cause


CONVERTER = dataclasses.replace(pydantic_data_converter, failure_converter_class=BoundedFailures)
"""Of every worker."""
