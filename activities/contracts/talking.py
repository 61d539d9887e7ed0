"""A conversation that only reads: a planner's or a judge's, as a workflow of its own."""

from activities.contracts.agent import AgentProgress, Allowance
from activities.contracts.base import BlobRef, Contract

STEER_TALK = "steer_talk"
"""migration → conversation, with a TalkSteering."""


class TalkSteering(Contract):
    """What a migration wants of a conversation, whole each time."""

    paused: bool = False
    guidance: tuple[str, ...] = ()
    """What people said to all, oldest first."""


class TalkInput(Contract):
    """Starts or continues one conversation."""

    talk: BlobRef
    """A Conversation."""
    allowance: Allowance
    steering: TalkSteering = TalkSteering()
    resumable: bool = True
    """Whether a person can resume who asks; a plan run is only waited for."""
    state: AgentProgress | None = None
    """Where it stands; None: it begins."""
