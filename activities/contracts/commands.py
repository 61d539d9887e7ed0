"""What people say to a migration or a fleet, and what is kept of it.

A person writes a command as JSON, perhaps by hand. Temporal refuses what cannot be read with words
that help nobody; so a command takes every field, and says itself what is wrong with it.
"""

from difflib import get_close_matches

from pydantic import ConfigDict

from activities.contracts.base import Contract

MAX_TEXT = 2000
"""Characters of one text for a task, an area or all, and of any other word of a command."""
MAX_TEXTS = 50
"""Such texts in all, the newest: they travel with every task that is started."""


class Command(Contract):
    """What a person asks, with who, why and an id of their own choice."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str = ""
    """A resent one is applied once. Empty: the id of the update that carries it."""
    actor: str = ""
    """Empty: somebody through Temporal."""
    reason: str = ""

    def faults(self) -> str:
        """What is wrong with how it was written; empty: nothing."""
        fields = list(type(self).model_fields)
        for name, value in self.model_dump().items():
            if name not in fields:
                near = get_close_matches(name, fields, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(fields)}"
                return f"it has no field {name!r}; {hint}"
            if isinstance(value, str) and len(value) > MAX_TEXT:
                return f"{name} is longer than {MAX_TEXT} characters"
        return ""


class Aimed(Command):
    """A command about a task, an area, or all of it where neither is named."""

    area: str = ""
    task: str = ""


class Steer(Aimed):
    """A text for every later rung of a task, an area, or all."""

    text: str = ""


class Retry(Command):
    """A task that ended without landing starts again; or all of them."""

    task: str = ""
    all_failed: bool = False
    with_dependants: bool = False
    """Those that were skipped because of it, too."""


class Skip(Command):
    """A task is not done; its files need a person."""

    task: str = ""


class SetLimits(Command):
    """Other limits than the spec's, from now on."""

    concurrency: int | None = None
    attempts: int | None = None
    days: int | None = None
    cycles: int | None = None
    usd: float | None = None
    area: str = ""
    """Whose tasks `usd` is for; empty: all of it."""


class DecideBase(Command):
    """What becomes of a base that was rewritten: one of the two."""

    accept: bool = False
    """The new one, as it was last seen, is merged."""
    head: str = ""
    """How its commit begins that the person has seen: another one is not accepted."""
    keep: bool = False
    """The migration stays with the old one, and looks no more."""


class DecidePush(Command):
    """What becomes of what somebody else pushed to the green branch: one of the two."""

    accept: bool = False
    """It stays, and what is red there counts as red before."""
    head: str = ""
    """How its commit begins that the person has seen: another one is not decided about."""
    back: bool = False
    """The branch goes back to the last commit of ours; what was pushed is kept under a ref."""


class ChangedLimits(Contract):
    """The limits that people changed; None: as the spec says."""

    concurrency: int | None = None
    attempts: int | None = None
    days: int | None = None
    cycles: int | None = None
    usd: float | None = None


class HumanDecision(Contract):
    """A command that was applied, for the report and the audit."""

    id: str
    verb: str
    actor: str
    reason: str = ""
    at: str
    """ISO 8601, UTC."""
    target: str = ""
    """Such as `task c1-0003` or `area root`; empty: all of it."""
    said: str = ""
    """What it says beside its verb: a text, limits, what it meant."""
    answer: str = "accepted"
    """What the one who said it was told, and is told again when it is sent again."""


class Hold(Contract):
    """What stands still because a person paused it, or for what only a person can mend."""

    target: str = ""
    """As in a decision."""
    actor: str
    reason: str = ""
    at: str


class Guidance(Contract):
    """A text that a person gave for later rungs."""

    target: str = ""
    """As in a decision."""
    text: str
