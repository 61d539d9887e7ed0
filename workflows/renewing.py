"""Where a run that grew long may end, to go on in a fresh one: in a workflow task of its own.

The server refuses to end a run when something came while the workflow task was worked on that ends
it. Then all of that task was in vain: the run is replayed from its first event and does the task's
steps again, its messages too, and more comes meanwhile; whoever waits for a merge queue waits for
that. So the steps are recorded first, and the task that ends the run has nothing else to do.
"""

from temporalio import workflow

from workflows.options import BREATH


async def alone() -> None:
    """Returns at the beginning of such a task, when no handler is at work. What came meanwhile was
    heard: who does not hand it on looks before the run ends."""
    while True:
        await workflow.wait_condition(workflow.all_handlers_finished)
        await workflow.sleep(BREATH, summary="long: goes on in a fresh run")
        if workflow.all_handlers_finished():
            return
