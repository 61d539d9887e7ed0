"""Where an agent stands between two turns, and how it ended."""

from enum import StrEnum

from activities.contracts.base import BlobRef, CommitId, Contract
from activities.contracts.money import Spend, Usage, Usd


class Finished(Contract):
    """An agent's last word, valid by its role's form."""

    form: BlobRef
    """The form that the role's last tool takes: a WorkerForm, a plan, a verdict."""
    status: str = ""
    """done, cannot, …: for the loop and for people."""
    summary: str = ""
    """The beginning of what it says it did."""


class AgentEnd(StrEnum):
    """Why a conversation goes on no longer."""

    DONE = "done"
    """It finished with its role's form."""
    STUCK = "stuck"
    """Turn after turn the same tree, the same errors, the same calls."""
    TURNS = "turns"
    """All its turns are taken."""
    BUDGET = "budget"
    """What is left of its grant cannot pay for another turn at worst."""
    REFUSED = "refused"
    """The model declined."""
    UNFIT = "unfit"
    """What it wanted to finish with was sent back too often."""
    FULL = "full"
    """The conversation does not fit the model's window any more."""
    FAILED = "failed"
    """The provider will never take its next turn: an unknown model, a refused request."""


class AgentProgress(Contract):
    """A conversation between two turns: all that another run of its workflow needs to go on."""

    talk: BlobRef
    """The Conversation."""
    turn: int = 0
    """Turns taken."""
    results: BlobRef | None = None
    """What the last turn's calls came to; None where it called none."""
    told: tuple[str, ...] = ()
    """What the system has to say at the next turn."""
    heard: tuple[str, ...] = ()
    """Marks of the texts of people that it was told. No count: of too many texts the oldest go."""
    checkpoint: CommitId | None = None
    """The last one: a workspace that is lost is opened anew from it."""
    granted: tuple[str, ...] = ()
    """Paths that joined the claim."""
    refused: int = 0
    """How often what it wanted to finish with was sent back."""
    recent: tuple[str, ...] = ()
    """What the last turns came to, one mark each: one that is met again was no progress."""
    still: int = 0
    """Turns in a row without progress."""
    usage: Usage = Usage()
    spend: Spend = Spend()
    reported: tuple[str, ...] = ()
    """Sites outside its claim, as `path[:line]: why`."""


class AgentRun(Contract):
    """One conversation when it is over, as it stands in the attempt, the handoff and the report."""

    talk: BlobRef
    end: AgentEnd
    turns: int
    checkpoint: CommitId | None = None
    """Of the last batch that changed files."""
    usage: Usage = Usage()
    spend: Spend = Spend()
    finished: Finished | None = None
    why: str = ""
    """What the provider said, where it failed."""
    reported: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """How it ended without a last word."""
        return f"ended by: {self.end}{f', {self.why}' if self.why else ''}"


class Allowance(Contract):
    """What an agent may use."""

    turns: int
    grant: Usd | None = None
    """What its turns may cost at most; None: no cap."""
