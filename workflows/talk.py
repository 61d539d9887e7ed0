"""TalkWorkflow: one conversation that only reads, to its end: a planner's, a judge's.

It has no workspace: its tools look at a commit in the hub, from any host. What it ends with is its
parent's to act on. Between two turns it hears people, stands still while its migration is paused,
and may go on in another run.
"""

from temporalio import workflow

from activities.contracts.agent import AgentProgress, AgentRun
from activities.contracts.conversation import ToolsUsed, TurnTaken, UseTools
from activities.contracts.money import AccountRefused
from activities.contracts.talking import STEER_TALK, TalkInput, TalkSteering
from activities.tools import ToolActivities
from workflows import account
from workflows.agent_loop import run_agent
from workflows.guided import end_if_cancelled
from workflows.options import OPEN, is_long


@workflow.defn
class TalkWorkflow:
    """One conversation; its id is the question that it decides."""

    @workflow.init
    def __init__(self, talk: TalkInput) -> None:
        self._in = talk
        self._told = talk.steering

    @workflow.run
    async def run(self, talk: TalkInput) -> AgentRun:
        at = talk.state or AgentProgress(talk=talk.talk)
        return await run_agent(at, talk.allowance, self)

    @workflow.signal(name=STEER_TALK)
    def steer_talk(self, told: TalkSteering) -> None:
        """Pause, go on, texts of people."""
        self._told = told

    @property
    def guidance(self) -> tuple[str, ...]:
        """What people have said, oldest first."""
        return self._told.guidance

    async def may_go_on(self, at: AgentProgress) -> None:
        """Stands still while it is paused, however long; that costs no event."""
        paused = "paused with its migration; " if self._told.paused else ""
        workflow.set_current_details(f"{paused}{at.turn} turns, {at.spend.total:.2f} USD")
        end_if_cancelled()
        if self._told.paused:
            await workflow.wait_condition(lambda: not self._told.paused)
        if is_long():
            again = {"state": at, "steering": self._told}
            workflow.continue_as_new(self._in.model_copy(update=again))

    async def account_mended(self, at: AgentProgress, refused: AccountRefused) -> bool:
        """Stands still with its migration, unless nobody could resume that."""
        asker = workflow.info().parent
        if asker is None or not self._in.resumable:
            return False
        await account.wait_for_pause(asker.workflow_id, refused, lambda: self._told.paused)
        return True

    async def use(self, at: AgentProgress, taken: TurnTaken) -> tuple[AgentProgress, ToolsUsed]:
        """Reads the conversation's commit, on any host; a form that was sent back is counted."""
        used = await workflow.execute_activity_method(
            ToolActivities.use_tools,
            UseTools(talk=at.talk, turn=at.turn, when=int(workflow.time())),
            summary=", ".join(taken.calls)[:200],
            **OPEN,
        )
        return at.model_copy(update={"refused": at.refused + used.sent_back}), used
