"""A claude rung: one conversation with a worker in the attempt's workspace.

It begins where any rung would, and what it leaves is checked as any rung's is. The workspace is
opened when the first call needs it, lost and found without a turn lost, and given back while the
task stands still.
"""

from collections.abc import Awaitable, Callable

from temporalio import workflow

from activities.briefing import BriefingActivities
from activities.contracts import findings
from activities.contracts.agent import AgentEnd, AgentProgress, Allowance
from activities.contracts.base import BlobRef
from activities.contracts.children import TaskInput
from activities.contracts.climb import Climb
from activities.contracts.conversation import Room, ToolsUsed, TurnTaken, UseTools, attempt_name
from activities.contracts.evidence import Evidence
from activities.contracts.money import NOTHING, AccountRefused, Spend
from activities.contracts.requests import RESOLVER
from activities.contracts.work import CommandRun, RungRun, Workspace
from activities.contracts.work_requests import OpenWorkerTalk
from activities.tools import ToolActivities
from workflows import account
from workflows.agent_loop import run_agent
from workflows.file_requests import FileRequests
from workflows.guided import Guided
from workflows.options import MODEL_NAME, OPEN, migration_id, on_host
from workflows.workspaces import Workspaces

LOOK_FOR_PARENT = 20
"""Turns between two looks whether its planner is still there."""


class AgentRung:
    """The worker's side of one attempt's conversation; lives inside its workflow run."""

    def __init__(
        self,
        task: TaskInput,
        files: FileRequests,
        guided: Guided,
        workspaces: Workspaces,
        stands: Callable[[AgentProgress], None],
        parent_is_there: Callable[[], Awaitable[None]],
        check: Callable[[str, str], Awaitable[Evidence]],
    ) -> None:
        """`stands` takes down where the conversation stands, for another run to go on from;
        `parent_is_there` raises where nobody wants the task any more; `check` runs the task's
        checks on a commit against its base."""
        self._in = task
        self._files = files
        self._guided = guided
        self._workspaces = workspaces
        self._stands = stands
        self._parent_is_there = parent_is_there
        self._check = check
        self._number = 0
        self._at = Climb(base=task.tip, start=task.tip)

    async def run(self, number: int, at: Climb, spent: Spend) -> RungRun:
        """The attempt's conversation to its end, and what it left. `spent`: by earlier attempts."""
        self._number, self._at = number, at
        progress = at.agent or AgentProgress(talk=await self._open())
        began = workflow.time()
        ran = await run_agent(progress, self._allowance(spent), self)
        stands = ran.checkpoint or at.begins_at
        checkpoint = await self._workspaces.conclude(number, at, self._files.order.task, stands)
        run = CommandRun(
            exit=0 if ran.end is AgentEnd.DONE else None,
            ended="exit" if ran.end is AgentEnd.DONE else ran.end.value,
            seconds=workflow.time() - began,
            calls=ran.turns,
            tail=ran.finished.summary if ran.finished else ran.why,
        )
        return RungRun(run=run, allowed=True, checkpoint=checkpoint, agent=ran)

    async def _open(self) -> BlobRef:
        at = self._at
        opened = await workflow.execute_activity_method(
            BriefingActivities.open_worker_talk,
            OpenWorkerTalk(
                name=self._in.name,
                repository=self._in.repository,
                spec=self._in.spec,
                plan=self._in.plan,
                phase=self._in.phase,
                task=self._files.order.task.id,
                rung=at.rung,
                attempt=attempt_name(self._in.epoch, self._in.start, self._number),
                base=at.base,
                start=at.begins_at,
                evidence=at.latest.evidence if at.latest else None,
                survey=self._in.survey,
                conflict=at.conflict,
                granted_files=self._files.order.task.grants,
                notes=self._files.notes,
            ),
            summary="what the agent has to know",
            **OPEN,
        )
        if workflow.info().typed_search_attributes.get(MODEL_NAME) != opened.model:
            workflow.upsert_search_attributes([MODEL_NAME.value_set(opened.model)])
        return opened.talk

    def _allowance(self, spent: Spend) -> Allowance:
        """The rung's, within what is left of the task's grant."""
        own = self._files.order.allowances[RESOLVER if self._at.conflict else self._at.rung]
        if self._in.grant is None:
            return own
        left = max(self._in.grant - spent.total, NOTHING)
        return own.model_copy(update={"grant": left if own.grant is None else min(left, own.grant)})

    @property
    def guidance(self) -> tuple[str, ...]:
        """What people have said to this task, oldest first."""
        return self._guided.now.guidance

    async def may_go_on(self, at: AgentProgress) -> None:
        """Between two turns; the room is given back before the task stands still."""
        self._stands(at)
        if self._guided.leaves:
            await self._workspaces.leave()
        self._guided.may_begin()
        if at.turn and at.turn % LOOK_FOR_PARENT == 0:
            await self._parent_is_there()

    async def account_mended(self, at: AgentProgress, refused: AccountRefused) -> bool:
        """Stands still with its migration; one whose planner is gone ends."""
        self._stands(at)
        await self._parent_is_there()
        await account.wait_for_pause(migration_id(self._in.name), refused, self._stops)
        return True

    def _stops(self) -> bool:
        return self._guided.now.paused or self._guided.now.draining

    async def use(self, at: AgentProgress, taken: TurnTaken) -> tuple[AgentProgress, ToolsUsed]:
        """In the attempt's workspace; in another one when that is lost, from the last turn's
        tree."""
        answers = await self._files.ask(taken.asks, settles=self._at.conflict is not None)
        joined = tuple(said.path for said in answers if said.granted)
        at = at.model_copy(update={"granted": tuple(sorted({*at.granted, *joined}))})

        async def step(workspace: Workspace) -> ToolsUsed:
            return await workflow.execute_activity_method(
                ToolActivities.use_tools,
                UseTools(
                    talk=at.talk,
                    turn=at.turn,
                    room=Room.of(workspace),
                    granted=at.granted,
                    answers=answers,
                    when=int(workflow.time()),
                ),
                summary=", ".join(taken.calls)[:200],
                **on_host(workspace.queue),
            )

        start = at.checkpoint or self._at.begins_at
        used = await self._workspaces.use(self._number, "agent", self._at.base, start, step)
        if not used.wants_check or used.commit is None:
            return at, used
        evidence = await self._check(used.commit, self._at.base)
        return at.model_copy(update={"told": (*at.told, findings.told(evidence))}), used
