"""What an agent said when it stopped, beside what the system measured; or how it died."""

from activities.contracts.agent import AgentEnd
from activities.contracts.base import BlobRef, CommitId, Contract
from activities.contracts.repository import Repository

DRIFT = 0.1
"""A number that was claimed may be off by this part of it."""


class Measured(Contract):
    """A number that an agent claimed, and what its command printed when it was run again."""

    what: str
    command: str
    claimed: float
    measured: float | None = None
    """None: the command printed no number, or did not end well."""

    @property
    def drifts(self) -> bool:
        """Whether the claim does not hold."""
        if self.measured is None:
            return True
        return abs(self.measured - self.claimed) > DRIFT * abs(self.claimed)

    @property
    def told(self) -> str:
        """In one line; a claim that does not hold says so first."""
        if self.measured is None:
            return (
                f"NOT MEASURED: {self.what}: {self.claimed:g} claimed; no number from its command"
            )
        claim = f"{self.what}: {self.measured:g}"
        return f"DRIFT: {claim}, {self.claimed:g} claimed" if self.drifts else claim


class AgentWord(Contract):
    """The last word of the last agent that worked on a task."""

    end: AgentEnd
    """How its conversation ended; anything but done: it died of that, and said nothing."""
    status: str = ""
    """done, partial or cannot, in its own eyes."""
    did: str = ""
    verified: str = ""
    """How far it says that it verified it: checks, some, nothing."""
    measured: tuple[Measured, ...] = ()
    concerns: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    """What it says is left to others."""
    reported: tuple[str, ...] = ()
    """Sites outside its claim, as `path[:line]: why`."""

    @property
    def lines(self) -> list[str]:
        """What people should know of it; nothing, when all is as it should be."""
        died = [f"its agent ended by: {self.end.value}"] if self.end is not AgentEnd.DONE else []
        unsure = [f"verified by its agent: {self.verified}"] if self.verified == "nothing" else []
        return [
            *died,
            *unsure,
            *(one.told for one in self.measured),
            *(f"concern: {text}" for text in self.concerns),
            *(f"follow-up: {text}" for text in self.follow_ups),
            *(f"reported: {text}" for text in self.reported),
        ]


class HearAgent(Contract):
    """An agent's form is read, and what it claims is measured again."""

    repository: Repository
    spec: BlobRef
    phase: str
    commit: CommitId
    """What landed, else what it left."""
    form: BlobRef
    """A WorkerForm."""
    reported: tuple[str, ...] = ()
