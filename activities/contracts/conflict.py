"""Work that does not merge onto the green tip, and what landed there meanwhile."""

from activities.contracts.base import CommitId, Contract


class LandedChange(Contract):
    """What was landed by one task, or came from outside, as far as somebody asked about it."""

    task: str = ""
    """Empty: none of this migration's, such as the base branch."""
    title: str
    paths: tuple[str, ...]
    """The first of those that were asked about."""
    more: int = 0
    """How many further ones it changed of them."""

    @property
    def named(self) -> str:
        """For people: id and title."""
        return f"{self.task} ({self.title})" if self.task else self.title


class Conflict(Contract):
    """A task's change beside what landed on the same paths since its base."""

    merged: CommitId
    """On the tip, with the merge as git left it: conflict markers where both changed a text."""
    base: CommitId
    """What both began from."""
    work: CommitId
    """The base with the task's change."""
    tip: CommitId
    """The base with what landed."""
    paths: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    """`path: kind`, the first of them."""
    landed: tuple[LandedChange, ...] = ()
    """Who landed on these paths meanwhile, newest first."""

    @property
    def commits(self) -> tuple[CommitId, ...]:
        """What has to be there to look at it."""
        return (self.merged, self.base, self.work, self.tip)
