"""What a merge queue and the deep checks behind it tell their migration."""

from activities.contracts.base import BlobRef, CommitId, Contract
from activities.contracts.reds import OpenRed
from activities.contracts.repository import GreenBranch, Repository

QUEUE_NEWS = "queue_news"
"""queue → migration, with a QueueNews."""
DEEP_NEWS = "deep_news"
"""deep checks → migration, with a DeepNews."""
LANDED_MORE = "landed_more"
"""queue → deep checks: the branch is not where it was."""
STOP = "stop"
"""migration → deep checks: end at once."""


class QueueNews(Contract):
    """What a queue saw since it last told its migration."""

    flaky: dict[str, int] = {}
    """Check → how often it was red at a landing and green when asked once more."""


class DeepNews(Contract):
    """How far the deep checks are; whole each time."""

    epoch: str = ""
    """Of the migration that they were started by."""
    phase: str = ""
    green: CommitId | None = None
    """The last commit of the branch on which all of them held: where the second ref is."""
    looked: CommitId | None = None
    """The last commit that they were run on."""
    behind: int = 0
    """Commits of the branch that the second ref does not have yet."""
    reds: tuple[OpenRed, ...] = ()
    spent: tuple[str, ...] = ()
    """Checks whose error budget is: no task begins that touches what they cover."""
    closed: bool = False
    """Nothing lands any more, and `looked` is the end of the branch."""


class DeepInput(Contract):
    """Starts or continues the deep checks of one green branch."""

    repository: Repository
    branch: GreenBranch
    spec: BlobRef
    phase: str
    base: CommitId
    """The migration's base."""
    parent: str
    """The workflow id that the news go to."""
    each: bool
    """They look at the branch whenever it has moved; else now and again, as a guard of what
    checks say that they cover."""
    looked_at: float = 0.0
    """When they last looked: seconds since the epoch."""
    reds: int | None = None
    """The error budget: how many results of a check may be red; None: any number."""
    age: int | None = None
    """How many seconds one may be red; None: for ever."""
    paused: bool = False
    closing: bool = False
    news: DeepNews


def told_of_deep(news: DeepNews | None) -> list[tuple[str, str]]:
    """Rows for people: where the second ref is, and what is red behind the landings."""
    if news is None or not (news.green or news.reds or news.behind):
        return []
    commits = "1 commit" if news.behind == 1 else f"{news.behind} commits"
    far = f", {commits} behind" if news.behind else ""
    at = f"at {news.green[:12]}" if news.green else "none yet"
    rows = [("deep green", f"{at}{far}")]
    for red in news.reds:
        said = f"{red.check} since {red.since}, {red.where}: {'; '.join(red.reasons) or 'red'}"
        said += "; no task begins that it is about" if red.check in news.spent else ""
        said += f"; fix task: {red.fix}" if red.fix else ""
        rows.append(("DEEP RED", said))
    return rows
