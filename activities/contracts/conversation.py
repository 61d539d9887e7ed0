"""The nouns of an agent's loop: a conversation with a model, its turns, and the tools it used.

A Conversation is a blob, made once; requests carry its reference, a turn's number and what is new,
for all of that goes into history: a turn may cost it two kilobytes. What was said is in blobs that
are written once under (scope, attempt, turn): transcript.py.
"""

from enum import StrEnum

from activities.contracts.agent import Finished
from activities.contracts.base import BlobRef, CommitId, Contract, Lean
from activities.contracts.file_requests import FileAnswer, FileRequest
from activities.contracts.mcp import McpTool
from activities.contracts.money import Spend, Usage, Usd
from activities.contracts.plan import Task
from activities.contracts.scopes import PlanScope
from activities.contracts.work import Workspace

SAID = 100
"""Characters of a reply's text that go into history, for people."""


class Role(StrEnum):
    """What an agent is there for; decides its prompt, its tools and the form it finishes with."""

    PLANNER = "planner"
    SUB_PLANNER = "sub_planner"
    WORKER = "worker"
    RESOLVER = "resolver"
    JUDGE = "judge"


class Conversation(Contract):
    """One agent's talk with one model, as it begins. (migration, scope, attempt) is its identity:
    turns, replies and spend are recorded under it, and no other conversation ever has it."""

    migration: str
    scope: str
    """What it is about, such as `task/c1-0042`, `plan/c2/root`, `judge/c2`."""
    attempt: str
    """Such as `1a2b3c4d-0-2`: start 0, attempt 2, in one life of its planner."""
    role: Role
    model: str
    max_tokens: int
    """Of one reply."""
    system: str
    """The role's prompt; equal for all conversations of a phase, so that it is cached."""
    brief: str
    """The first user message: this task, this area, this cycle."""
    prompts: dict[str, str] = {}
    """Prompt file → sha256."""
    repository: str
    """The repository's id."""
    commit: CommitId
    """What is read where there is no workspace; the base where there is one."""
    spec: BlobRef
    phase: str
    task: Task | None = None
    """A worker's or resolver's, as planned: with the claims it began with."""
    survey: BlobRef | None = None
    plans: PlanScope | None = None
    """A planner's: what it divides."""
    mcp: tuple[McpTool, ...] = ()
    """Tools of MCP servers, after those of the role."""


def task_scope(task: str) -> str:
    """What a worker's conversations are about."""
    return f"task/{task}"


def plan_scope(cycle: int, path: str) -> str:
    """What a planner's conversation is about."""
    return f"plan/c{cycle}/{path}"


def judge_scope(cycle: int) -> str:
    """What a judge's conversation is about."""
    return f"judge/c{cycle}"


def attempt_name(epoch: str, start: int, number: int) -> str:
    """Of a task's attempt: starts count a task's runs in one life of its planner, numbers its
    attempts."""
    return f"{attempts_of(epoch, start)}{number}"


def attempts_of(epoch: str, start: int) -> str:
    """How the names of one start's attempts begin. A service that lost its database counts starts
    anew: what an earlier life has on record is not what was said in this one."""
    return f"{_life(epoch)}-{start}-"


def life_name(epoch: str) -> str:
    """The one attempt of a planner's or judge's conversation in one life of its migration."""
    return f"{_life(epoch)}-1"


def _life(epoch: str) -> str:
    """The end of its run id: those that begin in the same minute may begin with the same digits,
    which are a time."""
    return epoch[-8:]


class TurnEnd(StrEnum):
    """How a reply ended; what the loop does next hangs on it."""

    CALLS = "calls"
    """It called tools."""
    SAID = "said"
    """It only talked: it is told to finish with the tool for it."""
    CUT = "cut"
    """It reached max_tokens: calls that came whole count, as in CALLS."""
    PAUSED = "paused"
    """The API stopped a long turn: the same conversation goes on as it is."""
    REFUSED = "refused"
    """The model declined."""
    FULL = "full"
    """The conversation does not fit the model's window any more, compacted or not."""


class TakeTurn(Lean):
    """One request to the model. A second run finds the recorded reply and pays nothing."""

    talk: BlobRef
    """A Conversation."""
    turn: int
    """Counts from 1; the turns before it are on record."""
    results: BlobRef | None = None
    """A ToolResults, answering the calls of the turn before; None where it called none."""
    told: tuple[str, ...] = ()
    """What people or the system said since, oldest first."""
    grant: Usd | None = None
    """What is left of its grant; None: no cap. A turn that it cannot pay for at worst raises
    BudgetReached."""


class TurnTaken(Lean):
    """One reply, as far as the workflow decides by it; the reply itself is the turn's Chunk."""

    end: TurnEnd
    calls: tuple[str, ...] = ()
    """Names of the tools it called, in order, at most 20."""
    fingerprint: str = ""
    """A digest of the calls with their inputs, 16 characters: the same again and again is no
    progress."""
    asks: tuple[FileRequest, ...] = ()
    """What its request_files calls ask for, well-formed ones, at most 20."""
    usage: Usage = Usage()
    spend: Spend = Spend()
    """Of this turn, lost replies included."""
    said: str = ""
    """The beginning of its text."""


class Room(Contract):
    """A workspace, as far as its conversation does not say it."""

    attempt: str
    host: str
    start: CommitId

    @staticmethod
    def of(workspace: Workspace) -> "Room":
        """What is to be said of a workspace."""
        return Room(attempt=workspace.attempt, host=workspace.host, start=workspace.start)

    def workspace(self, talk: Conversation) -> Workspace:
        """The workspace, for whoever is on its host."""
        assert talk.task
        return Workspace(
            migration=talk.migration,
            repository=talk.repository,
            task=talk.task.id,
            attempt=self.attempt,
            host=self.host,
            queue=f"host/{self.host}",
            base=talk.commit,
            start=self.start,
        )


class UseTools(Lean):
    """The tool calls of one reply, carried out in their order.

    A worker or resolver has a workspace, and a batch leaves at most one checkpoint; a planner or
    judge has none and reads the conversation's commit. After a lost tree the same calls are asked
    for in a workspace that was opened anew from the last checkpoint.
    """

    talk: BlobRef
    turn: int
    """Whose calls they are."""
    room: Room | None = None
    """Where the tree is; None: what is read is the conversation's commit."""
    granted: tuple[str, ...] = ()
    """Paths that joined the claim since the conversation began."""
    answers: tuple[FileAnswer, ...] = ()
    """To the turn's asks, in their order."""
    when: int
    """Seconds since the epoch, for the checkpoint's commit."""


class ToolsUsed(Lean):
    """What came of one batch of calls."""

    results: BlobRef
    """A ToolResults."""
    commit: CommitId | None = None
    """The checkpoint, where the batch changed files: what a workspace is opened anew from."""
    tree: str = ""
    """The git tree id of the workspace now: the same again and again is no progress."""
    errors: str = ""
    """A digest of what went wrong, 16 characters; empty when nothing did."""
    wants_check: bool = False
    """It called `check`: the workflow has the task's checks run on `commit`, which is there then,
    and tells what they said before the next turn: findings.py."""
    reported: tuple[str, ...] = ()
    """`path[:line]: why` of sites outside the claim, at most 20."""
    sent_back: bool = False
    """What it wanted to finish with came back to it with faults."""
    finished: Finished | None = None
