"""An agent's loop: a model's turn, then its tools, until it is done, stuck or out of means.

One loop for planners, workers, resolvers and judges; what they see, may do and finish with is their
role's. A turn is one activity and a batch of calls is another, so a crash costs at most the turn
under way, people steer between turns, and the Web UI shows every step. Where it stands is known
after every step (`at`): another run goes on from there. An account that refuses costs nothing: the
same turn is taken again when a person has seen to it.
"""

from typing import NamedTuple, Protocol

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.agent import AgentActivities
from activities.contracts.agent import AgentEnd, AgentProgress, AgentRun, Allowance, Finished
from activities.contracts.conversation import TakeTurn, ToolsUsed, TurnTaken
from activities.contracts.money import NOTHING, AccountRefused, Spend
from activities.errors import BUDGET_REACHED
from workflows import account, details, turns
from workflows.options import TURN


class NotTaken(NamedTuple):
    """A turn that there will not be."""

    end: AgentEnd
    spend: Spend
    """Of its requests that were lost."""
    why: str = ""
    refused: AccountRefused | None = None
    """It is there when a person has seen to the account."""


class Hands(Protocol):
    """What the loop cannot know: where calls are carried out, what people say, when to stand
    still."""

    async def use(self, at: AgentProgress, taken: TurnTaken) -> tuple[AgentProgress, ToolsUsed]:
        """Carries out the turn's calls; returns where the conversation stands with them, and what
        came of them."""
        ...

    async def may_go_on(self, at: AgentProgress) -> None:
        """Returns where the next turn may begin here and now; else another run goes on from
        `at`."""
        ...

    async def account_mended(self, at: AgentProgress, refused: AccountRefused) -> bool:
        """Waits for it; whether the same turn may be taken again, after may_go_on."""
        ...

    @property
    def guidance(self) -> tuple[str, ...]:
        """All that people have said, oldest first."""
        ...


async def run_agent(at: AgentProgress, allowance: Allowance, hands: Hands) -> AgentRun:
    """Goes on with a conversation to its end."""
    while True:
        await hands.may_go_on(at)
        if end := turns.over(at, allowance):
            return _ended(at, end)
        said = hands.guidance  # what comes while it thinks is for the next turn
        taken = await _take_turn(at, allowance, said)
        if isinstance(taken, NotTaken):
            if taken.refused and await hands.account_mended(at, taken.refused):
                continue
            lost = at.spend + taken.spend
            return _ended(at.model_copy(update={"spend": lost}), taken.end, why=taken.why)
        at = turns.after_reply(at.model_copy(update={"heard": turns.heard(said)}), taken)
        if end := turns.ENDS.get(taken.end):
            return _ended(at, end)
        if not taken.calls:
            continue
        at, used = await hands.use(at, taken)
        at = turns.after_tools(at, taken, used)
        if used.finished:
            return _ended(at, AgentEnd.DONE, used.finished)


async def _take_turn(
    at: AgentProgress, allowance: Allowance, guidance: tuple[str, ...]
) -> TurnTaken | NotTaken:
    """One reply; else why waiting brings none: what is left of the grant cannot pay for it at
    worst, or the provider will never take it, or not before a person has seen to the account. What
    was done before it stays."""
    left = None
    began = workflow.now().isoformat(timespec="seconds")
    if allowance.grant is not None:
        left = max(allowance.grant - at.spend.total, NOTHING)
    try:
        return await workflow.execute_activity_method(
            AgentActivities.take_turn,
            TakeTurn(
                talk=at.talk,
                turn=at.turn + 1,
                results=at.results,
                told=turns.to_tell(at, allowance, guidance),
                grant=left,
            ),
            summary=f"turn {at.turn + 1}",
            **TURN,
        )
    except ActivityError as error:
        cause = error.cause
        if not isinstance(cause, ApplicationError) or not cause.non_retryable:
            raise
        lost = Spend.model_validate(cause.details[0]) if cause.details else Spend()
        if cause.type == BUDGET_REACHED:
            return NotTaken(AgentEnd.BUDGET, lost)
        refused = account.refusal(cause, began)
        return NotTaken(AgentEnd.FAILED, lost, details.cause(error), refused)


def _ended(
    at: AgentProgress, end: AgentEnd, finished: Finished | None = None, why: str = ""
) -> AgentRun:
    return AgentRun(
        talk=at.talk,
        end=end,
        turns=at.turn,
        checkpoint=at.checkpoint,
        usage=at.usage,
        spend=at.spend,
        finished=finished,
        why=why,
        reported=at.reported,
    )
