"""Work on one task: workspace, command runs, checkpoint, handoff."""

from enum import StrEnum

from activities.contracts.agent import AgentRun
from activities.contracts.agent_word import AgentWord
from activities.contracts.base import BlobRef, CommitId, Contract, TaskId
from activities.contracts.contention import HotFile
from activities.contracts.evidence import Evidence
from activities.contracts.file_requests import FileRequest, FilesNeeded, Grant
from activities.contracts.money import Spend, Usd


class Workspace(Contract):
    """An isolated working tree on one host, for one attempt."""

    migration: str
    repository: str
    task: TaskId
    attempt: str
    """Unique per attempt and never reused, such as `0-2`: start 0, attempt 2."""
    host: str
    queue: str
    """The task queue that only this host polls."""
    base: CommitId
    """What the candidate will be based on; lies on the green first-parent chain."""
    start: CommitId
    """What the tree was filled from: the base, or a checkpoint merged onto it."""


class AgentSaid(Contract):
    """What the program of an agent says of its own run; its word, and no evidence."""

    agent: str
    """claude, codex, aider or generic: whose way of telling it is."""
    summary: str = ""
    usd: Usd | None = None
    """What it says it cost."""
    turns: int | None = None
    error: str = ""
    """Why it failed, by its own word: login, limit, turns, or failed; empty: it did not."""


class CommandRun(Contract):
    """What one command, or the calls it was split into, said."""

    exit: int | None
    """The worst exit code; None when it was killed (see `ended`)."""
    ended: str = "exit"
    """exit, timeout, output, memory or cancelled; disk: it filled that by itself; prepare or setup:
    that script failed first."""
    seconds: float
    calls: int = 1
    output: BlobRef | None = None
    """Combined output, bounded; head and tail are kept."""
    tail: str = ""
    """The last lines, at most 2,000 characters."""
    said: AgentSaid | None = None


class OnceRun(Contract):
    """A codemod's run over everything, whose result tasks take their claims from."""

    commit: CommitId
    """The base with what claims and creates cover; the base itself when the run failed."""
    base: CommitId
    exit: int | None = 0
    ended: str = "exit"
    allowed: bool = True
    seconds: float = 0.0
    files: int = 0
    """Files it was given."""
    outside: tuple[str, ...] = ()
    """Tracked files it changed that no task claims."""
    dropped: tuple[str, ...] = ()
    """New files that nothing lets it create."""
    tail: str = ""


class Change(StrEnum):
    """How a path differs from the base."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"


class ChangedPath(Contract):
    """One path of a checkpoint."""

    path: str
    change: Change


class SitesLeft(Contract):
    """What an attempt left of its task's sites."""

    files: tuple[str, ...] = ()
    """Claimed files that still have some."""
    sites: int = 0


class Checkpoint(Contract):
    """A commit of an attempt's work so far, kept under a ref of its own."""

    commit: CommitId
    tree: CommitId
    base: CommitId
    """The commit's only parent."""
    changed: tuple[ChangedPath, ...] = ()
    """Against the base, claimed paths only; empty when nothing changed."""
    dropped: tuple[str, ...] = ()
    """Untracked files outside claims and creates: not committed, only reported."""
    outside: tuple[str, ...] = ()
    """Tracked files outside the claim that were edited: the rung failed, they are not committed."""
    damage: tuple[str, ...] = ()
    """End-of-line flips, mode flips, binary damage, as `path: what`."""
    moved: bool = True
    """False: the tree is the one the attempt started from."""
    left: tuple[str, ...] = ()
    """Claimed files that still have sites, where the finders can tell without running anything."""
    sites_left: int = 0
    unresolved: tuple[str, ...] = ()
    """Conflicts that its resolver left, as `path: what`."""


class RungRun(Contract):
    """One run of a rung: what its command said, and what it left in the workspace."""

    run: CommandRun
    allowed: bool
    """Whether its exit code is one the rung allows."""
    checkpoint: Checkpoint
    once: BlobRef | None = None
    """The OnceRun that this is a slice of, where the codemod ran over everything."""
    agent: AgentRun | None = None
    """The conversation, where it was a model's."""
    asks: tuple[FileRequest, ...] = ()
    """Files outside the claim that it asked for, at most MAX_GRANTS."""
    unclear: tuple[str, ...] = ()
    """What of its asking was not understood, the first few."""


