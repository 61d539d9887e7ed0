"""What the last agent of a task said, as it goes into the handoff; how it died, where it said
nothing. Whatever becomes of that, the handoff is given."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.contracts.agent import AgentRun
from activities.contracts.agent_word import AgentWord, HearAgent
from activities.contracts.children import TaskInput
from activities.contracts.work import Handoff, TaskStatus
from activities.hearing import HearingActivities
from workflows.options import VERIFY

LEAVES = (TaskStatus.CANCELLED, TaskStatus.ORPHANED)
"""Nobody waits for numbers of these."""


async def heard(task: TaskInput, handoff: Handoff) -> Handoff:
    """The handoff with its agent's word, where it had an agent."""
    last = next((a for a in reversed(handoff.attempts) if a.agent), None)
    if last is None or last.agent is None:
        return handoff
    word = _unheard(last.agent)
    commit = handoff.landed or last.checkpoint
    if last.agent.finished and commit and handoff.status not in LEAVES:
        try:
            word = await workflow.execute_activity_method(
                HearingActivities.hear_agent,
                HearAgent(
                    repository=task.repository,
                    spec=task.spec,
                    phase=task.phase,
                    commit=commit,
                    form=last.agent.finished.form,
                    reported=last.agent.reported,
                ),
                summary="measure again what the agent claims",
                **VERIFY,
            )
        except ActivityError as error:
            workflow.logger.warning("the agent was not heard", exc_info=error)
    return handoff.model_copy(update={"agent": word})


def _unheard(ran: AgentRun) -> AgentWord:
    said = ran.finished
    return AgentWord(
        end=ran.end,
        status=said.status if said else "",
        did=said.summary if said else "",
        reported=ran.reported,
    )
