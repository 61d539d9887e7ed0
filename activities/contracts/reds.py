"""What is red behind the landings, and what is to turn it green again."""

import re
from hashlib import sha256

from activities.contracts.base import CommitId, Contract, Form, TaskId
from activities.contracts.moving_base import BothSides

FIX = "-fix-"
"""Between the cycle of a fix task and the id of its red."""
NAMED = 5
_PLAIN = re.compile(r"[^a-z0-9]+")


class OpenRed(Contract):
    """A deep check that is red; whatever broke it landed after `good` and no later than `bad`."""

    check: str
    reasons: tuple[str, ...] = ()
    """Of its last run; at most 5."""
    files: tuple[str, ...] = ()
    """What its failing results name; at most 20."""
    results: int = 1
    """How many are red."""
    since: str
    """When it was first seen: ISO 8601."""
    good: CommitId
    """The last commit on which it held."""
    bad: CommitId
    """The first one on which it was seen red."""
    after: CommitId | None = None
    """The last commit before those that broke it, once they were looked for; else `good`."""
    broke: CommitId | None = None
    """The commit with which it broke, or the last of a few of them; None: not looked for yet."""
    by: tuple[TaskId, ...] = ()
    """The tasks that landed after `after` up to `broke`, as far as is known; at most 20."""
    merges: BothSides | None = None
    """The base that was merged since `good`: what is red there is nobody's here."""
    fix: str = ""
    """The task that is to mend it, as its migration adds for people; empty: none was planned."""

    @property
    def id(self) -> str:
        """The same red has the same id, however often it is seen; part of its fix task's."""
        told = _PLAIN.sub("-", self.check.lower()).strip("-")[:24]
        return f"{told}-{sha256(f'{self.check} {self.bad}'.encode()).hexdigest()[:8]}".lstrip("-")

    @property
    def where(self) -> str:
        """By what it is red, as far as is known."""
        after, upto = self.after or self.good, self.broke or self.bad
        by = ", ".join(self.by[:NAMED])
        by += f" and {len(self.by) - NAMED} more" if len(self.by) > NAMED else ""
        return f"by what landed after {after[:12]} up to {upto[:12]}" + (f" ({by})" if by else "")


class Mend(Form):
    """What a fix task is to turn green: it lands only where this check holds, on its very tree."""

    red: str
    """The OpenRed's id."""
    check: str
    good: CommitId
    """The commit that the check is held against."""
    merges: BothSides | None = None


def fix_task(red: str, cycle: int) -> TaskId:
    """The id of the task that is to turn a red green."""
    return f"c{cycle}{FIX}{red}"


def mends(task: TaskId, red: str) -> bool:
    """Whether a task is the red's fix task, of whatever cycle."""
    return task.partition(FIX)[2] == red