class RungOutcome(StrEnum):
    """What a rung left behind, told apart because each buys something else."""

    CHANGED = "changed"
    """It changed claimed files and nothing else."""
    NO_CHANGE = "no_change"
    """It succeeded and changed nothing."""
    FAILED = "failed"
    """It exited with a code that its rung does not allow, and wrote nothing."""
    FAILED_CHANGED = "failed_changed"
    """It exited with such a code after changing files."""
    TIMED_OUT = "timed_out"
    OUTSIDE = "outside"
    """It edited tracked files outside the claim."""
    DAMAGED = "damaged"
    """It flipped line ends or modes, or broke a binary file."""
    UNRESOLVED = "unresolved"
    """The resolver left a conflict as git did, or conflict markers."""
    ASKED = "asked"
    """It asked for files outside its claim, and goes on with them or when they are free."""
    UNAVAILABLE = "unavailable"
    """This service cannot run it, such as a model rung without a model."""


class Attempt(Contract):
    """One run of one rung, as it stands in the handoff and the report."""

    number: int
    rung: int
    """0-based place on the ladder."""
    kind: str
    """codemod, command, write or claude; `resolver KIND` where it was to settle a conflict."""
    outcome: RungOutcome
    run: CommandRun | None = None
    checkpoint: CommitId | None = None
    sites_left: int | None = None
    """None: nobody asked, as what it left goes no further."""
    evidence: Evidence | None = None
    note: str = ""
    once: BlobRef | None = None
    """The OnceRun that this was a slice of."""
    agent: AgentRun | None = None
    """The conversation that this was."""

    @property
    def spend(self) -> Spend:
        """Of its conversation, or what an agent's program says that it cost."""
        return self.agent.spend if self.agent else self.said_spend

    @property
    def said_spend(self) -> Spend:
        """What an agent's program says that it cost: of that there is no other record."""
        said = self.run.said if self.run else None
        return Spend(recorded=said.usd) if said and said.usd is not None else Spend()


class TaskStatus(StrEnum):
    """How a task ended."""

    LANDED = "landed"
    PARTIAL = "partial"
    """Some of its files landed; the rest needs a person."""
    NOTHING_TO_DO = "nothing_to_do"
    NEEDS_PERSON = "needs_person"
    CANNOT = "cannot"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    ORPHANED = "orphaned"
    LOST = "lost"
    NEEDS_FILES = "needs_files"
    """Others hold files that it needs: its planner queues it again behind them."""

    @property
    def landed(self) -> bool:
        return self in (TaskStatus.LANDED, TaskStatus.PARTIAL)


class PutBack(Contract):
    """A claimed file that was put back to the base because its change is not good enough."""

    path: str
    reason: str


class Handoff(Contract):
    """What a worker tells its planner when it stops; written by the system if the worker died."""

    task: TaskId
    status: TaskStatus
    did: str = ""
    landed: CommitId | None = None
    """The green branch's commit that carries it."""
    files: tuple[str, ...] = ()
    """Files that landed."""
    put_back: tuple[PutBack, ...] = ()
    left: tuple[str, ...] = ()
    """Files of the claim that still have sites: they need a person."""
    granted: tuple[Grant, ...] = ()
    """Files beyond its claims that it might change, and why."""
    hot: tuple[HotFile, ...] = ()
    """What its bounces were for."""
    follow_ups: tuple[str, ...] = ()
    """What it asked for and was refused, as `path: why`."""
    needs: FilesNeeded | None = None
    """Where it goes on when it is started again, with status needs_files."""
    concerns: tuple[str, ...] = ()
    agent: AgentWord | None = None
    """What its last agent said, with its numbers measured again; or how that one died."""
    attempts: tuple[Attempt, ...] = ()
    bounces: int = 0
    seconds: float = 0.0
    """From start to the end, waiting included."""
    title: str = ""
    """The task's, as planned."""
    area: str = ""
    """Whose planner it is of."""
    spend: Spend = Spend()
    """Of all its starts."""
    sites: int = 0
    """How many it was planned with."""
    follows: tuple[str, ...] = ()
    """The files that it was planned for because of what others said: nobody follows them up again.
    """
    mends: str = ""
    """The red that it was to turn green, by its id: what it left of its files is others'."""
