"""What a workflow's own page in the Web UI says while it waits; that costs no event."""

from collections.abc import Generator
from contextlib import contextmanager

from temporalio import workflow


@contextmanager
def waits(why: str) -> Generator[None]:
    """The page begins with why, until the wait is over; a page written meanwhile stays."""
    said = f"**Waiting:** {why}\n\n"
    workflow.set_current_details(said + workflow.get_current_details())
    try:
        yield
    finally:
        workflow.set_current_details(workflow.get_current_details().replace(said, "", 1))
