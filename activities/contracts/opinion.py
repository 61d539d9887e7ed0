"""What a model thinks of a cycle, beside what was counted; it turns no failed gate into a pass."""

from activities.contracts.base import BlobRef, CommitId, Contract
from activities.contracts.repository import Repository
from activities.contracts.survey import Survey

PASS, CONCERNS, FAIL, NONE = "pass", "concerns", "fail", "none"


class Opinion(Contract):
    """One judge's last word."""

    phase: str
    cycle: int
    verdict: str = NONE
    """pass, concerns or fail; none: there is no opinion, and the summary says why."""
    summary: str = ""
    reasons: tuple[str, ...] = ()
    """As `path: what`, at most 10."""
    confirmed: tuple[str, ...] = ()
    """Sites it reported that the finders see too: the next cycle's."""
    unconfirmed: tuple[str, ...] = ()
    """Those that no finder sees: a person's to look at."""

    @property
    def asks(self) -> bool:
        """Whether a person should look at it."""
        return self.verdict in (CONCERNS, FAIL)

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What people read, by what it is about."""
        return [
            ("verdict", f"{self.verdict}: {self.summary}"),
            *(("because", reason) for reason in self.reasons),
            *(("still there", site) for site in self.confirmed),
            *(("look at", site) for site in self.unconfirmed),
        ]


class OpenJudgeTalk(Contract):
    """What a judge's conversation begins with."""

    name: str
    repository: Repository
    spec: BlobRef
    phase: str
    cycle: int
    attempt: str
    before: CommitId
    """The green tip that the cycle began with."""
    survey: Survey
    """Of the green tip after it."""
    sites_before: int
    handoffs: tuple[BlobRef, ...] = ()
    """The cycle's."""


class TakeOpinion(Contract):
    talk: BlobRef
    form: BlobRef
    cycle: int
