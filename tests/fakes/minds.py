"""Scripted agents: turns and tools act on a World in memory, as rungs do."""

import hashlib
from decimal import Decimal

from temporalio import activity

from activities.contracts.agent import AgentEnd, Finished
from activities.contracts.agent_word import AgentWord, HearAgent
from activities.contracts.conversation import (
    Conversation,
    FileRequest,
    Role,
    TakeTurn,
    ToolsUsed,
    TurnEnd,
    TurnTaken,
    UseTools,
)
from activities.contracts.money import Spend, Usage
from activities.contracts.plan import Plan
from activities.contracts.tools import WorkerForm
from activities.contracts.transcript import ToolResult, ToolResults
from activities.contracts.work import Checkpoint
from activities.contracts.work_requests import ConcludeAttempt, OpenedTalk, OpenWorkerTalk
from tests.fakes.actors import Fakes

TURN_COSTS = Decimal("0.10")
WORDS = {"talks": TurnEnd.SAID, "refuses": TurnEnd.REFUSED, "fills": TurnEnd.FULL}


class Minds(Fakes):
    """The activities of an agent's loop; what a turn does is `world.mind`."""

    @activity.defn(name="open_worker_talk")
    async def open_worker_talk(self, asked: OpenWorkerTalk) -> OpenedTalk:
        await self._enter(asked.name, "open_worker_talk", asked)
        plan = self._blobs.get_model(asked.plan, Plan)
        talk = Conversation(
            migration=asked.name,
            scope=f"task/{asked.task}",
            attempt=asked.attempt,
            role=Role.WORKER,
            model="claude-sonnet-5-5",
            max_tokens=1000,
            system="",
            brief="",
            repository=asked.repository.id,
            commit=asked.base,
            spec=asked.spec,
            phase=asked.phase,
            task=next(task for task in plan.tasks if task.id == asked.task),
        )
        return OpenedTalk(talk=self._blobs.put_model(asked.name, talk), model=talk.model)

    @activity.defn(name="take_turn")
    async def take_turn(self, asked: TakeTurn) -> TurnTaken:
        world = await self._enter(asked.talk.migration, "take_turn", asked)
        said = world.mind(asked.turn)
        end = WORDS.get(str(said), TurnEnd.CALLS)
        return TurnTaken(
            end=end,
            calls=("edit",) if end is TurnEnd.CALLS else (),
            fingerprint=str(said) if isinstance(said, str) else str(asked.turn),
            asks=(FileRequest(path=said[1:], reason="needed"),) if _asks(said) else (),
            usage=Usage(input=10, output=1),
            spend=Spend(recorded=TURN_COSTS),
        )

    @activity.defn(name="use_tools")
    async def use_tools(self, asked: UseTools) -> ToolsUsed:
        world = await self._enter(asked.talk.migration, "use_tools", asked)
        assert asked.room
        talk = self._blobs.get_model(asked.talk, Conversation)
        where = asked.room.workspace(talk)
        tree = world.workspaces[where.task, where.attempt]
        said = world.mind(asked.turn)
        wrote = said if isinstance(said, dict) else {}
        changed = {f"{name}.py": content for name, content in wrote.items()}
        if said == "migrates" and talk.task:
            changed = dict.fromkeys(talk.task.claims, "new")
        tree.update(changed)
        commit = world.commit(tree, (where.base,), f"turn {asked.turn}") if changed else None
        status = {"done": "done", "cannot": "cannot"}.get(str(said))
        form = WorkerForm.model_validate(
            {"status": status or "done", "did": "what was asked", "verified": "checks"}
        )
        results = ToolResults(results=(ToolResult(call="1", text="ok"),))
        return ToolsUsed(
            results=self._blobs.put_model(where.migration, results),
            commit=commit,
            tree=hashlib.sha1(repr(sorted(tree.items())).encode()).hexdigest(),
            finished=Finished(
                form=self._blobs.put_model(where.migration, form),
                status=status,
                summary=f"it is {status}",
            )
            if status
            else None,
        )

    @activity.defn(name="hear_agent")
    async def hear_agent(self, asked: HearAgent) -> AgentWord:
        form = self._blobs.get_model(asked.form, WorkerForm)
        word = {"status": form.status, "did": form.did, "verified": form.verified}
        return AgentWord.model_validate({"end": AgentEnd.DONE, **word})

    @activity.defn(name="conclude_attempt")
    async def conclude_attempt(self, asked: ConcludeAttempt) -> Checkpoint:
        world = await self._enter(asked.workspace.migration, "conclude_attempt", asked)
        left = self._checkpoint(world, asked)
        world.workspaces.pop((asked.workspace.task, asked.workspace.attempt), None)
        return left


def _asks(said: object) -> bool:
    return isinstance(said, str) and said.startswith("?")
