"""What a turn and its tools mean for the conversation: progress, a nudge, the end. Pure.

Stuck is no progress, never slowness: the same calls, with the same errors, on the same tree, again.
A model may do one thing twice; one that does it again and again is told so, then stopped.
"""

import hashlib

from activities.contracts.agent import AgentEnd, AgentProgress, Allowance
from activities.contracts.conversation import ToolsUsed, TurnEnd, TurnTaken

REMEMBERED = 8
"""Turns back: models also go in circles of several steps."""
NUDGED_AFTER = 3
STUCK_AFTER = 6
REPORTED = 100
MAX_REFUSED = 3
"""Forms that are sent back with their errors."""

TALKED = (
    "You called no tool. Go on with a tool call; when nothing is left to do, or nothing can be "
    "done, end with the tool for it."
)
CUT = "Your reply was cut off at the most it may hold. Make smaller steps: one call at a time."
REPEATED = (
    "Your last turns changed nothing: the same calls met the same answers. Try another way, or end "
    "with what you have and say what is in the way."
)
LAST_TURN = "This is your last turn: end now with the tool for it, with what you have."
ENDS = {TurnEnd.REFUSED: AgentEnd.REFUSED, TurnEnd.FULL: AgentEnd.FULL}


def after_reply(at: AgentProgress, taken: TurnTaken) -> AgentProgress:
    """The conversation with one more turn; its results and what was told are used up."""
    told = {TurnEnd.SAID: (TALKED,), TurnEnd.CUT: (CUT,)}.get(taken.end, ())
    after = at.model_copy(
        update={
            "turn": at.turn + 1,
            "results": None,
            "told": told,
            "usage": at.usage + taken.usage,
            "spend": at.spend + taken.spend,
        }
    )
    return after if taken.calls or taken.end is TurnEnd.PAUSED else _marked(after, taken.end)


def after_tools(at: AgentProgress, taken: TurnTaken, used: ToolsUsed) -> AgentProgress:
    """The conversation when the turn's calls are carried out."""
    reported = dict.fromkeys((*at.reported, *used.reported))
    after = at.model_copy(
        update={
            "results": used.results,
            "checkpoint": used.commit or at.checkpoint,
            "reported": tuple(reported)[:REPORTED],
        }
    )
    return _marked(after, f"{taken.fingerprint} {used.tree} {used.errors}")


def _marked(at: AgentProgress, mark: str) -> AgentProgress:
    still = at.still + 1 if mark in at.recent else 0
    told = (*at.told, REPEATED) if still == NUDGED_AFTER else at.told
    recent = (*at.recent, mark)[-REMEMBERED:]
    return at.model_copy(update={"recent": recent, "still": still, "told": told})


def over(at: AgentProgress, allowance: Allowance) -> AgentEnd | None:
    """Why no other turn is taken; None: one is."""
    if at.still >= STUCK_AFTER:
        return AgentEnd.STUCK
    if at.refused >= MAX_REFUSED:
        return AgentEnd.UNFIT
    return AgentEnd.TURNS if at.turn >= allowance.turns else None


def to_tell(at: AgentProgress, allowance: Allowance, guidance: tuple[str, ...]) -> tuple[str, ...]:
    """What the model hears next: what the system has to say, then what people said since."""
    last = (LAST_TURN,) if at.turn + 1 == allowance.turns and at.turn else ()
    news = (text for text in guidance if _mark(text) not in at.heard)
    return (*at.told, *news, *last)


def heard(guidance: tuple[str, ...]) -> tuple[str, ...]:
    """Marks of what people have said so far: a conversation is told each text once."""
    return tuple(map(_mark, guidance))


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
