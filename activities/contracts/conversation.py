"""The nouns of an agent's loop: a conversation with a model, its turns, and the tools it used.

Only references, counts and short texts are here, for they go into history; what was said is in
blobs (transcript.py).
"""

from enum import StrEnum

from activities.contracts.base import BlobRef, CommitId, Contract
from activities.contracts.evidence import Evidence
from activities.contracts.money import Spend, Usage, Usd
from activities.contracts.plan import Task
from activities.contracts.work import Checkpoint, Workspace

SAID = 200
"""Characters of a reply's text that go into history, for people."""


class Role(StrEnum):
    """What an agent is there for; decides its prompt, its tools and the form it finishes with."""

    PLANNER = "planner"
    SUB_PLANNER = "sub_planner"
    WORKER = "worker"
    RESOLVER = "resolver"
    JUDGE = "judge"


class Conversation(Contract):
    """One agent's talk with one model. (migration, scope, attempt) is its identity: turns, replies
    and spend are recorded under it, and no other conversation ever has it."""

    migration: str
    scope: str
    """What it is about, such as `task/c1-0042`, `plan/c2/root`, `judge/c2`."""
    attempt: str
    """Such as `0-2`: start 0, attempt 2."""
    role: Role
    model: str
    opening: BlobRef
    """An Opening."""
    tools: tuple[str, ...]
    """Names, in the order in which the model sees them; the last one finishes."""
    max_tokens: int
    """Of one reply."""


class FileRequest(Contract):
    """A path outside the claim that a worker asks for."""

    path: str
    reason: str


class FileAnswer(Contract):
    """What the planner said to it."""

    path: str
    granted: bool
    text: str = ""
    """Why not, or what to mind."""


class TurnEnd(StrEnum):
    """How a reply ended; what the loop does next hangs on it."""

    CALLS = "calls"
    """It called tools."""
    SAID = "said"
    """It only talked: it is told to finish with the tool for it."""
    CUT = "cut"
    """It reached max_tokens: calls that came whole count."""
    PAUSED = "paused"
    """The API stopped a long turn: the same conversation goes on as it is."""
    REFUSED = "refused"
    """The model declined."""
    FULL = "full"
    """The conversation does not fit the model's window any more, compacted or not."""


class TakeTurn(Contract):
    """One request to the model. A second run finds the recorded reply and pays nothing."""

    conversation: Conversation
    turn: int
    """Counts from 1."""
    transcript: BlobRef | None = None
    """The last Chunk; None at the first turn."""
    results: BlobRef | None = None
    """A ToolResults, answering the calls of the turn before; None where it called none."""
    told: tuple[str, ...] = ()
    """What people or the system said since, oldest first."""
    grant: Usd | None = None
    """What is left of its grant; None: no cap. A turn that it cannot pay for at worst raises
    BudgetReached."""


class TurnTaken(Contract):
    """One reply, as far as the workflow decides by it."""

    transcript: BlobRef
    """The Chunk that holds the reply."""
    end: TurnEnd
    calls: tuple[str, ...] = ()
    """Names of the tools it called, in order, at most 64."""
    fingerprint: str = ""
    """A digest of the calls with their inputs: the same again and again is no progress."""
    asks: tuple[FileRequest, ...] = ()
    """What its request_files calls ask for, well-formed ones, at most 20."""
    usage: Usage = Usage()
    spend: Spend = Spend()
    """Of this turn, lost replies included."""
    said: str = ""
    """The beginning of its text."""
    seconds: float = 0.0
    compacted: bool = False


class UseTools(Contract):
    """The tool calls of one reply, carried out in their order.

    A worker or resolver has a workspace, and a batch leaves at most one checkpoint; a planner or
    judge has none and reads a commit. A second run after the tree was lost meets a workspace that
    was opened anew from the last checkpoint: calls are repeated on the tree they were made for.
    """

    conversation: Conversation
    turn: int
    transcript: BlobRef
    """The Chunk whose calls they are."""
    repository: str
    """The repository's id."""
    commit: CommitId
    """What is read where there is no workspace; the base where there is one."""
    spec: BlobRef
    phase: str
    task: Task | None = None
    """With the claims that it holds now, granted ones included."""
    workspace: Workspace | None = None
    survey: BlobRef | None = None
    answers: tuple[FileAnswer, ...] = ()
    """To the turn's asks, in their order."""
    when: int
    """Seconds since the epoch, for the checkpoint's commit."""


class Finished(Contract):
    """An agent's last word, valid by its role's form."""

    form: BlobRef
    """A WorkerForm, PlanForm or VerdictForm."""
    status: str = ""
    """done, cannot, … for the loop and for people."""
    summary: str = ""


class ToolsUsed(Contract):
    """What came of one batch of calls."""

    results: BlobRef
    """A ToolResults."""
    tree: str = ""
    """The git tree id of the workspace now: the same again and again is no progress."""
    errors: str = ""
    """A digest of what went wrong; empty when nothing did."""
    checkpoint: Checkpoint | None = None
    """Where the batch changed files."""
    evidence: Evidence | None = None
    """Of a `check` call."""
    reported: tuple[str, ...] = ()
    """`path[:line]: why` of sites outside the claim, at most 20."""
    finished: Finished | None = None


class Opened(Contract):
    """A conversation's beginning."""

    opening: BlobRef
    prompts: dict[str, str] = {}
    """Prompt file → sha256."""
