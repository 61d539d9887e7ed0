"""A green branch that somebody else pushed to, and what becomes of it.

The queue is the branch's only writer. What others put there was never checked: it is checked as a
whole, held against the last commit of ours, before anything lands on it; red, it is a person's.
"""

from activities.contracts.base import CommitId, Contract
from activities.contracts.repository import GreenBranch, Repository

LOOK_AT_BRANCH = "look_at_branch"
"""migration → queue: perhaps the branch is not where it was left."""
PUSH_WORD = "push_word"
"""migration → queue, with a PushWord."""
PUSH_SEEN = "push_seen"
"""queue → migration, with a PushSeen, or None where there is no push."""
SHORT = 12
MAX_REASONS = 3
MAX_PUSHES = 20
"""That a migration remembers."""


class Push(Contract):
    """Where a green branch is, though nobody here moved it there."""

    ours: CommitId
    """The last commit of ours."""
    head: CommitId | None
    """None: somebody deleted the branch."""
    rewritten: bool = False
    """It does not continue ours along first parents: what landed would be gone from the chain."""
    commits: int = 0
    """Above ours."""
    told: str = ""
    """Who made the last of them, and its subject, as the commit says."""


class PushSeen(Contract):
    """A push as the queue stands to it."""

    push: Push
    reasons: tuple[str, ...] = ()
    """Why it waits for a person."""
    settled: str = ""
    """What became of it; without either it is being checked."""

    @property
    def needs_person(self) -> bool:
        return bool(self.reasons) and not self.settled

    @property
    def told(self) -> str:
        """For people: who, from where to where, and what became of it."""
        push = self.push
        at = (push.head or "")[:SHORT]
        if push.head is None:
            what = f"somebody deleted the green branch, which was at {push.ours[:SHORT]}"
        elif push.rewritten:
            what = f"somebody rewrote the green branch from {push.ours[:SHORT]} to {at}"
        else:
            noun = "commit" if push.commits == 1 else "commits"
            what = f"somebody pushed {push.commits} {noun} to the green branch, "
            what += f"from {push.ours[:SHORT]} to {at}"
        what += f" ({push.told})" if push.told else ""
        return f"{what}: {self.settled or self._waits}"

    @property
    def _waits(self) -> str:
        if not self.reasons:
            return "it is checked before anything else lands"
        return f"nothing lands before a person decides: {'; '.join(self.reasons[:MAX_REASONS])}"


class PushWord(Contract):
    """What a person says about a push."""

    head: CommitId | None
    """Of the one that it is about."""
    back: bool = False
    """The branch goes back to the last commit of ours; else what was pushed stays."""
    drop: bool = False
    """Nobody decides any more, for the migration is cancelled: who waits to land is sent home."""


class PushState(Contract):
    """What a queue carries of pushes over continue-as-new."""

    look: bool = False
    """Perhaps there is one."""
    held: PushSeen | None = None
    """What waits for a person: nothing lands before that."""
    word: PushWord | None = None
    """What a person said, and nobody has done yet."""
    drop: bool = False
    """While one is held, who waits to land is sent home."""


class FindPush(Contract):
    repository: Repository
    branch: GreenBranch


class FoundPush(Contract):
    push: Push | None


class SettlePush(Contract):
    repository: Repository
    branch: GreenBranch
    push: Push
    back: bool


def command(name: str, seen: PushSeen | None) -> str:
    """How a person decides; empty: there is nothing to decide."""
    if seen is None or not seen.needs_person:
        return ""
    if seen.push.head is None:
        return f"starter.py branch {name} --set-back"
    return f"starter.py branch {name} --accept --head {seen.push.head[:SHORT]} (or --set-back)"
